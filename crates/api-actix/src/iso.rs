//! Times as the API shows them: ISO 8601, UTC, milliseconds, `Z`.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

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

impl PartialSchema for Iso {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        let object = ObjectBuilder::new().schema_type(SchemaType::new(Type::String)).format(Some(format));
        RefOr::T(Schema::Object(object.build()))
    }
}

impl ToSchema for Iso {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Time")
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
