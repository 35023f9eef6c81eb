//! What clients of one organisation know and saw: their stores and operations, and the histories that are checked in the end.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use shopwright_domain::{OperationId, StoreId};

use crate::history::{Answer, Event, Request, Verdict, check};

/// One of the organisation's stores, as its people know it.
#[derive(Debug, Clone)]
pub struct Known {
    /// Under which name it was asked for.
    pub name: String,
    /// Which store.
    pub id: StoreId,
    /// The operation that they saw last.
    pub operation: Option<OperationId>,
}

#[derive(Debug, Default)]
struct Pages {
    known: Vec<Known>,
    histories: BTreeMap<String, Vec<Event>>,
}

/// What the people of one organisation share.
#[derive(Debug, Default)]
pub struct Book(Mutex<Pages>);

impl Book {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stores that they know.
    pub fn known(&self) -> Vec<Known> {
        self.pages().known.clone()
    }

    /// They learn of a store, or of its newest operation.
    pub fn learn(&self, name: &str, id: &StoreId, operation: Option<OperationId>) {
        let mut pages = self.pages();
        match pages.known.iter_mut().find(|known| known.id == *id) {
            Some(known) => known.operation = operation.or(known.operation),
            None => pages.known.push(Known { name: name.to_owned(), id: id.clone(), operation }),
        }
    }

    /// A request is sent. Returns its place in the name's history.
    pub fn asked(&self, name: &str, now: u64, request: Request) -> usize {
        let mut pages = self.pages();
        let history = pages.histories.entry(name.to_owned()).or_default();
        history.push(Event { asked: now, answered: None, request, answer: None });
        history.len() - 1
    }

    /// It is answered.
    pub fn answered(&self, name: &str, index: usize, now: u64, answer: Option<Answer>) {
        let mut pages = self.pages();
        if let Some(event) = pages.histories.get_mut(name).and_then(|history| history.get_mut(index)) {
            event.answered = Some(now);
            event.answer = answer;
        }
    }

    /// How many requests there were.
    pub fn requests(&self) -> usize {
        self.pages().histories.values().map(Vec::len).sum()
    }

    /// Whether all histories are ones that a store which does one thing at a time could have given.
    ///
    /// # Errors
    /// The history that is not, in words.
    pub fn check(&self) -> Result<(), String> {
        for (name, history) in &self.pages().histories {
            match check(history) {
                Verdict::Sequential => {}
                Verdict::Undecided => return Err(format!("the history of `{name}` is too long to check")),
                Verdict::Impossible { stuck } => {
                    let lines: Vec<String> = history
                        .iter()
                        .enumerate()
                        .map(|(index, event)| format!("{}{event:?}", if stuck.contains(&index) { "* " } else { "  " }))
                        .collect();
                    return Err(format!(
                        "no store could have answered `{name}` like this (stuck at *):\n{}",
                        lines.join("\n")
                    ));
                }
            }
        }
        Ok(())
    }
}
