//! An operation is what runs on a store. A store has at most one that is not finished.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::ids::{Epoch, InvalidId, OperationId, RequestId, StoreId, TenantId, UserId, WorkerId};
use crate::plans::SizeName;
use crate::saga::Step;
use crate::store::Failure;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// From nothing to a store that sells.
    Provision,
    /// From whatever is there to nothing.
    Delete,
    /// From a provision that was cancelled to nothing in the cluster; the store stays, `failed`.
    Unwind,
    /// Other passwords for a store that is ready and stays so.
    Rotate,
    /// Another release of a store that is ready and stays so.
    Upgrade,
    /// From a rotation or an upgrade that failed back to what worked before.
    Revert,
}

impl OperationKind {
    /// All kinds.
    pub const ALL: [Self; 6] = [Self::Provision, Self::Delete, Self::Unwind, Self::Rotate, Self::Upgrade, Self::Revert];

    /// The kind as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provision => "provision",
            Self::Delete => "delete",
            Self::Unwind => "unwind",
            Self::Rotate => "rotate",
            Self::Upgrade => "upgrade",
            Self::Revert => "revert",
        }
    }

    /// Whether it fails once a step has used up its attempts. What takes something back or away has no good state to fail into: it is
    /// shown as stuck, and goes on until its deadline.
    pub const fn gives_up(self) -> bool {
        matches!(self, Self::Provision | Self::Rotate | Self::Upgrade)
    }

    /// Whether it changes a store that is ready. When such an operation fails, a revert follows it in the same transaction.
    pub const fn is_reverted(self) -> bool {
        matches!(self, Self::Rotate | Self::Upgrade)
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OperationKind {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| InvalidId { kind: "operation kind", value: text.chars().take(80).collect() })
    }
}

/// How an operation is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperationStatus {
    /// Nobody has taken it up.
    Queued,
    /// A worker holds its lease.
    Running,
    /// It goes on by itself at its wake time; nobody holds it.
    Waiting,
    /// It goes on by itself, but only once somebody removes the cause that it names.
    Stuck,
    /// Done.
    Succeeded,
    /// Given up.
    Failed,
    /// Taken over by a later request.
    Cancelled,
}

/// What happens to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperationEvent {
    /// A worker takes the lease; also after the lease of another one ran out.
    Claimed,
    /// Its worker puts it back until its wake time.
    Parked,
    /// Its worker puts it back, and only a person can remove the cause.
    GotStuck,
    /// Its last step is done.
    Completed,
    /// Its worker gives up.
    GaveUp,
    /// A later request takes its place.
    Superseded,
}

/// An event that the status does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an operation that is {status} cannot take {event:?}")]
pub struct IllegalOperationEvent {
    /// The status that was kept.
    pub status: OperationStatus,
    /// The event that was refused.
    pub event: OperationEvent,
}

impl OperationStatus {
    /// All statuses.
    pub const ALL: [Self; 7] =
        [Self::Queued, Self::Running, Self::Waiting, Self::Stuck, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// The status after `event`.
    ///
    /// # Errors
    /// [`IllegalOperationEvent`] for every pair that is not an edge.
    pub const fn apply(self, event: OperationEvent) -> Result<Self, IllegalOperationEvent> {
        match (self, event) {
            (Self::Queued | Self::Running | Self::Waiting | Self::Stuck, OperationEvent::Claimed) => Ok(Self::Running),
            (Self::Running, OperationEvent::Parked) => Ok(Self::Waiting),
            (Self::Running, OperationEvent::GotStuck) => Ok(Self::Stuck),
            (Self::Running, OperationEvent::Completed) => Ok(Self::Succeeded),
            (Self::Running, OperationEvent::GaveUp) => Ok(Self::Failed),
            (Self::Queued | Self::Running | Self::Waiting | Self::Stuck, OperationEvent::Superseded) => {
                Ok(Self::Cancelled)
            }
            (status, event) => Err(IllegalOperationEvent { status, event }),
        }
    }

    /// The status as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Stuck => "stuck",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more happens to it.
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for OperationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OperationStatus {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| InvalidId { kind: "operation status", value: text.chars().take(80).collect() })
    }
}

/// Digests of everything that an installation was made of, as `sha256:` and 64 hexadecimal digits each. Two attempts with the same
/// digests install the same thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseDigests {
    /// Of the chart's files.
    pub chart: String,
    /// Of the values, without secrets: they hold none.
    pub values: String,
    /// Of the helm binary.
    pub helm: String,
    /// Of chart and values files together: what is kept under this name can be installed again. None in what an older program wrote.
    pub origin: Option<String>,
    /// Which of the chart's sizes was asked for, which the values' digest covers too; none: the one that the values name.
    pub size: Option<SizeName>,
}

/// A step that an engine's own set-up says to have done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupStep {
    /// What the engine calls it.
    pub name: String,
    /// How long it took, in milliseconds.
    pub millis: u64,
}

/// The version of the sagas that this program knows. It grows when a kind or a step is added or changes its meaning; operations of a
/// higher one are left for the program that made them (RELIABILITY F13).
pub const SAGA_VERSION: u32 = 2;

/// One operation, as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Identity.
    pub id: OperationId,
    /// The organisation of the store.
    pub tenant_id: TenantId,
    /// The store it runs on.
    pub store_id: StoreId,
    /// What it does.
    pub kind: OperationKind,
    /// Which version of the sagas it was made for.
    pub saga_version: u32,
    /// How it is doing.
    pub status: OperationStatus,
    /// The step that runs or is next.
    pub step: Option<Step>,
    /// Counted failures of that step.
    pub attempt: u32,
    /// The store's epoch at the last claim.
    pub epoch: Epoch,
    /// Who holds the lease.
    pub worker: Option<WorkerId>,
    /// When the lease runs out, by the database's clock.
    pub lease_expires_at: Option<Timestamp>,
    /// When a waiting operation may be claimed again.
    pub wake_at: Option<Timestamp>,
    /// Why it waits, is stuck, or failed.
    pub failure: Option<Failure>,
    /// What the last attempt to install was made of.
    pub release: Option<ReleaseDigests>,
    /// What the engine's own set-up has done so far, as it was last seen; empty where there is none.
    pub setup: Vec<SetupStep>,
    /// Who asked for it.
    pub requested_by: Option<UserId>,
    /// The request that asked for it; carried into logs and audit rows of every step.
    pub request_id: Option<RequestId>,
    /// The W3C trace context of that request.
    pub traceparent: Option<String>,
    /// What other tracers have to say about that trace.
    pub tracestate: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was first claimed.
    pub started_at: Option<Timestamp>,
    /// When it was finished.
    pub finished_at: Option<Timestamp>,
}

impl Operation {
    /// A queued operation.
    pub fn queued(
        id: OperationId,
        tenant_id: TenantId,
        store_id: StoreId,
        kind: OperationKind,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            tenant_id,
            store_id,
            kind,
            saga_version: SAGA_VERSION,
            status: OperationStatus::Queued,
            step: kind.steps().first().copied(),
            attempt: 0,
            epoch: Epoch::default(),
            worker: None,
            lease_expires_at: None,
            wake_at: None,
            failure: None,
            release: None,
            setup: Vec::new(),
            requested_by: None,
            request_id: None,
            traceparent: None,
            tracestate: None,
            created_at: now,
            started_at: None,
            finished_at: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [OperationEvent; 6] = [
        OperationEvent::Claimed,
        OperationEvent::Parked,
        OperationEvent::GotStuck,
        OperationEvent::Completed,
        OperationEvent::GaveUp,
        OperationEvent::Superseded,
    ];

    /// Every pair of status and event; `·` is a refusal. Columns in the order of `EVENTS`.
    const TABLE: [(OperationStatus, [&str; 6]); 7] = [
        (OperationStatus::Queued, ["running", "·", "·", "·", "·", "cancelled"]),
        (OperationStatus::Running, ["running", "waiting", "stuck", "succeeded", "failed", "cancelled"]),
        (OperationStatus::Waiting, ["running", "·", "·", "·", "·", "cancelled"]),
        (OperationStatus::Stuck, ["running", "·", "·", "·", "·", "cancelled"]),
        (OperationStatus::Succeeded, ["·"; 6]),
        (OperationStatus::Failed, ["·"; 6]),
        (OperationStatus::Cancelled, ["·"; 6]),
    ];

    #[test]
    fn what_fails_is_taken_back_where_a_store_was_ready_before() {
        let those = |is: fn(OperationKind) -> bool| -> Vec<_> {
            OperationKind::ALL.into_iter().filter(|kind| is(*kind)).collect()
        };
        assert_eq!(those(OperationKind::is_reverted), [OperationKind::Rotate, OperationKind::Upgrade]);
        assert_eq!(
            those(OperationKind::gives_up),
            [OperationKind::Provision, OperationKind::Rotate, OperationKind::Upgrade]
        );
    }

    #[test]
    fn the_table_is_the_machine() {
        for (status, row) in TABLE {
            for (event, expected) in EVENTS.into_iter().zip(row) {
                let result = status.apply(event).map_or("·", OperationStatus::as_str);
                assert_eq!(result, expected, "{status} + {event:?}");
            }
        }
    }

    #[test]
    fn finished_is_final() {
        for status in OperationStatus::ALL {
            let moves = EVENTS.into_iter().any(|event| status.apply(event).is_ok());
            assert_eq!(moves, !status.is_finished(), "{status}");
        }
    }
}
