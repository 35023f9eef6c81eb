//! The audit trail against whoever can write to its table (RELIABILITY S24): every change shows, first where it was made.

use shopwright_adapters_postgres::{MIGRATOR, PgStorage};
use shopwright_domain::TenantId;
use shopwright_domain::audit::chain::Verifier;
use shopwright_domain::audit::{AuditEvent, AuditEventType, Broken};
use shopwright_ports::storage::{Reach, Storage as _, StorageError};
use sqlx::migrate::Migrate as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, PgConnection};

use crate::shop::{Shop, now, storage};

/// Where the chain is broken, if it is.
async fn verify(storage: &PgStorage, tenant: TenantId) -> Option<Broken> {
    let mut tx = storage.begin(Reach::Worker).await.expect("begin");
    let head = tx.audit().head(tenant).await.expect("read").expect("the head");
    let mut verifier = Verifier::new(head);
    while verifier.last() < head.sequence {
        let entries = match tx.audit().chain(tenant, verifier.last(), 1).await {
            Err(StorageError::Corrupt { .. }) => return Some(Broken::Altered { sequence: verifier.last() + 1 }),
            entries => entries.expect("read"),
        };
        let Some(entry) = entries.first() else { break };
        if let Err(broken) = verifier.next(entry.sequence, &entry.event, entry.digest) {
            return Some(broken);
        }
    }
    let beyond = tx.audit().beyond(tenant).await.expect("look");
    verifier.end().err().or(beyond.map(|sequence| Broken::Beyond { sequence }))
}

fn event(shop: &Shop, message: &str) -> AuditEvent {
    let event = AuditEvent::new(shop.tenant, AuditEventType::Info, message, now());
    event.with("step", "publish").with("attempt", 1).changing("status", "requested", "provisioning")
}

/// A chain of eight.
async fn chain(storage: &PgStorage) -> Shop {
    let shop = Shop::open(storage, 1).await;
    for number in 1..=8 {
        let mut tx = storage.begin(Reach::Worker).await.expect("begin");
        tx.audit().append(&event(&shop, &format!("entry {number}"))).await.expect("append");
        tx.commit().await.expect("commit");
    }
    shop
}

/// What somebody does who owns the table and switches its triggers off.
async fn tamper(connection: &mut PgConnection, change: &str) {
    connection.execute("alter table audit_events disable trigger user").await.expect("own the table");
    for statement in change.split(';') {
        connection.execute(AssertSqlSafe(statement.to_owned())).await.expect("tamper");
    }
    connection.execute("alter table audit_events enable trigger user").await.expect("own the table");
}

const COPY: &str = "insert into audit_events (tenant_id, sequence, event_type, message, metadata, before, after, at, digest)
    select tenant_id, {to}, event_type, 'copied', metadata, before, after, at, digest from audit_events where sequence = {from}";

#[sqlx::test(migrator = "MIGRATOR")]
async fn whatever_is_done_to_the_table_shows_where_it_was_done(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options.clone(), 2).await;
    let shop = chain(&storage).await;
    let mut owner = options.connect().await.expect("connect");
    assert_eq!(verify(&storage, shop.tenant).await, None);
    owner.execute("create table kept as table audit_events").await.expect("keep a copy");
    owner.execute("create table kept_head as select id, audit_head, audit_digest from tenants").await.expect("keep");

    let altered = |sequence| Some(Broken::Altered { sequence });
    let make_room = "update audit_events set sequence = sequence + 100 where sequence > 4;
         update audit_events set sequence = sequence - 99 where sequence > 100";
    let close_gap = "delete from audit_events where sequence = 4; update audit_events set sequence = sequence - 1 where sequence > 4";
    let swap = "update audit_events set sequence = 100 where sequence = 3; update audit_events set sequence = 3 where sequence = 6;
         update audit_events set sequence = 6 where sequence = 100";
    for (change, expected) in [
        ("update audit_events set message = 'nothing happened' where sequence = 5".to_owned(), altered(5)),
        ("update audit_events set metadata = metadata || '{\"attempt\": 2}' where sequence = 2".to_owned(), altered(2)),
        ("update audit_events set after = '{}' where sequence = 8".to_owned(), altered(8)),
        ("update audit_events set at = at + interval '1 microsecond' where sequence = 1".to_owned(), altered(1)),
        ("update audit_events set actor_email = 'eve@example.com' where sequence = 4".to_owned(), altered(4)),
        ("update audit_events set metadata = '{\"deep\": {}}' where sequence = 4".to_owned(), altered(4)),
        ("update audit_events set digest = sha256(digest) where sequence = 3".to_owned(), altered(3)),
        ("delete from audit_events where sequence = 1".to_owned(), Some(Broken::Missing { sequence: 1 })),
        ("delete from audit_events where sequence in (4, 5)".to_owned(), Some(Broken::Missing { sequence: 4 })),
        (close_gap.to_owned(), altered(4)),
        (format!("{make_room}; {}", COPY.replace("{from}", "4").replace("{to}", "5")), altered(5)),
        (swap.to_owned(), altered(3)),
        ("delete from audit_events where sequence > 6".to_owned(), Some(Broken::CutOff { sequence: 7, head: 8 })),
        ("delete from audit_events".to_owned(), Some(Broken::CutOff { sequence: 1, head: 8 })),
        (COPY.replace("{from}", "8").replace("{to}", "9"), Some(Broken::Beyond { sequence: 9 })),
        ("update tenants set audit_digest = sha256(audit_digest)".to_owned(), Some(Broken::Replaced { sequence: 8 })),
        // Cut off together with the head: the end follows, but it is not the digest that the head has.
        (
            "delete from audit_events where sequence > 6; update tenants set audit_head = 6".to_owned(),
            Some(Broken::Replaced { sequence: 6 }),
        ),
    ] {
        tamper(&mut owner, &change).await;
        assert_eq!(verify(&storage, shop.tenant).await, expected, "{change}");
        tamper(&mut owner, "truncate audit_events; insert into audit_events select * from kept").await;
        let head = "update tenants t set audit_head = k.audit_head, audit_digest = k.audit_digest from kept_head k where k.id = t.id";
        owner.execute(head).await.expect("as it was");
        assert_eq!(verify(&storage, shop.tenant).await, None, "after {change}");
    }
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_table_takes_no_change_as_long_as_its_triggers_are_on(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options.clone(), 1).await;
    let shop = chain(&storage).await;
    let mut owner = options.connect().await.expect("connect");

    for change in [
        "update audit_events set message = 'nothing happened' where sequence = 5",
        "delete from audit_events where sequence = 8",
        "truncate audit_events",
    ] {
        let refusal = owner.execute(change).await.expect_err("append-only");
        assert!(refusal.to_string().contains("append-only"), "{change}: {refusal}");
    }
    assert_eq!(verify(&storage, shop.tenant).await, None);
    storage.close().await;
}

/// What was written before there were digests becomes a chain, and a program of then that still runs appends to it.
#[sqlx::test(migrations = false)]
async fn entries_of_before_become_a_chain(_: PgPoolOptions, options: PgConnectOptions) {
    const CHAINED: i64 = 20_261_125_100_100;
    let mut owner = options.connect().await.expect("connect");
    owner.ensure_migrations_table("_sqlx_migrations").await.expect("a table of migrations");
    for migration in MIGRATOR.iter().filter(|migration| migration.version < CHAINED) {
        owner.apply("_sqlx_migrations", migration).await.expect("an earlier schema");
    }
    // As the program before this one appends.
    let old = "with head as (update tenants set audit_head = audit_head + 1 where id = '00000000-0000-4000-8000-000000000001' returning audit_head)
        insert into audit_events (tenant_id, sequence, event_type, message, metadata, actor_email, epoch, at)
        select '00000000-0000-4000-8000-000000000001', audit_head, 'info', 'ünïcödé \"x\"', '{\"b\": 1, \"aa\": \"\\u0001\", \"B\": true}',
               'ada@example.com', 7, '2026-11-23T00:14:17.473999Z' from head";
    let tenant =
        "insert into tenants (id, name, created_at) values ('00000000-0000-4000-8000-000000000001', 'old', now())";
    owner.execute(tenant).await.expect("a tenant");
    for _ in 0..3 {
        owner.execute(old).await.expect("an entry");
    }
    let storage = storage(options, 1).await;
    storage.migrate().await.expect("migrate");
    owner.execute(old).await.expect("an entry by the program of before");

    let id: TenantId = "00000000-0000-4000-8000-000000000001".parse().expect("an id");
    assert_eq!(verify(&storage, id).await, None);
    let mut tx = storage.begin(Reach::Worker).await.expect("begin");
    assert_eq!(tx.audit().head(id).await.expect("read").map(|head| head.sequence), Some(4));
    drop(tx);
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_chain_that_many_append_to_is_whole(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options, 8).await;
    let shop = Shop::open(&storage, 1).await;
    let append = async |number: usize| {
        let mut tx = storage.begin(Reach::Worker).await.expect("begin");
        // Half of them do not lock the tenant first.
        if number.is_multiple_of(2) {
            tx.tenants().lock(shop.tenant).await.expect("lock");
        }
        tx.audit().append(&event(&shop, &format!("entry {number}"))).await.expect("append");
        if !number.is_multiple_of(5) {
            tx.commit().await.expect("commit");
        }
    };

    futures::future::join_all((0..60).map(append)).await;

    assert_eq!(verify(&storage, shop.tenant).await, None);
    storage.close().await;
}
