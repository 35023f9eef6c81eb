//! The private server on real PostgreSQL: start, adopt, refuse a second one, stop.
#![cfg(feature = "binary")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use shopwright_app::private_postgres::{PrivatePostgres, PrivatePostgresError};
use sqlx::{Connection, PgConnection};

/// A data directory that the server's own user can reach, also when the test runs as root.
fn data_dir() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let data = dir.path().join("data");
    (dir, data)
}

async fn connect(url: &SecretString) -> PgConnection {
    PgConnection::connect(url.expose_secret()).await.unwrap()
}

fn runs(pid: u32) -> bool {
    // A child that ended but was not collected yet is a zombie, and has no executable.
    fs::read_link(format!("/proc/{pid}/exe")).is_ok()
}

#[tokio::test]
async fn it_starts_keeps_data_over_a_restart_and_stops() {
    let (_dir, data) = data_dir();

    let (postgres, url) = PrivatePostgres::start(&data).await.unwrap();
    let pid = postgres.pid();
    let mut connection = connect(&url).await;
    sqlx::query("CREATE TABLE shop (name text)").execute(&mut connection).await.unwrap();
    sqlx::query("INSERT INTO shop VALUES ('teashop')").execute(&mut connection).await.unwrap();
    // The session is left open: stopping must not wait for it.
    postgres.stop().await.unwrap();
    assert!(!runs(pid));

    let (postgres, url) = PrivatePostgres::start(&data).await.unwrap();
    let name: String = sqlx::query_scalar("SELECT name FROM shop").fetch_one(&mut connect(&url).await).await.unwrap();
    assert_eq!(name, "teashop");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn nobody_else_can_reach_it() {
    let (_dir, data) = data_dir();

    let (postgres, url) = PrivatePostgres::start(&data).await.unwrap();

    let listens: String =
        sqlx::query_scalar("SHOW listen_addresses").fetch_one(&mut connect(&url).await).await.unwrap();
    assert_eq!(listens, "");
    for closed in ["run", "postgres"] {
        assert_eq!(data.join(closed).metadata().unwrap().mode() & 0o777, 0o700, "{closed}");
    }
    let environment = fs::read(format!("/proc/{}/environ", postgres.pid())).unwrap();
    assert!(!String::from_utf8_lossy(&environment).contains("CARGO"), "our environment does not reach it");
    if rustix::process::geteuid().is_root() {
        assert_ne!(fs::metadata(format!("/proc/{}", postgres.pid())).unwrap().uid(), 0, "not as root");
    }
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_one_is_refused_and_told_the_url() {
    let (_dir, data) = data_dir();
    let (postgres, url) = PrivatePostgres::start(&data).await.unwrap();

    let error = PrivatePostgres::start(&data).await.unwrap_err();

    assert!(matches!(error, PrivatePostgresError::InUse { .. }));
    let text = error.to_string();
    assert!(text.contains(&format!("DATABASE_URL='{}'", url.expose_secret())), "{text}");
    assert!(connect(&url).await.ping().await.is_ok(), "the first one is unharmed");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn one_that_was_left_running_is_adopted_and_then_stopped() {
    let (_dir, data) = data_dir();
    let (left, url) = PrivatePostgres::start(&data).await.unwrap();
    let pid = left.pid();
    let mut session = connect(&url).await;
    // What kill -9 of `serve` does: the lock goes, the server stays.
    drop(left);

    let (adopted, same_url) = PrivatePostgres::start(&data).await.unwrap();

    assert_eq!((adopted.pid(), same_url.expose_secret()), (pid, url.expose_secret()));
    assert!(session.ping().await.is_ok(), "its sessions go on");
    adopted.stop().await.unwrap();
    // It is not our child: its last moments are its own.
    let ended = async {
        while runs(pid) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), ended).await.expect("it has ended");
}

#[tokio::test]
async fn after_a_crash_of_everything_it_starts_again() {
    let (_dir, data) = data_dir();
    let (postgres, _) = PrivatePostgres::start(&data).await.unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(postgres.pid()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    drop(postgres);

    let started = tokio::time::timeout(Duration::from_mins(1), PrivatePostgres::start(&data)).await.unwrap();

    let (postgres, url) = started.unwrap();
    assert!(connect(&url).await.ping().await.is_ok());
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_long_path_gets_a_socket_elsewhere() {
    let (dir, _) = data_dir();
    let data = dir.path().join("d".repeat(120));

    let (postgres, url) = PrivatePostgres::start(&data).await.unwrap();

    assert!(connect(&url).await.ping().await.is_ok());
    let socket_dir = url.expose_secret().split("host=").nth(1).unwrap().split('&').next().unwrap().replace("%2F", "/");
    assert!(!socket_dir.contains("ddd"), "{socket_dir}");
    postgres.stop().await.unwrap();
    fs::remove_dir_all(socket_dir).unwrap();
}

#[tokio::test]
async fn a_directory_that_its_user_cannot_enter_is_named() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root starts it as somebody else.
    }
    let (dir, data) = data_dir();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o700)).unwrap();

    let text = PrivatePostgres::start(&data).await.unwrap_err().to_string();

    assert!(text.contains(&format!("chmod o+x {}", dir.path().display())), "{text}");
}
