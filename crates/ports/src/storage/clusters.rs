//! Registered clusters.

use async_trait::async_trait;
use shopwright_domain::ClusterName;

use crate::storage::StorageError;

/// A cluster on which stores are placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredCluster {
    /// Identity.
    pub name: ClusterName,
    /// How many operations may run on it at once, over all workers.
    pub permits: u32,
}

/// Registered clusters.
#[async_trait]
pub trait ClusterRepository: Send {
    /// Adds it, or brings its row up to date.
    async fn upsert(&mut self, cluster: &RegisteredCluster) -> Result<(), StorageError>;

    /// By name.
    async fn get(&mut self, name: &ClusterName) -> Result<Option<RegisteredCluster>, StorageError>;
}
