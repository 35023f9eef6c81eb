//! `shopwright keys ...`: what an operator does with the keys that sign access tokens.

use super::StartError;
use super::platform::{Database, connect_storage, open_database, sealer};
use crate::config::KeysConfig;
use crate::crypto::{SystemClock, SystemEntropy, rotate_signing_keys};

/// Begins a rotation and says what happens next. The servers need not be told: they look for keys by themselves.
///
/// # Errors
/// [`StartError`], which says what to do.
pub async fn rotate_keys(config: &KeysConfig, at_once: bool) -> Result<String, StartError> {
    let database = open_database(&config.database, &SystemEntropy).await?;
    let result = rotate(&database, at_once).await;
    if let Some(server) = database.private_postgres {
        server.stop().await?;
    }
    result
}

async fn rotate(database: &Database, at_once: bool) -> Result<String, StartError> {
    let storage = connect_storage(&database.url, database.direct, "shopwright-keys").await?;
    let sealer = sealer(&database.keys)?;
    let rotation = rotate_signing_keys(&storage, &sealer, &SystemClock, &SystemEntropy, at_once).await;
    storage.close().await;
    let rotation = rotation?;
    let begun = if rotation.under_way { "is on its way already and signs" } else { "signs" };
    let mut said = format!("Key {} {begun} from {} on.", rotation.id, rotation.activates_at);
    if at_once {
        said.push_str(" Every other key is gone: clients refresh their access tokens now.");
    }
    Ok(said)
}
