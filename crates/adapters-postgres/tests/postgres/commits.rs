//! A session that dies between two statements, and a commit whose answer is lost.

use std::time::Duration;

use shopwright_adapters_postgres::{MIGRATOR, PgSettings, PgStorage};
use shopwright_domain::OperationId;
use shopwright_domain::audit::{AuditEvent, AuditEventType};
use shopwright_domain::operation::{Operation, OperationKind};
use shopwright_domain::store::Store;
use shopwright_ports::secrets::Sealed;
use shopwright_ports::storage::{IdempotencyRecord, Reach, Storage as _, StorageError, Transaction};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row as _};

use crate::proxy::{Network, Proxy};
use crate::shop::{Shop, now, patient, storage, storage_with};

const ROUTE: &str = "create";

/// What belongs to a new store; every part is a statement, and all of them are true or none.
struct Request {
    store: Store,
    operation: Operation,
    key: String,
}

const PARTS: usize = 6;

impl Request {
    fn new(shop: &Shop, key: &str) -> Self {
        let store = shop.draft();
        let id = OperationId::from_random(rand_bits(&store));
        let operation = Operation::queued(id, shop.tenant, store.id.clone(), OperationKind::Provision, now());
        Self { store, operation, key: key.to_owned() }
    }

    /// Says one part of it.
    async fn say(&self, tx: &mut dyn Transaction, part: usize) -> Result<(), StorageError> {
        let Self { store, operation, key } = self;
        match part {
            0 => tx.tenants().lock(store.tenant_id).await.map(|_| ()),
            1 => tx.stores().insert(store).await,
            2 => {
                let sealed = Sealed { key_id: "key".into(), bytes: vec![1, 2, 3] };
                tx.credentials().put(store.tenant_id, &store.id, &sealed).await
            }
            3 => tx.operations().enqueue(operation, &[]).await,
            4 => {
                let event = AuditEvent::new(store.tenant_id, AuditEventType::StoreCreated, "made", now());
                tx.audit().append(&event).await
            }
            _ => {
                let record = IdempotencyRecord {
                    tenant_id: store.tenant_id,
                    route: ROUTE.into(),
                    key: key.clone(),
                    fingerprint: vec![7],
                    store_id: Some(store.id.clone()),
                    operation_id: Some(operation.id),
                    answer: None,
                    created_at: now(),
                };
                tx.idempotency().put(&record).await
            }
        }
    }

    /// Asks for it as a client does who does not know whether he has asked before: by his key.
    async fn ask(&self, storage: &PgStorage) -> Result<OperationId, StorageError> {
        let mut tx = storage.begin(Reach::Platform).await?;
        let tenant = self.store.tenant_id;
        if !tx.idempotency().try_lock(tenant, ROUTE, &self.key).await? {
            return Err(StorageError::Conflict);
        }
        if let Some(earlier) = tx.idempotency().get(tenant, ROUTE, &self.key, now() - Duration::from_hours(1)).await? {
            return earlier.operation_id.ok_or(StorageError::Stale);
        }
        for part in 0..PARTS {
            self.say(tx.as_mut(), part).await?;
        }
        tx.commit().await?;
        Ok(self.operation.id)
    }
}

fn rand_bits(store: &Store) -> u128 {
    store.id.as_str().bytes().fold(1, |bits, byte| bits << 7 ^ u128::from(byte))
}

/// How many rows each table has: stores, credentials, operations, audit events, keys.
async fn rows(observer: &mut PgConnection) -> [i64; 5] {
    let counts = "select (select count(*) from stores), (select count(*) from store_credentials),
        (select count(*) from operations), (select count(*) from audit_events), (select count(*) from idempotency_keys)";
    let row = sqlx::query(counts).fetch_one(observer).await.expect("count");
    [0, 1, 2, 3, 4].map(|column| row.get(column))
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_session_that_dies_between_two_statements_leaves_nothing(_: PgPoolOptions, options: PgConnectOptions) {
    // F5: every point of the transaction, up to the one before its commit.
    let settings = PgSettings { application_name: "victim".to_owned(), max_connections: 1, ..patient() };
    let storage = storage_with(options.clone(), settings).await;
    let shop = Shop::open(&storage, 1).await;
    let mut observer = options.connect().await.expect("connect");

    for said in 0..=PARTS {
        let request = Request::new(&shop, "one");
        let mut tx = storage.begin(Reach::Platform).await.expect("begin");
        for part in 0..said {
            request.say(tx.as_mut(), part).await.expect("said");
        }
        let kill = "select pg_terminate_backend(pid, 5000) from pg_stat_activity
            where datname = current_database() and application_name = 'victim'";
        sqlx::query(kill).execute(&mut observer).await.expect("kill");

        let end = if said < PARTS { request.say(tx.as_mut(), said).await } else { tx.commit().await };

        assert!(matches!(end, Err(StorageError::Unavailable { .. })), "after {said}: {end:?}");
        assert_eq!(rows(&mut observer).await, [0; 5], "after {said}");
    }
    let request = Request::new(&shop, "one");
    request.ask(&storage).await.expect("on a new session");
    assert_eq!(rows(&mut observer).await, [1; 5]);
    observer.close().await.expect("close");
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn after_a_commit_without_an_answer_the_key_tells_what_became_true(_: PgPoolOptions, options: PgConnectOptions) {
    // F15.
    let direct = storage(options.clone(), 1).await;
    let shop = Shop::open(&direct, 1).await;
    let proxy = Proxy::in_front_of(&options).await;
    let storage = storage_with(proxy.through(&options), PgSettings { max_connections: 2, ..patient() }).await;
    let mut observer = options.connect().await.expect("connect");
    let mut stores = 0;

    for round in 0..20 {
        for (network, durable) in [(Network::CutsBeforeCommit, false), (Network::CutsAfterCommit, true)] {
            let key = format!("{network:?} {round}");
            let first = Request::new(&shop, &key);
            proxy.set(network);
            let unknown = first.ask(&storage).await;
            assert!(matches!(unknown, Err(StorageError::Unavailable { .. })), "{key}: {unknown:?}");
            assert_eq!(proxy.is(), Network::Passes, "{key}: it was the commit that was cut");
            assert_eq!(rows(&mut observer).await, [stores + i64::from(durable); 5], "{key}");

            // Whoever asks again does not know which of the two it was, and need not.
            let second = Request::new(&shop, &key);
            let answer = loop {
                match second.ask(&storage).await {
                    // The server has not noticed yet that the first one is gone: its key is still in flight.
                    Err(StorageError::Conflict) => tokio::time::sleep(Duration::from_millis(1)).await,
                    answer => break answer.expect("an answer"),
                }
            };

            stores += 1;
            assert_eq!(rows(&mut observer).await, [stores; 5], "{key}");
            assert_eq!(answer, if durable { first.operation.id } else { second.operation.id }, "{key}");
        }
    }
    observer.close().await.expect("close");
    storage.close().await;
    direct.close().await;
}
