//! The queue without a hint (RELIABILITY F23): no session listens for anything, so there is nothing to lose; whoever looks finds the work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use shopwright_app::crypto::{SystemClock, SystemEntropy};
use shopwright_app::saga::{ClusterGuard, Executor};
use shopwright_app::stores::PublicUrls;
use shopwright_app::worker::{Worker, WorkerSettings};
use shopwright_domain::breaker::BreakerPolicy;
use shopwright_domain::plans::Plans;
use shopwright_domain::saga::Policy;
use shopwright_domain::store::StoreState;
use shopwright_ports::storage::{Reach, Storage as _};
use shopwright_ports::stores_api::StoreService as _;
use shopwright_ports::telemetry::Telemetry;
use shopwright_ports::testing::{FakeCluster, FakeReleases, FakeStorefront, engines};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::replicas::{Replicas, wish};

/// The worker of replica `number`; nobody has the other end of its hint.
fn worker(replicas: &Replicas, cluster: &Arc<FakeCluster>, number: usize) -> Worker {
    let clock = Arc::new(SystemClock);
    let executor = Executor {
        storage: Arc::new(replicas.storages[number].clone()),
        cluster: Arc::new(ClusterGuard::new(cluster.clone(), clock.clone(), BreakerPolicy::default())),
        releases: Arc::new(FakeReleases::on(cluster.clone())),
        storefront: Arc::new(FakeStorefront::default()),
        sealer: replicas.sealer.clone(),
        clock,
        entropy: Arc::new(SystemEntropy),
        policy: Policy::default(),
        urls: PublicUrls { scheme: "http".to_owned(), port: None },
        telemetry: Telemetry::default(),
        engines: Arc::new(engines::catalogue()),
        plans: Plans::default(),
    };
    let settings = WorkerSettings { poll: Duration::from_millis(200), ..WorkerSettings::default() };
    Worker::new(Arc::new(executor), &SystemEntropy, Arc::new(Notify::new()), settings)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_is_told_of_is_found_by_looking() -> anyhow::Result<()> {
    let replicas = Replicas::start().await?;
    let (cluster, stop) = (Arc::new(FakeCluster::new()), CancellationToken::new());
    let mut working = Vec::new();
    for number in 1..3 {
        let (worker, stop) = (worker(&replicas, &cluster, number), stop.clone());
        working.push(tokio::spawn(async move { worker.run(stop).await }));
    }
    // Replica 0 has no worker, and its hint reaches nobody.
    let stores = replicas.stores(100).remove(0);
    let mut asked = Vec::new();
    for number in 0..10 {
        asked.push(stores.create(&replicas.context, wish(&format!("shop-{number}"))?).await?.store.id);
    }

    let start = Instant::now();
    for id in &asked {
        loop {
            let mut tx = replicas.storages[0].begin(Reach::Worker).await?;
            let store = tx.stores().get(id).await?.expect("the store");
            drop(tx);
            if store.state == StoreState::Ready {
                break;
            }
            let waited = start.elapsed();
            assert!(waited < Duration::from_mins(1), "{id} is {:?} after {waited:?}: {:?}", store.state, store.failure);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    println!("10 stores without a hint: ready after {:?}", start.elapsed());
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&replicas.database.url).await?;
    let heard: Vec<String> = sqlx::query_scalar("select pg_listening_channels()").fetch_all(&mut connection).await?;
    assert_eq!(heard, Vec::<String>::new());
    let listens = "select count(*) from pg_stat_activity where datname = current_database() and query ilike 'listen%'";
    assert_eq!(replicas.database.count(listens).await?, 0, "no session of the product listens");
    stop.cancel();
    for worker in working {
        worker.await?;
    }
    replicas.close().await;
    Ok(())
}
