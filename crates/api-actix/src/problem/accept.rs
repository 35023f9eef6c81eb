//! Which of the two error shapes a client wants.

use actix_web::http::header::{ACCEPT, HeaderMap};

/// The shape of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The envelope of v1: `{requestId, error: {...}}`.
    Envelope,
    /// RFC 9457.
    Rfc9457,
}

impl Shape {
    /// RFC 9457 for whoever names it and does not like plain JSON better; wildcards get the envelope.
    pub(crate) fn wanted(headers: &HeaderMap) -> Self {
        let mut problem = None;
        let mut plain = 0.0;
        for value in headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok()) {
            for range in value.split(',') {
                let mut parts = range.split(';').map(str::trim);
                let media_type = parts.next().unwrap_or_default();
                let quality = parts.find_map(quality).unwrap_or(1.0);
                if media_type.eq_ignore_ascii_case("application/problem+json") {
                    problem = Some(quality);
                } else if media_type.eq_ignore_ascii_case("application/json") {
                    plain = quality;
                }
            }
        }
        match problem {
            Some(quality) if quality > 0.0 && quality >= plain => Self::Rfc9457,
            Some(_) | None => Self::Envelope,
        }
    }
}

fn quality(parameter: &str) -> Option<f32> {
    let (name, value) = parameter.split_once('=')?;
    let quality = value.trim().parse::<f32>().ok().filter(|quality| (0.0..=1.0).contains(quality));
    name.trim().eq_ignore_ascii_case("q").then(|| quality.unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn problem_json_is_for_those_who_prefer_it() {
        for (accept, shape) in [
            ("", Shape::Envelope),
            ("*/*", Shape::Envelope),
            ("application/json", Shape::Envelope),
            ("application/problem+json", Shape::Rfc9457),
            ("Application/Problem+JSON; q=0.5", Shape::Rfc9457),
            ("application/problem+json, */*;q=0.1", Shape::Rfc9457),
            ("*/*, application/problem+json;q=0.3", Shape::Rfc9457),
            ("application/json, application/problem+json", Shape::Rfc9457),
            ("application/json, application/problem+json;q=0.9", Shape::Envelope),
            ("application/problem+json;q=0", Shape::Envelope),
            ("application/problem+json;q=NaN", Shape::Envelope),
            (";;;q=,=;,", Shape::Envelope),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
            assert_eq!(Shape::wanted(&headers), shape, "{accept}");
        }
    }
}
