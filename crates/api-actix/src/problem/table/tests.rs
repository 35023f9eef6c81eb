//! The table as a snapshot: whoever changes a status or a code sees it here.

mod bodies;

use jiff::Timestamp;
use shopwright_domain::engine::RotationTarget;
use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::organisation::{Action, Role};
use shopwright_domain::store::StoreState;
use shopwright_domain::{OperationId, Scope, StoreId};
use shopwright_ports::storage::Unique;
use shopwright_ports::testing::engines;

use super::*;

fn line(problem: &Problem) -> String {
    let Row { status, code, retryable, .. } = problem.row;
    let retry = problem.retry.map(|retry| format!("  after {retry:?}")).unwrap_or_default();
    format!("{} {code}{}  {}{retry}", status.as_u16(), if retryable { " (retryable)" } else { "" }, problem.message)
}

fn lines<E: Into<Problem>>(errors: impl IntoIterator<Item = E>) -> String {
    errors.into_iter().map(|error| line(&error.into())).collect::<Vec<_>>().join("\n")
}

fn storage_errors() -> Vec<StorageError> {
    vec![
        StorageError::Unavailable { detail: "pool at db:5432".into(), source: None },
        StorageError::Conflict,
        StorageError::Stale,
        StorageError::LeaseLost,
        StorageError::NotUnique(Unique::StoreHost),
        StorageError::OutOfReach { detail: "a row of another organisation".into() },
        StorageError::Corrupt { table: "stores", column: "state", row: "store-1a2b3c4d".into(), detail: "?".into() },
        StorageError::Internal { detail: "SELECT nothing".into(), source: None },
    ]
}

fn store_errors() -> Vec<StoreServiceError> {
    use StoreServiceError as E;
    let store_id = StoreId::from_random(0x1a2b_3c4d);
    vec![
        E::Forbidden,
        E::NotAllowed { role: Role::Viewer, action: Action::CreateStores },
        E::NotFound("store"),
        E::NotFound("operation"),
        E::NotFound("page"),
        E::NameInUse { name: "teashop".parse().unwrap(), store_id: store_id.clone(), state: StoreState::Ready },
        E::EngineDiffers { store_id, engine: engines::medusa() },
        E::QuotaUsedUp { held: 5, limit: 5 },
        E::Cooldown { until: Timestamp::UNIX_EPOCH },
        E::NotRetryable { state: StoreState::Ready },
        E::NotCancellable { kind: OperationKind::Delete, status: OperationStatus::Running },
        E::NotReady { state: StoreState::Failed },
        E::Busy { kind: OperationKind::Upgrade, operation_id: OperationId::from_random(7) },
        E::NotRotatable { engine: engines::medusa(), target: RotationTarget::Database },
        E::NothingKept,
        E::RevealedTooOften { until: Timestamp::UNIX_EPOCH },
        E::RetriesUsedUp { limit: 3 },
        E::EngineUnavailable("the image holds no plugin".into()),
        E::KeyReused,
        E::KeyInFlight,
        E::AnswerLost,
        E::Changed,
        E::Conflict,
        E::Internal("a secret of ours".into()),
    ]
}

#[test]
fn every_error_of_the_store_service_has_its_line() {
    let errors = store_errors();

    insta::assert_snapshot!(lines(errors), @r#"
    403 FORBIDDEN  This store is not yours
    403 FORBIDDEN  As viewer you may not create stores
    404 STORE_NOT_FOUND  There is no such store
    404 OPERATION_NOT_FOUND  There is no such operation
    404 NOT_FOUND  There is no such page
    409 CONFLICT  You already have a store named `teashop`: store-1a2b3c4d, ready
    409 CONFLICT  Your failed store store-1a2b3c4d has this name and runs medusa: delete it first
    429 STORE_LIMIT_EXCEEDED  5 of 5 stores are in use: delete one first
    429 CREATION_COOLDOWN (retryable)  The next store may be created at 1970-01-01T00:00:00Z  after Until(1970-01-01T00:00:00Z)
    409 CONFLICT  A store that is ready cannot be retried
    409 CONFLICT  A delete that is running cannot be cancelled
    409 STORE_NOT_READY  The store is failed: this can be asked of a store that is ready
    409 OPERATION_RUNNING (retryable)  The store is busy, upgrade runs: wait for its end  after Seconds(5)
    422 NOT_ROTATABLE  A store on medusa has no database password that can be replaced
    409 NOTHING_KEPT  Nothing was kept of the release that the store runs on, so a change could not be taken back
    429 REVEAL_RATE_LIMITED (retryable)  Credentials may be looked at again at 1970-01-01T00:00:00Z  after Until(1970-01-01T00:00:00Z)
    409 CONFLICT  The store was retried 3 times: look at its logs, or delete it
    422 ENGINE_UNAVAILABLE  The image holds no plugin
    422 IDEMPOTENCY_KEY_REUSED  This idempotency key was used for another request
    409 IDEMPOTENCY_KEY_IN_USE (retryable)  A request with this idempotency key is being worked on  after Seconds(1)
    409 IDEMPOTENCY_ANSWER_LOST  The request with this idempotency key was carried out, and its answer is lost
    412 PRECONDITION_FAILED  The store was changed since it was read
    409 CONFLICT (retryable)  The store was changed at the same moment  after Seconds(1)
    500 INTERNAL_ERROR (retryable)  Something went wrong on our side; the log has the details under this request id.
    "#);
}

fn identity_errors() -> Vec<IdentityError> {
    use IdentityError as E;
    vec![
        E::InvalidCredentials,
        E::Unauthorized,
        E::SessionOver,
        E::TooManyAttempts { until: Timestamp::UNIX_EPOCH },
        E::NotAMember,
        E::InvitationOver,
        E::InvitationForAnother,
        E::TooManyRegistrations { until: Timestamp::UNIX_EPOCH },
        E::NoSuchSession,
        E::NoSuchApiToken,
        E::TooManyApiTokens { limit: 50 },
        E::ScopeNotYours(Scope::PlatformAdmin),
        E::Locked { until: Timestamp::UNIX_EPOCH },
        E::UserExists,
        E::WrongPassword,
        E::CommonPassword,
        E::Busy,
        E::RegistrationClosed,
        E::Internal("a secret of ours".into()),
    ]
}

#[test]
fn every_error_of_the_identity_service_has_its_line() {
    let errors = identity_errors();

    insta::assert_snapshot!(lines(errors), @r#"
    401 INVALID_CREDENTIALS  E-mail or password is wrong
    401 UNAUTHORIZED  Sign in first
    401 SESSION_OVER  The session is over: sign in again
    429 LOGIN_RATE_LIMITED (retryable)  Too many attempts to sign in: try again at 1970-01-01T00:00:00Z  after Until(1970-01-01T00:00:00Z)
    403 FORBIDDEN  You are no member of this organisation
    404 INVITATION_NOT_FOUND  This invitation cannot be accepted: it is unknown, used, taken back or expired
    403 INVITATION_FOR_ANOTHER  This invitation is for another e-mail address
    429 REGISTRATION_RATE_LIMITED (retryable)  Too many registrations from this address: try again at 1970-01-01T00:00:00Z  after Until(1970-01-01T00:00:00Z)
    404 SESSION_NOT_FOUND  There is no such session
    404 API_TOKEN_NOT_FOUND  There is no such API token
    409 API_TOKEN_LIMIT_EXCEEDED  50 API tokens are in use: revoke one first
    403 FORBIDDEN  The scope platform:admin can only be given by a platform administrator
    423 ACCOUNT_LOCKED (retryable)  The account is locked until 1970-01-01T00:00:00Z  after Until(1970-01-01T00:00:00Z)
    409 USER_EXISTS  An account with this e-mail or username exists
    422 INVALID_PASSWORD  The current password is wrong
    400 VALIDATION_ERROR  this password is one that everybody tries first, or repeats your name: choose another, longer ones are better
    503 SERVICE_UNAVAILABLE (retryable)  The service cannot answer right now.  after Seconds(2)
    403 REGISTRATION_CLOSED  Registration is closed
    500 INTERNAL_ERROR (retryable)  Something went wrong on our side; the log has the details under this request id.
    "#);
}

#[test]
fn errors_of_the_database_say_nothing_about_it() {
    insta::assert_snapshot!(lines(storage_errors().into_iter().map(StoreServiceError::Storage)), @r#"
    503 SERVICE_UNAVAILABLE (retryable)  The service cannot answer right now.  after Seconds(2)
    503 SERVICE_UNAVAILABLE (retryable)  The service cannot answer right now.  after Seconds(2)
    500 INTERNAL_ERROR (retryable)  Something went wrong on our side; the log has the details under this request id.
    500 INTERNAL_ERROR (retryable)  Something went wrong on our side; the log has the details under this request id.
    500 INTERNAL_ERROR (retryable)  Something went wrong on our side; the log has the details under this request id.
    500 INTERNAL_ERROR (retryable)  Something went wrong on our side; the log has the details under this request id.
    500 NOT_READABLE_HERE (retryable)  This version of the service cannot read what was stored.
    500 INTERNAL_ERROR (retryable)  Something went wrong on our side; the log has the details under this request id.
    "#);
    assert_eq!(
        lines(storage_errors().into_iter().map(StoreServiceError::Storage)),
        lines(storage_errors().into_iter().map(IdentityError::Storage)),
        "both services answer alike"
    );
}

#[test]
fn the_log_gets_the_whole_chain() {
    let source = std::io::Error::other("connection reset");
    let error = StorageError::Internal { detail: "insert a store".into(), source: Some(Box::new(source)) };

    let problem = Problem::from(StoreServiceError::Storage(error));

    assert_eq!(problem.cause.as_deref(), Some("storage: insert a store: connection reset"));
}
