//! `stores credentials`, `stores rotate`, `stores upgrade`: what is asked of a store that is ready.

use serde_json::{Value, json};

use super::api::{Answer, Api};
use super::console::Console;
use super::error::ClientError;
use super::follow::follow_operation;
use super::model::{CredentialsAnswer, Operation, StoreAnswer, UpgradeAnswer};
use super::print;
use super::stores::find::find;
use crate::cli::definition::{Output, Patience, Rotate, ShowCredentials, StoreRef, Upgrade};

/// Who signs in; with `--reveal` the password too, which the server writes down.
pub(super) async fn credentials(
    show: &ShowCredentials,
    output: Output,
    api: &Api,
    console: &mut Console,
) -> Result<(), ClientError> {
    let id = find(&show.store, api).await?;
    let (credentials, body) = if show.reveal {
        let answer = api.post(&format!("/stores/{id}/credentials/reveal"), &json!({}), None).await?;
        (answer.read::<CredentialsAnswer>()?.credentials, answer.body["credentials"].clone())
    } else {
        let answer = api.get(&format!("/stores/{id}")).await?;
        let mut shown = answer.read::<StoreAnswer>()?.store.admin_credentials;
        shown.password = None;
        let body = json!({"email": &shown.email, "username": &shown.username});
        (shown, body)
    };
    match output {
        Output::Json => print::json(&body, console),
        Output::Name => console.result(credentials.username.as_deref().or(credentials.email.as_deref()).unwrap_or("")),
        Output::Table => {
            for (name, value) in [
                ("email", &credentials.email),
                ("username", &credentials.username),
                ("password", &credentials.password),
            ] {
                if let Some(value) = value {
                    console.result(&format!("{name}\t{value}"));
                }
            }
        }
    }
    if credentials.email.is_none() {
        console.say("Its owner alone can see them, once it is ready.");
    } else if !show.reveal {
        console.say("Add --reveal for the password; it is written down that you looked.");
    }
    Ok(())
}

/// Other passwords.
pub(super) async fn rotate(
    rotate: &Rotate,
    output: Output,
    api: &Api,
    console: &mut Console,
) -> Result<(), ClientError> {
    let id = find(&rotate.store, api).await?;
    let targets: Vec<_> = rotate.targets.iter().map(|target| target.as_str()).collect();
    let body = json!({"targets": targets});
    let answer = api.post(&format!("/stores/{id}/credentials/rotate"), &body, None).await?;
    let wait = rotate.wait.then_some(&rotate.patience);
    asked(&answer, &rotate.store, wait, output, api, console).await
}

/// Another release; with `--dry-run` only what would change.
pub(super) async fn upgrade(
    upgrade: &Upgrade,
    output: Output,
    api: &Api,
    console: &mut Console,
) -> Result<(), ClientError> {
    let id = find(&upgrade.store, api).await?;
    if upgrade.dry_run {
        return preview(&id, output, api, console).await;
    }
    let answer = api.post(&format!("/stores/{id}/upgrade"), &json!({}), None).await?;
    let wait = upgrade.wait.then_some(&upgrade.patience);
    asked(&answer, &upgrade.store, wait, output, api, console).await
}

async fn preview(id: &str, output: Output, api: &Api, console: &mut Console) -> Result<(), ClientError> {
    let answer = api.get(&format!("/stores/{id}/upgrade")).await?;
    let upgrade = answer.read::<UpgradeAnswer>()?.upgrade;
    if output == Output::Json {
        print::json(&answer.body, console);
        return Ok(());
    }
    for it in &upgrade.changes {
        console.result(&format!("{}\t{} {}", it.change, it.kind, it.name));
        for field in it.fields.iter().filter(|_| output == Output::Table) {
            match (&field.before, &field.after) {
                (None, None) => console.result(&format!("\t{}", field.path)),
                (before, after) => {
                    let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
                    console.result(&format!("\t{}: {} -> {}", field.path, word(before), word(after)));
                }
            }
        }
    }
    console.say(if upgrade.up_to_date { "It is up to date." } else { "This is what `stores upgrade` would change." });
    Ok(())
}

async fn asked(
    answer: &Answer,
    store: &StoreRef,
    wait: Option<&Patience>,
    output: Output,
    api: &Api,
    console: &mut Console,
) -> Result<(), ClientError> {
    let body = answer.read::<StoreAnswer>()?.store;
    let Some(operation) = body.operation else { return Ok(()) };
    let Some(patience) = wait else {
        say(&operation, &answer.body, output, console);
        return Ok(());
    };
    let (ended, last) = follow_operation(&operation.id, patience.timeout, api, console).await?;
    if ended.status == "succeeded" {
        say(&ended, &last.body, output, console);
        return Ok(());
    }
    let reason =
        ended.failure.map_or_else(|| ended.status.clone(), |failure| format!("{}: {}", failure.code, failure.detail));
    // The server brings the store back by an operation of its own, which is the store's newest now.
    let current = api.get(&format!("/stores/{}", body.id)).await?.read::<StoreAnswer>()?.store;
    let back = match current.operation.filter(|operation| operation.kind == "revert") {
        Some(revert) => follow_operation(&revert.id, patience.timeout, api, console).await?.0.status,
        None => current.status,
    };
    let outcome = if back == "succeeded" {
        "the store runs as it did before".to_owned()
    } else {
        format!("the way back: {back}")
    };
    Err(ClientError::Missed {
        message: format!("the {} of {} failed: {reason}; {outcome}", ended.kind, store.store),
        advice: format!("`shopwright stores logs {}` shows what happened.", body.id),
    })
}

fn say(operation: &Operation, body: &Value, output: Output, console: &mut Console) {
    match output {
        Output::Json => print::json(body, console),
        Output::Name => console.result(&operation.id),
        Output::Table => {
            console.result(&operation.id);
            console.say(&format!("{} is {}.", operation.kind, operation.status));
        }
    }
}
