//! Registered clusters.

use async_trait::async_trait;
use shopwright_domain::ClusterName;

use super::transaction::FakeTransaction;
use crate::storage::{ClusterRepository, RegisteredCluster, StorageError};

#[async_trait]
impl ClusterRepository for FakeTransaction {
    async fn upsert(&mut self, cluster: &RegisteredCluster) -> Result<(), StorageError> {
        let rows = self.rows()?;
        rows.clusters.retain(|row| row.name != cluster.name);
        rows.clusters.push(cluster.clone());
        Ok(())
    }

    async fn get(&mut self, name: &ClusterName) -> Result<Option<RegisteredCluster>, StorageError> {
        Ok(self.rows()?.clusters.iter().find(|row| row.name == *name).cloned())
    }
}
