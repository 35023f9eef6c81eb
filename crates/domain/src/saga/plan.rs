//! Every decision about a saga, as one pure function of its log and the time.

use jiff::Timestamp;

use crate::error_code::{ErrorCode, Handling};
use crate::operation::OperationKind;
use crate::saga::{Policy, SagaLog, Step, StepRecord, StepStatus};
use crate::store::Failure;

/// What to do with an operation now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directive {
    /// Run this step: for the first time, again, or once more after a crash.
    Run {
        /// The step to run.
        step: Step,
    },
    /// Put it back until `until`.
    Wait {
        /// When it may go on.
        until: Timestamp,
        /// What kind of waiting it is.
        reason: WaitReason,
        /// What it waits for.
        failure: Failure,
    },
    /// Every step is done.
    Complete,
    /// Give up.
    Fail {
        /// The step at which a retry goes on.
        step: Step,
        /// Why.
        failure: Failure,
    },
}

/// Why an operation waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    /// The next attempt comes by itself.
    Backoff,
    /// The platform is not available; this costs nothing.
    Platform,
    /// A person has to remove the cause.
    Stuck,
}

/// Decides.
///
/// - The first step that is not done is the one in question; a step that was begun and not recorded is run again.
/// - Errors that cost an attempt are retried with back-off until `max_attempts`; then an operation that gives up fails, while any other is
///   shown as stuck and goes on trying.
/// - Errors that are not the store's fault are waited out, without limit.
/// - A step past its deadline fails the operation, with the last reason that was seen; time in outages does not count.
pub fn next(log: &SagaLog, now: Timestamp, policy: &Policy) -> Directive {
    let Some(record) = log.current() else { return Directive::Complete };
    let step = record.step;
    // A lost namespace sends the saga back to an earlier step, but its attempts are counted where it was noticed.
    let verdict = log.records().iter().find(|record| record.status == StepStatus::Failed).unwrap_or(record);
    let (StepStatus::Failed, Some(error)) = (verdict.status, verdict.error.as_ref()) else {
        return Directive::Run { step };
    };

    let failure = Failure { code: error.code, detail: error.detail.clone() };
    let handling = error.code.handling();
    if handling == Handling::Fail {
        return Directive::Fail { step: verdict.step, failure };
    }
    if handling == Handling::Attempt && log.kind().gives_up() && verdict.attempts >= policy.attempts(verdict.step) {
        return Directive::Fail { step: verdict.step, failure };
    }
    if is_overdue(verdict, now, policy) {
        let failure = match log.kind() {
            OperationKind::Provision | OperationKind::Rotate | OperationKind::Upgrade | OperationKind::Revert => {
                failure
            }
            OperationKind::Delete | OperationKind::Unwind => {
                Failure { code: ErrorCode::DeleteStuck, detail: failure.detail }
            }
        };
        return Directive::Fail { step: verdict.step, failure };
    }
    match verdict.not_before {
        Some(until) if until > now => {
            Directive::Wait { until, reason: wait_reason(verdict, error.code, policy), failure }
        }
        _ => Directive::Run { step },
    }
}

/// An outage that still lasts cannot make a step overdue.
fn is_overdue(record: &StepRecord, now: Timestamp, policy: &Policy) -> bool {
    let outage = record.error.as_ref().is_some_and(|error| error.code.is_outage());
    !outage && record.spent(now) > policy.deadline(record.step)
}

fn wait_reason(record: &StepRecord, code: ErrorCode, policy: &Policy) -> WaitReason {
    match code.handling() {
        _ if matches!(code, ErrorCode::DeleteBlocked | ErrorCode::Poisoned) => WaitReason::Stuck,
        Handling::Wait => WaitReason::Platform,
        Handling::Attempt | Handling::Fail => {
            if !record.step.kind().gives_up() && record.attempts >= policy.stuck_after {
                WaitReason::Stuck
            } else {
                WaitReason::Backoff
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::saga::{DeleteStep, ProvisionStep, StepError};

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn after(seconds: i64) -> Timestamp {
        START + SignedDuration::from_secs(seconds)
    }

    fn failed_at(step: Step, code: ErrorCode, times: u32, now: Timestamp) -> SagaLog {
        let mut log = SagaLog::new(step.kind());
        for earlier in step.kind().steps().iter().take_while(|earlier| **earlier != step) {
            log.start(*earlier, START).unwrap();
            log.succeed(*earlier, START).unwrap();
        }
        for _ in 0..times {
            log.start(step, now).unwrap();
            log.fail(step, StepError::new(code, "why"), now, &Policy::default(), 0.5).unwrap();
        }
        log
    }

    const INSTALL: Step = Step::Provision(ProvisionStep::InstallRelease);
    const GONE: Step = Step::Delete(DeleteStep::VerifyGone);

    #[test]
    fn a_step_that_was_begun_and_not_recorded_runs_again() {
        let mut log = SagaLog::new(OperationKind::Provision);
        let step = OperationKind::Provision.steps()[0];

        log.start(step, START).unwrap();

        assert_eq!(next(&log, after(1), &Policy::default()), Directive::Run { step });
    }

    #[test]
    fn the_third_failure_of_a_step_fails_a_provision() {
        let two = failed_at(INSTALL, ErrorCode::ReleaseFailed, 2, START);
        let three = failed_at(INSTALL, ErrorCode::ReleaseFailed, 3, START);

        assert_eq!(next(&two, after(60), &Policy::default()), Directive::Run { step: INSTALL });
        assert!(matches!(next(&three, after(60), &Policy::default()), Directive::Fail { step: INSTALL, .. }));
    }

    #[test]
    fn an_outage_of_days_fails_nothing() {
        let log = failed_at(INSTALL, ErrorCode::ClusterUnreachable, 500, START);
        let Directive::Wait { reason, .. } = next(&log, START, &Policy::default()) else {
            panic!("an outage is waited out")
        };

        assert_eq!(reason, WaitReason::Platform);
        assert_eq!(next(&log, after(10 * 24 * 3600), &Policy::default()), Directive::Run { step: INSTALL });
    }

    #[test]
    fn the_deadline_stands_still_in_an_outage() {
        let policy = Policy::default();
        let mut log = failed_at(INSTALL, ErrorCode::ClusterUnreachable, 1, after(10));

        log.start(INSTALL, after(100_000)).unwrap();
        log.fail(INSTALL, StepError::new(ErrorCode::ReleaseFailed, "why"), after(100_001), &policy, 0.5).unwrap();

        assert_eq!(log.record(INSTALL).unwrap().spent(after(100_001)), SignedDuration::from_secs(1));
        assert!(matches!(next(&log, after(100_001), &policy), Directive::Wait { .. }));
    }

    #[test]
    fn a_delete_is_stuck_rather_than_failed_until_its_deadline() {
        let log = failed_at(GONE, ErrorCode::DeleteBlocked, 20, START);
        let policy = Policy::default();

        assert!(matches!(next(&log, START, &policy), Directive::Wait { reason: WaitReason::Stuck, .. }));
        assert_eq!(next(&log, after(3000), &policy), Directive::Run { step: GONE });
        let Directive::Fail { failure, .. } = next(&log, after(3700), &policy) else { panic!("an hour is enough") };
        assert_eq!(failure.code, ErrorCode::DeleteStuck);
    }

    #[test]
    fn a_lost_namespace_is_made_again_and_counts() {
        let mut log = failed_at(Step::Provision(ProvisionStep::AwaitWorkloads), ErrorCode::NamespaceLost, 1, START);
        let first = OperationKind::Provision.steps()[0];

        assert_eq!(next(&log, after(60), &Policy::default()), Directive::Run { step: first });
        log.start(first, after(60)).unwrap();
        log.succeed(first, after(61)).unwrap();
        assert_eq!(log.current().unwrap().step, OperationKind::Provision.steps()[1]);
    }

    #[test]
    fn a_resumed_log_goes_on_at_the_step_that_failed() {
        let log = failed_at(INSTALL, ErrorCode::ReleaseFailed, 3, START).resumed();

        assert_eq!(next(&log, after(1), &Policy::default()), Directive::Run { step: INSTALL });
        assert_eq!(log.record(INSTALL).unwrap().attempts, 0);
    }

    #[derive(Debug, Clone, Copy)]
    enum Fault {
        None,
        Crash,
        Code(usize),
    }

    fn fault() -> impl Strategy<Value = Fault> {
        prop_oneof![3 => Just(Fault::None), 1 => Just(Fault::Crash), 2 => (0..ErrorCode::ALL.len()).prop_map(Fault::Code)]
    }

    proptest! {
        /// Whatever goes wrong in whatever order, a saga whose faults end comes to an end, and no step is skipped.
        #[test]
        fn every_run_ends(kind in (0..OperationKind::ALL.len()).prop_map(|index| OperationKind::ALL[index]), faults in prop::collection::vec(fault(), 0..80), unit in 0.0f64..1.0) {
            let policy = Policy::default();
            let mut log = SagaLog::new(kind);
            let mut faults = faults.into_iter();
            let mut now = START;
            let mut done: Vec<Step> = Vec::new();

            let end = loop {
                match next(&log, now, &policy) {
                    Directive::Run { step } => {
                        log.start(step, now).unwrap();
                        now += SignedDuration::from_millis(200);
                        match faults.next().unwrap_or(Fault::None) {
                            Fault::None => { log.succeed(step, now).unwrap(); done.retain(|other| *other != step); done.push(step); }
                            Fault::Crash => log.crash(step, now, &policy, unit).unwrap(),
                            Fault::Code(index) => log.fail(step, StepError::new(ErrorCode::ALL[index], "x"), now, &policy, unit).unwrap(),
                        }
                    }
                    Directive::Wait { until, .. } => { prop_assert!(until > now); now = until; }
                    Directive::Complete => break true,
                    Directive::Fail { .. } => break false,
                }
            };

            if end { prop_assert_eq!(done, kind.steps().to_vec()); }
        }
    }
}
