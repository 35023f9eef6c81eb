//! `platform ...`: accounts and clusters, for platform administrators.

use serde_json::{Value, json};
use shopwright_domain::UserId;
use url::form_urlencoded::Serializer;

use super::api::Api;
use super::console::Console;
use super::error::ClientError;
use super::model::{ClustersAnswer, User, UserAnswer, UsersAnswer};
use super::print;
use crate::cli::definition::{Deactivate, Output, PlatformCommand, PlatformUsersCommand, UserRef};

/// Accounts that one request asks for.
const PAGE: usize = 100;

/// Runs one of them.
pub(super) async fn run(
    command: PlatformCommand,
    output: Output,
    api: &Api,
    console: &mut Console,
) -> Result<(), ClientError> {
    match command {
        PlatformCommand::Clusters => clusters(output, api, console).await,
        PlatformCommand::Users { command: PlatformUsersCommand::List { search } } => {
            list(search.as_deref(), output, api, console).await
        }
        PlatformCommand::Users { command: PlatformUsersCommand::Activate(user) } => {
            let id = find(&user, api).await?;
            set_active(&id, true, output, api, console).await
        }
        PlatformCommand::Users { command: PlatformUsersCommand::Deactivate(deactivate) } => {
            let id = find(&deactivate.user, api).await?;
            confirm(&deactivate, console)?;
            set_active(&id, false, output, api, console).await
        }
    }
}

/// All accounts that match, and the answer as if it had come in one page.
async fn all_pages(search: Option<&str>, api: &Api) -> Result<(Vec<User>, Value), ClientError> {
    let (mut users, mut raw): (Vec<User>, Vec<Value>) = (Vec::new(), Vec::new());
    let mut next: Option<String> = None;
    loop {
        let mut query = Serializer::new(String::new());
        query.append_pair("limit", &PAGE.to_string());
        for (name, value) in [("search", search), ("pageToken", next.as_deref())] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        let answer = api.get(&format!("/platform/users?{}", query.finish())).await?;
        let page: UsersAnswer = answer.read()?;
        let mut body = answer.body;
        raw.extend(body["users"].as_array().cloned().unwrap_or_default());
        users.extend(page.users);
        next = page.next_page_token;
        if next.is_none() {
            body["users"] = Value::Array(raw);
            return Ok((users, body));
        }
    }
}

/// The id of the account that is meant.
async fn find(user: &UserRef, api: &Api) -> Result<String, ClientError> {
    let text = &user.user;
    if text.parse::<UserId>().is_ok() {
        return Ok(text.clone());
    }
    let (users, _) = all_pages(Some(text), api).await?;
    let is_meant = |user: &User| user.username == *text || user.email == text.to_lowercase();
    // Addresses and names are unique, and no name is an address.
    users.into_iter().find(is_meant).map(|user| user.id).ok_or_else(|| ClientError::Missed {
        message: format!("there is no user `{text}`"),
        advice: "`shopwright platform users list` shows those there are.".to_owned(),
    })
}

fn confirm(deactivate: &Deactivate, console: &mut Console) -> Result<(), ClientError> {
    if deactivate.yes {
        return Ok(());
    }
    if !console.interactive {
        return Err(ClientError::Usage("there is no terminal to ask whether you are sure: add --yes".to_owned()));
    }
    let user = &deactivate.user.user;
    console.ask(&format!("Sign {user} out everywhere, revoke their API tokens, and let them in no more? [y/N] "));
    if matches!(console.read_line()?.to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    let advice = "Answer `y`, or add --yes.".to_owned();
    Err(ClientError::Missed { message: "nothing was changed".to_owned(), advice })
}

async fn set_active(
    id: &str,
    active: bool,
    output: Output,
    api: &Api,
    console: &mut Console,
) -> Result<(), ClientError> {
    let answer = api.patch(&format!("/platform/users/{id}"), &json!({"active": active})).await?;
    let user = answer.read::<UserAnswer>()?.user;
    match output {
        Output::Json => print::json(&answer.body, console),
        Output::Name => console.result(&user.id),
        Output::Table => print::users(&[user], console),
    }
    Ok(())
}

async fn list(search: Option<&str>, output: Output, api: &Api, console: &mut Console) -> Result<(), ClientError> {
    let (users, body) = all_pages(search.filter(|text| !text.is_empty()), api).await?;
    match output {
        Output::Json => print::json(&body, console),
        Output::Name => users.iter().for_each(|user| console.result(&user.id)),
        Output::Table if users.is_empty() => console.say("Nobody matches."),
        Output::Table => print::users(&users, console),
    }
    Ok(())
}

async fn clusters(output: Output, api: &Api, console: &mut Console) -> Result<(), ClientError> {
    let answer = api.get("/platform/clusters").await?;
    let clusters = answer.read::<ClustersAnswer>()?.clusters;
    match output {
        Output::Json => print::json(&answer.body, console),
        Output::Name => clusters.iter().for_each(|cluster| console.result(&cluster.name)),
        Output::Table => {
            print::clusters(&clusters, console);
            for (cluster, reason) in clusters.iter().filter_map(|one| Some((&one.name, one.reason.as_ref()?))) {
                console.say(&format!("{cluster} takes no work: {reason}"));
            }
        }
    }
    Ok(())
}
