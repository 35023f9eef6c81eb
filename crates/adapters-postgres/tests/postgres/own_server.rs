//! A PostgreSQL server of one test's own, for what must not happen to the one that all tests share: crashes, switched defaults, standbys.
//!
//! It listens on TCP and on a socket in its directory; both are gone with this value.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

pub(crate) const SUPERUSER: &str = "root_of_tests";
/// The role that may create databases and roles and is no superuser: what the product connects as.
pub(crate) const ROLE: &str = "shopwright";

pub(crate) struct Server {
    dir: PathBuf,
    port: u16,
    settings: String,
}

impl Server {
    /// A new server with `settings` (`-c name=value ...`) and the product's role.
    pub(crate) async fn start(settings: &str) -> Self {
        let server = Self::place(settings);
        let data = server.data();
        let initdb =
            ["initdb", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-U", SUPERUSER, "-D", &data];
        run(&initdb).expect("initdb");
        server.boot();
        server.execute(&format!("create role {ROLE} login createdb createrole nosuperuser nobypassrls")).await;
        server.execute(&format!("create database shop owner {ROLE}")).await;
        server
    }

    /// A copy of `primary` that follows it and is not started.
    pub(crate) fn standby_of(primary: &Self, settings: &str, name: &str) -> Self {
        let standby = Self::place(settings);
        let (data, port) = (standby.data(), primary.port.to_string());
        let copy = [
            "pg_basebackup",
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-U",
            SUPERUSER,
            "-D",
            &data,
            "-R",
            "-c",
            "fast",
            "--no-sync",
        ];
        run(&copy).expect("pg_basebackup");
        let name =
            format!("primary_conninfo = 'host=127.0.0.1 port={port} user={SUPERUSER} application_name={name}'\n");
        let configuration = Path::new(&data).join("postgresql.auto.conf");
        let mut text = std::fs::read_to_string(&configuration).expect("the standby's configuration");
        text.push_str(&name);
        std::fs::write(&configuration, text).expect("the standby's configuration");
        standby
    }

    fn place(settings: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("its address").port();
        // A socket's path is short, and the server's own user must get to it.
        let dir = PathBuf::from(format!("/tmp/swpg.{}.{port}", std::process::id()));
        std::fs::create_dir(&dir).expect("a directory");
        if let Some(user) = server_user() {
            let chown = Command::new("chown").arg(user).arg(&dir).status();
            assert!(chown.expect("chown").success());
        }
        Self { dir, port, settings: settings.to_owned() }
    }

    fn data(&self) -> String {
        self.dir.join("data").to_str().expect("an ordinary path").to_owned()
    }

    /// Starts it, also again after a crash.
    pub(crate) fn boot(&self) {
        let (data, log) = (self.data(), self.dir.join("log"));
        let options = format!(
            "-k {} -p {} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=60 {}",
            self.dir.display(),
            self.port,
            self.settings
        );
        let log = log.to_str().expect("an ordinary path");
        let started = run(&["pg_ctl", "-D", &data, "-l", log, "-w", "-t", "60", "-o", &options, "start"]);
        let words = std::fs::read_to_string(log).unwrap_or_default();
        started.unwrap_or_else(|error| panic!("{error}\n{words}"));
    }

    /// Kills all its processes at once, without a last word to anybody.
    pub(crate) fn crash(&self) {
        run(&["pg_ctl", "-D", &self.data(), "-m", "immediate", "-w", "-t", "30", "stop"]).expect("stop");
    }

    /// Makes a standby the primary.
    pub(crate) fn promote(&self) {
        run(&["pg_ctl", "-D", &self.data(), "-w", "-t", "30", "promote"]).expect("promote");
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.join(format!(".s.PGSQL.{}", self.port))
    }

    /// The database of the product, as `user`, by TCP.
    pub(crate) fn options(&self, user: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username(user)
            .database("shop")
            .ssl_mode(PgSslMode::Disable)
    }

    /// Runs a statement as the superuser.
    pub(crate) async fn execute(&self, statement: &str) {
        let mut connection = self.options(SUPERUSER).database("postgres").connect().await.expect("connect");
        connection.execute(AssertSqlSafe(statement.to_owned())).await.expect("a statement of the test");
        connection.close().await.expect("close");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = run(&["pg_ctl", "-D", &self.data(), "-m", "immediate", "-w", "-t", "30", "stop"]);
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Whom the server runs as when the tests run as root, which it refuses to.
pub(crate) fn server_user() -> Option<&'static str> {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    let has_own = Command::new("id").arg("postgres").stdout(Stdio::null()).stderr(Stdio::null()).status();
    root.then(|| if has_own.is_ok_and(|status| status.success()) { "postgres" } else { "nobody" })
}

/// Runs a program of PostgreSQL, which Debian keeps out of PATH.
fn run(command: &[&str]) -> Result<(), String> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest =
        installed.map(|version| version.path().join("bin").join(command[0])).filter(|path| path.exists()).max();
    let program = newest.unwrap_or_else(|| PathBuf::from(command[0]));
    let mut process = match server_user() {
        Some(user) => {
            let mut process = Command::new("runuser");
            process.args(["-u", user, "--"]).arg(program);
            process
        }
        None => Command::new(program),
    };
    // A server that was started keeps what it was given: no pipe, or nobody would see its end.
    let status = process.args(&command[1..]).current_dir("/").stdout(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        other => Err(format!("{command:?}: {other:?}")),
    }
}
