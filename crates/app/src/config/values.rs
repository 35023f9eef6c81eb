//! Texts to values. What is said about a text that does not fit goes on after the text: "is not a port".

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::SecretString;

/// `true` or `false`, and the usual other words for them.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("is neither true nor false".to_owned()),
    }
}

/// An IP address and a port.
pub(super) fn socket_addr(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "is not an IP address with a port".to_owned())
}

/// A whole number within a range.
pub(super) fn number<T>(range: RangeInclusive<T>) -> impl FnOnce(&str) -> Result<T, String>
where
    T: FromStr + PartialOrd + std::fmt::Display,
{
    move |text| match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!("is not a whole number from {} to {}", range.start(), range.end())),
    }
}

/// Seconds, or a number with its unit: `90`, `90s`, `5m`, `12h`, `1h 30m`, `250ms`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<u32>().map(|seconds| SignedDuration::from_secs(i64::from(seconds))).ok();
    seconds
        .or_else(|| text.parse().ok())
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "is not a duration: a number of seconds, or a number with ms, s, m or h".to_owned())
}

/// A duration within a range.
pub(super) fn duration_within(range: RangeInclusive<Duration>) -> impl FnOnce(&str) -> Result<Duration, String> {
    move |text| {
        let value = duration(text)?;
        if range.contains(&value) {
            Ok(value)
        } else {
            let [low, high] = [range.start(), range.end()].map(Duration::as_secs);
            Err(format!("is not between {low} and {high} seconds"))
        }
    }
}

/// One of a few words.
pub(super) fn word<T: Copy>(words: &'static [(&'static str, T)]) -> impl FnOnce(&str) -> Result<T, String> {
    move |text| {
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        found.ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            format!("is not one of: {}", words.join(", "))
        })
    }
}

/// A URL of PostgreSQL, which may hold a password.
pub(super) fn database_url(text: &str) -> Result<SecretString, String> {
    let scheme_fits = url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql"));
    if scheme_fits && sqlx::postgres::PgConnectOptions::from_str(text).is_ok() {
        Ok(text.into())
    } else {
        Err("is not a URL of PostgreSQL".to_owned())
    }
}

/// A URL that people open, without a slash at the end.
pub(super) fn public_url(text: &str) -> Result<String, String> {
    let fits = |url: &url::Url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none() && url.fragment().is_none()
    };
    match url::Url::parse(text) {
        Ok(url) if fits(&url) => Ok(url.as_str().trim_end_matches('/').to_owned()),
        _ => Err("is not a URL like https://shops.example.com".to_owned()),
    }
}

/// The name of a Kubernetes object.
pub(super) fn object_name(text: &str) -> Result<String, String> {
    let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    if text.len() <= 253 && text.bytes().all(ok) && text.starts_with(alphanumeric) && text.ends_with(alphanumeric) {
        Ok(text.to_owned())
    } else {
        Err("is not the name of a Kubernetes object".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_has_a_host_and_no_slash_at_the_end() {
        assert_eq!(public_url("https://Shops.example.com/"), Ok("https://shops.example.com".to_owned()));
        assert_eq!(public_url("http://10.0.0.1:3001/shops"), Ok("http://10.0.0.1:3001/shops".to_owned()));
        for text in ["", "shops.example.com", "ftp://shops.example.com", "https://shops.example.com/?a=b"] {
            assert!(public_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_have_units_or_are_seconds() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("12h"), Ok(Duration::from_hours(12)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for text in ["", "0", "-5s", "five", "10 parsecs", "99999999999999999999"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_postgresql_is_a_database() {
        assert!(database_url("postgresql:///shopwright?host=/run/x&user=shopwright").is_ok());
        assert!(database_url("mysql://db/shopwright").is_err());
        assert!(database_url("db.example.com").is_err());
    }
}
