//! How many there are of everything: one statement for stores, one for operations; and one for clusters with what is on each.

use shopwright_domain::operation::OperationStatus;
use shopwright_ports::storage::{Census, ClusterCensus, RegisteredCluster, StorageError};

use crate::row::Row;
use crate::transaction::{PgTransaction, sql};

impl PgTransaction {
    pub(crate) async fn read_census(&mut self) -> Result<Census, StorageError> {
        let mut census = Census::default();
        let stores = sql("\
            select state, engine, count(*) as count
            from stores
            group by state, engine");
        for row in self.rows("count stores", stores).await? {
            let row = Row::new(&row, "stores", "state");
            census.stores.push(((row.parse("state")?, row.parse("engine")?), row.number("count")?));
        }
        let operations = sql("\
            select kind, status, count(*) as count, min(created_at) as oldest
            from operations
            where status in ('queued', 'running', 'waiting', 'stuck')
            group by kind, status");
        for row in self.rows("count operations", operations).await? {
            let row = Row::new(&row, "operations", "kind");
            let status = row.parse("status")?;
            census.operations.push(((row.parse("kind")?, status), row.number("count")?));
            if status == OperationStatus::Queued {
                let oldest = row.time("oldest")?;
                census.oldest_queued = Some(census.oldest_queued.map_or(oldest, |known| known.min(oldest)));
            }
        }
        Ok(census)
    }

    pub(crate) async fn read_census_of_clusters(&mut self) -> Result<Vec<ClusterCensus>, StorageError> {
        // A cluster with nothing on it has one row, without a word.
        let statement = sql("\
            select c.name, c.permits, counted.what, counted.word, counted.engine, counted.count
            from clusters c
            left join (
                select cluster, 'stores' as what, state as word, engine, count(*) as count
                from stores
                where state <> 'deleted'
                group by cluster, state, engine
                union all
                select s.cluster, 'operations', o.status, null, count(*)
                from operations o join stores s on s.id = o.store_id
                where o.status in ('queued', 'running', 'waiting', 'stuck')
                group by s.cluster, o.status
            ) counted on counted.cluster = c.name
            order by c.name collate \"C\"");
        let mut census: Vec<ClusterCensus> = Vec::new();
        for row in self.rows("count what is on clusters", statement).await? {
            let row = Row::new(&row, "clusters", "name");
            let cluster = RegisteredCluster { name: row.parse("name")?, permits: row.count("permits")? };
            if census.last().is_none_or(|last| last.cluster.name != cluster.name) {
                census.push(ClusterCensus::of(cluster));
            }
            let Some(here) = census.last_mut() else { continue };
            match row.get::<Option<&str>>("what")? {
                Some("stores") => here.stores.push(((row.parse("word")?, row.parse("engine")?), row.number("count")?)),
                Some(_) => here.operations.push((row.parse("word")?, row.number("count")?)),
                None => {}
            }
        }
        Ok(census)
    }
}
