//! Registered clusters.

use async_trait::async_trait;
use shopwright_domain::ClusterName;
use shopwright_domain::operation::Operation;
use shopwright_domain::store::StoreState;

use super::operations::add;
use super::transaction::FakeTransaction;
use crate::storage::{ClusterCensus, ClusterRepository, Reach, RegisteredCluster, StorageError};

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

    async fn census(&mut self) -> Result<Vec<ClusterCensus>, StorageError> {
        let allowed = self.reach == Reach::Platform;
        self.within_reach(allowed, "counting what is on clusters")?;
        let rows = self.rows()?;
        let mut census: Vec<_> = rows.clusters.iter().cloned().map(ClusterCensus::of).collect();
        census.sort_by(|one, other| one.cluster.name.cmp(&other.cluster.name));
        for here in &mut census {
            for store in rows.stores.iter().filter(|store| store.cluster == here.cluster.name) {
                if store.state != StoreState::Deleted {
                    add(&mut here.stores, (store.state, store.engine.clone()));
                }
                let of_it = |operation: &&Operation| operation.store_id == store.id && !operation.status.is_finished();
                for operation in rows.operations.iter().filter(of_it) {
                    add(&mut here.operations, operation.status);
                }
            }
        }
        Ok(census)
    }
}
