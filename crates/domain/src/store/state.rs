//! The store's life as one total function.

use std::fmt;
use std::str::FromStr;

/// Where a store is in its life. These six words are stored, shown and part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StoreState {
    /// Written down; nothing done yet.
    Requested,
    /// A worker is making it, or waits to go on making it.
    Provisioning,
    /// It sells.
    Ready,
    /// Its last operation failed; what it holds is kept for a retry.
    Failed,
    /// It is being removed.
    Deleting,
    /// Nothing of it is left.
    Deleted,
}

/// What happens to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreEvent {
    /// A worker took up its first step.
    ProvisioningStarted,
    /// Every step is done and the storefront answers.
    Provisioned,
    /// Provisioning was given up.
    ProvisioningFailed,
    /// Somebody asked to try a failed provision again.
    Retried,
    /// Somebody asked to remove it; a running provision is taken over.
    DeletionRequested,
    /// Nothing is left.
    Deleted,
    /// Removing it was given up.
    DeletionFailed,
}

/// An event that the state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a store that is {state} cannot take {event:?}")]
pub struct IllegalTransition {
    /// The state that was kept.
    pub state: StoreState,
    /// The event that was refused.
    pub event: StoreEvent,
}

/// A text that is no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("status must be one of: requested, provisioning, ready, failed, deleting, deleted")]
pub struct InvalidState;

impl StoreState {
    /// All states, in the order of a life.
    pub const ALL: [Self; 6] =
        [Self::Requested, Self::Provisioning, Self::Ready, Self::Failed, Self::Deleting, Self::Deleted];

    /// The state after `event`.
    ///
    /// # Errors
    /// [`IllegalTransition`] for every pair that is not an edge of DESIGN section 3.
    pub const fn apply(self, event: StoreEvent) -> Result<Self, IllegalTransition> {
        match (self, event) {
            (Self::Requested, StoreEvent::ProvisioningStarted) => Ok(Self::Provisioning),
            (Self::Provisioning, StoreEvent::Provisioned) => Ok(Self::Ready),
            (Self::Requested | Self::Provisioning, StoreEvent::ProvisioningFailed)
            | (Self::Deleting, StoreEvent::DeletionFailed) => Ok(Self::Failed),
            (Self::Failed, StoreEvent::Retried) => Ok(Self::Requested),
            (Self::Requested | Self::Provisioning | Self::Ready | Self::Failed, StoreEvent::DeletionRequested) => {
                Ok(Self::Deleting)
            }
            (Self::Deleting, StoreEvent::Deleted) => Ok(Self::Deleted),
            (state, event) => Err(IllegalTransition { state, event }),
        }
    }

    /// The state as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Provisioning => "provisioning",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }

    /// Whether the store holds resources, its name and its host: everything but `deleted` does (DECISIONS 10).
    pub const fn is_live(self) -> bool {
        !matches!(self, Self::Deleted)
    }

    /// Whether nothing is left to happen without a new request.
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Ready | Self::Failed | Self::Deleted)
    }
}

impl fmt::Display for StoreState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for StoreState {
    type Err = InvalidState;

    fn from_str(text: &str) -> Result<Self, InvalidState> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(InvalidState)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EVENTS: [StoreEvent; 7] = [
        StoreEvent::ProvisioningStarted,
        StoreEvent::Provisioned,
        StoreEvent::ProvisioningFailed,
        StoreEvent::Retried,
        StoreEvent::DeletionRequested,
        StoreEvent::Deleted,
        StoreEvent::DeletionFailed,
    ];

    /// Every pair of state and event; `·` is a refusal. Columns in the order of `EVENTS`.
    const TABLE: [(StoreState, [&str; 7]); 6] = [
        (StoreState::Requested, ["provisioning", "·", "failed", "·", "deleting", "·", "·"]),
        (StoreState::Provisioning, ["·", "ready", "failed", "·", "deleting", "·", "·"]),
        (StoreState::Ready, ["·", "·", "·", "·", "deleting", "·", "·"]),
        (StoreState::Failed, ["·", "·", "·", "requested", "deleting", "·", "·"]),
        (StoreState::Deleting, ["·", "·", "·", "·", "·", "deleted", "failed"]),
        (StoreState::Deleted, ["·", "·", "·", "·", "·", "·", "·"]),
    ];

    #[test]
    fn the_table_is_the_machine() {
        for (state, row) in TABLE {
            for (event, expected) in EVENTS.into_iter().zip(row) {
                match state.apply(event) {
                    Ok(next) => assert_eq!(next.as_str(), expected, "{state} + {event:?}"),
                    Err(refusal) => {
                        assert_eq!(expected, "·", "{state} + {event:?}");
                        assert_eq!(refusal, IllegalTransition { state, event });
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_order_of_events_brings_a_deleted_store_back(order in prop::collection::vec(0..EVENTS.len(), 0..60)) {
            let mut state = StoreState::Requested;
            let mut was_deleted = false;

            for index in order {
                if let Ok(next) = state.apply(EVENTS[index]) {
                    prop_assert!(!was_deleted, "left `deleted` for {next}");
                    state = next;
                }
                was_deleted |= state == StoreState::Deleted;
            }
        }
    }

    #[test]
    fn every_state_reads_back_from_its_text() {
        for state in StoreState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }
}
