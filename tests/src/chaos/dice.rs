//! Randomness that a seed decides: the same seed gives the same plan of faults and the same choices of each client.
//!
//! What is random in a run besides is the order in which a real machine lets things happen; a seed repeats the plan, not the run.

use std::ops::Range;
use std::time::Duration;

/// A generator of its own for one actor of the run (splitmix64: short, and the same in every version of every library).
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// The dice of `actor` in the run of `seed`: actors do not disturb each other's luck.
    pub(super) fn of(seed: u64, actor: &str) -> Self {
        let mut dice = Self(seed);
        for byte in actor.bytes() {
            dice.0 ^= u64::from(byte);
            dice.next();
        }
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of the range, which must not be empty.
    pub(super) fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start).max(1)
    }

    /// True so often in a hundred.
    pub(super) fn percent(&mut self, chance: u64) -> bool {
        self.next() % 100 < chance
    }

    /// A duration between these numbers of milliseconds.
    pub(super) fn millis(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.within(range))
    }

    /// One of them.
    pub(super) fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() {
            return None;
        }
        let index = usize::try_from(self.next() % all.len() as u64).unwrap_or_default();
        all.get(index)
    }

    /// All of them in some order.
    pub(super) fn shuffled<T: Clone>(&mut self, all: &[T]) -> Vec<T> {
        let mut left = all.to_vec();
        let mut order = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let index = usize::try_from(self.next() % left.len() as u64).unwrap_or_default();
            order.push(left.swap_remove(index));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_choices_and_actors_have_their_own() {
        let numbers = |seed, actor| {
            let mut dice = Dice::of(seed, actor);
            (0..50).map(|_| dice.within(10..1000)).collect::<Vec<_>>()
        };

        assert_eq!(numbers(7, "kills"), numbers(7, "kills"));
        assert_ne!(numbers(7, "kills"), numbers(8, "kills"));
        assert_ne!(numbers(7, "kills"), numbers(7, "clients"));
        assert!(numbers(7, "kills").iter().all(|number| (10..1000).contains(number)));
    }

    #[test]
    fn shuffling_keeps_everything() {
        let mut order = Dice::of(1, "deck").shuffled(&[1, 2, 3, 4, 5]);
        order.sort_unstable();

        assert_eq!(order, [1, 2, 3, 4, 5]);
    }
}
