//! `stores open`: the URL, and a browser where there is one.

use std::process::Stdio;

use super::super::api::Api;
use super::super::console::Console;
use super::super::error::ClientError;
use super::super::model::StoreAnswer;
use super::find::find;
use crate::cli::definition::StoreRef;

/// Prints the URL. At a terminal a browser is started with it, if the desktop knows one.
pub(super) async fn run(store: &StoreRef, api: &Api, console: &mut Console) -> Result<(), ClientError> {
    let id = find(store, api).await?;
    let store = api.get(&format!("/stores/{id}")).await?.read::<StoreAnswer>()?.store;
    let url = match (store.status.as_str(), store.urls.storefront) {
        ("ready", Some(url)) => url,
        (status, _) => {
            let message = format!("{} is {status}", store.name);
            let advice = format!("`shopwright stores wait {}` waits until it is ready.", store.name);
            return Err(ClientError::Missed { message, advice });
        }
    };
    console.result(&url);
    // The URL comes from the server: only a web address is handed to the desktop.
    let is_web = url::Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if console.interactive && is_web {
        let mut browser = tokio::process::Command::new("xdg-open");
        browser.arg(&url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Without a desktop the URL above is the answer.
        let _ = browser.status().await;
    }
    Ok(())
}
