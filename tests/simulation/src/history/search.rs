//! The search for an order of the requests in which one store could have given all the answers.
//!
//! Wing and Gong's search with Lowe's memory of what was tried: an order respects the times at which requests were sent and answered,
//! and each step carries the set of all states that the store can be in.

use std::collections::{BTreeSet, HashSet};

use super::model::{Interest, MOST, Model};
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

/// More orders than any history of a run needs.
const LIMIT: usize = 400_000;

type States = BTreeSet<Model>;

/// Whether a store that does one thing at a time could have given these answers. At the start there is no store of the name.
pub fn check(events: &[Event]) -> Verdict {
    // A refusal that says nothing about the store fits anywhere.
    let says_something = |index: &usize| !matches!(events[*index].answer, None | Some(Answer::Refused));
    let mut order: Vec<usize> = (0..events.len()).filter(says_something).collect();
    order.sort_by_key(|index| events[*index].asked);
    let unanswered = (0..events.len()).filter(|index| events[*index].answer.is_none());
    let mut search = Search {
        events,
        order,
        unanswered: unanswered.collect(),
        interest: interest_of(events),
        tried: HashSet::new(),
        steps: 0,
        best: (0, Vec::new()),
    };
    match search.go(&vec![false; events.len()], 0, &States::from([Model::default()])) {
        Some(true) => Verdict::Sequential,
        Some(false) => Verdict::Impossible { stuck: search.best.1 },
        None => Verdict::Undecided,
    }
}

fn interest_of(events: &[Event]) -> Interest {
    let mut interest = Interest::default();
    for event in events.iter().filter(|event| event.answer.is_some()) {
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
    /// The requests that were answered, as they were sent.
    order: Vec<usize>,
    /// Those that were not: each may have taken effect at any time after it was sent, or never.
    unanswered: Vec<usize>,
    interest: Interest,
    tried: HashSet<(Vec<bool>, States)>,
    steps: usize,
    best: (usize, Vec<usize>),
}

impl Search<'_> {
    /// Whether the rest can be put in order; `None` when that takes too long.
    fn go(&mut self, done: &[bool], placed: usize, states: &States) -> Option<bool> {
        self.steps += 1;
        if self.steps > LIMIT || states.len() > MOST {
            return None;
        }
        if placed == self.order.len() {
            return Some(true);
        }
        if !self.tried.insert((done.to_vec(), states.clone())) {
            return Some(false);
        }
        // Whatever was sent after some other request was answered comes after it.
        let answered = |index: usize| self.events[index].answered.unwrap_or(u64::MAX);
        let open = || self.order.iter().copied().filter(|index| !done[*index]);
        let first_answer = open().map(answered).min().unwrap_or(u64::MAX);
        let sent = |index: &usize| self.events[*index].asked <= first_answer;
        let mut next: Vec<usize> = open().take_while(sent).collect();
        next.sort_by_key(|index| answered(*index));
        let reachable = self.reachable(states, self.unanswered.iter().copied().filter(sent));
        if placed >= self.best.0 {
            self.best = (placed, next.clone());
        }
        for index in next {
            let after = self.after(index, &reachable);
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

    fn reachable(&self, states: &States, unanswered: impl Iterator<Item = usize>) -> States {
        // Of equal ones the first will do: what it may do again, the others may do too. Without a key that matters, creations are equal.
        let plain = |request: &Request| match request {
            Request::Create { key: Some(key) } if !self.interest.keys.contains(key) => Request::Create { key: None },
            other => other.clone(),
        };
        let mut first: Vec<(usize, Request)> = Vec::new();
        for index in unanswered {
            let request = plain(&self.events[index].request);
            if !first.iter().any(|(_, known)| *known == request) {
                first.push((index, request));
            }
        }
        let unanswered: Vec<_> = first.iter().map(|(index, request)| (*index, request)).collect();
        let mut all = States::new();
        for state in states {
            state.clone().reachable(&unanswered, &self.interest, &mut all);
        }
        all
    }

    /// The states after this request came next.
    fn after(&self, index: usize, states: &States) -> States {
        let event = &self.events[index];
        let Some(answer) = &event.answer else { return States::new() };
        let after = states.iter().filter_map(|state| state.answer(index, &event.request, answer));
        let forget = |mut state: Model| {
            state.forget(&self.interest);
            state
        };
        after.map(forget).collect()
    }
}
