//! Registered clusters.

use async_trait::async_trait;
use shopwright_domain::ClusterName;

use super::transaction::FakeTransaction;
use crate::storage::{ClusterRepository, Reach, RegisteredCluster, StorageError};

#[async_trait]
impl ClusterRepository for FakeTransaction {
    async fn upsert(&mut self, cluster: &RegisteredCluster) -> Result<(), StorageError> {
        let allowed = self.reach == Reach::Platform;
        self.within_reach(allowed, "registering a cluster")?;
        let rows = self.rows()?;
        rows.clusters.retain(|row| row.name != cluster.name);
        rows.clusters.push(cluster.clone());
        Ok(())
    }

    async fn get(&mut self, name: &ClusterName) -> Result<Option<RegisteredCluster>, StorageError> {
        Ok(self.owned_rows()?.clusters.iter().find(|row| row.name == *name).cloned())
    }
}
