//! The roles that transactions run as: one per kind of [`Reach`], shared by all databases of a server.
//!
//! They can do nothing but what migrations grant them, and nobody signs in as them who is not meant to: a login becomes one for the length of
//! a transaction (`set local role`). A login that inherited their rights would have them outside too, so it is granted none where
//! the server lets us say so.

use shopwright_ports::storage::{Reach, StorageError};
use sqlx::error::DatabaseError;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::error::{internal, storage_error, unavailable};

const WHAT: &str = "make the roles of transactions";
/// Every role.
pub(crate) const ROLES: [&str; 4] =
    ["shopwright_identity", "shopwright_api", "shopwright_platform", "shopwright_worker"];

/// Whom a transaction of this reach runs as.
pub(crate) const fn role(reach: Reach) -> &'static str {
    match reach {
        Reach::Identity => "shopwright_identity",
        Reach::Tenant(_) => "shopwright_api",
        Reach::Platform => "shopwright_platform",
        Reach::Worker => "shopwright_worker",
    }
}

/// The right of a login to become a role.
pub(crate) type Membership = (&'static str, String);

/// What a login of the API becomes, and what one of a worker.
pub(crate) fn memberships(api: &str, worker: &str) -> Vec<Membership> {
    let of_api = ROLES.into_iter().filter(|name| *name != role(Reach::Worker));
    of_api.map(|name| (name, api.to_owned())).chain([(role(Reach::Worker), worker.to_owned())]).collect()
}

/// Rounds: one makes the roles, one grants them, one finds everything done; the others are for meeting somebody.
const TRIES: u32 = 8;

/// Makes what is missing: the roles, and the right of whoever migrates to become each of them, and of others as `wanted` says.
///
/// One process of a database at a time. Databases of one server share the roles and no lock: who meets another's migration looks again.
pub(crate) async fn ensure(connection: &mut PgConnection, wanted: &[Membership]) -> Result<(), StorageError> {
    for _ in 0..TRIES {
        if try_ensure(connection, wanted).await? {
            return Ok(());
        }
    }
    Err(unavailable(WHAT, "others make them at the same time: try again later"))
}

/// In one transaction; false when it met another.
async fn try_ensure(connection: &mut PgConnection, wanted: &[Membership]) -> Result<bool, StorageError> {
    run(connection, "begin; select pg_advisory_xact_lock(hashtextextended('roles', 0))").await?;
    let mut missing = missing_roles(connection).await?;
    if missing.is_empty() {
        missing = missing_memberships(connection, wanted).await?;
        if missing.is_empty() {
            refuse_powerful(connection).await?;
        }
    }
    // A role that was just made has members only in the next round.
    let done = missing.is_empty();
    for statement in missing {
        match sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&mut *connection).await {
            Ok(_) => {}
            Err(sqlx::Error::Database(refusal)) if is_race(refusal.as_ref()) => {
                run(connection, "rollback").await?;
                return Ok(false);
            }
            Err(sqlx::Error::Database(refusal)) if refusal.code().as_deref() == Some("42501") => {
                return Err(internal(format!(
                    "this login may make or grant no roles: let an administrator of the server run `{statement}`, or give it CREATEROLE"
                )));
            }
            Err(error) => return Err(storage_error(WHAT, error)),
        }
    }
    run(connection, "commit").await?;
    Ok(done)
}

/// Somebody made the same at the same moment.
fn is_race(refusal: &dyn DatabaseError) -> bool {
    matches!(refusal.code().as_deref(), Some("42710" | "23505" | "XX000"))
}

async fn run(connection: &mut PgConnection, text: &'static str) -> Result<(), StorageError> {
    sqlx::raw_sql(text).execute(connection).await.map(|_| ()).map_err(|error| storage_error(WHAT, error))
}

/// The statements that make the roles which are missing.
async fn missing_roles(connection: &mut PgConnection) -> Result<Vec<String>, StorageError> {
    let roles = "\
        select format('create role %I nologin nosuperuser nocreatedb nocreaterole noreplication nobypassrls', name)
        from unnest($1::text[]) name
        where not exists (select from pg_roles where rolname = name)";
    let roles = sqlx::query_scalar(roles).bind(&ROLES[..]).fetch_all(connection).await;
    roles.map_err(|error| storage_error(WHAT, error))
}

/// The statements that grant the roles to who may become them.
async fn missing_memberships(
    connection: &mut PgConnection,
    wanted: &[Membership],
) -> Result<Vec<String>, StorageError> {
    let from_16 = connection.server_version_num().is_some_and(|version| version >= 160_000);
    let (privilege, how) = if from_16 { ("set", " with inherit false, set true") } else { ("member", "") };
    // A superuser is everybody already. A login that is not there yet gets its roles from the next migration.
    let grants = "\
        select format('grant %I to %I', role, login) || $3
        from (
            select role, login from unnest($1::text[], $2::text[]) wanted (role, login)
            union select role, current_user::text from unnest($5::text[]) role
        ) wanted
        join pg_roles l on l.rolname = login
        where not l.rolsuper and role <> login and not pg_has_role(login, role, $4)
        order by role, login";
    let (names, logins): (Vec<&str>, Vec<&str>) = wanted.iter().map(|(role, login)| (*role, login.as_str())).unzip();
    let grants = sqlx::query_scalar(grants)
        .bind(names)
        .bind(logins)
        .bind(how)
        .bind(privilege)
        .bind(&ROLES[..])
        .fetch_all(connection)
        .await;
    grants.map_err(|error| storage_error(WHAT, error))
}

/// A role of these names that passes every policy unseen is somebody's mistake.
async fn refuse_powerful(connection: &mut PgConnection) -> Result<(), StorageError> {
    let powerful =
        "select rolname from pg_roles where rolname = any ($1) and (rolsuper or rolbypassrls or rolcreaterole)";
    let found = sqlx::query_scalar::<_, String>(powerful).bind(&ROLES[..]).fetch_optional(connection).await;
    match found.map_err(|error| storage_error(WHAT, error))? {
        Some(name) => Err(internal(format!(
            "the role {name} has rights that pass row-level security: run `alter role {name} nosuperuser nobypassrls nocreaterole`"
        ))),
        None => Ok(()),
    }
}
