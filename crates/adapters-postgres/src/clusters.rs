//! Registered clusters.

use async_trait::async_trait;
use shopwright_domain::ClusterName;
use shopwright_ports::storage::{ClusterCensus, ClusterRepository, RegisteredCluster, StorageError};

use crate::row::{Row, integer};
use crate::transaction::{PgTransaction, sql};

#[async_trait]
impl ClusterRepository for PgTransaction {
    async fn upsert(&mut self, cluster: &RegisteredCluster) -> Result<(), StorageError> {
        let statement = sql("\
            insert into clusters (name, permits) values ($1, $2)
            on conflict (name) do update set permits = excluded.permits")
        .bind(cluster.name.as_str())
        .bind(integer(cluster.permits)?);
        self.execute("write a cluster", statement).await.map(|_| ())
    }

    async fn get(&mut self, name: &ClusterName) -> Result<Option<RegisteredCluster>, StorageError> {
        let statement = sql("select name, permits from clusters where name = $1").bind(name.as_str());
        let Some(row) = self.row("read a cluster", statement).await? else { return Ok(None) };
        let row = Row::new(&row, "clusters", "name");
        Ok(Some(RegisteredCluster { name: row.parse("name")?, permits: row.count("permits")? }))
    }

    async fn census(&mut self) -> Result<Vec<ClusterCensus>, StorageError> {
        self.as_platform("counting what is on clusters")?;
        self.read_census_of_clusters().await
    }
}
