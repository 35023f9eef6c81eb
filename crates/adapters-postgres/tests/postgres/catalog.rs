//! What holds for the schema as a whole, read from the catalog: see `migrations/README.md`.

use shopwright_adapters_postgres::MIGRATOR;
use shopwright_domain::Scope;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::organisation::Role;
use shopwright_domain::saga::StepStatus;
use shopwright_domain::store::StoreState;
use sqlx::{AssertSqlSafe, PgPool};

/// Tables that belong to the installation, not to tenants; `tenants` itself is the root.
const PLATFORM: [&str; 4] = ["clusters", "sign_in_throttles", "signing_keys", "tenants"];

async fn column(pool: &PgPool, statement: &str) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(statement.to_owned())).fetch_all(pool).await.expect("a query of the catalog")
}

async fn tables(pool: &PgPool) -> Vec<String> {
    let statement = "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
        and relname <> '_sqlx_migrations' order by relname";
    column(pool, statement).await
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_table_and_column_has_a_comment(pool: PgPool) {
    let silent = column(
        &pool,
        "select c.relname || '.' || coalesce(a.attname, '(the table)')
        from pg_class c
        cross join lateral (
            select attnum, attname from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped
            union all select 0, null
        ) a
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> '_sqlx_migrations'
            and length(coalesce(case a.attnum when 0 then obj_description(c.oid, 'pg_class')
                                              else col_description(c.oid, a.attnum) end, '')) < 3",
    )
    .await;

    assert_eq!(tables(&pool).await.len(), 16);
    assert_eq!(silent, Vec::<String>::new(), "without a comment");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_tenant_table_says_whose_its_rows_are(pool: PgPool) {
    let mut theirs = column(
        &pool,
        "select table_name::text from information_schema.columns
        where table_schema = 'public' and column_name = 'tenant_id' and is_nullable = 'NO' and data_type = 'uuid'",
    )
    .await;
    theirs.extend(PLATFORM.map(str::to_owned));
    theirs.sort();

    assert_eq!(theirs, tables(&pool).await);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn no_row_can_point_into_another_tenant(pool: PgPool) {
    // Foreign keys between two tenant tables that do not carry the tenant, or do not follow it to another one. Owners and members are
    // people: they work for more than one tenant.
    let loose = column(
        &pool,
        "select f.conname::text
        from pg_constraint f
        join pg_attribute mine on mine.attrelid = f.conrelid and mine.attname = 'tenant_id'
        join pg_attribute theirs on theirs.attrelid = f.confrelid and theirs.attname = 'tenant_id'
        where f.contype = 'f' and f.conname not in ('stores_owner_fkey', 'memberships_user_fkey')
            and (not (mine.attnum = any (f.conkey) and theirs.attnum = any (f.confkey)) or f.confupdtype <> 'c')",
    )
    .await;
    let composite =
        column(&pool, "select conname::text from pg_constraint where contype = 'f' and cardinality(conkey) = 2").await;

    assert_eq!(loose, Vec::<String>::new());
    assert!(composite.len() >= 3, "{composite:?}");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_store_changes_hands_with_all_that_hangs_on_it(pool: PgPool) {
    const BATCH: &str = "
        insert into tenants (id, name, created_at) values
            ('00000000-0000-4000-8000-000000000001', 'pool', now()), ('00000000-0000-4000-8000-000000000002', 'shop', now());
        insert into users (id, tenant_id, email, username, password_hash, role, active, created_at)
            values ('00000000-0000-4000-8000-000000000003', '00000000-0000-4000-8000-000000000001', 'a', 'a', '', 'tenant', true, now());
        insert into clusters (name, permits) values ('default', 1);
        insert into stores (id, tenant_id, owner_id, cluster, name, host, engine, state, epoch, row_version, retry_count, created_at, updated_at)
            values ('store-00000001', '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000003', 'default',
                    'tea', 'tea.localhost', 'medusa', 'ready', 0, 1, 0, now(), now());
        insert into operations (id, tenant_id, store_id, kind, status, attempt, epoch, created_at)
            values ('00000000-0000-4000-8000-000000000004', '00000000-0000-4000-8000-000000000001', 'store-00000001', 'provision',
                    'succeeded', 0, 1, now());
        insert into operation_steps (operation_id, tenant_id, step, status, attempts, waits, outage_us)
            values ('00000000-0000-4000-8000-000000000004', '00000000-0000-4000-8000-000000000001', 'publish', 'succeeded', 1, 0, 0);
        insert into store_credentials (store_id, tenant_id, key_id, sealed)
            values ('store-00000001', '00000000-0000-4000-8000-000000000001', 'k', '');
        update stores set tenant_id = '00000000-0000-4000-8000-000000000002'";
    sqlx::raw_sql(BATCH).execute(&pool).await.expect("the store changes hands");

    let owners = column(
        &pool,
        "select distinct tenant_id::text from (
            select tenant_id from operations union all select tenant_id from operation_steps
            union all select tenant_id from store_credentials) rows",
    )
    .await;

    assert_eq!(owners, ["00000000-0000-4000-8000-000000000002"]);
}

/// The words in single quotes of a check constraint, in its order.
async fn allowed(pool: &PgPool, constraint: &str) -> Vec<String> {
    let statement = format!(
        "select (regexp_matches(pg_get_constraintdef(oid), '''([a-z_:]+)''', 'g'))[1] from pg_constraint
        where conname = '{constraint}'"
    );
    column(pool, &statement).await
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_words_of_the_code_are_the_words_of_the_schema(pool: PgPool) {
    let states = StoreState::ALL.map(StoreState::as_str);
    for constraint in ["stores_state_check", "audit_events_previous_state_check", "audit_events_new_state_check"] {
        assert_eq!(allowed(&pool, constraint).await, states, "{constraint}");
    }
    assert_eq!(allowed(&pool, "operations_status_check").await, OperationStatus::ALL.map(OperationStatus::as_str));
    assert_eq!(allowed(&pool, "operations_kind_check").await, OperationKind::ALL.map(OperationKind::as_str));
    assert_eq!(allowed(&pool, "operation_steps_status_check").await, StepStatus::ALL.map(StepStatus::as_str));
    assert_eq!(allowed(&pool, "audit_events_type_check").await, AuditEventType::ALL.map(AuditEventType::as_str));
    for constraint in ["memberships_role_check", "invitations_role_check"] {
        assert_eq!(allowed(&pool, constraint).await, Role::ALL.map(Role::as_str), "{constraint}");
    }
    assert_eq!(allowed(&pool, "api_tokens_scopes_check").await, Scope::ALL.map(Scope::as_str));
}

#[test]
fn every_migration_has_a_number_of_its_own() {
    let mut numbers: Vec<_> = MIGRATOR.iter().map(|migration| migration.version).collect();
    let count = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();

    assert_eq!(numbers.len(), count, "two migrations of one number: {numbers:?}");
}
