//! A transaction on a connection of the pool, safe to drop at any await.
//!
//! sqlx's own transaction loses track of a `BEGIN` whose future is dropped, and the pool then hands out a connection that is inside
//! somebody else's transaction (sqlx#4393, RELIABILITY F19). Therefore `BEGIN`, `COMMIT` and `ROLLBACK` are sent here: a connection
//! that was left in the middle of a statement is closed, any other is rolled back before it goes back to the pool. So is one whose server
//! may not write any more (F18): the pool must find the new primary. Whoever waits for an answer longer than its statement may take
//! waits for a network that swallows packets, and gives up (F25).

use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use shopwright_ports::storage::{
    ApiTokenRepository, AuditRepository, ClusterRepository, CredentialRepository, EventRepository,
    IdempotencyRepository, InvitationRepository, Lease, MembershipRepository, OperationRepository, Reach,
    ReleaseRepository, SessionRepository, SigningKeyRepository, StorageError, StoreRepository, TenantRepository,
    ThrottleRepository, Transaction, UserRepository,
};
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Postgres, Row as _};
use tokio::time::{Instant, timeout, timeout_at};

use crate::connections::{Borrowed, Connections, LIFE_SIGN_TIMEOUT, RETURN_TIMEOUT};
use crate::error::{ends_the_session, internal, storage_error, unavailable};
use crate::events::Touched;
use crate::roles::role;
use crate::settings::{PgSettings, Route};
use crate::stirs::Stirs;
use crate::unreadable::Unreadable;

const BEGIN: &str = "begin a transaction";

/// A statement with its values.
pub(crate) type Sql<'q> = Query<'q, Postgres, PgArguments>;

/// A statement without values yet.
pub(crate) fn sql<'q>(text: &'static str) -> Sql<'q> {
    sqlx::query(text)
}

pub(crate) struct PgTransaction {
    /// Gone once the transaction is over.
    connection: Option<Borrowed>,
    /// Whose rows it is about; none when it looks at the schema.
    reach: Option<Reach>,
    /// A statement is under way; still set when its future was dropped.
    busy: bool,
    /// A statement failed, and with it the transaction.
    failed: bool,
    /// The session must not be used again.
    spent: bool,
    route: Route,
    /// How long an answer may take.
    patience: Duration,
    /// When the transaction must be over.
    deadline: Instant,
    /// What its events will be about.
    pub(crate) touched: Touched,
    /// The lease that was seen to hold, and with its rows locked holds until the end.
    pub(crate) fenced: Option<Lease>,
    /// Whom to tell of new events; none where none are written.
    stirs: Option<Stirs>,
    pub(crate) unreadable: Unreadable,
}

impl PgTransaction {
    pub(crate) async fn begin(
        connections: &Connections,
        reach: Option<Reach>,
        settings: &PgSettings,
        unreadable: &Unreadable,
        stirs: Option<&Stirs>,
    ) -> Result<Self, StorageError> {
        let on = |connection| Self::on(connection, reach, settings, unreadable, stirs);
        let mut transaction = on(connections.borrow_unseen().await?);
        // Beginning is how a connection says that it lives: one that does not is replaced, each that there may be and then a new one.
        for _ in 0..connections.most() {
            match transaction.open(settings).await {
                Err(StorageError::Unavailable { .. }) if transaction.is_lost() => {}
                opened => return transaction.writable(opened?),
            }
            let Some(lost) = transaction.connection.take() else { break };
            transaction = on(connections.instead_of(lost).await?);
        }
        let opened = transaction.open(settings).await?;
        transaction.writable(opened)
    }

    fn on(
        connection: Borrowed,
        reach: Option<Reach>,
        settings: &PgSettings,
        unreadable: &Unreadable,
        stirs: Option<&Stirs>,
    ) -> Self {
        Self {
            connection: Some(connection),
            reach,
            busy: false,
            failed: false,
            spent: false,
            route: settings.route,
            patience: LIFE_SIGN_TIMEOUT,
            deadline: Instant::now() + settings.transaction_timeout,
            touched: Touched::default(),
            fenced: None,
            stirs: stirs.cloned(),
            unreadable: unreadable.clone(),
        }
    }

    /// The session said nothing, or that it is over; nothing was done on it.
    const fn is_lost(&self) -> bool {
        self.busy || self.spent
    }

    /// Begins. Whether the server takes writes.
    async fn open(&mut self, settings: &PgSettings) -> Result<bool, StorageError> {
        let reach = self.reach;
        let version = self.connection.as_ref().and_then(|connection| connection.server_version_num());
        let text = settings.begin(version, reach);
        let begun = self.run(BEGIN, |connection| sqlx::raw_sql(AssertSqlSafe(text)).fetch_one(connection)).await;
        let row = begun.map_err(|error| match (error, reach) {
            (StorageError::OutOfReach { .. } | StorageError::Internal { .. }, Some(reach)) => {
                let role = role(reach);
                internal(format!(
                    "this login cannot become the role {role}: run `shopwright migrate`, which makes and grants it"
                ))
            }
            (error, _) => error,
        })?;
        let read_only: String = row.try_get("read_only").map_err(|error| storage_error(BEGIN, error))?;
        self.patience = settings.statement_timeout + settings.answer_margin;
        Ok(read_only == "off")
    }

    fn writable(mut self, takes_writes: bool) -> Result<Self, StorageError> {
        if takes_writes {
            return Ok(self);
        }
        self.spent = true;
        Err(unavailable(BEGIN, "the server takes no writes: a standby, or a primary that was demoted"))
    }

    /// Lets only a worker pass: a queue of one tenant's operations would be nobody's.
    pub(crate) fn as_worker(&mut self) -> Result<(), StorageError> {
        self.only(Reach::Worker, "claiming operations")
    }

    /// Lets only the platform pass: somebody else would be answered from their own rows alone.
    pub(crate) fn as_platform(&mut self, what: &str) -> Result<(), StorageError> {
        self.only(Reach::Platform, what)
    }

    fn only(&mut self, reach: Reach, what: &str) -> Result<(), StorageError> {
        if self.reach == Some(reach) {
            return Ok(());
        }
        self.failed = true;
        Err(StorageError::OutOfReach { detail: what.to_owned() })
    }

    /// Every statement passes here.
    async fn run<'t, T, F>(
        &'t mut self,
        what: &str,
        statement: impl FnOnce(&'t mut PgConnection) -> F,
    ) -> Result<T, StorageError>
    where
        F: Future<Output = Result<T, sqlx::Error>>,
    {
        let Self { connection, busy, failed, spent, patience, deadline, .. } = self;
        let connection = match connection {
            Some(connection) if !*failed => connection,
            // PostgreSQL would answer a commit with a rollback, and not call it an error.
            _ => return Err(internal("a call in this transaction was refused: nothing can follow but a rollback")),
        };
        *busy = true;
        let limit = (*deadline).min(Instant::now() + *patience);
        let Ok(result) = timeout_at(limit, statement(connection)).await else {
            // Still busy: the connection is closed, and with it the transaction.
            *failed = true;
            return Err(unavailable(what, "no answer in time"));
        };
        *busy = false;
        result.map_err(|error| {
            *failed = true;
            *spent |= ends_the_session(&error);
            storage_error(what, error)
        })
    }

    /// Sends text of ours without values.
    pub(crate) async fn command(&mut self, what: &str, text: &'static str) -> Result<(), StorageError> {
        self.run(what, |connection| sqlx::raw_sql(text).execute(connection)).await.map(|_| ())
    }

    /// How many rows `statement` changed.
    pub(crate) async fn execute(&mut self, what: &str, statement: Sql<'_>) -> Result<u64, StorageError> {
        let statement = statement.persistent(self.route == Route::Direct);
        self.run(what, |connection| statement.execute(connection)).await.map(|done| done.rows_affected())
    }

    /// The row that `statement` finds, if there is one.
    pub(crate) async fn row(&mut self, what: &str, statement: Sql<'_>) -> Result<Option<PgRow>, StorageError> {
        let statement = statement.persistent(self.route == Route::Direct);
        self.run(what, |connection| statement.fetch_optional(connection)).await
    }

    /// The rows that `statement` finds.
    pub(crate) async fn rows(&mut self, what: &str, statement: Sql<'_>) -> Result<Vec<PgRow>, StorageError> {
        let statement = statement.persistent(self.route == Route::Direct);
        self.run(what, |connection| statement.fetch_all(connection)).await
    }
}

impl Drop for PgTransaction {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.busy || self.spent {
            // Nobody knows what it still has to say, or it is known to say no.
            connection.close();
            return;
        }
        tokio::spawn(async move {
            let rollback = sqlx::raw_sql("rollback").execute(&mut *connection);
            match timeout(RETURN_TIMEOUT, rollback).await {
                Ok(Ok(_)) => connection.give_back(),
                _ => connection.close(),
            }
        });
    }
}

#[async_trait]
impl Transaction for PgTransaction {
    fn tenants(&mut self) -> &mut dyn TenantRepository {
        self
    }

    fn memberships(&mut self) -> &mut dyn MembershipRepository {
        self
    }

    fn invitations(&mut self) -> &mut dyn InvitationRepository {
        self
    }

    fn users(&mut self) -> &mut dyn UserRepository {
        self
    }

    fn clusters(&mut self) -> &mut dyn ClusterRepository {
        self
    }

    fn stores(&mut self) -> &mut dyn StoreRepository {
        self
    }

    fn credentials(&mut self) -> &mut dyn CredentialRepository {
        self
    }

    fn releases(&mut self) -> &mut dyn ReleaseRepository {
        self
    }

    fn operations(&mut self) -> &mut dyn OperationRepository {
        self
    }

    fn audit(&mut self) -> &mut dyn AuditRepository {
        self
    }

    fn events(&mut self) -> &mut dyn EventRepository {
        self
    }

    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository {
        self
    }

    fn signing_keys(&mut self) -> &mut dyn SigningKeyRepository {
        self
    }

    fn sessions(&mut self) -> &mut dyn SessionRepository {
        self
    }

    fn api_tokens(&mut self) -> &mut dyn ApiTokenRepository {
        self
    }

    fn throttles(&mut self) -> &mut dyn ThrottleRepository {
        self
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StorageError> {
        let tells = self.tell().await?;
        self.command("commit", "commit").await?;
        if let Some(stirs) = self.stirs.as_ref().filter(|_| tells) {
            stirs.stir();
        }
        // Outside any transaction now.
        if let Some(connection) = self.connection.take() {
            connection.give_back();
        }
        Ok(())
    }
}
