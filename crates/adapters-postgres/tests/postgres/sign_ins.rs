//! Refreshes and guesses on several connections at the same moment, as several replicas make them.

use futures::future::join_all;
use shopwright_adapters_postgres::{MIGRATOR, PgStorage};
use shopwright_ports::storage::{Reach, RefreshToken, Storage as _, Throttle};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::shop::{Shop, now, storage};

const AT_ONCE: u8 = 50;

/// Two replicas, ten connections each.
async fn replicas(options: &PgConnectOptions) -> [PgStorage; 2] {
    [storage(options.clone(), 10).await, storage(options.clone(), 10).await]
}

/// RELIABILITY S4.
#[sqlx::test(migrator = "MIGRATOR")]
async fn s4_fifty_refreshes_on_two_replicas_are_one_rotation(_: PgPoolOptions, options: PgConnectOptions) {
    let replicas = replicas(&options).await;
    let shop = Shop::open(&replicas[0], 1).await;
    let (session, first) = shop.session(0);
    let token = |digest| RefreshToken { digest, ..first.clone() };
    let mut tx = replicas[0].begin(Reach::Identity).await.expect("begin");
    tx.sessions().insert(&session, &token([0; 32])).await.expect("insert");
    tx.commit().await.expect("commit");

    let refresh = async |number: u8| {
        let mut tx = replicas[usize::from(number) % 2].begin(Reach::Identity).await.expect("begin");
        let (_, found) = tx.sessions().lock_by_token(&[0; 32]).await.expect("lock").expect("the token");
        if found.replaced.is_some() {
            return found.replaced;
        }
        tx.sessions().rotate(&[0; 32], &[number; 16], &token([number; 32]), None).await.expect("rotate");
        tx.commit().await.expect("commit");
        Some((now(), [number; 16]))
    };
    let nonces = join_all((1..=AT_ONCE).map(refresh)).await;

    assert!(nonces.iter().all(|nonce| nonce.is_some() && *nonce == nonces[0]), "all have the same successor");
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await.expect("connect");
    let rows: i64 = sqlx::query_scalar("select count(*) from refresh_tokens").fetch_one(&pool).await.expect("count");
    assert_eq!(rows, 2, "one rotation");
    pool.close().await;
    for replica in replicas {
        replica.close().await;
    }
}

/// RELIABILITY S7: a new key and a known one alike, no attempt is lost between two replicas.
#[sqlx::test(migrator = "MIGRATOR")]
async fn s7_every_attempt_on_two_replicas_is_counted(_: PgPoolOptions, options: PgConnectOptions) {
    let replicas = replicas(&options).await;
    let attempt = async |number: u8| {
        let mut tx = replicas[usize::from(number) % 2].begin(Reach::Identity).await.expect("begin");
        let Throttle { mut failures, rate } = tx.throttles().lock(&[7; 32], now()).await.expect("lock");
        failures.count += 1;
        tx.throttles().put(&[7; 32], Throttle { failures, rate }).await.expect("put");
        tx.commit().await.expect("commit");
        failures.count
    };

    let mut counts = join_all((0..AT_ONCE).map(attempt)).await;

    counts.sort_unstable();
    assert_eq!(counts, (1..=u32::from(AT_ONCE)).collect::<Vec<_>>());
    for replica in replicas {
        replica.close().await;
    }
}
