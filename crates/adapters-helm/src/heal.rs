//! Removes what dead runs left in the way of the next one (RELIABILITY F44, F45, F47, F52).
//!
//! The newest record decides: helm refuses to work on one that is pending, and skips one that it cannot read, until it wants to write
//! the same revision. Whoever holds the fence knows that no run is at work, for any other is refused by the cluster. Objects stay; the
//! next run adopts them.

use shopwright_ports::cluster::Fence;
use shopwright_ports::releases::{ReleaseAccess, ReleaseError, ReleaseRecord};

use crate::record::{self, Decoded};

/// Records that come back more often than this are somebody else's work.
const ROUNDS: usize = 5;

/// The records after healing.
#[derive(Debug, Default)]
pub(crate) struct Healed {
    /// The newest revision that is left.
    pub(crate) newest: Option<Decoded>,
    /// What was removed, in words.
    pub(crate) removed: Vec<String>,
}

/// Removes records until helm can go on from the newest one.
pub(crate) async fn heal(access: &dyn ReleaseAccess, fence: &Fence) -> Result<Healed, ReleaseError> {
    let mut healed = Healed::default();
    for _ in 0..ROUNDS {
        let records = access.records(fence).await?;
        let mut blocked = false;
        healed.newest = None;
        // From the newest down: below a record that goes, the next one decides.
        for record in records.iter().rev() {
            match in_the_way(record, healed.newest.is_none()) {
                Ok(decoded) => healed.newest = healed.newest.or(Some(decoded)),
                Err(reason) => {
                    tracing::warn!(store = %fence.store_id, record = %record.name, %reason, "removing a record");
                    access.remove_record(fence, record).await?;
                    healed.removed.push(format!("revision {}: {reason}", record.revision));
                    blocked = true;
                }
            }
        }
        if !blocked {
            healed.removed.dedup();
            return Ok(healed);
        }
    }
    Err(ReleaseError::Failed(format!("records of the release come back: {}", healed.removed.join(", "))))
}

fn in_the_way(record: &ReleaseRecord, newest: bool) -> Result<Decoded, String> {
    match record::decode(record) {
        // Helm does not see it, counts on without it, and stumbles over its name.
        Ok(_) if !record.visible => Err("without its labels".to_owned()),
        Ok(decoded) if newest && decoded.status.blocks() => Err(decoded.status.as_str().to_owned()),
        Ok(decoded) => Ok(decoded),
        Err(error) => Err(format!("unreadable: {error}")),
    }
}

/// The newest record as it is, if there is one that can be read.
pub(crate) fn newest(records: &[ReleaseRecord]) -> Option<Decoded> {
    records.iter().rev().find_map(|record| record::decode(record).ok())
}
