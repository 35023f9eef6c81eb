//! Events: what readers follow live.
//!
//! Storage writes them by itself, in the transaction that changes something: one for each operation that was added, moved or noted upon,
//! one for each store that was added or saved, one for each audit entry about a store. Operations come first, then stores, then
//! entries; an operation that was touched twice in a transaction has one event, with what is true at the end. They are numbered per
//! tenant under the lock of the tenant's row, so whoever has read up to a number has missed none below it (DECISIONS 25). They are
//! kept for a while only.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::saga::{Step, StepStatus};
use shopwright_domain::store::{Failure, StoreState};
use shopwright_domain::{OperationId, StoreId, TenantId};

use crate::storage::StorageError;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A store was made or changed.
    Store {
        /// Where it is in its life.
        state: StoreState,
        /// Why it is failed.
        failure: Option<Failure>,
    },
    /// An operation was asked for, began or ended a step, waits or is over.
    Operation {
        /// What it does.
        kind: OperationKind,
        /// How it is doing.
        status: OperationStatus,
        /// The step that this is about: the one that began or ended, else the one that is next.
        step: Option<Step>,
        /// How that step is doing; none when it has not begun.
        step_status: Option<StepStatus>,
        /// Counted failures of that step.
        attempt: u32,
        /// Why it waits, is stuck, or failed.
        failure: Option<Failure>,
    },
    /// Something about a store was written into the audit trail.
    Audit {
        /// Its number in the chain.
        number: u64,
        /// What kind of entry it is.
        event_type: AuditEventType,
        /// The state of the store since, for a change of state.
        state: Option<StoreState>,
        /// The entry's sentence.
        message: String,
    },
}

/// One event of a tenant's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whose stream.
    pub tenant_id: TenantId,
    /// Its number there: 1, 2, 3 ... without gaps.
    pub sequence: u64,
    /// When it was written, by the database's clock.
    pub at: Timestamp,
    /// The store it is about.
    pub store_id: StoreId,
    /// The operation it is about.
    pub operation_id: Option<OperationId>,
    /// What happened.
    pub news: News,
    /// The transaction that wrote it: see [`Mark::shows`].
    pub transaction: u64,
}

/// How far a tenant's stream goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamBounds {
    /// The number of the last event that was forgotten.
    pub floor: u64,
    /// The number of the last event.
    pub head: u64,
}

/// A moment of the database: which transactions had taken place. Events of all tenants have no other order than this (DECISIONS 25).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// When it was taken, by the database's clock.
    pub at: Timestamp,
    /// Every transaction below had ended.
    oldest: u64,
    /// None from here on had begun.
    next: u64,
    /// Those in between that had not ended, in order.
    open: Vec<u64>,
}

/// A text that is no mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no moment of the database")]
pub struct InvalidMark;

impl Mark {
    /// The moment in the words of the database: `oldest:next:open,open`.
    ///
    /// # Errors
    /// [`InvalidMark`].
    pub fn of_snapshot(at: Timestamp, text: &str) -> Result<Self, InvalidMark> {
        let mut parts = text.splitn(3, ':');
        let mut number = || parts.next().and_then(|part| part.parse().ok()).ok_or(InvalidMark);
        let (oldest, next): (u64, u64) = (number()?, number()?);
        let open = parts.next().ok_or(InvalidMark)?;
        let open = open.split_terminator(',').map(|part| part.parse().map_err(|_| InvalidMark));
        let open: Vec<u64> = open.collect::<Result<_, _>>()?;
        let inside = open.iter().all(|id| (oldest..next).contains(id)) && open.is_sorted_by(|one, other| one < other);
        if oldest == 0 || oldest > next || !inside {
            return Err(InvalidMark);
        }
        Ok(Self { at, oldest, next, open })
    }

    /// In the words of the database.
    pub fn snapshot(&self) -> String {
        let open: Vec<String> = self.open.iter().map(u64::to_string).collect();
        format!("{}:{}:{}", self.oldest, self.next, open.join(","))
    }

    /// Whether a transaction had taken place at that moment.
    pub fn shows(&self, transaction: u64) -> bool {
        transaction < self.oldest || (transaction < self.next && self.open.binary_search(&transaction).is_err())
    }

    /// Whether it is no later than `other`, of two moments of one database. Two of which neither is are of two.
    pub const fn is_not_after(&self, other: &Self) -> bool {
        let before = self.next < other.next || (self.next == other.next && self.open.len() >= other.open.len());
        before && self.oldest <= other.oldest
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};{}", self.at.as_microsecond(), self.snapshot())
    }
}

impl FromStr for Mark {
    type Err = InvalidMark;

    fn from_str(text: &str) -> Result<Self, InvalidMark> {
        let (at, snapshot) = text.split_once(';').ok_or(InvalidMark)?;
        let at = at.parse().ok().and_then(|at| Timestamp::from_microsecond(at).ok()).ok_or(InvalidMark)?;
        Self::of_snapshot(at, snapshot)
    }
}

/// Reading events, and forgetting old ones.
#[async_trait]
pub trait EventRepository: Send {
    /// How far a tenant's stream goes; none when there is no such tenant.
    async fn bounds(&mut self, tenant_id: TenantId) -> Result<Option<StreamBounds>, StorageError>;

    /// At most `limit` events, of each tenant those behind the number that is given with it, by tenant and number.
    async fn behind(&mut self, places: &[(TenantId, u64)], limit: u32) -> Result<Vec<Event>, StorageError>;

    /// This moment.
    async fn mark(&mut self) -> Result<Mark, StorageError>;

    /// At most `limit` events of all tenants whose transactions `to` shows and `from` does not, always in the same order.
    async fn between(&mut self, from: &Mark, to: &Mark, limit: u32) -> Result<Vec<Event>, StorageError>;

    /// Forgets at most `limit` events that were written before this time; how many there were.
    async fn purge(&mut self, before: Timestamp, limit: u32) -> Result<u64, StorageError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_shows_what_had_ended() {
        let mark = Mark::of_snapshot(Timestamp::UNIX_EPOCH, "10:15:10,12").unwrap();

        let shown: Vec<u64> = (8..17).filter(|id| mark.shows(*id)).collect();

        assert_eq!(shown, [8, 9, 11, 13, 14]);
        assert_eq!(mark.to_string(), "0;10:15:10,12");
        assert_eq!("0;10:15:10,12".parse(), Ok(mark));
    }

    #[test]
    fn of_two_moments_the_later_shows_more() {
        let [early, ended, late] =
            ["10:15:10,12", "10:15:10", "12:16:"].map(|text| Mark::of_snapshot(Timestamp::UNIX_EPOCH, text).unwrap());

        assert!(early.is_not_after(&early) && early.is_not_after(&ended) && ended.is_not_after(&late));
        assert!(!ended.is_not_after(&early) && !late.is_not_after(&ended));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in ["", "1", "1:2", "0:2:", "3:2:", "1:2:2", "1:3:2,2", "1:9:5,3", "1:2:x", "-1:2:", "1:2:1,,"] {
            assert_eq!(Mark::of_snapshot(Timestamp::UNIX_EPOCH, text), Err(InvalidMark), "{text}");
            assert!(format!("0;{text}").parse::<Mark>().is_err(), "{text}");
        }
        for text in ["1:1:", "x;1:1:", ";1:1:"] {
            assert!(text.parse::<Mark>().is_err(), "{text}");
        }
    }
}
