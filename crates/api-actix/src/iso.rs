//! Times as the API shows them: ISO 8601, UTC, milliseconds, `Z`.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// A time that serialises as `2026-11-23T00:14:17.473Z`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Iso(pub(crate) Timestamp);

impl std::fmt::Display for Iso {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"))
    }
}

impl Serialize for Iso {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_exactly_three_digits_after_the_second() {
        let shown = |text: &str| Iso(text.parse().unwrap()).to_string();

        assert_eq!(shown("2026-11-23T00:14:17Z"), "2026-11-23T00:14:17.000Z");
        assert_eq!(shown("2026-11-23T00:14:17.473999Z"), "2026-11-23T00:14:17.473Z");
        assert_eq!(shown("2026-11-23T02:14:17.5+02:00"), "2026-11-23T00:14:17.500Z");
    }
}
