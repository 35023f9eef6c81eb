//! A primary that dies with a synchronous standby beside it (RELIABILITY F16).

use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures::future::join_all;
use shopwright_adapters_postgres::{PgSettings, PgStorage};
use shopwright_domain::OperationId;
use shopwright_domain::operation::{Operation, OperationKind};
use shopwright_ports::storage::{Reach, Storage as _, StorageError};
use sqlx::ConnectOptions as _;

use crate::own_server::{ROLE, SUPERUSER, Server};
use crate::proxy::Proxy;
use crate::shop::{LEASE, Shop, claim, now, storage_with, until};

/// A store with an operation; what it is about is known when the answer comes, and not before.
async fn create(storage: &PgStorage, shop: &Shop, id: OperationId) -> Result<(), StorageError> {
    let store = shop.draft();
    let operation = Operation::queued(id, shop.tenant, store.id.clone(), OperationKind::Provision, now());
    let mut tx = storage.begin(Reach::Platform).await?;
    tx.stores().insert(&store).await?;
    tx.operations().enqueue(&operation, &[]).await?;
    tx.commit().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_a_standby_takes_over() {
    // The server's default would not wait for the standby; ours does.
    let primary = Server::start("-c synchronous_commit=local").await;
    let standby = Server::standby_of(&primary, "-c synchronous_commit=local", "standby");
    standby.boot();
    let mut observer = primary.options(SUPERUSER).connect().await.expect("connect");
    until("the standby follows", async || {
        let follows = "select count(*) from pg_stat_replication where state = 'streaming'";
        sqlx::query_scalar::<_, i64>(follows).fetch_one(&mut observer).await.expect("look") == 1
    })
    .await;
    primary.execute("alter system set synchronous_standby_names = 'standby'").await;
    primary.execute("select pg_reload_conf()").await;
    until("it is waited for", async || {
        let waited = "select count(*) from pg_stat_replication where sync_state = 'sync'";
        sqlx::query_scalar::<_, i64>(waited).fetch_one(&mut observer).await.expect("look") == 1
    })
    .await;
    drop(observer);
    let proxy = Proxy::to(primary.socket()).await;
    let settings = PgSettings { max_connections: 6, acquire_timeout: Duration::from_secs(2), ..PgSettings::default() };
    let storage = storage_with(proxy.through(&primary.options(ROLE)), settings).await;
    storage.migrate().await.expect("migrated");
    let shop = Shop::open(&storage, 10).await;
    create(&storage, &shop, OperationId::from_random(1)).await.expect("an operation");
    let lease = claim(&storage, 1, LEASE).await.expect("claim").expect("an operation").lease;
    let acknowledged = Mutex::new(vec![OperationId::from_random(1)]);
    let (before, after) = (Mutex::new(0), Mutex::new(0));
    let resumed = Mutex::new(None::<Duration>);
    let died = Mutex::new(None::<Instant>);

    let writers = join_all((0..5_u128).map(async |writer| {
        for number in 0.. {
            let id = OperationId::from_random((writer + 1) * 1_000_000 + number);
            let was_dead = died.lock().expect("no holder panics").is_some();
            let written = create(&storage, &shop, id).await;
            match written {
                Ok(()) => {
                    acknowledged.lock().expect("no holder panics").push(id);
                    if was_dead {
                        let death = died.lock().expect("no holder panics").expect("dead");
                        resumed.lock().expect("no holder panics").get_or_insert(death.elapsed());
                        *after.lock().expect("no holder panics") += 1;
                        if *after.lock().expect("no holder panics") >= 100 {
                            break;
                        }
                    } else {
                        *before.lock().expect("no holder panics") += 1;
                    }
                }
                Err(StorageError::Unavailable { .. }) => tokio::time::sleep(Duration::from_millis(10)).await,
                Err(other) => panic!("{other:?}"),
            }
        }
    }));
    let failover = async {
        until("many are acknowledged", async || *before.lock().expect("no holder panics") >= 200).await;
        // In the midst of writing.
        let (primary, standby) = (&primary, &standby);
        *died.lock().expect("no holder panics") = Some(Instant::now());
        tokio::task::block_in_place(|| {
            primary.crash();
            standby.promote();
        });
        proxy.lead_to(standby.socket());
    };
    tokio::time::timeout(Duration::from_mins(1), async { futures::join!(writers, failover) })
        .await
        .expect("it goes on");

    let resumed = resumed.into_inner().expect("no holder panics").expect("somebody wrote again");
    let acknowledged = acknowledged.into_inner().expect("no holder panics");
    let mut tx = storage.begin(Reach::Worker).await.expect("begin");
    let mut lost = Vec::new();
    for id in &acknowledged {
        if tx.operations().get(*id).await.expect("read").is_none() {
            lost.push(id);
        }
    }
    drop(tx);
    println!("{} acknowledged, {} lost, writing again after {resumed:?}", acknowledged.len(), lost.len());
    assert!(lost.is_empty(), "{lost:?}");
    assert!(resumed < Duration::from_secs(30), "{resumed:?}");
    // Leases are acknowledged writes as well.
    let renewed = storage.renew(std::slice::from_ref(&lease), LEASE).await.expect("renew");
    assert_eq!(renewed, [lease]);
    storage.close().await;
}
