//! Five organisations, few sessions, a pooler between: no statement, however it is made, finds or changes another's row (RELIABILITY P9).
//!
//! Half of the statements are the repositories' own, asked for everybody's ids and for everything. The other half are SQL that names no tenant
//! at all, or a foreign one, in a transaction opened as the adapter opens its own.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use futures::future::join_all;
use shopwright_adapters_postgres::{PgSettings, PgStorage, Route};
use shopwright_domain::audit::{AuditEvent, AuditEventType};
use shopwright_domain::identity::PlatformRole;
use shopwright_domain::operation::{Operation, OperationKind};
use shopwright_domain::plans::PlanName;
use shopwright_domain::saga::{StepRecord, StepStatus};
use shopwright_domain::store::{Store, example_store};
use shopwright_domain::{ClusterName, OperationId, StoreId, TenantId, UserId};
use shopwright_ports::secrets::Sealed;
use shopwright_ports::storage::{
    AuditFilter, IdempotencyRecord, Page, Reach, RegisteredCluster, Storage as _, StorageError, StoreFilter, Tenant,
    Transaction, User,
};
use sqlx::postgres::{PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgPool, Row as _};

use crate::own_server::{ROLE, Server};
use crate::pooler::Pooler;
use crate::shop::{Dice, now, patient};

const TENANTS: usize = 5;
/// Of each organisation.
const STORES: u32 = 8;
const STATEMENTS: u32 = 100_000;
/// So many sessions of the server serve so many clients. No more: who waits a second for a session behind the pooler connects anew.
const SESSIONS: u32 = 3;
const CLIENTS: u32 = 6;
/// What belongs to tenants, and the column that says to whom.
const OWNED: [(&str, &str); 9] = [
    ("tenants", "id"),
    ("stores", "tenant_id"),
    ("operations", "tenant_id"),
    ("operation_steps", "tenant_id"),
    ("store_credentials", "tenant_id"),
    ("audit_events", "tenant_id"),
    ("events", "tenant_id"),
    ("store_totals", "tenant_id"),
    ("idempotency_keys", "tenant_id"),
];
/// Texts of theirs that mean nothing to a constraint.
const WRITABLE: [(&str, &str, &str); 5] = [
    ("tenants", "id", "name"),
    ("stores", "tenant_id", "engine_note"),
    ("operations", "tenant_id", "traceparent"),
    ("operation_steps", "tenant_id", "error_detail"),
    ("store_credentials", "tenant_id", "key_id"),
];

/// What is in the database, and what was seen of it.
struct Town {
    tenants: Vec<TenantId>,
    stores: Vec<Store>,
    operations: Vec<Operation>,
    said: AtomicU32,
    own_rows: AtomicU32,
    refused: AtomicU32,
}

impl Town {
    async fn build(storage: &PgStorage) -> Self {
        let mut town = Self {
            tenants: Vec::new(),
            stores: Vec::new(),
            operations: Vec::new(),
            said: AtomicU32::new(0),
            own_rows: AtomicU32::new(0),
            refused: AtomicU32::new(0),
        };
        let mut tx = storage.begin(Reach::Platform).await.expect("begin");
        let cluster = RegisteredCluster { name: ClusterName::default_cluster(), permits: 1_000 };
        tx.clusters().upsert(&cluster).await.expect("upsert");
        tx.commit().await.expect("commit");
        for number in 0..TENANTS {
            town.settle_in(storage, u32::try_from(number).expect("few")).await;
        }
        town
    }

    async fn settle_in(&mut self, storage: &PgStorage, number: u32) {
        let tenant = TenantId::from_random(u128::from(number) + 1);
        let owner = UserId::from_random(u128::from(number) + 1);
        let mut tx = storage.begin(Reach::Identity).await.expect("begin");
        let row = Tenant {
            id: tenant,
            name: "new".into(),
            personal: true,
            plan: PlanName::standard(),
            last_store_created_at: None,
            created_at: now(),
        };
        tx.tenants().insert(&row).await.expect("insert");
        let user = User {
            id: owner,
            tenant_id: tenant,
            email: format!("owner-{number}@example.com").parse().expect("an address"),
            username: format!("owner-{number}").parse().expect("a name"),
            password_hash: String::new(),
            role: PlatformRole::Tenant,
            active: true,
            created_at: now(),
        };
        tx.users().insert(&user).await.expect("insert");
        tx.commit().await.expect("commit");

        let mut tx = storage.begin(Reach::Tenant(tenant)).await.expect("begin");
        for index in 0..STORES {
            let serial = number * STORES + index;
            let name = format!("shop-{serial}").parse().expect("a name");
            let store = example_store(StoreId::from_random(serial), tenant, name, now());
            let store = Store { owner_id: owner, ..store };
            tx.stores().insert(&store).await.expect("insert");
            let id = OperationId::from_random(u128::from(serial) + 1);
            let operation = Operation::queued(id, tenant, store.id.clone(), OperationKind::Provision, now());
            tx.operations().enqueue(&operation, &[step()]).await.expect("enqueue");
            let sealed = Sealed { key_id: "key".into(), bytes: vec![1] };
            tx.credentials().put(tenant, &store.id, &sealed).await.expect("put");
            tx.audit().append(&event(tenant)).await.expect("append");
            tx.idempotency().put(&key(&operation)).await.expect("put");
            self.stores.push(store);
            self.operations.push(operation);
        }
        tx.commit().await.expect("commit");
        self.tenants.push(tenant);
    }

    /// A statement was said, and found rows of these tenants.
    fn saw(&self, mine: TenantId, found: impl IntoIterator<Item = TenantId>, what: &str) {
        self.said.fetch_add(1, Ordering::Relaxed);
        for tenant in found {
            assert_eq!(tenant, mine, "a foreign row: {what}");
            self.own_rows.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn step() -> StepRecord {
    StepRecord {
        step: OperationKind::Provision.steps()[0],
        status: StepStatus::Succeeded,
        attempts: 0,
        waits: 0,
        crashes: 0,
        first_started_at: Some(now()),
        started_at: Some(now()),
        finished_at: Some(now()),
        outage: jiff::SignedDuration::ZERO,
        not_before: None,
        error: Some(shopwright_domain::saga::StepError::new(shopwright_domain::ErrorCode::Internal, "none")),
    }
}

fn event(tenant: TenantId) -> AuditEvent {
    AuditEvent::new(tenant, AuditEventType::Info, "a word", now())
}

fn key(operation: &Operation) -> IdempotencyRecord {
    IdempotencyRecord {
        tenant_id: operation.tenant_id,
        route: "create".into(),
        key: operation.id.to_string(),
        fingerprint: vec![1],
        store_id: Some(operation.store_id.clone()),
        operation_id: Some(operation.id),
        answer: None,
        created_at: now(),
    }
}

fn any<'a, T>(of: &'a [T], dice: &mut Dice) -> &'a T {
    &of[usize::try_from(dice.roll(of.len() as u64)).expect("an index")]
}

/// One call of a repository, about anybody's row. Returns whether the transaction can go on.
async fn ask(town: &Town, tx: &mut dyn Transaction, mine: TenantId, dice: &mut Dice) -> bool {
    const PAGE: Page = Page { limit: 10, offset: 0 };
    let store = any(&town.stores, dice);
    let operation = any(&town.operations, dice);
    let other = *any(&town.tenants, dice);
    let of = |row: Option<Store>| row.map(|row| row.tenant_id);
    if other != mine && dice.roll(10) == 0 {
        let forged = match dice.roll(2) {
            0 => tx.audit().append(&event(other)).await,
            _ => tx.idempotency().put(&IdempotencyRecord { tenant_id: other, ..key(operation) }).await,
        };
        assert!(forged.is_err(), "a row of another organisation was added");
        town.saw(mine, [], "a forgery");
        town.refused.fetch_add(1, Ordering::Relaxed);
        return false;
    }
    match dice.roll(15) {
        0 => town.saw(mine, of(tx.stores().get(&store.id).await.expect("read")), "stores.get"),
        1 => town.saw(mine, of(tx.stores().lock(&store.id).await.expect("lock")), "stores.lock"),
        2 => {
            let found = tx.stores().live_by_name(other, &store.name).await.expect("read");
            town.saw(mine, of(found), "stores.live_by_name");
        }
        3 => {
            let (found, total) = tx.stores().list(&StoreFilter::default(), PAGE).await.expect("list");
            assert_eq!(total, u64::from(STORES), "a foreign store is counted");
            town.saw(mine, found.into_iter().map(|row| row.tenant_id), "stores.list");
        }
        4 => {
            let count = tx.stores().count_live(other).await.expect("count");
            assert_eq!(count, if other == mine { STORES } else { 0 });
            town.saw(mine, [], "stores.count_live");
        }
        5 => {
            let found = tx.operations().get(operation.id).await.expect("read");
            town.saw(mine, found.map(|row| row.tenant_id), "operations.get");
        }
        6 => {
            let found = tx.operations().latest_of(&store.id).await.expect("read");
            town.saw(mine, found.map(|row| row.tenant_id), "operations.latest_of");
        }
        7 => {
            let found = tx.operations().steps(operation.id).await.expect("read");
            town.saw(mine, found.iter().map(|_| operation.tenant_id), "operations.steps");
        }
        8 => {
            let found = tx.credentials().get(&store.id).await.expect("read");
            town.saw(mine, found.map(|_| store.tenant_id), "credentials.get");
        }
        9 => {
            let (found, _) = tx.audit().list(&AuditFilter::default(), PAGE).await.expect("list");
            town.saw(mine, found.into_iter().map(|entry| entry.event.tenant_id), "audit.list");
        }
        10 => {
            let key = operation.id.to_string();
            let long_ago = now() - std::time::Duration::from_hours(1);
            let found = tx.idempotency().get(operation.tenant_id, "create", &key, long_ago).await.expect("read");
            town.saw(mine, found.map(|row| row.tenant_id), "idempotency.get");
        }
        11 => {
            let found = tx.tenants().lock(other).await.expect("lock");
            town.saw(mine, found.map(|row| row.id), "tenants.lock");
        }
        12 => {
            let saved = tx.stores().save(&mut store.clone()).await;
            assert!(store.tenant_id == mine || matches!(saved, Err(StorageError::Stale)), "{saved:?}");
            town.saw(mine, [], "stores.save");
        }
        13 => {
            let raised = tx.stores().raise_epoch(&store.id).await;
            assert_eq!(raised.is_ok(), store.tenant_id == mine, "{raised:?}");
            town.saw(mine, [], "stores.raise_epoch");
        }
        _ => {
            tx.operations().supersede(operation.id, now()).await.expect("supersede");
            town.saw(mine, [], "operations.supersede");
        }
    }
    true
}

/// SQL that does not say whose rows it wants, or says a foreign tenant. Every row that it returns says in its only column whose it is.
fn statement(town: &Town, mine: TenantId, dice: &mut Dice) -> String {
    let (one, owner) = *any(&OWNED, dice);
    let (other, other_owner) = *any(&OWNED, dice);
    let somebody = any(&town.tenants, dice);
    let condition = match dice.roll(5) {
        0 => "true".to_owned(),
        1 => format!("{owner} <> '{mine}'"),
        2 => format!("{owner} = '{somebody}'"),
        3 => format!("{owner} = any (select {other_owner} from {other})"),
        _ => format!("exists (select from {other} o where o.{other_owner} <> '{mine}') or random() < 0.5"),
    };
    match dice.roll(8) {
        0 => format!("select {owner}::text from {one} where {condition} order by random() limit 5"),
        1 => {
            format!("select unnest(array[a.{owner}, b.{other_owner}])::text from {one} a cross join {other} b limit 20")
        }
        2 => format!(
            "select coalesce(b.{other_owner}, a.{owner})::text from {one} a left join {other} b on a.{owner} <> b.{other_owner} limit 20"
        ),
        3 => format!(
            "select {owner}::text from {one} where {condition} union all select {other_owner}::text from {other} limit 20"
        ),
        4 => format!(
            "with all_of_it as (select {owner} as whose, count(*) from {one} group by 1) select whose::text from all_of_it"
        ),
        5 => format!("select first_value({owner}) over (order by random())::text from {one} limit 5"),
        6 => format!(
            "select {owner}::text from {one} where {condition} limit 3 {}",
            if matches!(one, "audit_events" | "events") { "" } else { "for no key update skip locked" }
        ),
        _ => {
            let (table, owner, text) = *any(&WRITABLE, dice);
            let whom = if dice.roll(2) == 0 { "true".to_owned() } else { format!("{owner} = '{somebody}'") };
            format!("update {table} set {text} = '{mine}' where {whom} returning {owner}::text")
        }
    }
}

/// A row of somebody else's, or whom a row of ours would be given to.
fn forgery(town: &Town, mine: TenantId, dice: &mut Dice) -> Option<String> {
    let other = *any(&town.tenants, dice);
    let give_away = format!("update idempotency_keys set tenant_id = '{other}'");
    let forge = format!(
        "insert into audit_events (tenant_id, sequence, event_type, message, metadata, at) values ('{other}', 999999, 'info', 'forged', '{{}}', now())"
    );
    (other != mine).then(|| match dice.roll(4) {
        0 => give_away,
        1 => forge,
        2 => "update audit_events set message = 'never said'".to_owned(),
        _ => "truncate idempotency_keys".to_owned(),
    })
}

fn owner_of(row: &PgRow) -> Option<TenantId> {
    let text: Option<String> = row.try_get(0).expect("the only column");
    text.map(|text| text.parse().expect("a tenant"))
}

/// A transaction of plain SQL, opened as the adapter opens its own.
async fn plain_sql(town: &Town, pool: &PgPool, mine: TenantId, dice: &mut Dice) -> Result<(), sqlx::Error> {
    let mut session = pool.acquire().await?;
    let open = format!(
        "begin; set local role shopwright_api; set local statement_timeout = '10s'; select set_config('shopwright.tenant_id', '{mine}', true)"
    );
    sqlx::raw_sql(AssertSqlSafe(open)).execute(&mut *session).await?;
    // Who writes takes the tenant's lock first, as the product does: writers of one tenant wait for each other, in order.
    sqlx::raw_sql("select from tenants for no key update").execute(&mut *session).await?;
    for _ in 0..10 {
        let said = statement(town, mine, dice);
        let rows = sqlx::raw_sql(AssertSqlSafe(said.clone())).fetch_all(&mut *session).await?;
        town.saw(mine, rows.iter().filter_map(owner_of), &said);
    }
    if let Some(forged) = forgery(town, mine, dice) {
        let answer = sqlx::raw_sql(AssertSqlSafe(forged.clone())).execute(&mut *session).await;
        let refused = matches!(&answer, Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42501"));
        assert!(refused, "{forged}: {answer:?}");
        town.saw(mine, [], &forged);
        town.refused.fetch_add(1, Ordering::Relaxed);
    }
    let end = if dice.roll(3) == 0 { "rollback" } else { "commit" };
    sqlx::raw_sql(end).execute(&mut *session).await.map(|_| ())
}

async fn client(town: &Town, storage: &PgStorage, pool: &PgPool, number: u32) {
    let mut dice = Dice(u64::from(number) + 1);
    while town.said.load(Ordering::Relaxed) < STATEMENTS {
        let mine = *any(&town.tenants, &mut dice);
        match dice.roll(20) {
            // The same sessions serve those who see everything.
            0 => {
                let mut tx = storage.begin(Reach::Worker).await.expect("begin");
                tx.operations().next_due().await.expect("look");
            }
            1 => {
                let mut tx = storage.begin(Reach::Platform).await.expect("begin");
                let (_, total) =
                    tx.stores().list(&StoreFilter::default(), Page { limit: 1, offset: 0 }).await.expect("list");
                assert_eq!(total, u64::from(STORES) * TENANTS as u64, "an administrator sees all");
            }
            2 => {
                let mut tx = storage.begin(Reach::Identity).await.expect("begin");
                tx.users().has_admin().await.expect("look");
                tx.commit().await.expect("commit");
            }
            3..12 => {
                let mut tx = storage.begin(Reach::Tenant(mine)).await.expect("begin");
                tx.tenants().lock(mine).await.expect("lock");
                let mut goes_on = true;
                for _ in 0..10 {
                    goes_on = goes_on && ask(town, tx.as_mut(), mine, &mut dice).await;
                }
                // Some end by a commit, some by being dropped.
                if goes_on && dice.roll(2) == 0 {
                    tx.commit().await.expect("commit");
                }
            }
            _ => plain_sql(town, pool, mine, &mut dice).await.expect("plain SQL"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_through_a_pooler_meets_a_foreign_row() {
    let server = Server::start("").await;
    let direct = PgStorage::open(server.options(ROLE), PgSettings::default()).await.expect("connect");
    direct.migrate().await.expect("migrate");
    let pooler = Pooler::start(&server, SESSIONS).await;
    let settings = PgSettings { max_connections: CLIENTS, route: Route::Pooled, ..patient() };
    let storage = PgStorage::open(pooler.options(), settings).await.expect("connect through the pooler");
    let pool = PgPoolOptions::new().max_connections(CLIENTS).connect_with(pooler.options()).await.expect("connect");
    let town = Town::build(&storage).await;
    let start = Instant::now();

    join_all((0..CLIENTS).map(|number| client(&town, &storage, &pool, number))).await;

    let took = start.elapsed();
    let mut owner = server.options(ROLE).connect().await.expect("connect");
    for (table, whose, text) in WRITABLE {
        let marks =
            format!("select distinct {whose}::text || ' ' || {text} from {table} where {text} like '________-%'");
        let marks: Vec<String> = sqlx::query_scalar(AssertSqlSafe(marks)).fetch_all(&mut owner).await.expect("look");
        assert_eq!(marks.len(), TENANTS, "everybody wrote into {table}: {marks:?}");
        for mark in marks {
            let (whose, by) = mark.split_once(' ').expect("two words");
            assert_eq!(whose, by, "a foreign write in {table}");
        }
    }
    let sessions = "select count(*) from pg_stat_activity where datname = 'shop' and backend_type = 'client backend'";
    let sessions: i64 = sqlx::query_scalar(sessions).fetch_one(&mut owner).await.expect("look");
    // What outlives transactions is nobody's: whoever comes next without a word sees nothing of a tenant's.
    for _ in 0..20 {
        let left = "select current_user || coalesce(current_setting('shopwright.tenant_id', true), '') as left";
        let rows = sqlx::raw_sql(left).fetch_all(&pool).await.expect("look");
        assert_eq!(rows[0].get::<String, _>(0), ROLE);
    }
    println!(
        "{} statements of {TENANTS} tenants by {CLIENTS} clients over {sessions} sessions in {took:?}: {} own rows, 0 foreign ones, {} refusals",
        town.said.load(Ordering::Relaxed),
        town.own_rows.load(Ordering::Relaxed),
        town.refused.load(Ordering::Relaxed),
    );
    // The pooler's, the direct storage's pool and ours.
    assert!(sessions <= i64::from(SESSIONS) + 3, "{sessions} sessions");
    assert!(town.own_rows.load(Ordering::Relaxed) > STATEMENTS / 2, "own rows are found");
    assert!(town.refused.load(Ordering::Relaxed) > 500, "forgeries are tried");
    pool.close().await;
    storage.close().await;
    direct.close().await;
}
