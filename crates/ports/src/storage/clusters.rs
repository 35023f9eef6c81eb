//! Registered clusters.

use async_trait::async_trait;
use shopwright_domain::ClusterName;
use shopwright_domain::operation::OperationStatus;
use shopwright_domain::store::{EngineName, StoreState};

use crate::storage::StorageError;

/// A cluster on which stores are placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredCluster {
    /// Identity.
    pub name: ClusterName,
    /// How many operations may run on it at once, over all workers.
    pub permits: u32,
}

/// A cluster, and how much there is on it. What is not in a list is zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterCensus {
    /// The cluster.
    pub cluster: RegisteredCluster,
    /// Stores that are not deleted, by state and engine.
    pub stores: Vec<((StoreState, EngineName), u64)>,
    /// Operations that are not finished, by status.
    pub operations: Vec<(OperationStatus, u64)>,
}

impl ClusterCensus {
    /// An empty one.
    pub const fn of(cluster: RegisteredCluster) -> Self {
        Self { cluster, stores: Vec::new(), operations: Vec::new() }
    }

    /// How many operations have this status.
    pub fn operations(&self, status: OperationStatus) -> u64 {
        self.operations.iter().find(|(what, _)| *what == status).map_or(0, |(_, count)| *count)
    }

    /// How many stores run this engine, or are to.
    pub fn stores_of(&self, engine: &EngineName) -> u64 {
        self.stores.iter().filter(|((_, of), _)| of == engine).map(|(_, count)| count).sum()
    }

    /// How many stores are in this state.
    pub fn stores_in(&self, state: StoreState) -> u64 {
        self.stores.iter().filter(|((is, _), _)| *is == state).map(|(_, count)| count).sum()
    }
}

/// Registered clusters.
#[async_trait]
pub trait ClusterRepository: Send {
    /// Adds it, or brings its row up to date.
    async fn upsert(&mut self, cluster: &RegisteredCluster) -> Result<(), StorageError>;

    /// By name.
    async fn get(&mut self, name: &ClusterName) -> Result<Option<RegisteredCluster>, StorageError>;

    /// All of them by name, each with what is on it. Within [`super::Reach::Platform`] only: anybody else would count their own alone.
    async fn census(&mut self) -> Result<Vec<ClusterCensus>, StorageError>;
}
