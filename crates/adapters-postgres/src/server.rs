//! Which servers will do.
//!
//! Older than 15 is refused: the statements need what it lacks. A server of a good major version that lacks a security fix is used, and
//! warned about (RELIABILITY S23): whether a leak or an outage is worse is the operator's to say, and a restart must not be the moment
//! at which a database that served until then is turned away.

/// The oldest server that the statements are written for.
const OLDEST: u32 = 150_000;

/// Per major version the first minor one without CVE-2025-8713, by which statistics gave away rows that a policy hides.
const FIXED: [(u32, u32); 3] = [(15, 14), (16, 10), (17, 6)];

/// What a server's version means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fitness {
    Fit,
    /// It works; the words say what is wrong with it.
    Outdated(String),
    TooOld(String),
}

/// Judges a `server_version_num`.
pub(crate) fn fitness(version: u32) -> Fitness {
    let (major, minor) = (version / 10_000, version % 10_000);
    if version < OLDEST {
        return Fitness::TooOld(format!("PostgreSQL {major} is too old: 15 or newer is needed"));
    }
    match FIXED.into_iter().find(|(of, fixed)| *of == major && minor < *fixed) {
        Some((_, fixed)) => Fitness::Outdated(format!(
            "PostgreSQL {major}.{minor} lacks the fix of CVE-2025-8713: update it to {major}.{fixed} or newer"
        )),
        None => Fitness::Fit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_what_the_statements_need_and_fixes_are_asked_for() {
        // S23.
        for version in [90_600, 140_019, 149_999] {
            assert!(matches!(fitness(version), Fitness::TooOld(_)), "{version}");
        }
        for version in [150_000, 150_013, 160_009, 170_005] {
            assert!(matches!(fitness(version), Fitness::Outdated(_)), "{version}");
        }
        for version in [150_014, 150_018, 160_010, 170_006, 180_000, 190_001] {
            assert_eq!(fitness(version), Fitness::Fit, "{version}");
        }
        let words = "PostgreSQL 16.9 lacks the fix of CVE-2025-8713: update it to 16.10 or newer";
        assert_eq!(fitness(160_009), Fitness::Outdated(words.to_owned()));
    }
}
