//! The status table: every error that the driving ports can give, as status, code, retryability and advice.

use std::error::Error;

use actix_web::http::StatusCode;
use shopwright_ports::audit_api::AuditServiceError;
use shopwright_ports::gate_api::PromiseError;
use shopwright_ports::identity_api::IdentityError;
use shopwright_ports::organisations_api::OrganisationError;
use shopwright_ports::platform_api::PlatformError;
use shopwright_ports::storage::StorageError;
use shopwright_ports::stores_api::StoreServiceError;

use super::{Problem, Retry, Row};

const fn row(status: StatusCode, code: &'static str, retryable: bool, suggestion: Option<&'static str>) -> Row {
    Row { status, code, retryable, suggestion }
}

pub(crate) const VALIDATION: Row =
    row(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", false, Some("Correct the fields named in `details`."));
pub(crate) const INVALID_JSON: Row =
    row(StatusCode::BAD_REQUEST, "INVALID_JSON", false, Some("Send one JSON object, encoded as UTF-8."));
pub(crate) const BODY_UNREADABLE: Row =
    row(StatusCode::BAD_REQUEST, "INVALID_BODY", false, Some("Send the whole body that the headers announce."));
pub(crate) const UNAUTHORIZED: Row = row(
    StatusCode::UNAUTHORIZED,
    "UNAUTHORIZED",
    false,
    Some("Sign in, and send the token as `Authorization: Bearer`."),
);
pub(crate) const SESSION_OVER: Row = row(StatusCode::UNAUTHORIZED, "SESSION_OVER", false, Some("Sign in again."));
pub(crate) const CROSS_SITE: Row = row(
    StatusCode::FORBIDDEN,
    "CROSS_SITE_REQUEST",
    false,
    Some("Send the request from a page of this server, or the refresh token in the body."),
);
pub(crate) const INSUFFICIENT_SCOPE: Row =
    row(StatusCode::FORBIDDEN, "INSUFFICIENT_SCOPE", false, Some("Make an API token with this scope, or sign in."));
pub(crate) const PERSON_REQUIRED: Row =
    row(StatusCode::FORBIDDEN, "SESSION_REQUIRED", false, Some("Sign in, and send that access token."));
pub(crate) const NOT_FOUND: Row =
    row(StatusCode::NOT_FOUND, "NOT_FOUND", false, Some("Check the method and the path."));
pub(crate) const SLOW_BODY: Row =
    row(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", true, Some("Send the body without pauses."));
pub(crate) const PAYLOAD_TOO_LARGE: Row =
    row(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", false, Some("Send a smaller body."));
pub(crate) const ENCODING_UNSUPPORTED: Row = row(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "UNSUPPORTED_MEDIA_TYPE",
    false,
    Some("Send the body without a Content-Encoding."),
);
pub(crate) const TIMED_OUT: Row = row(
    StatusCode::SERVICE_UNAVAILABLE,
    "REQUEST_TIMEOUT",
    true,
    Some("Look whether the request had its effect before repeating it, or repeat it with the same Idempotency-Key."),
);
pub(crate) const TOO_MANY_STREAMS: Row = row(
    StatusCode::TOO_MANY_REQUESTS,
    "TOO_MANY_STREAMS",
    true,
    Some("Close a stream that is not needed any more; one `GET /events` shows all stores."),
);
pub(crate) const RATE_LIMITED: Row =
    row(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMIT_EXCEEDED", true, Some("Wait as long as `Retry-After` says."));
pub(crate) const PRECONDITION_FAILED: Row = row(
    StatusCode::PRECONDITION_FAILED,
    "PRECONDITION_FAILED",
    false,
    Some("Read it again, and send the ETag that comes with it as `If-Match`."),
);
const KEY_IN_USE: Row = row(StatusCode::CONFLICT, "IDEMPOTENCY_KEY_IN_USE", true, Some(AGAIN));
const ANSWER_LOST: Row = row(
    StatusCode::CONFLICT,
    "IDEMPOTENCY_ANSWER_LOST",
    false,
    Some("Look at what the request was about before making it anew."),
);
const KEY_REUSED: Row = row(
    StatusCode::UNPROCESSABLE_ENTITY,
    "IDEMPOTENCY_KEY_REUSED",
    false,
    Some("Use a new Idempotency-Key for a new request."),
);
pub(crate) const SHUTTING_DOWN: Row = row(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", true, Some(AGAIN));
pub(crate) const INTERNAL: Row = row(
    StatusCode::INTERNAL_SERVER_ERROR,
    "INTERNAL_ERROR",
    true,
    Some("Try again; if it happens again, report it with the request id."),
);

/// While two versions share a database, a row of the newer one.
const UNREADABLE: Row = row(
    StatusCode::INTERNAL_SERVER_ERROR,
    "NOT_READABLE_HERE",
    true,
    Some(
        "A newer version made this; another server may be able to answer. Try again, or report it with the request id.",
    ),
);
const UNAVAILABLE: Row = SHUTTING_DOWN;
pub(crate) const OVERLOADED: Row = SHUTTING_DOWN;
const AGAIN: &str = "Try again in a moment.";
const FORBIDDEN: Row = row(StatusCode::FORBIDDEN, "FORBIDDEN", false, Some("Check the id, or sign in as its owner."));

/// The role in the organisation is not enough.
const NOT_ALLOWED: Row = row(
    StatusCode::FORBIDDEN,
    "FORBIDDEN",
    false,
    Some("Ask an owner or administrator of the organisation for a role that may."),
);
/// Something that is for those who run the platform.
const NOT_AN_ADMINISTRATOR: Row = row(
    StatusCode::FORBIDDEN,
    "FORBIDDEN",
    false,
    Some("Sign in as a platform administrator, or send an API token of one that has the scope platform:admin."),
);
/// No member of the organisation, or there is none.
const NOT_A_MEMBER: Row = row(
    StatusCode::FORBIDDEN,
    "FORBIDDEN",
    false,
    Some("Check the id of the organisation: GET /api/v1/organisations lists yours."),
);
const INVITATION_OVER: Row =
    row(StatusCode::NOT_FOUND, "INVITATION_NOT_FOUND", false, Some("Ask for another invitation."));
const INVITATION_FOR_ANOTHER: Row = row(
    StatusCode::FORBIDDEN,
    "INVITATION_FOR_ANOTHER",
    false,
    Some("Use the account of the address that was invited."),
);

const fn conflict(suggestion: &'static str) -> Row {
    row(StatusCode::CONFLICT, "CONFLICT", false, Some(suggestion))
}

/// Errors of the database, wherever they come from.
const fn of_storage(error: &StorageError) -> Row {
    match error {
        StorageError::Unavailable { .. } | StorageError::Conflict => UNAVAILABLE,
        StorageError::Corrupt { .. } => UNREADABLE,
        StorageError::Stale
        | StorageError::LeaseLost
        | StorageError::NotUnique(_)
        | StorageError::OutOfReach { .. }
        | StorageError::Internal { .. } => INTERNAL,
    }
}

fn of_stores(error: &StoreServiceError) -> Row {
    use StoreServiceError as E;
    match error {
        E::Forbidden => FORBIDDEN,
        E::NotAllowed { .. } => NOT_ALLOWED,
        E::NotFound("store") => row(StatusCode::NOT_FOUND, "STORE_NOT_FOUND", false, Some("Check the store's id.")),
        E::NotFound("operation") => {
            row(StatusCode::NOT_FOUND, "OPERATION_NOT_FOUND", false, Some("Check the operation's id."))
        }
        E::NotFound(_) => NOT_FOUND,
        E::NameInUse { .. } => conflict("Choose another name, or go on with the store that has this one."),
        E::EngineDiffers { .. } => conflict("Delete the failed store, or choose another name."),
        E::QuotaUsedUp { .. } => row(
            StatusCode::TOO_MANY_REQUESTS,
            "STORE_LIMIT_EXCEEDED",
            false,
            Some("Delete a store that is not needed any more."),
        ),
        E::Cooldown { .. } => {
            row(StatusCode::TOO_MANY_REQUESTS, "CREATION_COOLDOWN", true, Some("Wait, then create the store."))
        }
        E::NotRetryable { .. } => conflict("Retry a store only while its status is `failed`."),
        E::NotCancellable { .. } => {
            conflict("Cancel a provision only while it is not finished; delete the store to be rid of it.")
        }
        E::NotReady { .. } => row(
            StatusCode::CONFLICT,
            "STORE_NOT_READY",
            false,
            Some("Ask for this while the store's status is `ready`."),
        ),
        E::Busy { .. } => row(
            StatusCode::CONFLICT,
            "OPERATION_RUNNING",
            true,
            Some("Wait for the operation that runs, then ask again."),
        ),
        E::NotRotatable { .. } => row(
            StatusCode::UNPROCESSABLE_ENTITY,
            "NOT_ROTATABLE",
            false,
            Some("`GET /engines` says what an engine can replace."),
        ),
        E::NothingKept => row(
            StatusCode::CONFLICT,
            "NOTHING_KEPT",
            false,
            Some("Create the store anew: it was made by a version that kept no releases."),
        ),
        E::RevealedTooOften { .. } => {
            row(StatusCode::TOO_MANY_REQUESTS, "REVEAL_RATE_LIMITED", true, Some("Wait, then look again."))
        }
        E::RetriesUsedUp { .. } => {
            conflict("Read the store's logs for the cause; delete the store and create it anew.")
        }
        E::EngineUnavailable(_) => row(
            StatusCode::UNPROCESSABLE_ENTITY,
            "ENGINE_UNAVAILABLE",
            false,
            Some("Choose another engine, or ask the platform's operator to make this one available."),
        ),
        E::KeyReused => KEY_REUSED,
        E::AnswerLost => ANSWER_LOST,
        E::Changed => PRECONDITION_FAILED,
        E::KeyInFlight => KEY_IN_USE,
        E::Conflict => Row { retryable: true, ..conflict(AGAIN) },
        E::Storage(error) => of_storage(error),
        E::Internal(_) => INTERNAL,
    }
}

const fn of_identity(error: &IdentityError) -> Row {
    use IdentityError as E;
    match error {
        E::InvalidCredentials => {
            row(StatusCode::UNAUTHORIZED, "INVALID_CREDENTIALS", false, Some("Check e-mail and password."))
        }
        E::Unauthorized => UNAUTHORIZED,
        E::SessionOver => SESSION_OVER,
        E::TooManyAttempts { .. } => {
            row(StatusCode::TOO_MANY_REQUESTS, "LOGIN_RATE_LIMITED", true, Some("Wait, then sign in."))
        }
        E::NotAMember => NOT_A_MEMBER,
        E::InvitationOver => INVITATION_OVER,
        E::InvitationForAnother => INVITATION_FOR_ANOTHER,
        E::TooManyRegistrations { .. } => {
            row(StatusCode::TOO_MANY_REQUESTS, "REGISTRATION_RATE_LIMITED", true, Some("Wait, then register."))
        }
        E::NoSuchSession => {
            row(StatusCode::NOT_FOUND, "SESSION_NOT_FOUND", false, Some("Look at the list of sessions."))
        }
        E::NoSuchApiToken => {
            row(StatusCode::NOT_FOUND, "API_TOKEN_NOT_FOUND", false, Some("Look at the list of API tokens."))
        }
        E::TooManyApiTokens { .. } => row(
            StatusCode::CONFLICT,
            "API_TOKEN_LIMIT_EXCEEDED",
            false,
            Some("Revoke a token that is not needed any more."),
        ),
        E::ScopeNotYours(_) => row(StatusCode::FORBIDDEN, "FORBIDDEN", false, Some("Leave this scope out.")),
        E::Locked { .. } => row(StatusCode::LOCKED, "ACCOUNT_LOCKED", true, Some("Wait, then sign in.")),
        E::UserExists => {
            row(StatusCode::CONFLICT, "USER_EXISTS", false, Some("Sign in, or register another e-mail and username."))
        }
        E::CommonPassword => VALIDATION,
        // Not 401: the dashboard signs out on every 401.
        E::WrongPassword => {
            row(StatusCode::UNPROCESSABLE_ENTITY, "INVALID_PASSWORD", false, Some("Enter the current password again."))
        }
        E::Busy | E::IssuerUnavailable => UNAVAILABLE,
        E::RegistrationClosed => row(
            StatusCode::FORBIDDEN,
            "REGISTRATION_CLOSED",
            false,
            Some("Ask the platform's operator for an account."),
        ),
        E::Storage(error) => of_storage(error),
        E::Internal(_) => INTERNAL,
    }
}

const fn of_organisations(error: &OrganisationError) -> Row {
    use OrganisationError as E;
    match error {
        E::NotAMember => NOT_A_MEMBER,
        E::NotAllowed { .. } => NOT_ALLOWED,
        E::LastOwner => row(StatusCode::CONFLICT, "LAST_OWNER", false, Some("Make another member an owner first.")),
        E::Personal => conflict("Delete the account to be rid of it."),
        E::HasStores { .. } => {
            row(StatusCode::CONFLICT, "ORGANISATION_HAS_STORES", false, Some("Delete its stores first."))
        }
        E::NoSuchMember => row(StatusCode::NOT_FOUND, "MEMBER_NOT_FOUND", false, Some("Look at the list of members.")),
        E::NoSuchInvitation => {
            row(StatusCode::NOT_FOUND, "INVITATION_NOT_FOUND", false, Some("Look at the list of invitations."))
        }
        E::InvitationOver => INVITATION_OVER,
        E::InvitationForAnother => INVITATION_FOR_ANOTHER,
        E::AlreadyMember => row(StatusCode::CONFLICT, "ALREADY_MEMBER", false, Some("Nothing is left to do.")),
        E::TooMany { .. } => row(
            StatusCode::CONFLICT,
            "ORGANISATION_LIMIT_EXCEEDED",
            false,
            Some("Leave, remove or take back what is not needed any more."),
        ),
        E::Storage(error) => of_storage(error),
    }
}

const fn of_platform(error: &PlatformError) -> Row {
    use PlatformError as E;
    match error {
        E::NotAdministrator => NOT_AN_ADMINISTRATOR,
        E::NoSuchUser => row(StatusCode::NOT_FOUND, "USER_NOT_FOUND", false, Some("Look at the list of users.")),
        E::OwnAccount => {
            row(StatusCode::CONFLICT, "OWN_ACCOUNT", false, Some("Ask another platform administrator to do it."))
        }
        E::LastAdministrator => row(
            StatusCode::CONFLICT,
            "LAST_ADMINISTRATOR",
            false,
            Some("Let another platform administrator be active first."),
        ),
        E::Storage(error) => of_storage(error),
        E::Internal(_) => INTERNAL,
    }
}

/// The error and everything under it, for the log.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

/// The words of an error as a sentence.
fn sentence(error: &dyn Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The problem of a row: in the error's own words below 500, else in none of them.
fn of_row(row: Row, error: &dyn Error) -> Problem {
    if row == INTERNAL {
        return Problem::internal(chain(error));
    }
    if row == UNREADABLE {
        return Problem::new(row, "This version of the service cannot read what was stored.").cause(chain(error));
    }
    if row == UNAVAILABLE {
        let problem = Problem::new(row, "The service cannot answer right now.");
        return problem.cause(chain(error)).retry(Retry::Seconds(2));
    }
    Problem::new(row, sentence(error))
}

impl From<StoreServiceError> for Problem {
    fn from(error: StoreServiceError) -> Self {
        let problem = of_row(of_stores(&error), &error);
        match &error {
            StoreServiceError::NameInUse { store_id, state, .. } => {
                problem.with("storeId", store_id.as_str()).with("status", state.as_str())
            }
            StoreServiceError::EngineDiffers { store_id, engine } => {
                problem.with("storeId", store_id.as_str()).with("engine", engine.as_str())
            }
            StoreServiceError::QuotaUsedUp { held, limit } => problem.with("held", *held).with("limit", *limit),
            StoreServiceError::Cooldown { until } | StoreServiceError::RevealedTooOften { until } => {
                problem.retry(Retry::Until(*until))
            }
            StoreServiceError::NotRetryable { state } | StoreServiceError::NotReady { state } => {
                problem.with("status", state.as_str())
            }
            StoreServiceError::NotCancellable { kind, status } => {
                problem.with("kind", kind.as_str()).with("status", status.as_str())
            }
            StoreServiceError::Busy { kind, operation_id } => problem
                .with("kind", kind.as_str())
                .with("operationId", operation_id.to_string())
                .retry(Retry::Seconds(5)),
            StoreServiceError::NotRotatable { engine, target } => {
                problem.with("engine", engine.as_str()).with("target", target.as_str())
            }
            StoreServiceError::RetriesUsedUp { limit } => problem.with("limit", *limit),
            StoreServiceError::KeyInFlight | StoreServiceError::Conflict => problem.retry(Retry::Seconds(1)),
            StoreServiceError::NotAllowed { role, .. } => problem.with("role", role.as_str()),
            StoreServiceError::Forbidden
            | StoreServiceError::NotFound(_)
            | StoreServiceError::NothingKept
            | StoreServiceError::EngineUnavailable(_)
            | StoreServiceError::KeyReused
            | StoreServiceError::AnswerLost
            | StoreServiceError::Changed
            | StoreServiceError::Storage(_)
            | StoreServiceError::Internal(_) => problem,
        }
    }
}

impl From<AuditServiceError> for Problem {
    fn from(error: AuditServiceError) -> Self {
        match &error {
            AuditServiceError::NotAllowed { role, .. } => {
                let role = role.as_str();
                of_row(NOT_ALLOWED, &error).with("role", role)
            }
            AuditServiceError::Storage(storage) => of_row(of_storage(storage), &error),
        }
    }
}

impl From<PromiseError> for Problem {
    fn from(error: PromiseError) -> Self {
        match &error {
            PromiseError::Reused => of_row(KEY_REUSED, &error),
            PromiseError::InFlight => of_row(KEY_IN_USE, &error).retry(Retry::Seconds(1)),
            PromiseError::Lost => of_row(ANSWER_LOST, &error),
            PromiseError::Storage(storage) => of_row(of_storage(storage), &error),
        }
    }
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        if matches!(error, IdentityError::CommonPassword) {
            return Self::common_password("password", &error);
        }
        let problem = of_row(of_identity(&error), &error);
        match error {
            IdentityError::Locked { until }
            | IdentityError::TooManyAttempts { until }
            | IdentityError::TooManyRegistrations { until } => problem.retry(Retry::Until(until)),
            IdentityError::TooManyApiTokens { limit } => problem.with("limit", limit),
            IdentityError::ScopeNotYours(scope) => problem.with("scope", scope.as_str()),
            IdentityError::InvalidCredentials
            | IdentityError::Unauthorized
            | IdentityError::SessionOver
            | IdentityError::NotAMember
            | IdentityError::InvitationOver
            | IdentityError::InvitationForAnother
            | IdentityError::NoSuchSession
            | IdentityError::NoSuchApiToken
            | IdentityError::UserExists
            | IdentityError::WrongPassword
            | IdentityError::CommonPassword
            | IdentityError::Busy
            | IdentityError::IssuerUnavailable
            | IdentityError::RegistrationClosed
            | IdentityError::Storage(_)
            | IdentityError::Internal(_) => problem,
        }
    }
}

impl From<OrganisationError> for Problem {
    fn from(error: OrganisationError) -> Self {
        let problem = of_row(of_organisations(&error), &error);
        match error {
            OrganisationError::NotAllowed { role, .. } => problem.with("role", role.as_str()),
            OrganisationError::HasStores { held } => problem.with("held", held),
            OrganisationError::TooMany { limit, .. } => problem.with("limit", limit),
            OrganisationError::NotAMember
            | OrganisationError::LastOwner
            | OrganisationError::Personal
            | OrganisationError::NoSuchMember
            | OrganisationError::NoSuchInvitation
            | OrganisationError::InvitationOver
            | OrganisationError::InvitationForAnother
            | OrganisationError::AlreadyMember
            | OrganisationError::Storage(_) => problem,
        }
    }
}

impl From<PlatformError> for Problem {
    fn from(error: PlatformError) -> Self {
        of_row(of_platform(&error), &error)
    }
}

#[cfg(test)]
mod tests;
