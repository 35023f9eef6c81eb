//! What a command signs in with: a token that somebody gave it, or the sign-in that is kept, refreshed when its time is over.

use secrecy::{ExposeSecret, SecretString};
use shopwright_ports::clock::Clock;

use super::error::ClientError;
use super::session::{Kept, Sessions};
use crate::crypto::SystemClock;

/// A token that expires within so many seconds is refreshed first: the request takes a while too.
const EARLY_SECONDS: i64 = 30;

/// What a command signs in with.
#[derive(Debug)]
pub(super) enum Credentials {
    /// A token from the environment: an API token, or whatever it is.
    Given(SecretString),
    /// The sign-in of this file.
    Kept(Sessions, Kept),
}

/// The time in seconds since 1970, as servers count it.
pub(super) fn now() -> i64 {
    SystemClock.now().as_second()
}

impl Credentials {
    /// The token to send.
    pub(super) fn token(&self) -> SecretString {
        match self {
            Self::Given(token) => token.clone(),
            Self::Kept(_, kept) => kept.token.clone(),
        }
    }

    /// Whether the token is as good as over.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Given(_) => false,
            Self::Kept(_, kept) => kept.expires_at.is_some_and(|end| end - EARLY_SECONDS <= now()),
        }
    }

    /// The refresh token for another access token, if there is any.
    pub(super) fn refresh_token(&self) -> Option<SecretString> {
        match self {
            Self::Given(_) => None,
            Self::Kept(_, kept) => kept.refresh_token.clone(),
        }
    }

    /// Takes over what another command has refreshed meanwhile; whether there was anything.
    pub(super) fn catch_up(&mut self, server: &str) -> Result<bool, ClientError> {
        let Self::Kept(sessions, kept) = self else { return Ok(false) };
        match sessions.find(server)? {
            Some(newest) if newest.token.expose_secret() != kept.token.expose_secret() => {
                *kept = newest;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Goes on with these tokens, and keeps them for the next command.
    pub(super) fn renew(&mut self, server: &str, next: Kept) -> Result<(), ClientError> {
        if let Self::Kept(sessions, kept) = self {
            sessions.keep(server, &next)?;
            *kept = next;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    const SERVER: &str = "http://127.0.0.1:3001";

    fn kept(token: &str) -> Kept {
        Kept { token: token.into(), refresh_token: Some(format!("{token}-next").into()), expires_at: None }
    }

    /// Without it, a command that runs for long would use a refresh token that another has used: the server would end the session.
    #[test]
    fn what_another_command_refreshed_is_taken_over() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().display().to_string();
        let sessions = Sessions::new(&Environment::of_variables([("HOME", path.as_str())]));
        sessions.keep(SERVER, &kept("one")).unwrap();
        let mut long = Credentials::Kept(sessions.clone(), kept("one"));
        assert!(!long.catch_up(SERVER).unwrap(), "nothing new");

        let mut other = Credentials::Kept(sessions.clone(), kept("one"));
        other.renew(SERVER, kept("two")).unwrap();

        assert!(long.catch_up(SERVER).unwrap());
        assert_eq!(long.token().expose_secret(), "two");
        assert_eq!(long.refresh_token().unwrap().expose_secret(), "two-next");
    }
}
