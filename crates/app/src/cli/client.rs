//! The commands that talk to a server: results on standard output, everything else on standard error.
//!
//! Exit codes: 0 when what was asked for is true, 1 when it is not, 2 when the command was not understood.

mod api;
mod change;
mod console;
mod credentials;
mod engines;
mod error;
mod follow;
mod login;
mod model;
mod operations;
mod platform;
mod print;
mod progress;
mod prompt;
mod session;
mod stores;

pub use console::Console;
pub use error::ClientError;

use super::definition::{ClientCommand, ClientFlags, EnginesCommand, OperationsCommand};
use crate::config::Environment;
use api::Api;
use credentials::Credentials;
use session::Sessions;

/// Runs one command and returns its exit code.
pub async fn run_client(
    command: ClientCommand,
    flags: &ClientFlags,
    environment: &Environment,
    console: &mut Console,
) -> u8 {
    crate::crypto::install_crypto();
    match run(command, flags, environment, console).await {
        Ok(()) => 0,
        Err(error) => {
            console.say(&format!("error: {error}"));
            for line in error.advice() {
                console.say(&format!("  {line}"));
            }
            error.exit_code()
        }
    }
}

async fn run(
    command: ClientCommand,
    flags: &ClientFlags,
    environment: &Environment,
    console: &mut Console,
) -> Result<(), ClientError> {
    let sessions = Sessions::new(environment);
    let mut api = Api::new(&flags.server)?;
    if let ClientCommand::Login(login) = command {
        return login::run(&login, &api, &sessions, environment, console).await;
    }
    if let ClientCommand::Logout = command {
        return login::end(&api, &sessions, console).await;
    }
    let credentials = if let Some(token) = environment.get("SHOPWRIGHT_TOKEN") {
        Credentials::Given(token.into())
    } else {
        let kept = sessions.find(api.server())?;
        let kept = kept.ok_or_else(|| ClientError::NotSignedIn { server: api.server().into() })?;
        Credentials::Kept(sessions, kept)
    };
    api.sign_in(credentials);
    match command {
        ClientCommand::Login(_) | ClientCommand::Logout => Ok(()),
        ClientCommand::Engines { command: EnginesCommand::List } => engines::list(flags.output, &api, console).await,
        ClientCommand::Stores { command } => stores::run(command, flags.output, &api, console).await,
        ClientCommand::Operations { command: OperationsCommand::Get { id } } => {
            operations::get(id, flags.output, &api, console).await
        }
        ClientCommand::Operations { command: OperationsCommand::Cancel { id } } => {
            stores::cancel(&id.to_string(), flags.output, &api, console).await
        }
        ClientCommand::Platform { command } => platform::run(command, flags.output, &api, console).await,
    }
}
