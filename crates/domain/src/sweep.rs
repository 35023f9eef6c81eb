//! Which namespaces that carry our labels should not be there, and since when.
//!
//! A worker that slept through the deletion of its store can still make the store's namespace anew: nothing in the cluster remembers the
//! epoch of a namespace that is gone (DECISIONS 7). What it left is found and judged here; `docs/adr/0005` says why by these rules.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::ids::Epoch;
use crate::operation::{OperationKind, OperationStatus};
use crate::store::StoreState;

/// A store's row, as far as its namespace is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// Its state.
    pub state: StoreState,
    /// Its epoch.
    pub epoch: Epoch,
    /// Whether it was ever ready.
    pub was_ready: bool,
    /// Its newest operation.
    pub latest: Option<(OperationKind, OperationStatus)>,
}

/// What to do with a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is where it should be, or on its way out.
    Keep,
    /// Its store is gone, or was taken back: it goes, once it has been seen so for long enough.
    Remove,
    /// Nobody knows its store. It may belong to a database that was restored, or to another installation: people decide.
    Report,
}

/// Judges a namespace that carries `epoch`.
///
/// A lower epoch than the row's is no reason by itself: the row's is raised first, at every claim and also of stores that sell.
pub fn judge(epoch: Epoch, terminating: bool, owner: Option<&Owner>) -> Verdict {
    let Some(owner) = owner else { return Verdict::Report };
    let unwound = owner.state == StoreState::Failed
        && !owner.was_ready
        && owner.latest == Some((OperationKind::Unwind, OperationStatus::Succeeded))
        && epoch < owner.epoch;
    if !terminating && (owner.state == StoreState::Deleted || unwound) { Verdict::Remove } else { Verdict::Keep }
}

/// Since when namespaces are seen that should not be there, by uid. In memory: a restart only means to look twice again.
#[derive(Debug, Clone, Default)]
pub struct Sightings(BTreeMap<String, Timestamp>);

impl Sightings {
    /// Whether something is there that should not be.
    pub fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Takes what one sweep saw at `now` and returns what it has seen for at least `patience`. What is not seen any more is forgotten.
    pub fn lasting<'a>(
        &mut self,
        seen: impl IntoIterator<Item = &'a str>,
        now: Timestamp,
        patience: SignedDuration,
    ) -> Vec<&'a str> {
        let known = std::mem::take(&mut self.0);
        let mut lasting = Vec::new();
        for uid in seen {
            let since = known.get(uid).copied().unwrap_or(now);
            if known.contains_key(uid) && now.duration_since(since) >= patience {
                lasting.push(uid);
            }
            self.0.insert(uid.to_owned(), since);
        }
        lasting
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owner(state: StoreState, epoch: i64) -> Owner {
        Owner { state, epoch: Epoch(epoch), was_ready: false, latest: None }
    }

    /// State, ever ready, newest operation, epoch of namespace and row, going away already: the verdict.
    #[test]
    fn only_what_is_gone_for_good_is_removed() {
        let unwound = Some((OperationKind::Unwind, OperationStatus::Succeeded));
        let unwinding = Some((OperationKind::Unwind, OperationStatus::Running));
        let failed = Some((OperationKind::Provision, OperationStatus::Failed));
        let table = [
            (StoreState::Deleted, false, None, 1, 5, false, Verdict::Remove),
            (StoreState::Deleted, true, None, 5, 5, false, Verdict::Remove),
            (StoreState::Deleted, false, None, 1, 5, true, Verdict::Keep),
            (StoreState::Failed, false, unwound, 1, 5, false, Verdict::Remove),
            (StoreState::Failed, false, unwound, 1, 5, true, Verdict::Keep),
            (StoreState::Failed, false, unwound, 5, 5, false, Verdict::Keep),
            (StoreState::Failed, true, unwound, 1, 5, false, Verdict::Keep),
            (StoreState::Failed, false, unwinding, 1, 5, false, Verdict::Keep),
            (StoreState::Failed, false, failed, 1, 5, false, Verdict::Keep),
            (StoreState::Failed, false, None, 1, 5, false, Verdict::Keep),
            // The row's epoch is raised before the namespace's, at every claim.
            (StoreState::Ready, true, failed, 1, 5, false, Verdict::Keep),
            (StoreState::Requested, false, unwound, 1, 5, false, Verdict::Keep),
            (StoreState::Provisioning, false, unwound, 1, 5, false, Verdict::Keep),
            (StoreState::Deleting, false, unwound, 1, 5, false, Verdict::Keep),
        ];
        for (state, was_ready, latest, namespace, row, terminating, expected) in table {
            let owner = Owner { state, epoch: Epoch(row), was_ready, latest };
            assert_eq!(judge(Epoch(namespace), terminating, Some(&owner)), expected, "{owner:?} {namespace}");
        }
    }

    #[test]
    fn what_nobody_knows_is_reported_and_never_removed() {
        // RELIABILITY F28.
        assert_eq!(judge(Epoch(1), false, None), Verdict::Report);
        assert_eq!(judge(Epoch(1), true, None), Verdict::Report);
    }

    #[test]
    fn only_what_is_seen_twice_far_enough_apart_is_lasting() {
        let at = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        let patience = SignedDuration::from_secs(20);
        let mut sightings = Sightings::default();

        assert!(sightings.lasting(["a"], at(0), patience).is_empty());
        assert!(sightings.lasting(["a", "b"], at(19), patience).is_empty());
        assert_eq!(sightings.lasting(["a", "b"], at(20), patience), ["a"]);
        assert!(sightings.lasting(["b"], at(30), patience).is_empty(), "b was first seen at 19");
        assert!(sightings.lasting(["a"], at(60), patience).is_empty(), "a was forgotten");
        assert!(sightings.lasting(["a"], at(60), SignedDuration::ZERO).contains(&"a"));
    }

    proptest! {
        #[test]
        fn a_store_that_may_still_be_wanted_keeps_its_namespace(index in 0usize..6, was_ready in any::<bool>(), namespace in 0i64..9, row in 0i64..9, kind in 0usize..3, status in 0usize..7) {
            let state = StoreState::ALL[index];
            let latest = Some((OperationKind::ALL[kind], OperationStatus::ALL[status]));
            let owner = Owner { was_ready, latest, ..owner(state, row) };

            let verdict = judge(Epoch(namespace), false, Some(&owner));

            if was_ready && state != StoreState::Deleted || !matches!(state, StoreState::Deleted | StoreState::Failed) {
                prop_assert_eq!(verdict, Verdict::Keep);
            }
        }
    }
}
