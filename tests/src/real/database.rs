//! A database of the test's own on the server that the test driver started.

use sqlx::{Connection, Executor, PgConnection};

/// An empty database. It is dropped with this.
#[derive(Debug)]
pub struct TestDatabase {
    /// How to connect to it.
    pub url: String,
    name: String,
    admin_url: String,
}

impl TestDatabase {
    /// Creates it.
    ///
    /// # Errors
    /// When the server does not answer or the role may not create databases.
    pub async fn create(admin_url: &str) -> anyhow::Result<Self> {
        let name = format!("system_test_{}", uuid::Uuid::new_v4().simple());
        let mut connection = PgConnection::connect(admin_url).await?;
        connection.execute(sqlx::AssertSqlSafe(format!("create database {name}"))).await?;
        connection.close().await?;
        let mut url = reqwest::Url::parse(admin_url)?;
        url.set_path(&name);
        Ok(Self { url: url.to_string(), name, admin_url: admin_url.to_owned() })
    }

    /// One number that a query answers.
    ///
    /// # Errors
    /// The database's own.
    pub async fn count(&self, query: &'static str) -> anyhow::Result<i64> {
        let mut connection = PgConnection::connect(&self.url).await?;
        let (count,): (i64,) = sqlx::query_as(query).fetch_one(&mut connection).await?;
        Ok(count)
    }

    /// Runs a statement as somebody from outside the product would.
    ///
    /// # Errors
    /// The database's own.
    pub async fn execute(&self, statement: &'static str) -> anyhow::Result<()> {
        PgConnection::connect(&self.url).await?.execute(statement).await?;
        Ok(())
    }

    /// Cuts everybody off and lets nobody in, or lets everybody in again: a database server that is away, for one database.
    ///
    /// # Errors
    /// The server's own.
    pub async fn refuse_connections(&self, refuse: bool) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect(&self.admin_url).await?;
        let name = &self.name;
        connection
            .execute(sqlx::AssertSqlSafe(format!("alter database {name} with allow_connections {}", !refuse)))
            .await?;
        if refuse {
            let cut = format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'");
            connection.execute(sqlx::AssertSqlSafe(cut)).await?;
        }
        Ok(())
    }

    /// From now on whoever writes that `step` has succeeded waits for the returned barrier: its effect is there, its record is not.
    ///
    /// # Errors
    /// The database's own.
    pub async fn hold_at(&self, step: &str) -> anyhow::Result<Barrier> {
        let mut connection = PgConnection::connect(&self.url).await?;
        connection.execute("select pg_advisory_lock(4711)").await?;
        let trigger = format!(
            "create function hold() returns trigger language plpgsql as $$ begin
                 if new.step = '{step}' and new.status = 'succeeded' then perform pg_advisory_xact_lock(4711); end if;
                 return new;
             end $$;
             create trigger hold before insert or update on operation_steps for each row execute function hold();"
        );
        connection.execute(sqlx::AssertSqlSafe(trigger)).await?;
        Ok(Barrier { connection })
    }

    async fn waiting_at_a_barrier(&self) -> anyhow::Result<bool> {
        let waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted
                       and database = (select oid from pg_database where datname = current_database())";
        Ok(self.count(waiting).await? > 0)
    }
}

/// Holds everybody who wants to record one step.
#[derive(Debug)]
pub struct Barrier {
    connection: PgConnection,
}

impl Barrier {
    /// Waits until somebody stands at it.
    ///
    /// # Errors
    /// When nobody comes within a minute.
    pub async fn reached(&self, database: &TestDatabase) -> anyhow::Result<()> {
        let start = std::time::Instant::now();
        while !database.waiting_at_a_barrier().await? {
            anyhow::ensure!(start.elapsed().as_secs() < 60, "nobody came to the barrier");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Takes it away.
    ///
    /// # Errors
    /// The database's own.
    pub async fn lift(mut self) -> anyhow::Result<()> {
        self.connection.execute("select pg_advisory_unlock_all()").await?;
        self.connection.execute("drop trigger hold on operation_steps; drop function hold()").await?;
        Ok(())
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (name, url) = (self.name.clone(), self.admin_url.clone());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connection = PgConnection::connect(&url).await?;
                connection.execute(sqlx::AssertSqlSafe(format!("drop database {name} with (force)"))).await?;
                anyhow::Ok(())
            })
        });
        if !matches!(dropping.join(), Ok(Ok(()))) {
            eprintln!("the database {} could not be dropped", self.name);
        }
    }
}
