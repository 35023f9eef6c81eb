//! Who may see and do what, read from the catalog: a table without its policy, a role with a right too many, and a view or a function that
//! would get around them fail here (RELIABILITY S15-S21, S24).

use shopwright_adapters_postgres::MIGRATOR;
use sqlx::{AssertSqlSafe, Executor as _, PgPool};

/// Looked up before anybody's organisation is known: identity's alone, without a policy (DECISIONS 23).
const IDENTITY: [&str; 6] = ["api_tokens", "refresh_tokens", "sessions", "sign_in_throttles", "signing_keys", "users"];
/// No worker and no platform administrator has business with them.
const OF_MEMBERS: [&str; 2] = ["invitations", "memberships"];
/// Of the installation, and no secret from anybody: no policy, and only the platform writes.
const PLATFORM: [&str; 1] = ["clusters"];
/// What the API sees of a tenant table.
const OF_THE_TENANT: &str = "tenant_id = (NULLIF(current_setting('shopwright.tenant_id'::text, true), ''::text))::uuid";

async fn column(pool: &PgPool, statement: &str) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(statement.to_owned())).fetch_all(pool).await.expect("a query of the catalog")
}

/// What is wrong with the policies of tables that are not listed above.
async fn unprotected(pool: &PgPool) -> Vec<String> {
    let named: Vec<_> = IDENTITY.iter().chain(&PLATFORM).map(|name| format!("'{name}'")).collect();
    let statement = format!(
        "with owned as (
            select c.oid, c.relname, c.relrowsecurity and c.relforcerowsecurity as forced,
                case c.relname when 'tenants' then replace('({OF_THE_TENANT_TEXT})', 'tenant_id =', 'id =') else '({OF_THE_TENANT_TEXT})' end as condition
            from pg_class c
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
                and c.relname <> all (array[{}, '_sqlx_migrations'])
        )
        select relname || ': row-level security is not forced' from owned where not forced
        union all
        select relname || ': no policy shows the API its tenant''s rows and no others' from owned
        where not exists (
            select from pg_policies p where p.schemaname = 'public' and p.tablename = relname
                and p.roles = '{{shopwright_api}}' and p.cmd = 'ALL' and p.permissive = 'PERMISSIVE'
                and p.qual = condition and coalesce(p.with_check, condition) = condition)
        union all
        select relname || ': more than one policy for the API' from owned
        where (select count(*) from pg_policies p where p.tablename = relname and 'shopwright_api' = any (p.roles)) > 1
        union all
        select relname || ': the owner sees nothing: a later migration would change nothing' from owned
        where not exists (
            select from pg_policies p where p.tablename = relname and p.roles = array[current_user] and p.qual = 'true')
        union all
        select relname || ': the worker sees nothing' from owned
        where relname <> all (array[{OF_MEMBERS}]) and not exists (
            select from pg_policies p where p.tablename = relname and 'shopwright_worker' = any (p.roles) and p.qual = 'true')
        order by 1",
        named.join(", "),
        OF_MEMBERS = OF_MEMBERS.map(|name| format!("'{name}'")).join(", "),
        OF_THE_TENANT_TEXT = OF_THE_TENANT.replace('\'', "''"),
    );
    column(pool, &statement).await
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_table_of_tenants_is_protected(pool: PgPool) {
    assert_eq!(unprotected(&pool).await, Vec::<String>::new());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_new_table_without_a_policy_is_noticed(pool: PgPool) {
    pool.execute("create table gifts (tenant_id uuid not null)").await.expect("a table");
    assert_eq!(unprotected(&pool).await.len(), 4);

    pool.execute("alter table gifts enable row level security, force row level security").await.expect("alter");
    pool.execute("create policy gifts_owner on gifts to current_user using (true)").await.expect("a policy");
    pool.execute("create policy gifts_all on gifts to shopwright_worker, shopwright_api using (true)")
        .await
        .expect("a policy");
    let found = unprotected(&pool).await;

    assert_eq!(found, ["gifts: no policy shows the API its tenant's rows and no others"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn no_policy_is_for_everybody(pool: PgPool) {
    let statement = "select policyname::text from pg_policies where schemaname = 'public' and 'public' = any (roles)";
    assert_eq!(column(&pool, statement).await, Vec::<String>::new());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_roles_of_transactions_have_no_power_and_own_nothing(pool: PgPool) {
    let roles = "rolname like 'shopwright\\_%' and rolname = any (array['shopwright_identity', 'shopwright_api', 'shopwright_platform', 'shopwright_worker'])";
    let all = column(&pool, &format!("select rolname::text from pg_roles where {roles} order by rolname")).await;
    let powerful = format!(
        "select rolname::text from pg_roles where {roles}
            and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication or rolcanlogin)"
    );
    let members = format!(
        "select m.rolname || ' is ' || r.rolname from pg_auth_members a join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member
        where m.oid in (select oid from pg_roles where {roles})"
    );
    let owners = format!(
        "select c.relname::text from pg_class c join pg_roles r on r.oid = c.relowner where {roles}
        union all select p.proname::text from pg_proc p join pg_roles r on r.oid = p.proowner where {roles}"
    );

    assert_eq!(all, ["shopwright_api", "shopwright_identity", "shopwright_platform", "shopwright_worker"]);
    for statement in [powerful, members, owners] {
        assert_eq!(column(&pool, &statement).await, Vec::<String>::new(), "{statement}");
    }
}

/// What each role may do with each table, in the order of tables and roles.
async fn grants(pool: &PgPool, where_: &str) -> Vec<String> {
    let statement = format!(
        "select table_name || ' ' || grantee || ' ' || string_agg(lower(left(privilege_type, 1)), '' order by privilege_type)
        from information_schema.role_table_grants
        where table_schema = 'public' and grantee <> current_user and {where_}
        group by table_name, grantee order by table_name, grantee"
    );
    column(pool, &statement).await
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn nobody_may_truncate_or_refer(pool: PgPool) {
    // TRUNCATE asks no policy; a foreign key or a trigger of somebody's own would tell about rows that are hidden.
    let more = "privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')";
    assert_eq!(grants(&pool, more).await, Vec::<String>::new());
    assert_eq!(grants(&pool, "grantee = 'PUBLIC'").await, ["_sqlx_migrations PUBLIC s"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_audit_trail_is_only_ever_added_to(pool: PgPool) {
    let expected = [
        "audit_events shopwright_api is",
        "audit_events shopwright_identity i",
        "audit_events shopwright_platform is",
        "audit_events shopwright_worker is",
    ];
    assert_eq!(grants(&pool, "table_name = 'audit_events'").await, expected);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_people_sign_in_with_is_identitys_alone(pool: PgPool) {
    let named: Vec<_> = IDENTITY.iter().map(|name| format!("'{name}'")).collect();
    let others = format!("table_name in ({}) and grantee <> 'shopwright_identity'", named.join(", "));
    assert_eq!(grants(&pool, &others).await, Vec::<String>::new());

    let mut reached = grants(&pool, "grantee = 'shopwright_identity'").await;
    reached.retain(|grant| !IDENTITY.iter().any(|name| grant.starts_with(&format!("{name} "))));
    let expected = [
        "audit_events shopwright_identity i",
        "invitations shopwright_identity dsu",
        "memberships shopwright_identity disu",
        "tenants shopwright_identity isu",
    ];
    assert_eq!(reached, expected);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn of_accounts_an_organisation_sees_its_members_names(pool: PgPool) {
    let columns = column(
        &pool,
        "select distinct grantee || ' ' || privilege_type || ' ' || column_name from information_schema.role_column_grants
        where table_schema = 'public' and table_name = 'users' and grantee not in (current_user, 'shopwright_identity') order by 1",
    )
    .await;
    let expected =
        ["created_at", "email", "id", "tenant_id", "username"].map(|name| format!("shopwright_api SELECT {name}"));

    assert_eq!(columns, expected);
    let forced = "select (relrowsecurity and relforcerowsecurity)::text from pg_class where oid = 'users'::regclass";
    assert_eq!(column(&pool, forced).await, ["true"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn nothing_runs_as_the_owner_but_what_was_looked_at(pool: PgPool) {
    let definers = "select proname::text from pg_proc where prosecdef and pronamespace = 'public'::regnamespace";
    let loose = "select proname::text from pg_proc where prosecdef and pronamespace = 'public'::regnamespace
        and (proconfig is null or not 'search_path=pg_catalog, pg_temp' = any (proconfig)
             or has_function_privilege('public', oid, 'execute'))";
    let views =
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')
        and not coalesce(reloptions::text like '%security_invoker=true%', false)";

    assert_eq!(column(&pool, definers).await, ["host_is_free"]);
    assert_eq!(column(&pool, loose).await, Vec::<String>::new());
    assert_eq!(column(&pool, views).await, Vec::<String>::new());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn no_uniqueness_tells_what_others_have(pool: PgPool) {
    // Unique over all tenants is only what nobody can guess, and the names that are shared by nature: hosts, and what identity answers alike.
    let shared = column(
        &pool,
        "select i.relname::text
        from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
        where x.indisunique and t.relnamespace = 'public'::regnamespace and t.relname <> '_sqlx_migrations'
            and not exists (
                select from pg_attribute a where a.attrelid = t.oid and a.attname = 'tenant_id' and a.attnum = any (x.indkey::int2[]))
        order by 1",
    )
    .await;

    let expected = [
        "api_tokens_digest_key",
        "api_tokens_pkey",
        "clusters_pkey",
        "invitations_digest_key",
        "invitations_pkey",
        "operation_steps_pkey",
        "operations_pkey",
        "operations_unfinished_key",
        "refresh_tokens_current_key",
        "refresh_tokens_pkey",
        "sessions_pkey",
        "sign_in_throttles_pkey",
        "signing_keys_pkey",
        "store_credentials_pkey",
        "stores_live_host_key",
        "stores_pkey",
        "tenants_pkey",
        "users_email_key",
        "users_pkey",
        "users_username_key",
    ];
    assert_eq!(shared, expected);
}
