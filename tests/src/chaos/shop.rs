//! The stores that the clients act on, as the clients know them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::dice::Dice;
use super::record::Told;

/// A store as its merchant last saw it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// Its id.
    pub id: String,
    /// Its state.
    pub state: String,
    /// What runs or ran last on it.
    pub operation: Option<Told>,
    /// Whether its deletion was asked for.
    pub leaving: bool,
}

/// The stores of all merchants. Places are limited, so that a run has as many stores alive as the machine can carry.
#[derive(Debug)]
pub(super) struct Shop {
    places: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    taken: usize,
    by_merchant: BTreeMap<usize, BTreeMap<String, Known>>,
}

impl Shop {
    /// Room for so many stores at once.
    pub(super) fn new(places: usize) -> Self {
        Self { places, inner: Mutex::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place, if there is one.
    pub(super) fn take_place(&self) -> bool {
        let mut inner = self.inner();
        let free = inner.taken < self.places;
        inner.taken += usize::from(free);
        free
    }

    /// Gives a place back whose store was not made.
    pub(super) fn give_place_back(&self) {
        let mut inner = self.inner();
        inner.taken = inner.taken.saturating_sub(1);
    }

    /// What a merchant was told about a store. A store that is gone leaves its place.
    pub(super) fn saw(&self, merchant: usize, id: &str, state: &str, operation: Option<Told>) {
        let mut inner = self.inner();
        let stores = inner.by_merchant.entry(merchant).or_default();
        let leaving = stores.get(id).is_some_and(|known| known.leaving) || state == "deleting";
        if state == "deleted" {
            if stores.remove(id).is_some() {
                inner.taken = inner.taken.saturating_sub(1);
            }
        } else if stores.contains_key(id) || !leaving {
            stores.insert(id.to_owned(), Known { id: id.to_owned(), state: state.to_owned(), operation, leaving });
        }
    }

    /// The merchant has asked for its deletion.
    pub(super) fn leaves(&self, merchant: usize, id: &str) {
        if let Some(known) = self.inner().by_merchant.get_mut(&merchant).and_then(|stores| stores.get_mut(id)) {
            known.leaving = true;
        }
    }

    /// One of the merchant's stores that `wanted` likes.
    pub(super) fn pick(&self, merchant: usize, dice: &mut Dice, wanted: impl Fn(&Known) -> bool) -> Option<Known> {
        let inner = self.inner();
        let stores: Vec<&Known> = inner.by_merchant.get(&merchant)?.values().filter(|known| wanted(known)).collect();
        dice.one_of(&stores).map(|known| (*known).clone())
    }
}
