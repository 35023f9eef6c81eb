//! `shopwright audit ...`: what an operator does with the audit trail, on the database itself.

use std::io::Write;

use serde_json::{Map, Value, json};
use shopwright_adapters_postgres::PgStorage;
use shopwright_domain::TenantId;
use shopwright_domain::audit::MetadataValue;
use shopwright_domain::identity::Credential;
use shopwright_domain::store::StoreState;
use shopwright_ports::storage::{AuditEntry, Reach, Storage as _};

use super::StartError;
use super::platform::connect_storage;
use crate::audit::{Verified, verify_chain, verify_chains};
use crate::config::MigrateConfig;
use crate::private_postgres::PrivatePostgres;

/// So many entries are in memory at a time.
const STRETCH: u32 = 500;

/// The database, and the server behind it when it is the private one.
struct Trail {
    storage: PgStorage,
    server: Option<PrivatePostgres>,
}

impl Trail {
    async fn open(config: &MigrateConfig) -> Result<Self, StartError> {
        let (server, url) = if let Some(database) = &config.database {
            (None, database.worker_url.as_ref().unwrap_or(&database.url).clone())
        } else {
            let (server, url) = PrivatePostgres::start(&config.data_dir).await?;
            (Some(server), url)
        };
        let storage = connect_storage(&url, false, "shopwright-audit").await?;
        storage.check().await.map_err(StartError::Database)?;
        Ok(Self { storage, server })
    }

    async fn close<T>(self, result: Result<T, StartError>) -> Result<T, StartError> {
        self.storage.close().await;
        if let Some(server) = self.server {
            server.stop().await?;
        }
        result
    }
}

/// Verifies chains and writes a line about each: the end of a whole one, with the digest to note down, or where it is broken. Whether all
/// are whole.
///
/// # Errors
/// [`StartError`], which says what to do.
pub async fn verify_audit(
    config: &MigrateConfig,
    organisation: Option<TenantId>,
    out: &mut dyn Write,
) -> Result<bool, StartError> {
    let trail = Trail::open(config).await?;
    let result = verify(&trail.storage, organisation, out).await;
    trail.close(result).await
}

async fn verify(storage: &PgStorage, organisation: Option<TenantId>, out: &mut dyn Write) -> Result<bool, StartError> {
    let mut chains = Vec::new();
    match organisation {
        Some(id) => {
            let verified = verify_chain(storage, id).await.map_err(StartError::Database)?;
            chains.push(verified.ok_or(StartError::NoOrganisation(id))?);
        }
        None => verify_chains(storage, |verified| chains.push(verified)).await.map_err(StartError::Database)?,
    }
    for Verified { head, broken } in &chains {
        let line = match broken {
            None => {
                format!("{}: {} entries, whole; the last has the digest {}", head.tenant_id, head.sequence, head.digest)
            }
            Some(broken) => format!("{}: BROKEN: {broken}", head.tenant_id),
        };
        writeln!(out, "{line}").map_err(StartError::Output)?;
    }
    Ok(chains.iter().all(|chain| chain.broken.is_none()))
}

/// Writes the entries of one chain, or of all, as lines of JSON in the order of their numbers.
///
/// # Errors
/// [`StartError`], which says what to do.
pub async fn export_audit(
    config: &MigrateConfig,
    organisation: Option<TenantId>,
    out: &mut dyn Write,
) -> Result<(), StartError> {
    let trail = Trail::open(config).await?;
    let result = export(&trail.storage, organisation, out).await;
    trail.close(result).await
}

async fn export(storage: &PgStorage, organisation: Option<TenantId>, out: &mut dyn Write) -> Result<(), StartError> {
    if let Some(id) = organisation {
        let mut tx = storage.begin(Reach::Worker).await.map_err(StartError::Database)?;
        let head = tx.audit().head(id).await.map_err(StartError::Database)?;
        head.ok_or(StartError::NoOrganisation(id))?;
        return export_chain(storage, id, out).await;
    }
    let mut after = None;
    loop {
        let mut tx = storage.begin(Reach::Worker).await.map_err(StartError::Database)?;
        let heads = tx.audit().heads(after, STRETCH).await.map_err(StartError::Database)?;
        drop(tx);
        let Some(last) = heads.last() else { return Ok(()) };
        after = Some(last.tenant_id);
        for head in heads {
            export_chain(storage, head.tenant_id, out).await?;
        }
    }
}

async fn export_chain(storage: &PgStorage, tenant_id: TenantId, out: &mut dyn Write) -> Result<(), StartError> {
    let mut after = 0;
    loop {
        let mut tx = storage.begin(Reach::Worker).await.map_err(StartError::Database)?;
        let entries = tx.audit().chain(tenant_id, after, STRETCH).await.map_err(StartError::Database)?;
        drop(tx);
        let Some(last) = entries.last() else { return Ok(()) };
        after = last.sequence;
        for entry in &entries {
            writeln!(out, "{}", line(entry)).map_err(StartError::Output)?;
        }
    }
}

/// Everything that the digest covers, and the digest.
fn line(entry: &AuditEntry) -> Value {
    let event = &entry.event;
    let values = |entries: &std::collections::BTreeMap<String, MetadataValue>| -> Map<String, Value> {
        let value = |value: &MetadataValue| match value {
            MetadataValue::Text(text) => Value::from(text.as_str()),
            MetadataValue::Number(number) => (*number).into(),
            MetadataValue::Flag(flag) => (*flag).into(),
        };
        entries.iter().map(|(key, entry)| (key.clone(), value(entry))).collect()
    };
    json!({
        "organisationId": event.tenant_id.to_string(),
        "id": entry.sequence.to_string(),
        "createdAt": event.at.to_string(),
        "eventType": event.event_type.as_str(),
        "storeId": event.store_id.as_ref().map(ToString::to_string),
        "operationId": event.operation_id.map(|id| id.to_string()),
        "previousStatus": event.previous.map(StoreState::as_str),
        "newStatus": event.new.map(StoreState::as_str),
        "message": event.message,
        "metadata": values(&event.metadata),
        "before": values(&event.before),
        "after": values(&event.after),
        "actor": event.actor.map(|id| json!({"id": id.to_string(), "email": event.actor_email})),
        "sessionId": event.credential.and_then(Credential::session).map(|id| id.to_string()),
        "tokenId": event.credential.and_then(Credential::api_token).map(|id| id.to_string()),
        "ipAddress": event.ip_address,
        "requestId": event.request_id.as_ref().map(ToString::to_string),
        "epoch": event.epoch.map(|epoch| epoch.0),
        "digest": entry.digest.to_string(),
    })
}
