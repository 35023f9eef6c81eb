//! Sagas: the ordered steps of an operation, the log of what became of them, and the plan that reads it.
//!
//! The executor does what [`plan::next`] says and writes down what happened; it decides nothing. Every step may run more than once
//! (a crash between effect and record repeats it), so every step is idempotent. There is no undo log: what a provision leaves behind
//! is removed by the unwind saga (cancel) or the delete saga, which tolerate the absence of everything (`docs/adr/0002`); what a rotation or
//! an upgrade did to a store that is ready is taken back by the revert saga (`docs/adr/0011`).

mod log;
pub mod plan;
mod policy;
mod step;

pub use log::{IllegalStepEvent, SagaLog, StepError, StepEvent, StepRecord, StepStatus};
pub use plan::{Directive, WaitReason};
pub use policy::Policy;
pub use step::{DeleteStep, ProvisionStep, RevertStep, RotateStep, Step, UnwindStep, UpgradeStep};
