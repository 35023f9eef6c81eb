//! Fuzzing without feedback: inputs made from a corpus by small changes, for a bounded time, from a seed that is printed.
//!
//! It is not guided by coverage, as cargo-fuzz is, which needs a nightly compiler. What it has instead are corpora of inputs that are almost
//! right, so that most changes get past the first check. `FUZZ_SECONDS` says how long each target runs, `FUZZ_SEED` from where.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use shopwright_simulation::rng::Rng;

/// Longer inputs are cut.
const LONGEST: usize = 8 * 1024;

/// What changes put in: what parsers stumble over.
const STUMBLES: &[&[u8]] = &[
    b"",
    b"\0",
    b"\r\n",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b";",
    b".",
    b"..",
    b"-",
    b"--",
    b"=",
    b"%",
    b"%00",
    b"%zz",
    b"&",
    b"#",
    b"/",
    b"//",
    b"@",
    b"*",
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"NaN",
    b"\xff",
    b"\xc3\x28",
    b"\xf0\x9f\x98\x80",
    b"\xef\xbb\xbf",
    b"xn--",
    b"W/",
    b" ",
    b"\t",
];

/// One run of one target.
#[derive(Debug)]
pub struct Fuzzer {
    rng: Rng,
    corpus: Vec<Vec<u8>>,
    /// How many inputs were made.
    pub runs: u64,
    until: Instant,
    name: &'static str,
    seed: u64,
}

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

impl Fuzzer {
    /// A run over these inputs.
    pub fn new(name: &'static str, corpus: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        let seed = setting("FUZZ_SEED", 1);
        let until = Instant::now() + Duration::from_secs(setting("FUZZ_SECONDS", 3));
        Self { rng: Rng::new(seed), corpus: corpus.into_iter().map(Into::into).collect(), runs: 0, until, name, seed }
    }

    /// The next input, until the time is over. The corpus itself comes first.
    pub fn next_input(&mut self) -> Option<Vec<u8>> {
        let known = usize::try_from(self.runs).ok().and_then(|index| self.corpus.get(index)).cloned();
        if known.is_none() && Instant::now() >= self.until {
            println!("{}: {} inputs from seed {}", self.name, self.runs, self.seed);
            return None;
        }
        self.runs += 1;
        Some(known.unwrap_or_else(|| self.changed()))
    }

    /// A number below `limit`, for what else a target has to choose.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.rng.below(limit.max(1) as u64)).unwrap_or(0)
    }

    fn place(&mut self, input: &[u8]) -> usize {
        self.below(input.len() + 1)
    }

    fn changed(&mut self) -> Vec<u8> {
        let mut input = match self.below(self.corpus.len() + 1) {
            // Now and then nothing that anybody has thought of.
            0 => (0..self.below(64)).map(|_| u8::try_from(self.rng.below(256)).unwrap_or(0)).collect(),
            index => self.corpus[index - 1].clone(),
        };
        for _ in 0..=self.below(4) {
            let at = self.place(&input);
            match self.below(7) {
                0 if at < input.len() => input[at] ^= 1 << self.below(8),
                1 if at < input.len() => input[at] = u8::try_from(self.rng.below(256)).unwrap_or(0),
                2 if at < input.len() => drop(input.drain(at..(at + 1 + self.below(16)).min(input.len()))),
                3 => {
                    let stumble = STUMBLES[self.below(STUMBLES.len())];
                    drop(input.splice(at..at, stumble.iter().copied()));
                }
                4 => {
                    let end = (at + self.below(32)).min(input.len());
                    let piece = input[at..end].to_vec();
                    for _ in 0..=self.below(20) {
                        drop(input.splice(at..at, piece.iter().copied()));
                    }
                }
                5 => {
                    let which = self.below(self.corpus.len());
                    let other = self.corpus[which].clone();
                    let from = self.place(&other);
                    drop(input.splice(at.., other[from..].iter().copied()));
                }
                _ => input.truncate(at),
            }
            input.truncate(LONGEST);
        }
        input
    }

    /// Feeds `target` until the time is over.
    ///
    /// # Panics
    /// When the target does, or says that something does not hold; with the input.
    pub fn feed(mut self, target: impl Fn(&[u8]) -> Result<(), String>) {
        while let Some(input) = self.next_input() {
            let outcome = catch_unwind(AssertUnwindSafe(|| target(&input)));
            let shown = || String::from_utf8_lossy(&input).into_owned();
            let outcome = outcome.unwrap_or_else(|_| Err("a panic".to_owned()));
            if let Err(broken) = outcome {
                panic!("{}, input {} of seed {}: {broken}: {:?}", self.name, self.runs, self.seed, shown());
            }
        }
    }
}
