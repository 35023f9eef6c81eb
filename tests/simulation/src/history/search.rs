//! The search for an order of the requests in which one store could have given all the answers.
//!
//! Wing and Gong's search with Lowe's memory of what was tried: an order respects the times at which requests were sent and answered,
//! and each step carries the set of all states that the store can be in.

use std::collections::{BTreeSet, HashSet};

use super::model::Model;
use super::{Answer, Event};

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

/// More orders than any history of a run needs.
const LIMIT: usize = 400_000;

type States = BTreeSet<Model>;

fn reachable(states: impl IntoIterator<Item = Model>) -> States {
    let mut all = States::new();
    for state in states {
        state.reachable(&mut all);
    }
    all
}

/// Whether a store that does one thing at a time could have given these answers. At the start there is no store of the name.
pub fn check(events: &[Event]) -> Verdict {
    let mut order: Vec<usize> = (0..events.len()).collect();
    order.sort_by_key(|index| events[*index].asked);
    let mut search = Search { events, order, tried: HashSet::new(), steps: 0, best: (0, Vec::new()) };
    // A refusal that says nothing about the store fits anywhere.
    let done: Vec<bool> = events.iter().map(|event| event.answer == Some(Answer::Refused)).collect();
    match search.go(&done, 0, &reachable([Model::default()])) {
        Some(true) => Verdict::Sequential,
        Some(false) => Verdict::Impossible { stuck: search.best.1 },
        None => Verdict::Undecided,
    }
}

struct Search<'a> {
    events: &'a [Event],
    order: Vec<usize>,
    tried: HashSet<(Vec<bool>, States)>,
    steps: usize,
    best: (usize, Vec<usize>),
}

impl Search<'_> {
    /// Whether the rest can be put in order; `None` when that takes too long.
    fn go(&mut self, done: &[bool], placed: usize, states: &States) -> Option<bool> {
        self.steps += 1;
        if self.steps > LIMIT {
            return None;
        }
        // Requests without an answer may have had no effect: they need no place.
        if (0..self.events.len()).all(|index| done[index] || self.events[index].answer.is_none()) {
            return Some(true);
        }
        if !self.tried.insert((done.to_vec(), states.clone())) {
            return Some(false);
        }
        // Whatever was sent after some other request was answered comes after it.
        let open = |index: &usize| !done[*index];
        let first_answer =
            self.order.iter().copied().filter(open).filter_map(|index| self.deadline(index)).min().unwrap_or(u64::MAX);
        let mut next: Vec<usize> = self
            .order
            .iter()
            .copied()
            .filter(open)
            .take_while(|index| self.events[*index].asked <= first_answer)
            .collect();
        // Requests that may never have taken effect are tried last, the others as they were answered.
        next.sort_by_key(|index| self.deadline(*index).unwrap_or(u64::MAX));
        if placed >= self.best.0 {
            self.best = (placed, next.clone());
        }
        for index in next {
            let after = self.after(index, states);
            if after.is_empty() {
                continue;
            }
            let mut done = done.to_vec();
            done[index] = true;
            match self.go(&done, placed + 1, &after) {
                Some(false) => {}
                decided => return decided,
            }
        }
        Some(false)
    }

    /// Until when the request has taken effect, if it was answered.
    fn deadline(&self, index: usize) -> Option<u64> {
        let event = &self.events[index];
        event.answer.as_ref().and(event.answered)
    }

    /// The states after this request came next.
    fn after(&self, index: usize, states: &States) -> States {
        let event = &self.events[index];
        let next = states.iter().filter_map(|state| match &event.answer {
            Some(answer) => state.answer(index, &event.request, answer),
            None => state.effect(index, &event.request),
        });
        reachable(next)
    }
}
