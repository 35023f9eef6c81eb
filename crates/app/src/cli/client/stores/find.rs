//! Which store is meant: an id is one, a name is looked for among the stores that are not deleted.

use serde_json::{Value, json};
use shopwright_domain::StoreId;

use super::super::api::Api;
use super::super::error::ClientError;
use super::super::model::{Store, StoresAnswer};
use crate::cli::definition::StoreRef;

const PAGE: usize = 100;

/// The id of the store that is meant.
pub(in crate::cli::client) async fn find(store: &StoreRef, api: &Api) -> Result<String, ClientError> {
    let name = &store.store;
    if name.parse::<StoreId>().is_ok() {
        return Ok(name.clone());
    }
    let (stores, _) = all_pages("", api).await?;
    let mut found = stores.into_iter().filter(|store| store.name == *name).map(|store| store.id);
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(id),
        (Some(one), Some(other)) => {
            let others: Vec<String> = [one, other].into_iter().chain(found).collect();
            let advice = format!("Name one by its id: {}.", others.join(", "));
            Err(ClientError::Missed { message: format!("several stores are named `{name}`"), advice })
        }
        (None, _) => {
            let advice =
                "`shopwright stores list` shows those there are; a deleted one has to be named by its id.".to_owned();
            Err(ClientError::Missed { message: format!("there is no store named `{name}`"), advice })
        }
    }
}

/// All stores that the query finds, and the answer as if it had come in one page.
pub(super) async fn all_pages(query: &str, api: &Api) -> Result<(Vec<Store>, Value), ClientError> {
    let (mut stores, mut raw): (Vec<Store>, Vec<Value>) = (Vec::new(), Vec::new());
    let mut body;
    loop {
        let separator = if query.is_empty() { "" } else { "&" };
        let answer = api.get(&format!("/stores?{query}{separator}limit={PAGE}&offset={}", stores.len())).await?;
        let page: StoresAnswer = answer.read()?;
        body = answer.body;
        raw.extend(body["stores"].as_array().cloned().unwrap_or_default());
        let got = page.stores.len();
        stores.extend(page.stores);
        if got == 0 || stores.len() as u64 >= page.total {
            break;
        }
    }
    body["limit"] = json!(raw.len());
    body["offset"] = json!(0);
    body["stores"] = Value::Array(raw);
    Ok((stores, body))
}
