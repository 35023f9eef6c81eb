//! `stores ...`.

pub(super) mod find;
mod open;

use std::time::Duration;

use serde_json::json;
use shopwright_domain::store::EngineName;
use url::form_urlencoded::Serializer;

use super::api::{Answer, Api};
use super::change;
use super::console::Console;
use super::error::ClientError;
use super::follow::follow;
use super::model::{LogsAnswer, Store, StoreAnswer};
use super::print;
use crate::cli::definition::{Create, Delete, Goal, List, Logs, Output, Retry, StoreRef, StoresCommand};
use find::{all_pages, find};

/// Runs one of them.
pub(super) async fn run(
    command: StoresCommand,
    output: Output,
    api: &Api,
    console: &mut Console,
) -> Result<(), ClientError> {
    match command {
        StoresCommand::Create(create) => create_store(&create, output, api, console).await,
        StoresCommand::List(list) => list_stores(&list, output, api, console).await,
        StoresCommand::Get(store) => get(&store, output, api, console).await,
        StoresCommand::Delete(delete) => delete_store(&delete, output, api, console).await,
        StoresCommand::Retry(retry) => retry_store(&retry, output, api, console).await,
        StoresCommand::Cancel(store) => cancel_store(&store, output, api, console).await,
        StoresCommand::Logs(logs) => show_logs(&logs, output, api, console).await,
        StoresCommand::Wait(wait) => {
            let id = find(&wait.store, api).await?;
            let answer = follow(&id, wait.goal, wait.patience.timeout, api, console).await?;
            ended(&answer, wait.goal, output, console)
        }
        StoresCommand::Open(store) => open::run(&store, api, console).await,
        StoresCommand::Credentials(show) => change::credentials(&show, output, api, console).await,
        StoresCommand::Rotate(rotate) => change::rotate(&rotate, output, api, console).await,
        StoresCommand::Upgrade(upgrade) => change::upgrade(&upgrade, output, api, console).await,
    }
}

async fn create_store(create: &Create, output: Output, api: &Api, console: &mut Console) -> Result<(), ClientError> {
    let mut body = json!({"name": create.name, "engine": create.engine.as_str()});
    if let Some(theme) = &create.theme {
        body["theme"] = theme.as_str().into();
    }
    if create.password_stdin {
        body["password"] = console.read_line()?.into();
    }
    let answer = post_once(&body, api).await?;
    let store = answer.read::<StoreAnswer>()?.store;
    if create.wait {
        return follow_to_end(&store, Goal::Ready, create.patience.timeout, output, api, console).await;
    }
    accepted(&answer, &store, output, console);
    console.say(&format!("Follow it with `shopwright stores wait {}`.", store.name));
    Ok(())
}

/// Asks for the store. An answer that was lost on the way is asked for again with the same key: it stays one store.
async fn post_once(body: &serde_json::Value, api: &Api) -> Result<Answer, ClientError> {
    const TRIES: u32 = 3;
    let key = uuid::Uuid::new_v4().to_string();
    let mut tries = 1;
    loop {
        match api.post("/stores", body, Some(&key)).await {
            Err(ClientError::Unreachable { .. }) if tries < TRIES => {
                tokio::time::sleep(Duration::from_millis(300) * tries).await;
                tries += 1;
            }
            other => return other,
        }
    }
}

async fn list_stores(list: &List, output: Output, api: &Api, console: &mut Console) -> Result<(), ClientError> {
    let mut query = Serializer::new(String::new());
    for (name, value) in [("status", list.status.as_deref()), ("engine", list.engine.as_ref().map(EngineName::as_str))]
    {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let (stores, body) = all_pages(&query.finish(), api).await?;
    match output {
        Output::Json => print::json(&body, console),
        Output::Name => stores.iter().for_each(|store| console.result(&store.id)),
        Output::Table if stores.is_empty() => {
            console.say("No stores. Ask for one with `shopwright stores create NAME --engine medusa --wait`.");
        }
        Output::Table => print::stores(&stores, console),
    }
    Ok(())
}

async fn get(store: &StoreRef, output: Output, api: &Api, console: &mut Console) -> Result<(), ClientError> {
    let id = find(store, api).await?;
    let answer = api.get(&format!("/stores/{id}")).await?;
    let store = answer.read::<StoreAnswer>()?.store;
    match output {
        Output::Json => print::json(&answer.body, console),
        Output::Name => console.result(&store.id),
        Output::Table => print::store(&store, console),
    }
    Ok(())
}

async fn delete_store(delete: &Delete, output: Output, api: &Api, console: &mut Console) -> Result<(), ClientError> {
    let id = find(&delete.store, api).await?;
    if !delete.yes {
        if !console.interactive {
            return Err(ClientError::Usage("there is no terminal to ask whether you are sure: add --yes".to_owned()));
        }
        console.ask(&format!("Remove {} and everything it holds? [y/N] ", delete.store.store));
        if !matches!(console.read_line()?.to_lowercase().as_str(), "y" | "yes") {
            let advice = "Answer `y`, or add --yes.".to_owned();
            return Err(ClientError::Missed { message: "nothing was removed".to_owned(), advice });
        }
    }
    let answer = api.delete(&format!("/stores/{id}")).await?;
    let store = answer.read::<StoreAnswer>()?.store;
    if delete.wait {
        return follow_to_end(&store, Goal::Deleted, delete.patience.timeout, output, api, console).await;
    }
    accepted(&answer, &store, output, console);
    Ok(())
}

async fn retry_store(retry: &Retry, output: Output, api: &Api, console: &mut Console) -> Result<(), ClientError> {
    let id = find(&retry.store, api).await?;
    let answer = api.post(&format!("/stores/{id}/retry"), &json!({}), None).await?;
    let store = answer.read::<StoreAnswer>()?.store;
    if retry.wait {
        // A retry repeats what failed: a removal is retried as a removal.
        let removes = store.operation.as_ref().is_some_and(|operation| operation.kind == "delete");
        let goal = if removes { Goal::Deleted } else { Goal::Ready };
        return follow_to_end(&store, goal, retry.patience.timeout, output, api, console).await;
    }
    accepted(&answer, &store, output, console);
    Ok(())
}

/// Cancels what runs for the store: a merchant knows its name, not the id of an operation.
async fn cancel_store(store: &StoreRef, output: Output, api: &Api, console: &mut Console) -> Result<(), ClientError> {
    let id = find(store, api).await?;
    let store = api.get(&format!("/stores/{id}")).await?.read::<StoreAnswer>()?.store;
    let Some(operation) = store.operation else {
        let advice = format!("`shopwright stores get {id}` shows how it is doing.");
        return Err(ClientError::Missed { message: format!("nothing runs for {}", store.name), advice });
    };
    cancel(&operation.id, output, api, console).await
}

/// Cancels an operation, by `stores cancel` or `operations cancel`.
pub(super) async fn cancel(
    operation: &str,
    output: Output,
    api: &Api,
    console: &mut Console,
) -> Result<(), ClientError> {
    let answer = api.post(&format!("/operations/{operation}/cancel"), &json!({}), None).await?;
    let store = answer.read::<StoreAnswer>()?.store;
    accepted(&answer, &store, output, console);
    if output == Output::Table && store.operation.is_some_and(|operation| !operation.is_finished()) {
        console.say(&format!("What was made is being removed; then retry it, or delete it: {}.", store.name));
    }
    Ok(())
}

async fn show_logs(logs: &Logs, output: Output, api: &Api, console: &mut Console) -> Result<(), ClientError> {
    let id = find(&logs.store, api).await?;
    let answer = api.get(&format!("/stores/{id}/logs?limit={}", logs.limit)).await?;
    let entries = answer.read::<LogsAnswer>()?.logs;
    match output {
        Output::Json => print::json(&answer.body, console),
        Output::Name => entries.iter().for_each(|entry| console.result(&entry.id)),
        Output::Table => print::logs(&entries, console),
    }
    Ok(())
}

/// The result of a command that only asked for something.
fn accepted(answer: &Answer, store: &Store, output: Output, console: &mut Console) {
    match output {
        Output::Json => print::json(&answer.body, console),
        Output::Name => console.result(&store.id),
        Output::Table => {
            console.result(&store.id);
            console.say(&format!("{} is {}.", store.name, store.status));
        }
    }
}

async fn follow_to_end(
    store: &Store,
    goal: Goal,
    timeout: Duration,
    output: Output,
    api: &Api,
    console: &mut Console,
) -> Result<(), ClientError> {
    console.say(&format!("{} is {} ({}).", store.name, store.status, store.id));
    let answer = follow(&store.id, goal, timeout, api, console).await?;
    ended(&answer, goal, output, console)
}

/// The good end: the URL of a store that is ready, and what must be known about it.
fn ended(answer: &Answer, goal: Goal, output: Output, console: &mut Console) -> Result<(), ClientError> {
    let store = answer.read::<StoreAnswer>()?.store;
    match (output, goal) {
        (Output::Json, _) => print::json(&answer.body, console),
        (Output::Name, _) => console.result(&store.id),
        (Output::Table, Goal::Ready) => console.result(store.urls.storefront.as_deref().unwrap_or_default()),
        (Output::Table, Goal::Deleted) => {}
    }
    console.say(&format!("{} is {}.", store.name, store.status));
    if goal == Goal::Ready {
        if let Some(note) = &store.engine_note {
            console.say(&format!("note: {note}"));
        }
        if output == Output::Table && store.admin_credentials.password.is_some() {
            console.say(&format!("Its administrator's credentials: `shopwright stores get {}`.", store.name));
        }
    }
    if answer.simulated {
        console.say("note: this server is simulated; no store was really made or removed");
    }
    Ok(())
}
