//! `login`: e-mail and password for a sign-in that is kept; `logout`: its end.

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::api::Api;
use super::console::Console;
use super::credentials::now;
use super::error::ClientError;
use super::prompt;
use super::session::{Kept, Sessions};
use crate::cli::definition::Login;
use crate::config::Environment;

/// Signs in and keeps the token.
pub(super) async fn run(
    login: &Login,
    api: &Api,
    sessions: &Sessions,
    environment: &Environment,
    console: &mut Console,
) -> Result<(), ClientError> {
    if api.is_in_the_clear() {
        console.say("warning: the password goes over the network unencrypted; use https");
    }
    let password = password(login, environment, console).await?;
    let body = json!({"email": login.email, "password": password.expose_secret()});
    let answer = match api.post("/auth/login", &body, None).await {
        // Whoever is just signing in needs no advice to sign in.
        Err(ClientError::Refused { status: 401, message, request_id, .. }) => {
            let advice = request_id.map_or_else(String::new, |id| format!("request {id}"));
            return Err(ClientError::Missed { message, advice });
        }
        other => other?,
    };
    sessions.keep(api.server(), &Kept::new(answer.read()?, now()))?;
    console.say(&format!("Signed in to {} as {}.", api.server(), login.email));
    Ok(())
}

/// Ends the sign-in here and at the server.
pub(super) async fn end(api: &Api, sessions: &Sessions, console: &mut Console) -> Result<(), ClientError> {
    let Some(kept) = sessions.find(api.server())? else {
        console.say(&format!("You are not signed in to {}.", api.server()));
        return Ok(());
    };
    // Forgotten first: whatever the server says, this machine has it no more.
    sessions.forget(api.server())?;
    if let Some(refresh_token) = kept.refresh_token {
        api.post("/auth/logout", &json!({"refreshToken": refresh_token.expose_secret()}), None).await?;
    }
    console.say(&format!("Signed out of {}.", api.server()));
    Ok(())
}

async fn password(
    login: &Login,
    environment: &Environment,
    console: &mut Console,
) -> Result<SecretString, ClientError> {
    if login.password_stdin {
        return console.read_line().map(SecretString::from);
    }
    if let Some(password) = environment.get("SHOPWRIGHT_PASSWORD") {
        return Ok(password.into());
    }
    if console.interactive {
        return prompt::password(&format!("Password of {}: ", login.email), console).await;
    }
    Err(ClientError::Usage(
        "there is no terminal to ask for the password: use --password-stdin or SHOPWRIGHT_PASSWORD".to_owned(),
    ))
}
