//! Who may use a route: part of each line of the route table, enforced by the extractor that every handler behind a token takes.

use shopwright_domain::Scope;
use shopwright_ports::identity_api::Proof;

use crate::problem::{INSUFFICIENT_SCOPE, PERSON_REQUIRED, Problem};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Open,
    /// A person who is signed in: no API token makes another, or ends a session.
    Person,
    /// A person who is signed in, or a program whose token has the scope.
    Scope(Scope),
}

impl Access {
    /// Whether what somebody came with is enough.
    pub(crate) fn check(self, proof: &Proof) -> Result<(), Problem> {
        match (self, proof) {
            (Self::Open, _) | (_, Proof::Session(_)) | (Self::Scope(_), Proof::External) => Ok(()),
            (Self::Scope(scope), Proof::ApiToken(_, scopes)) if scopes.contains(&scope) => Ok(()),
            (Self::Scope(scope), Proof::ApiToken(..)) => {
                let problem = Problem::new(INSUFFICIENT_SCOPE, format!("This API token lacks the scope {scope}"));
                Err(problem.with("scope", scope.as_str()))
            }
            (Self::Person, Proof::ApiToken(..)) => {
                Err(Problem::new(PERSON_REQUIRED, "No API token can be used for this"))
            }
            (Self::Person, Proof::External) => {
                Err(Problem::new(PERSON_REQUIRED, "No token of another issuer can be used for this"))
            }
        }
    }
}
