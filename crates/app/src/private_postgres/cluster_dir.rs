//! The server's own directory, made by `initdb` in one piece: either it is complete, or it is not there.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::NAME;
use super::account::Account;
use super::binaries::Binaries;
use super::error::PrivatePostgresError;

/// The major version that wrote the directory; none when it is not there.
pub(super) fn major_version(dir: &Path) -> Result<Option<String>, PrivatePostgresError> {
    let file = dir.join("PG_VERSION");
    match fs::read_to_string(&file) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(PrivatePostgresError::io("read", &file)(error)),
    }
}

/// Makes the directory, unless it is there. A crash on the way leaves a half-made one under another name, which is removed here.
pub(super) async fn make(dir: &Path, binaries: &Binaries, account: &Account) -> Result<(), PrivatePostgresError> {
    if dir.exists() {
        return Ok(());
    }
    let half = dir.with_extension("new");
    if half.exists() {
        fs::remove_dir_all(&half).map_err(PrivatePostgresError::io("remove", &half))?;
    }
    fs::create_dir(&half).map_err(PrivatePostgresError::io("create", &half))?;
    account.own(&half)?;
    let mut command = Command::new(&binaries.initdb);
    account.prepare(&mut command);
    // `trust` trusts whoever can enter the socket's directory: the server's own user and root.
    command
        .args(["--username", NAME, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--data-checksums"])
        .arg("--pgdata")
        .arg(&half)
        .current_dir("/")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.map_err(PrivatePostgresError::io("run", &binaries.initdb))?;
    if !output.status.success() {
        let output_text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(PrivatePostgresError::Program {
            program: "initdb",
            status: output.status.to_string(),
            output: output_text,
        });
    }
    fs::rename(&half, dir).map_err(PrivatePostgresError::io("rename", &half))
}
