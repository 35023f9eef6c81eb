//! The search for an order of the requests in which one store could have given all the answers.
//!
//! Lowe's just-in-time linearisation: time is walked once, with the set of all places at which the search can be, and a request is put in
//! order no sooner than its answer, or the answer of one after it, asks for it. What matters about a place is which of the requests under
//! way have been put in order and what the store is by then, not how it came there, so the set stays small however long the history is.

use std::collections::{BTreeSet, HashSet};

use super::model::{Interest, Model};
use super::{Answer, Event, Request};

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// There is such an order.
    Sequential,
    /// There is none. The longest that was found stops before these requests.
    Impossible {
        /// Indices of the requests that could not come next.
        stuck: Vec<usize>,
    },
    /// The search was given up.
    Undecided,
}

/// More places than any history of a run needs.
const LIMIT: usize = 400_000;

/// Where the search can be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    /// The requests under way that have been put in order.
    placed: BTreeSet<usize>,
    store: Model,
}

/// Whether a store that does one thing at a time could have given these answers. At the start there is no store of the name.
pub fn check(events: &[Event]) -> Verdict {
    let mut search =
        Search { events, interest: interest_of(events), open: BTreeSet::new(), standing: Vec::new(), visited: 0 };
    let mut places = HashSet::from([Place { placed: BTreeSet::new(), store: Model::default() }]);
    for moment in moments(events) {
        match moment {
            Moment::Sent(index) => search.send(index),
            Moment::Answered(index) => {
                let Some(after) = search.answer(index, places) else { return Verdict::Undecided };
                if after.is_empty() {
                    return Verdict::Impossible { stuck: search.open.into_iter().collect() };
                }
                places = after;
                search.open.remove(&index);
            }
        }
    }
    Verdict::Sequential
}

/// What happens in a history, at one time after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// Of things at the same time, first everything is sent: who knows.
    Sent(usize),
    Answered(usize),
}

fn moments(events: &[Event]) -> impl Iterator<Item = Moment> {
    let mut moments = Vec::with_capacity(2 * events.len());
    for (index, event) in events.iter().enumerate() {
        match (&event.answer, event.answered) {
            // A refusal that says nothing about the store fits anywhere.
            (Some(Answer::Refused), _) => {}
            (Some(_), Some(answered)) => {
                moments.push((event.asked, Moment::Sent(index)));
                moments.push((answered, Moment::Answered(index)));
            }
            (None, _) | (_, None) => moments.push((event.asked, Moment::Sent(index))),
        }
    }
    moments.sort_unstable();
    moments.into_iter().map(|(_, moment)| moment)
}

fn interest_of(events: &[Event]) -> Interest {
    let mut interest = Interest::default();
    // Only an answer that tells what came of a key, or of a cancellation, depends on what earlier requests made of it.
    for event in events.iter().filter(|event| matches!(event.answer, Some(Answer::Accepted { .. }))) {
        match &event.request {
            Request::Create { key: Some(key) } => {
                interest.keys.insert(key.clone());
            }
            Request::Cancel(_, operation) => {
                interest.operations.insert(*operation);
            }
            _ => {}
        }
    }
    interest
}

struct Search<'a> {
    events: &'a [Event],
    interest: Interest,
    /// The requests under way that will be answered.
    open: BTreeSet<usize>,
    /// Those that never will: each may take effect at any time from now on, or never. Of equal ones the first will do.
    standing: Vec<Request>,
    visited: usize,
}

impl Search<'_> {
    fn send(&mut self, index: usize) {
        let event = &self.events[index];
        if event.answer.is_some() {
            self.open.insert(index);
            return;
        }
        // Without a key that matters, creations are equal.
        let request = match &event.request {
            Request::Create { key: Some(key) } if !self.interest.keys.contains(key) => Request::Create { key: None },
            other => other.clone(),
        };
        if !self.standing.contains(&request) {
            self.standing.push(request);
        }
    }

    /// The places at which the search can be when this request has been put in order; `None` when there are too many.
    fn answer(&mut self, index: usize, places: HashSet<Place>) -> Option<HashSet<Place>> {
        let mut after = HashSet::new();
        let mut ahead: Vec<Place> = places.into_iter().map(|place| self.with_looks(place)).collect();
        let mut seen: HashSet<Place> = ahead.iter().cloned().collect();
        while let Some(mut place) = ahead.pop() {
            self.visited += 1;
            if self.visited > LIMIT {
                return None;
            }
            if place.placed.remove(&index) {
                after.insert(place);
                continue;
            }
            for next in self.next(&place) {
                if seen.insert(next.clone()) {
                    ahead.push(next);
                }
            }
        }
        Some(after)
    }

    /// A request that finds its answer and changes nothing is put in order as soon as that is possible: nothing is lost by it.
    fn with_looks(&self, mut place: Place) -> Place {
        let changes_nothing = |index: &&usize| self.answered(&place, **index).is_some_and(|store| store == place.store);
        let looks: Vec<usize> = self.open.difference(&place.placed).filter(changes_nothing).copied().collect();
        place.placed.extend(looks);
        place
    }

    /// The places one step further on.
    fn next(&self, place: &Place) -> Vec<Place> {
        let at = |store: Model| Place { placed: place.placed.clone(), store: store.forget(&self.interest) };
        let mut next: Vec<Place> = place.store.moves().map(at).collect();
        next.extend(self.standing.iter().filter_map(|request| place.store.unanswered(request)).map(at));
        for index in self.open.difference(&place.placed) {
            if let Some(store) = self.answered(place, *index) {
                let mut further = at(store);
                further.placed.insert(*index);
                next.push(further);
            }
        }
        next.into_iter().map(|place| self.with_looks(place)).collect()
    }

    fn answered(&self, place: &Place, index: usize) -> Option<Model> {
        let Event { request, answer, .. } = &self.events[index];
        place.store.answer(request, answer.as_ref()?)
    }
}
