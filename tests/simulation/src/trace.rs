//! One line per step: when, who, which call, about what, how it ended. All lines are hashed; only a run that is looked at keeps them.
//!
//! Two runs of one seed have the same hash, or the simulation is not deterministic and proves nothing (RELIABILITY P2).

use std::fmt::Write as _;

/// Who did a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The simulated world itself.
    World,
    /// A process of the product.
    Replica(usize),
    /// Somebody who asks it for something.
    Client(usize),
}

/// The run's log.
#[derive(Debug)]
pub struct Trace {
    hash: u64,
    count: u64,
    lines: Option<String>,
}

impl Trace {
    /// An empty one; `keep` keeps the lines as well as their hash.
    pub fn new(keep: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, count: 0, lines: keep.then(String::new) }
    }

    /// One step.
    pub fn step(&mut self, now: u64, who: Who, call: &str, subject: &str, result: &str) {
        self.count += 1;
        let (kind, number) = match who {
            Who::World => (0, 0),
            Who::Replica(number) => (1, number),
            Who::Client(number) => (2, number),
        };
        self.mix(now);
        self.mix(kind << 32 | number as u64);
        for text in [call, subject, result] {
            self.mix_text(text);
        }
        if let Some(lines) = &mut self.lines {
            let who = match who {
                Who::World => "--".to_owned(),
                Who::Replica(number) => format!("r{number}"),
                Who::Client(number) => format!("c{number}"),
            };
            let _ = writeln!(lines, "{:5}.{:06} {who} {call} {subject} -> {result}", now / 1_000_000, now % 1_000_000);
        }
    }

    const fn mix(&mut self, word: u64) {
        self.hash = (self.hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn mix_text(&mut self, text: &str) {
        for chunk in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
        self.mix(text.len() as u64);
    }

    /// Equal for equal runs.
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    /// How many steps there were.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The lines, when they were kept.
    pub fn lines(&self) -> Option<&str> {
        self.lines.as_deref()
    }
}
