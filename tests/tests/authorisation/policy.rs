//! What each route does and to whose things, and what follows from that for everybody.

use shopwright_api_actix::Access;
use shopwright_domain::organisation::Action;

use crate::callers::Caller;
use crate::company::Answer;

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Something that is nobody's.
    Public,
    /// Something with a token in its body or its cookie, which it judges by itself.
    Presented,
    /// Something with the account of whoever asks.
    OwnAccount,
    /// This, in the organisation that one acts in.
    Active(Action),
    /// This, to a store of the company, or to what runs on it.
    Store(Action),
    /// This, to the company itself, wherever one acts.
    Company(Action),
    /// Something that is for platform administrators alone.
    Platform,
}

/// One line per route. A new route without one fails the matrix.
pub(crate) fn policy(route: &str) -> Option<Policy> {
    use Policy::{Active, Company, OwnAccount, Platform, Presented, Public, Store};
    Some(match route {
        "GET /"
        | "GET /livez"
        | "GET /readyz"
        | "GET /.well-known/jwks.json"
        | "GET /api/v1/health"
        | "GET /api/v1/health/live"
        | "GET /api/v1/health/ready"
        | "POST /api/v1/auth/register"
        | "POST /api/v1/auth/login"
        | "GET /docs"
        | "GET /docs/{file}"
        | "GET /api/v1/openapi.json"
        | "POST /api/v1/invitations/inspect" => Public,
        "POST /api/v1/auth/refresh" | "POST /api/v1/auth/logout" => Presented,
        "GET /api/v1/auth/me"
        | "PATCH /api/v1/auth/password"
        | "GET /api/v1/auth/sessions"
        | "DELETE /api/v1/auth/sessions"
        | "DELETE /api/v1/auth/sessions/{id}"
        | "GET /api/v1/auth/tokens"
        | "POST /api/v1/auth/tokens"
        | "DELETE /api/v1/auth/tokens/{id}"
        | "GET /api/v1/organisations"
        | "POST /api/v1/organisations"
        | "POST /api/v1/invitations/accept" => OwnAccount,
        "GET /api/v1/organisations/{id}" | "GET /api/v1/organisations/{id}/members" => Company(Action::ReadMembers),
        "PATCH /api/v1/organisations/{id}" => Company(Action::Rename),
        "DELETE /api/v1/organisations/{id}" => Company(Action::Dissolve),
        "PATCH /api/v1/organisations/{id}/members/{userId}"
        | "DELETE /api/v1/organisations/{id}/members/{userId}"
        | "GET /api/v1/organisations/{id}/invitations"
        | "POST /api/v1/organisations/{id}/invitations"
        | "DELETE /api/v1/organisations/{id}/invitations/{invitationId}" => Company(Action::ManageMembers),
        "GET /api/v1/metrics"
        | "GET /api/v1/metrics/json"
        | "GET /api/v1/platform/users"
        | "PATCH /api/v1/platform/users/{id}"
        | "GET /api/v1/platform/clusters" => Platform,
        "GET /api/v1/engines"
        | "GET /api/v1/limits"
        | "GET /api/v1/stores"
        | "GET /api/v1/stores/availability"
        | "GET /api/v1/operations"
        | "GET /api/v1/events" => Active(Action::ReadStores),
        "POST /api/v1/stores" => Active(Action::CreateStores),
        "GET /api/v1/stores/{id}"
        | "GET /api/v1/stores/{id}/logs"
        | "GET /api/v1/stores/{id}/events"
        | "GET /api/v1/stores/{id}/resources"
        | "GET /api/v1/stores/{id}/upgrade"
        | "GET /api/v1/operations/{id}" => Store(Action::ReadStores),
        "POST /api/v1/stores/{id}/retry"
        | "POST /api/v1/stores/{id}/upgrade"
        | "POST /api/v1/operations/{id}/cancel" => Store(Action::ChangeStores),
        "POST /api/v1/stores/{id}/credentials/reveal" | "POST /api/v1/stores/{id}/credentials/rotate" => {
            Store(Action::UseCredentials)
        }
        "GET /api/v1/audit" | "GET /api/v1/audit/export" => Active(Action::ReadAudit),
        "DELETE /api/v1/stores/{id}" => Store(Action::DeleteStores),
        _ => return None,
    })
}

/// How a request must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Not refused for who asks, whatever else is wrong with it.
    Allowed,
    /// Whatever the route makes of what it was brought.
    ItsOwn,
    /// 401.
    Unauthenticated,
    /// 403 with this code.
    Forbidden(&'static str),
}

impl Verdict {
    /// Whether an answer is this.
    pub(crate) fn is(self, answer: &Answer) -> bool {
        match self {
            Self::Allowed => !matches!(answer.status, 401 | 403 | 429 | 500..) && answer.code != "NOT_FOUND",
            Self::ItsOwn => !matches!(answer.status, 429 | 500..),
            Self::Unauthenticated => answer.status == 401 && answer.code == "UNAUTHORIZED",
            Self::Forbidden(code) => answer.status == 403 && answer.code == code,
        }
    }
}

/// What the tables say.
pub(crate) fn expected(policy: Policy, access: Access, caller: &Caller) -> Verdict {
    match (access, policy) {
        (Access::Open, Policy::Presented) => return Verdict::ItsOwn,
        (Access::Open, _) => return Verdict::Allowed,
        _ => {}
    }
    let Some(standing) = caller.standing() else { return Verdict::Unauthenticated };
    let Some(active) = standing.active else { return Verdict::Forbidden("FORBIDDEN") };
    match (access, &standing.scopes) {
        (Access::Person, Some(_)) => return Verdict::Forbidden("SESSION_REQUIRED"),
        (Access::Scope(scope), Some(scopes)) if !scopes.contains(&scope) => {
            return Verdict::Forbidden("INSUFFICIENT_SCOPE");
        }
        _ => {}
    }
    let by_the_platform = |action: Action| standing.is_administrator && action.is_for_the_platform();
    let allowed = match policy {
        Policy::Public | Policy::Presented | Policy::OwnAccount => true,
        Policy::Active(action) => active.may(action),
        Policy::Store(action) => (standing.inside && active.may(action)) || by_the_platform(action),
        Policy::Platform => standing.is_administrator,
        Policy::Company(action) => standing.in_company.is_some_and(|role| role.may(action)),
    };
    if allowed { Verdict::Allowed } else { Verdict::Forbidden("FORBIDDEN") }
}
