//! Why a command did not do what was asked: one line for the person, advice below it.

use std::time::Duration;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The command cannot be understood in this situation.
    #[error("{0}")]
    Usage(String),
    /// There is no token for the server.
    #[error("you are not signed in to {server}")]
    NotSignedIn {
        /// The server.
        server: String,
    },
    /// Nobody answers.
    #[error("{server} does not answer: {detail}")]
    Unreachable {
        /// The server.
        server: String,
        /// What happened.
        detail: String,
    },
    /// The server says no.
    #[error("{message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The server's words.
        message: String,
        /// What it suggests.
        suggestion: Option<String>,
        /// Finds the request in the server's log.
        request_id: Option<String>,
        /// When asking again makes sense.
        retry_after: Option<Duration>,
    },
    /// What answers is not Shopwright, or not a version that this program knows.
    #[error("the answer of {server} is not understood: {detail}")]
    Foreign {
        /// The server.
        server: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The end was another one.
    #[error("{message}")]
    Missed {
        /// What is the case instead.
        message: String,
        /// What to do.
        advice: String,
    },
    /// The machine does not let us.
    #[error("cannot {action}: {error}")]
    Io {
        /// What was tried.
        action: String,
        /// The system's answer.
        error: std::io::Error,
    },
}

impl ClientError {
    /// For `map_err` of what the system refuses.
    pub(super) fn io(action: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let action = action.into();
        move |error| Self::Io { action, error }
    }

    /// What to do, line by line.
    pub(super) fn advice(&self) -> Vec<String> {
        match self {
            Self::Usage(_) | Self::Io { .. } => Vec::new(),
            Self::NotSignedIn { .. } => vec!["Run `shopwright login --email YOU`.".to_owned()],
            Self::Unreachable { .. } => {
                vec![
                    "Start it with `shopwright serve`, or name another one with --server or SHOPWRIGHT_SERVER."
                        .to_owned(),
                ]
            }
            Self::Foreign { .. } => vec!["Check --server and SHOPWRIGHT_SERVER.".to_owned()],
            Self::Missed { advice, .. } => vec![advice.clone()],
            Self::Refused { status, suggestion, request_id, retry_after, .. } => {
                let sign_in = (*status == 401).then(|| {
                    "Your sign-in is over or was not accepted: run `shopwright login --email YOU` again.".to_owned()
                });
                let wait = retry_after.map(|after| format!("Ask again in {} s.", after.as_secs()));
                let request = request_id.as_ref().map(|id| format!("request {id}"));
                [sign_in, suggestion.clone(), wait, request].into_iter().flatten().collect()
            }
        }
    }

    /// 1, or 2 when it is the command that is wrong.
    pub(super) const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            _ => 1,
        }
    }

    /// Whether it may pass by itself while something is being followed.
    pub(super) const fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }
}
