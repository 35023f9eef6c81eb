//! The last moment at which something still holds, and the first at which it does not.

#![expect(clippy::unwrap_used, reason = "what helps a test fails like one")]

use jiff::{SignedDuration, Timestamp};
use shopwright_domain::ErrorCode;
use shopwright_domain::backoff::Backoff;
use shopwright_domain::breaker::{Breaker, BreakerPolicy, Outcome};
use shopwright_domain::operation::OperationKind;
use shopwright_domain::saga::{
    DeleteStep, Directive, Policy, ProvisionStep, SagaLog, Step, StepError, StepStatus, UnwindStep, WaitReason, plan,
};

const AWAIT: Step = Step::Provision(ProvisionStep::AwaitWorkloads);

fn at(millis: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_millis(millis)
}

/// A log whose steps before `step` are done.
fn up_to(step: Step) -> SagaLog {
    let mut log = SagaLog::new(step.kind());
    for earlier in step.kind().steps().iter().take_while(|earlier| **earlier != step) {
        log.start(*earlier, at(0)).unwrap();
        log.succeed(*earlier, at(0)).unwrap();
    }
    log
}

fn failed(log: &mut SagaLog, step: Step, error: StepError, now: Timestamp) {
    log.start(step, now).unwrap();
    log.fail(step, error, now, &Policy::default(), 0.5).unwrap();
}

#[test]
fn jitter_goes_to_both_sides() {
    let backoff = Backoff::default();

    assert_eq!(backoff.delay(1, 0.0), SignedDuration::from_millis(750));
    assert_eq!(backoff.delay(1, 1.0), SignedDuration::from_millis(1250));
}

#[test]
fn while_the_probe_is_out_the_others_learn_when_it_counts_as_lost() {
    let mut breaker = Breaker::new(BreakerPolicy::default());
    for _ in 0..5 {
        let ticket = breaker.pass(at(0)).unwrap();
        breaker.report(ticket, Outcome::Silent, at(0));
    }

    assert!(breaker.pass(at(30_000)).unwrap().is_probe());

    assert_eq!(breaker.pass(at(31_000)).unwrap_err().until, at(90_000));
}

#[test]
fn records_of_other_sagas_are_left_out_of_a_log() {
    let release = up_to(Step::Delete(DeleteStep::DeleteNamespace));

    let log = SagaLog::from_records(OperationKind::Provision, release.records().to_vec());

    assert_eq!(log, SagaLog::new(OperationKind::Provision));
    assert_eq!(log.records().len(), OperationKind::Provision.steps().len());
    let same = SagaLog::from_records(OperationKind::Delete, release.records().to_vec());
    assert_eq!(same, release);
}

#[test]
fn waits_are_counted_and_each_is_longer() {
    let mut log = up_to(AWAIT);

    let mut last = SignedDuration::ZERO;
    for count in 1..=4 {
        failed(&mut log, AWAIT, StepError::new(ErrorCode::ClusterUnreachable, "no"), at(0));
        let record = log.record(AWAIT).unwrap();
        assert_eq!((record.waits, record.attempts), (count, 0));
        let delay = record.not_before.unwrap().duration_since(at(0));
        assert!(delay > last, "{delay} after {last}");
        last = delay;
    }
}

#[test]
fn whoever_was_told_when_to_come_back_comes_up_to_a_quarter_later() {
    // RELIABILITY F30: a thousand that come back at the same moment are the next outage.
    let asked = SignedDuration::from_secs(40);
    let wait = |code: ErrorCode, unit: f64| {
        let mut log = up_to(AWAIT);
        log.start(AWAIT, at(0)).unwrap();
        let error = StepError::new(code, "no").retry_after(asked);
        log.fail(AWAIT, error, at(0), &Policy::default(), unit).unwrap();
        log.record(AWAIT).unwrap().not_before.unwrap().duration_since(at(0))
    };

    for code in [ErrorCode::BreakerOpen, ErrorCode::Throttled] {
        assert_eq!(wait(code, 0.0), asked);
        assert_eq!(wait(code, 0.5), SignedDuration::from_secs(45));
        assert!(wait(code, 0.99) < SignedDuration::from_secs(50));
    }
}

#[test]
fn a_step_is_overdue_after_its_deadline_and_not_at_it() {
    let policy = Policy::default();
    let mut log = up_to(AWAIT);
    log.start(AWAIT, at(0)).unwrap();
    log.fail(AWAIT, StepError::new(ErrorCode::RolloutTimeout, "slow"), at(0), &policy, 0.5).unwrap();
    let deadline = at(0) + policy.rollout_deadline;

    assert_eq!(plan::next(&log, deadline, &policy), Directive::Run { step: AWAIT });
    let after = plan::next(&log, deadline + SignedDuration::from_nanos(1), &policy);
    assert!(matches!(after, Directive::Fail { step: AWAIT, .. }), "{after:?}");
}

#[test]
fn a_store_that_a_change_took_down_gets_no_second_look() {
    let policy = Policy::default();
    let once: Vec<_> = OperationKind::ALL
        .into_iter()
        .flat_map(OperationKind::steps)
        .filter(|step| policy.attempts(**step) == 1)
        .map(|step| step.as_str())
        .collect();

    assert_eq!(once, ["await_rotated", "verify_rotated", "await_upgraded", "verify_upgraded"]);
    assert_eq!(policy.attempts(AWAIT), policy.max_attempts);
}

#[test]
fn a_removal_is_stuck_from_its_third_failure_on_and_a_provision_never_is() {
    let policy = Policy::default();
    let reason = |step: Step, times: u32| {
        let mut log = up_to(step);
        for _ in 0..times {
            failed(&mut log, step, StepError::new(ErrorCode::Internal, "why"), at(0));
        }
        match plan::next(&log, at(0), &policy) {
            Directive::Wait { reason, .. } => Some(reason),
            Directive::Run { .. } | Directive::Complete | Directive::Fail { .. } => None,
        }
    };

    for step in [Step::Delete(DeleteStep::DeleteNamespace), Step::Unwind(UnwindStep::DeleteNamespace)] {
        assert_eq!(reason(step, 2), Some(WaitReason::Backoff), "{step}");
        assert_eq!(reason(step, 3), Some(WaitReason::Stuck), "{step}");
        assert_eq!(reason(step, 4), Some(WaitReason::Stuck), "{step}");
    }
    assert_eq!(reason(AWAIT, 2), Some(WaitReason::Backoff));
    assert_eq!(reason(AWAIT, 3), None, "a provision has failed by then");
}

#[test]
fn a_step_that_ends_worker_after_worker_is_parked_as_poisoned() {
    // RELIABILITY F11.
    let policy = Policy::default();
    let mut log = up_to(AWAIT);

    for crashes in 1..policy.max_crashes {
        log.start(AWAIT, at(0)).unwrap();
        log.crash(AWAIT, at(0), &policy, 0.5).unwrap();
        assert_eq!(log.record(AWAIT).unwrap().crashes, crashes);
        assert_eq!(log.record(AWAIT).unwrap().status, StepStatus::Started);
    }
    log.start(AWAIT, at(0)).unwrap();
    log.crash(AWAIT, at(0), &policy, 0.5).unwrap();

    let Directive::Wait { reason, failure, until } = plan::next(&log, at(0), &policy) else { panic!("{log:?}") };
    assert_eq!((reason, failure.code), (WaitReason::Stuck, ErrorCode::Poisoned));
    assert!(until >= at(0) + policy.poison_pause);
    assert_eq!(log.record(AWAIT).unwrap().crashes, policy.max_crashes);
}

#[test]
fn crashes_count_in_a_row_and_only_without_progress() {
    let policy = Policy::default();
    let mut log = up_to(AWAIT);
    for _ in 0..2 {
        log.start(AWAIT, at(0)).unwrap();
        log.crash(AWAIT, at(0), &policy, 0.5).unwrap();
    }

    failed(&mut log, AWAIT, StepError::new(ErrorCode::ProbeFailing, "no"), at(0));

    assert_eq!(log.record(AWAIT).unwrap().crashes, 0, "it ended with an answer");
}

#[test]
fn what_poisons_is_left_alone_twice_as_long_each_time_and_still_looked_at_now_and_then() {
    // RELIABILITY F11.
    let policy = Policy::default();

    let pauses: Vec<i64> = (10..17).map(|crashes| policy.poison_pause(crashes).as_mins()).collect();

    assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
    assert_eq!(policy.poison_pause(u32::MAX), policy.poison_cap);
}

#[test]
fn time_without_a_worker_runs_against_no_deadline() {
    // RELIABILITY F1, F25: everything was down for an hour in the middle of a rollout.
    let policy = Policy::default();
    let mut log = up_to(AWAIT);
    log.start(AWAIT, at(0)).unwrap();

    log.unattended(SignedDuration::from_hours(1));
    let now = at(3_600_000 + 5_000);
    log.start(AWAIT, now).unwrap();

    assert_eq!(log.record(AWAIT).unwrap().spent(now), SignedDuration::from_secs(5));
    let mut idle = up_to(AWAIT);
    idle.unattended(SignedDuration::from_hours(1));
    assert_eq!(idle, up_to(AWAIT), "what has not begun has no deadline");
    assert!(!matches!(plan::next(&log, now, &policy), Directive::Fail { .. }));
}

#[test]
fn what_waits_looks_again_within_thirty_seconds_after_its_cause_is_gone() {
    // The exception is poison: it is left alone on purpose.
    for code in ErrorCode::ALL.iter().filter(|code| **code != ErrorCode::Poisoned) {
        for unit in [0.0, 0.5, 0.999] {
            let policy = Policy::default();
            let mut log = up_to(AWAIT);
            for _ in 0..20 {
                log.start(AWAIT, at(0)).unwrap();
                log.fail(AWAIT, StepError::new(*code, "why"), at(0), &policy, unit).unwrap();
            }
            let pause = log.record(AWAIT).unwrap().not_before.unwrap().duration_since(at(0));
            assert!(pause <= SignedDuration::from_secs(30), "{code} waits {pause}");
        }
    }
}

#[test]
fn steps_that_only_wait_are_the_ones_that_look() {
    let waiting: Vec<&str> = OperationKind::ALL
        .iter()
        .flat_map(|kind| kind.steps())
        .filter(|step| step.only_waits())
        .map(|step| step.as_str())
        .collect();

    assert_eq!(
        waiting,
        [
            "await_workloads",
            "verify_storefront",
            "verify_gone",
            "verify_unwound",
            "await_rotated",
            "verify_rotated",
            "await_upgraded",
            "verify_upgraded",
            "await_reverted",
            "verify_reverted",
        ]
    );
}
