//! A `PgBouncer` of one test's own, in transaction mode: whoever begins a transaction gets the server's session that is free.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::own_server::{ROLE, Server, server_user};
use crate::shop::until;

pub(crate) struct Pooler {
    dir: PathBuf,
    port: u16,
    process: Child,
}

impl Pooler {
    /// In front of the product's database on `server`, with so many sessions.
    pub(crate) async fn start(server: &Server, sessions: u32) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("its address").port();
        drop(listener);
        let dir = PathBuf::from(format!("/tmp/swpb.{}.{port}", std::process::id()));
        std::fs::create_dir(&dir).expect("a directory");
        std::fs::write(dir.join("users"), format!("\"{ROLE}\" \"\"\n")).expect("write");
        let settings = format!(
            "[databases]\nshop = host=127.0.0.1 port={} dbname=shop\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {dir}/users\npool_mode = transaction\n\
             default_pool_size = {sessions}\nmax_client_conn = 200\nignore_startup_parameters = extra_float_digits\n",
            server.port(),
            dir = dir.display(),
        );
        let file = dir.join("pgbouncer.ini");
        std::fs::write(&file, settings).expect("write");
        // It runs as root as little as a server does. Debian keeps it out of an ordinary user's PATH.
        let mut command = match server_user() {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--", "pgbouncer"]);
                command
            }
            None => Command::new("pgbouncer"),
        };
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let log = std::fs::File::create(dir.join("log")).expect("a log");
        let process = command.arg(&file).env("PATH", path).stdout(Stdio::null()).stderr(log).spawn();
        let process = process.expect("pgbouncer: scripts/bootstrap test installs it");
        let mut pooler = Self { dir, port, process };
        until("the pooler listens", async || {
            if let Some(end) = pooler.process.try_wait().expect("look") {
                panic!("{end}: {}", std::fs::read_to_string(pooler.dir.join("log")).unwrap_or_default());
            }
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
        })
        .await;
        pooler
    }

    /// The product's database, through it.
    pub(crate) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username(ROLE)
            .database("shop")
            .ssl_mode(PgSslMode::Disable)
            // Not even the driver's own questions may be prepared by name.
            .statement_cache_capacity(0)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // `runuser` passes it on; PgBouncer ends at once.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
