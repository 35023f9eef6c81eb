//! A store of one name that does one thing at a time.
//!
//! States that no later answer can tell apart are equal here: the search tries each once. So a store or an operation whose id nobody was
//! told has none, whichever request made it. Only the live store can be without an id: whoever removes a store names it.

use std::collections::{BTreeMap, BTreeSet};

use shopwright_domain::operation::OperationKind;
use shopwright_domain::store::StoreState;
use shopwright_domain::{OperationId, StoreId};

use super::{Answer, Request};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Live {
    /// `None` until an answer tells it.
    id: Option<StoreId>,
    state: StoreState,
    /// `None` until an answer tells it.
    operation: Option<OperationId>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Provision,
    Delete,
    Unwind,
    /// Of a store that is ready, and stays so.
    Change,
}

impl Kind {
    const fn of(kind: OperationKind) -> Self {
        match kind {
            OperationKind::Provision => Self::Provision,
            OperationKind::Delete => Self::Delete,
            OperationKind::Unwind => Self::Unwind,
            OperationKind::Rotate | OperationKind::Upgrade | OperationKind::Revert => Self::Change,
        }
    }
}

/// One state in which everything that is called by the name can be.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Model {
    live: Option<Live>,
    gone: BTreeSet<StoreId>,
    cancelled: BTreeSet<OperationId>,
    /// How many cancelled operations nobody was told the id of.
    unnamed_cancelled: usize,
    /// What was made under the keys that matter; `None`: the live store, which has no id yet.
    keys: BTreeMap<String, Option<StoreId>>,
}

/// What answers ask about later: the rest of what happened can be forgotten.
#[derive(Debug, Default)]
pub(super) struct Interest {
    /// Keys under which somebody was told of a store.
    pub(super) keys: BTreeSet<String>,
    /// Operations that somebody was told about when they wanted to cancel them.
    pub(super) operations: BTreeSet<OperationId>,
}

impl Model {
    /// What workers can make of this state next.
    pub(super) fn moves(&self) -> impl Iterator<Item = Self> {
        let next: &[StoreState] = match self.live.as_ref().map(|live| live.state) {
            Some(StoreState::Requested) => &[StoreState::Provisioning, StoreState::Failed],
            Some(StoreState::Provisioning) => &[StoreState::Ready, StoreState::Failed],
            Some(StoreState::Deleting) => &[StoreState::Deleted, StoreState::Failed],
            Some(StoreState::Ready | StoreState::Failed | StoreState::Deleted) | None => &[],
        };
        next.iter().map(|state| self.clone().moved(*state))
    }

    /// What the request does when its answer is not known.
    pub(super) fn unanswered(&self, request: &Request) -> Option<Self> {
        // Whoever asked knew the store's id from an answer, so it has its name by now.
        let known = match request {
            Request::Delete(id) | Request::Retry(id) | Request::Cancel(id, _) => {
                self.live.as_ref().is_some_and(|live| live.id.as_ref() == Some(id))
            }
            Request::Create { .. } | Request::Get(_) => true,
        };
        self.effect(request).filter(|_| known)
    }

    /// Forgets what no answer depends on.
    pub(super) fn forget(mut self, interest: &Interest) -> Self {
        self.keys.retain(|key, _| interest.keys.contains(key));
        self.cancelled.retain(|operation| interest.operations.contains(operation));
        self.unnamed_cancelled = self.unnamed_cancelled.min(interest.operations.len());
        self
    }

    fn moved(mut self, state: StoreState) -> Self {
        if state == StoreState::Deleted {
            self.gone.extend(self.live.take().and_then(|live| live.id));
        } else if let Some(live) = &mut self.live {
            live.state = state;
        }
        self
    }

    /// The live store, if it is or can be this one; then it is.
    fn live_as(&mut self, id: &StoreId) -> Option<&mut Live> {
        let live = self.live.as_mut()?;
        if live.id.is_none() && !self.gone.contains(id) {
            live.id = Some(id.clone());
            for made in self.keys.values_mut().filter(|made| made.is_none()) {
                *made = Some(id.clone());
            }
        }
        Some(live).filter(|live| live.id.as_ref() == Some(id))
    }

    fn state_of(&mut self, id: &StoreId) -> Option<StoreState> {
        let live = self.live_as(id).map(|live| live.state);
        live.or_else(|| self.gone.contains(id).then_some(StoreState::Deleted))
    }

    /// Whether the operation was cancelled; one whose id was never told may be this one.
    fn was_cancelled(&mut self, id: OperationId) -> bool {
        if self.cancelled.contains(&id) {
            return true;
        }
        let unnamed = self.unnamed_cancelled > 0;
        if unnamed {
            self.unnamed_cancelled -= 1;
            self.cancelled.insert(id);
        }
        unnamed
    }

    /// Whether the operation runs or ran last, or can have; then it is the one.
    fn runs(live: &mut Live, id: OperationId) -> bool {
        *live.operation.get_or_insert(id) == id
    }

    fn begin(&mut self, state: StoreState, kind: Kind) {
        if let Some(live) = &mut self.live {
            live.state = state;
            live.kind = kind;
            live.operation = None;
        }
    }

    /// What the request does to the store, whoever hears of it; `None` when it does nothing.
    fn effect(&self, request: &Request) -> Option<Self> {
        let mut after = self.clone();
        match request {
            Request::Get(_) => return None,
            Request::Create { key } => {
                if key.as_ref().is_some_and(|key| self.keys.contains_key(key)) {
                    return None;
                }
                match self.live.as_ref().map(|live| (live.state, live.kind)) {
                    None => {
                        let (state, kind) = (StoreState::Requested, Kind::Provision);
                        after.live = Some(Live { id: None, state, operation: None, kind });
                    }
                    Some((StoreState::Failed, Kind::Delete)) => after.begin(StoreState::Deleting, Kind::Delete),
                    Some((StoreState::Failed, _)) => after.begin(StoreState::Requested, Kind::Provision),
                    Some(_) => return None,
                }
                if let (Some(key), Some(live)) = (key, &after.live) {
                    after.keys.insert(key.clone(), live.id.clone());
                }
            }
            Request::Delete(id) => {
                let live = after.live_as(id)?;
                match (live.state, live.kind, live.operation) {
                    (StoreState::Deleting, ..) => return None,
                    (StoreState::Requested | StoreState::Provisioning, Kind::Provision, Some(replaced)) => {
                        after.cancelled.insert(replaced);
                    }
                    (StoreState::Requested | StoreState::Provisioning, Kind::Provision, None) => {
                        after.unnamed_cancelled += 1;
                    }
                    _ => {}
                }
                after.begin(StoreState::Deleting, Kind::Delete);
            }
            Request::Retry(id) => {
                let live = after.live_as(id).filter(|live| live.state == StoreState::Failed)?;
                let (state, kind) = match live.kind {
                    Kind::Delete => (StoreState::Deleting, Kind::Delete),
                    Kind::Provision | Kind::Unwind | Kind::Change => (StoreState::Requested, Kind::Provision),
                };
                after.begin(state, kind);
            }
            Request::Cancel(id, operation) => {
                let live = after.live_as(id)?;
                let stoppable = live.kind == Kind::Provision
                    && matches!(live.state, StoreState::Requested | StoreState::Provisioning)
                    && Self::runs(live, *operation);
                if !stoppable {
                    return None;
                }
                after.cancelled.insert(*operation);
                after.begin(StoreState::Failed, Kind::Unwind);
            }
        }
        Some(after)
    }

    /// The state after the request, when this state can give this answer to it.
    pub(super) fn answer(&self, request: &Request, answer: &Answer) -> Option<Self> {
        let mut here = self.clone();
        match (request, answer) {
            (_, Answer::Refused) => Some(here),
            (Request::Create { key: Some(key) }, Answer::Accepted { store, state, .. })
                if here.keys.contains_key(key) =>
            {
                let stands = here.state_of(store)? == *state;
                (stands && here.keys[key].as_ref() == Some(store)).then_some(here)
            }
            // Under a key that made a store the answer is that store, whatever became of it.
            (Request::Create { key: Some(key) }, Answer::NameInUse(..)) if here.keys.contains_key(key) => None,
            (Request::Get(id), Answer::Seen(state)) | (Request::Create { .. }, Answer::NameInUse(id, state)) => {
                (here.state_of(id)? == *state).then_some(here)
            }
            (Request::Get(id), Answer::Unknown) => here.state_of(id).is_none().then_some(here),
            (Request::Delete(id), Answer::Accepted { store, state, operation }) if store == id => {
                match here.state_of(id)? {
                    StoreState::Deleted => (*state == StoreState::Deleted && operation.is_none()).then_some(here),
                    StoreState::Deleting => here.joins(id, *state, operation.as_ref()),
                    _ => self.begun(request, store, *state, operation.as_ref()),
                }
            }
            (Request::Cancel(id, cancelled), Answer::Accepted { store, state, operation }) if store == id => {
                if here.was_cancelled(*cancelled) {
                    return (here.state_of(id)? == *state).then_some(here);
                }
                self.begun(request, store, *state, operation.as_ref())
            }
            (Request::Create { .. } | Request::Retry(_), Answer::Accepted { store, state, operation }) => {
                self.begun(request, store, *state, operation.as_ref())
            }
            (Request::Retry(id), Answer::WrongState(state)) => {
                (*state != StoreState::Failed && here.state_of(id)? == *state).then_some(here)
            }
            (Request::Cancel(..), Answer::NotCancellable) => here.effect(request).is_none().then_some(here),
            _ => None,
        }
    }

    /// A delete of a store that is being deleted is the same deletion.
    fn joins(
        mut self,
        id: &StoreId,
        state: StoreState,
        operation: Option<&(OperationId, OperationKind)>,
    ) -> Option<Self> {
        let live = self.live_as(id)?;
        let same = operation.is_some_and(|(operation, _)| Self::runs(live, *operation));
        (same && state == StoreState::Deleting).then_some(self)
    }

    /// The request took effect, and this is what it began.
    fn begun(
        &self,
        request: &Request,
        store: &StoreId,
        state: StoreState,
        operation: Option<&(OperationId, OperationKind)>,
    ) -> Option<Self> {
        let mut after = self.effect(request)?;
        let (operation, kind) = operation?;
        let live = after.live_as(store)?;
        let fits = live.state == state && live.kind == Kind::of(*kind) && Self::runs(live, *operation);
        fits.then_some(after)
    }
}
