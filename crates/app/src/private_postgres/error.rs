//! Why there is no private server, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why there is no private server. `Display` says what to do.
#[derive(Debug, thiserror::Error)]
pub enum PrivatePostgresError {
    /// PostgreSQL is not installed.
    #[error(
        "PostgreSQL is not installed: neither PATH nor /usr/lib/postgresql has `initdb` and `postgres`; install it (Debian, Ubuntu: apt-get install postgresql), or set DATABASE_URL"
    )]
    NotInstalled,
    /// The data were written by a version that is not installed.
    #[error(
        "the data in DATA_DIR were written by PostgreSQL {wanted}, and {found} is installed; install it (Debian, Ubuntu: apt-get install postgresql-{wanted})"
    )]
    OtherVersion {
        /// The version of the data.
        wanted: String,
        /// The versions that are installed.
        found: String,
    },
    /// Another `serve` has the directory.
    #[error("{}", in_use(data_dir, url.as_deref()))]
    InUse {
        /// The directory.
        data_dir: PathBuf,
        /// The URL of the server that the other one runs, once it does.
        url: Option<String>,
    },
    /// Run as root, and there is neither a user `postgres` nor a user `nobody`.
    #[error(
        "PostgreSQL does not run as root, and there is neither a user `postgres` nor a user `nobody`: add one, or run as another user"
    )]
    NoUser,
    /// The server's user may not enter the directory.
    #[error("user {user} may not enter {}, which is above DATA_DIR: run `chmod o+x {0}`, or set DATA_DIR to a directory elsewhere", dir.display())]
    NotReachable {
        /// The directory that stops it.
        dir: PathBuf,
        /// The server's user.
        user: String,
    },
    /// The directory for the socket belongs to somebody else.
    #[error("{} belongs to somebody else or may be entered by others: remove it, or set DATA_DIR to a shorter path", .0.display())]
    ForeignSocketDir(PathBuf),
    /// A file or directory does not let us.
    #[error("cannot {action} {}: {error}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
    /// A program of PostgreSQL failed.
    #[error("{program} failed ({status}):\n{output}")]
    Program {
        /// Which one.
        program: &'static str,
        /// How it ended.
        status: String,
        /// Its last words.
        output: String,
    },
    /// The server does not become ready.
    #[error("the private PostgreSQL is not ready after {seconds} s; its log is {}", log.display())]
    NotReady {
        /// How long it was given.
        seconds: u64,
        /// Its log.
        log: PathBuf,
    },
    /// The server does not stop.
    #[error("the private PostgreSQL (pid {pid}) does not stop")]
    WillNotStop {
        /// Its process.
        pid: u32,
    },
    /// The server runs but refuses us.
    #[error("the private PostgreSQL refuses to work")]
    Database(#[source] sqlx::Error),
    /// The key file is there and holds no key.
    #[error("{} holds no key: restore it from a backup, for without it what was sealed stays closed", .0.display())]
    DamagedKey(PathBuf),
}

impl PrivatePostgresError {
    /// For `map_err` of what the system refuses.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |error| Self::Io { action, path, error }
    }
}

fn in_use(data_dir: &Path, url: Option<&str>) -> String {
    let dir = data_dir.display();
    match url {
        Some(url) => format!(
            "another `shopwright serve` uses {dir}: to run a second one on the same data, give it DATABASE_URL='{url}' and the key in {dir}/secret.key (SHOPWRIGHT_SECRET_KEY_FILE); for other data, set another DATA_DIR"
        ),
        None => {
            format!("another `shopwright serve` is starting or stopping in {dir}: try again, or set another DATA_DIR")
        }
    }
}
