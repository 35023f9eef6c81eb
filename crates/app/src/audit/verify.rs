//! Verifying chains: every entry is read again, and has to follow from the one before it (RELIABILITY S24).

use shopwright_domain::TenantId;
use shopwright_domain::audit::chain::Verifier;
use shopwright_domain::audit::{Broken, ChainHead};
use shopwright_ports::storage::{AuditEntry, Reach, Storage, StorageError};

/// So many entries are in memory at a time.
const STRETCH: u32 = 500;
/// So many ends of chains.
const HEADS: u32 = 200;

/// What verifying one chain came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The end of the chain. Its digest, noted elsewhere, proves later that nothing up to here was replaced.
    pub head: ChainHead,
    /// Where it is broken, if it is.
    pub broken: Option<Broken>,
}

/// Verifies the chain of one organisation; nothing when there is no such organisation.
///
/// # Errors
/// What the storage said. A broken chain is no error.
pub async fn verify_chain(storage: &dyn Storage, tenant_id: TenantId) -> Result<Option<Verified>, StorageError> {
    let head = storage.begin(Reach::Worker).await?.audit().head(tenant_id).await?;
    match head {
        Some(head) => verify(storage, head).await.map(Some),
        None => Ok(None),
    }
}

/// Verifies the chains of all organisations, one after another, and tells `each` what it came to.
///
/// # Errors
/// What the storage said. A broken chain is no error.
pub async fn verify_chains(storage: &dyn Storage, mut each: impl FnMut(Verified)) -> Result<(), StorageError> {
    let mut after = None;
    loop {
        let heads = storage.begin(Reach::Worker).await?.audit().heads(after, HEADS).await?;
        let Some(last) = heads.last() else { return Ok(()) };
        after = Some(last.tenant_id);
        for head in heads {
            each(verify(storage, head).await?);
        }
    }
}

async fn verify(storage: &dyn Storage, head: ChainHead) -> Result<Verified, StorageError> {
    let mut verifier = Verifier::new(head);
    let on_the_way = go_along(storage, head, &mut verifier).await?;
    let beyond = storage.begin(Reach::Worker).await?.audit().beyond(head.tenant_id).await?;
    let at_the_end = || verifier.end().err().or(beyond.map(|sequence| Broken::Beyond { sequence }));
    let broken = on_the_way.err().or_else(at_the_end);
    Ok(Verified { head, broken })
}

async fn go_along(
    storage: &dyn Storage,
    head: ChainHead,
    verifier: &mut Verifier,
) -> Result<Result<(), Broken>, StorageError> {
    while verifier.last() < head.sequence {
        let entries = match stretch(storage, head.tenant_id, verifier.last(), STRETCH).await {
            // One of them cannot be read: nobody of us wrote that. The ones before it may be good.
            Err(StorageError::Corrupt { .. }) => match stretch(storage, head.tenant_id, verifier.last(), 1).await {
                Err(StorageError::Corrupt { .. }) => {
                    return Ok(Err(Broken::Altered { sequence: verifier.last() + 1 }));
                }
                entries => entries?,
            },
            entries => entries?,
        };
        if entries.is_empty() {
            break;
        }
        for entry in entries {
            if let Err(broken) = verifier.next(entry.sequence, &entry.event, entry.digest) {
                return Ok(Err(broken));
            }
        }
    }
    Ok(Ok(()))
}

async fn stretch(
    storage: &dyn Storage,
    tenant_id: TenantId,
    after: u64,
    limit: u32,
) -> Result<Vec<AuditEntry>, StorageError> {
    storage.begin(Reach::Worker).await?.audit().chain(tenant_id, after, limit).await
}
