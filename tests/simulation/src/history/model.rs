//! A store of one name that does one thing at a time.

use std::collections::{BTreeMap, BTreeSet};

use shopwright_domain::operation::OperationKind;
use shopwright_domain::store::StoreState;
use shopwright_domain::{OperationId, StoreId};

use super::{Answer, Request};

/// Something whose id its creator never learned is known by the request that made it until an answer names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Ref<T> {
    Known(T),
    MadeBy(usize),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Live {
    id: Ref<StoreId>,
    state: StoreState,
    operation: Ref<OperationId>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// More states than any history of a run needs.
pub(super) const MOST: usize = 20_000;

/// One state in which everything that is called by the name can be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Model {
    live: Option<Live>,
    gone: BTreeSet<Ref<StoreId>>,
    cancelled: BTreeSet<Ref<OperationId>>,
    keys: BTreeMap<String, Ref<StoreId>>,
}

/// What answers ask about later: the rest of what happened can be forgotten.
#[derive(Debug, Default)]
pub(super) struct Interest {
    /// Keys of requests that were answered.
    pub(super) keys: BTreeSet<String>,
    /// Operations that somebody was told about when they wanted to cancel them.
    pub(super) operations: BTreeSet<OperationId>,
}

impl Model {
    /// The states to which workers, and these requests that were never answered, can bring this one; itself included.
    pub(super) fn reachable(self, unanswered: &[(usize, &Request)], interest: &Interest, all: &mut BTreeSet<Self>) {
        if all.len() > MOST || !all.insert(self.clone()) {
            return;
        }
        for (index, request) in unanswered {
            // Whoever asked knew the store's id from an answer, so it has its name by now.
            let known = match request {
                Request::Delete(id) | Request::Retry(id) | Request::Cancel(id, _) => {
                    self.live.as_ref().is_some_and(|live| live.id == Ref::Known(id.clone()))
                }
                Request::Create { .. } | Request::Get(_) => true,
            };
            if let Some(mut after) = self.effect(*index, request).filter(|_| known) {
                after.forget(interest);
                after.reachable(unanswered, interest, all);
            }
        }
        let Some(live) = &self.live else { return };
        let next: &[StoreState] = match (live.state, live.kind) {
            (StoreState::Requested, _) => &[StoreState::Provisioning, StoreState::Failed],
            (StoreState::Provisioning, _) => &[StoreState::Ready, StoreState::Failed],
            (StoreState::Deleting, _) => &[StoreState::Deleted, StoreState::Failed],
            (StoreState::Ready | StoreState::Failed | StoreState::Deleted, _) => &[],
        };
        for state in next {
            self.clone().moved(*state).reachable(unanswered, interest, all);
        }
    }

    /// Forgets what no answer depends on.
    pub(super) fn forget(&mut self, interest: &Interest) {
        self.keys.retain(|key, _| interest.keys.contains(key));
        self.cancelled.retain(|operation| match operation {
            Ref::Known(id) => interest.operations.contains(id),
            Ref::MadeBy(_) => !interest.operations.is_empty(),
        });
    }

    fn moved(mut self, state: StoreState) -> Self {
        if state == StoreState::Deleted {
            if let Some(live) = self.live.take() {
                self.gone.insert(live.id);
            }
        } else if let Some(live) = &mut self.live {
            live.state = state;
        }
        self
    }

    /// From now on what `index` made is known as this store.
    fn name_store(&mut self, unnamed: &Ref<StoreId>, id: &StoreId) {
        let known = Ref::Known(id.clone());
        if let Some(live) = self.live.as_mut().filter(|live| live.id == *unnamed) {
            live.id = known.clone();
        }
        if self.gone.remove(unnamed) {
            self.gone.insert(known.clone());
        }
        for made in self.keys.values_mut().filter(|made| *made == unnamed) {
            *made = known.clone();
        }
    }

    /// The live store, if it is or can be this one.
    fn live_as(&mut self, id: &StoreId) -> Option<&mut Live> {
        let current = self.live.as_ref()?.id.clone();
        if matches!(current, Ref::MadeBy(_)) && !self.gone.contains(&Ref::Known(id.clone())) {
            self.name_store(&current, id);
        }
        self.live.as_mut().filter(|live| live.id == Ref::Known(id.clone()))
    }

    /// Whether the store is gone; one whose name was never learned may be.
    fn is_gone(&mut self, id: &StoreId) -> bool {
        if self.gone.contains(&Ref::Known(id.clone())) {
            return true;
        }
        let unnamed = self.gone.iter().find(|gone| matches!(gone, Ref::MadeBy(_))).cloned();
        if let Some(unnamed) = &unnamed {
            self.name_store(unnamed, id);
        }
        unnamed.is_some()
    }

    fn state_of(&mut self, id: &StoreId) -> Option<StoreState> {
        if let Some(live) = self.live_as(id) {
            return Some(live.state);
        }
        self.is_gone(id).then_some(StoreState::Deleted)
    }

    /// Whether the operation was cancelled; one whose id was never learned may be this one.
    fn was_cancelled(&mut self, id: OperationId) -> bool {
        if self.cancelled.contains(&Ref::Known(id)) {
            return true;
        }
        let unnamed = self.cancelled.iter().find(|it| matches!(it, Ref::MadeBy(_))).cloned();
        let Some(unnamed) = unnamed else { return false };
        self.cancelled.remove(&unnamed);
        self.cancelled.insert(Ref::Known(id))
    }

    /// The operation, if it is or can be this one.
    fn runs(live: &mut Live, id: OperationId) -> bool {
        if matches!(live.operation, Ref::MadeBy(_)) {
            live.operation = Ref::Known(id);
        }
        live.operation == Ref::Known(id)
    }

    fn begin(&mut self, index: usize, state: StoreState, kind: Kind) {
        if let Some(live) = &mut self.live {
            live.state = state;
            live.kind = kind;
            live.operation = Ref::MadeBy(index);
        }
    }

    /// What the request does to the store, whoever hears of it; `None` when it does nothing.
    pub(super) fn effect(&self, index: usize, request: &Request) -> Option<Self> {
        let mut after = self.clone();
        match request {
            Request::Get(_) => return None,
            Request::Create { key } => {
                if key.as_ref().is_some_and(|key| self.keys.contains_key(key)) {
                    return None;
                }
                match self.live.as_ref().map(|live| (live.state, live.kind)) {
                    None => {
                        let (id, operation) = (Ref::MadeBy(index), Ref::MadeBy(index));
                        after.live = Some(Live { id, state: StoreState::Requested, operation, kind: Kind::Provision });
                    }
                    Some((StoreState::Failed, Kind::Delete)) => after.begin(index, StoreState::Deleting, Kind::Delete),
                    Some((StoreState::Failed, _)) => after.begin(index, StoreState::Requested, Kind::Provision),
                    Some(_) => return None,
                }
                if let (Some(key), Some(live)) = (key, &after.live) {
                    after.keys.insert(key.clone(), live.id.clone());
                }
            }
            Request::Delete(id) => {
                let live = after.live_as(id)?;
                let replaced = match (live.state, live.kind) {
                    (StoreState::Deleting, _) => return None,
                    (StoreState::Requested | StoreState::Provisioning, Kind::Provision) => Some(live.operation.clone()),
                    _ => None,
                };
                after.cancelled.extend(replaced);
                after.begin(index, StoreState::Deleting, Kind::Delete);
            }
            Request::Retry(id) => {
                let live = after.live_as(id).filter(|live| live.state == StoreState::Failed)?;
                let (state, kind) = match live.kind {
                    Kind::Delete => (StoreState::Deleting, Kind::Delete),
                    Kind::Provision | Kind::Unwind | Kind::Change => (StoreState::Requested, Kind::Provision),
                };
                after.begin(index, state, kind);
            }
            Request::Cancel(id, operation) => {
                let live = after.live_as(id)?;
                let stoppable = live.kind == Kind::Provision
                    && matches!(live.state, StoreState::Requested | StoreState::Provisioning)
                    && Self::runs(live, *operation);
                if !stoppable {
                    return None;
                }
                after.cancelled.insert(Ref::Known(*operation));
                after.begin(index, StoreState::Failed, Kind::Unwind);
            }
        }
        Some(after)
    }

    /// The state after the request, when this state can give this answer to it.
    pub(super) fn answer(&self, index: usize, request: &Request, answer: &Answer) -> Option<Self> {
        let mut here = self.clone();
        match (request, answer) {
            (_, Answer::Refused) => Some(here),
            (Request::Create { key: Some(key) }, Answer::Accepted { store, state, .. })
                if here.keys.contains_key(key) =>
            {
                let made = here.keys[key].clone();
                match &made {
                    Ref::Known(known) if known != store => return None,
                    Ref::Known(_) => {}
                    Ref::MadeBy(_) => here.name_store(&made, store),
                }
                (here.state_of(store)? == *state).then_some(here)
            }
            (Request::Get(id), Answer::Seen(state)) | (Request::Create { .. }, Answer::NameInUse(id, state)) => {
                (here.state_of(id)? == *state).then_some(here)
            }
            (Request::Get(id), Answer::Unknown) => here.state_of(id).is_none().then_some(here),
            (Request::Delete(id), Answer::Accepted { store, state, operation }) if store == id => {
                match here.state_of(id)? {
                    StoreState::Deleted => (*state == StoreState::Deleted && operation.is_none()).then_some(here),
                    StoreState::Deleting => here.joins(id, *state, operation.as_ref()),
                    _ => self.begun(index, request, store, *state, operation.as_ref()),
                }
            }
            (Request::Cancel(id, cancelled), Answer::Accepted { store, state, operation }) if store == id => {
                if here.was_cancelled(*cancelled) {
                    return (here.state_of(id)? == *state).then_some(here);
                }
                self.begun(index, request, store, *state, operation.as_ref())
            }
            (Request::Create { .. } | Request::Retry(_), Answer::Accepted { store, state, operation }) => {
                self.begun(index, request, store, *state, operation.as_ref())
            }
            (Request::Retry(id), Answer::WrongState(state)) => {
                (*state != StoreState::Failed && here.state_of(id)? == *state).then_some(here)
            }
            (Request::Cancel(..), Answer::NotCancellable) => here.effect(index, request).is_none().then_some(here),
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
        index: usize,
        request: &Request,
        store: &StoreId,
        state: StoreState,
        operation: Option<&(OperationId, OperationKind)>,
    ) -> Option<Self> {
        let mut after = self.effect(index, request)?;
        let (operation, kind) = operation?;
        let live = after.live_as(store)?;
        let fits = live.state == state && live.kind == Kind::of(*kind) && Self::runs(live, *operation);
        fits.then_some(after)
    }
}
