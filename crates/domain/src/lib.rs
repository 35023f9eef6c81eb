//! The rules of Shopwright, and nothing else.
//!
//! This crate decides; it never acts. There is no I/O, no async, no clock and no random source in it: the time and the random numbers
//! that a rule needs are arguments. Another Rust service can embed it to reason about stores the way the control plane does.
//!
//! ```
//! use jiff::{SignedDuration, Timestamp};
//! use shopwright_domain::error_code::ErrorCode;
//! use shopwright_domain::operation::OperationKind;
//! use shopwright_domain::saga::{Directive, Policy, SagaLog, StepError, plan};
//! use shopwright_domain::store::{StoreEvent, StoreState};
//!
//! // A store moves only by events; what is not an edge of the machine is an error that names both ends.
//! let state = StoreState::Requested.apply(StoreEvent::ProvisioningStarted)?;
//! assert_eq!(state, StoreState::Provisioning);
//! assert!(StoreState::Deleted.apply(StoreEvent::Retried).is_err());
//!
//! // A saga is a log; `plan::next` says what to do with it.
//! let policy = Policy::default();
//! let now = Timestamp::UNIX_EPOCH;
//! let mut log = SagaLog::new(OperationKind::Provision);
//! let Directive::Run { step } = plan::next(&log, now, &policy) else { panic!("a new saga runs its first step") };
//!
//! // The step fails for a reason that may pass: the plan is to wait, with jitter, and then to run it again.
//! log.start(step, now)?;
//! log.fail(step, StepError::new(ErrorCode::ImagePull, "no such image"), now, &policy, 0.5)?;
//! assert!(matches!(plan::next(&log, now, &policy), Directive::Wait { .. }));
//! assert_eq!(plan::next(&log, now + SignedDuration::from_secs(2), &policy), Directive::Run { step });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`store`] | the store, its name, host and state machine |
//! | [`engine`] | what the platform knows of the software that runs in stores |
//! | [`operation`] | what runs on a store: kind, status, who may touch it |
//! | [`saga`] | the ordered steps of an operation and the plan |
//! | [`error_code`] | every reason for a failure, and who must act |
//! | [`backoff`], [`breaker`], [`limits`], [`retry_budget`] | guardrails as values that take the time |
//! | [`network`], [`plans`] | whose address a request has; what an organisation may take |
//! | [`sweep`] | which namespaces should not be there |
//! | [`identity`], [`scope`] | people, and what a program may do in their name |
//! | [`organisation`] | roles, and the one table of what each may do |
//! | [`audit`] | what is written down about every change |

pub mod audit;
pub mod backoff;
pub mod breaker;
pub mod engine;
pub mod error_code;
pub mod identity;
pub mod ids;
pub mod limits;
pub mod network;
pub mod operation;
pub mod organisation;
pub mod plans;
pub mod retry_budget;
pub mod saga;
pub mod scope;
pub mod store;
pub mod sweep;

pub use error_code::{ErrorClass, ErrorCode};
pub use ids::{
    ApiTokenId, ClusterName, Epoch, InvitationId, OperationId, RequestId, RowVersion, SessionId, StoreId, TenantId,
    UserId, WorkerId,
};
pub use scope::Scope;
