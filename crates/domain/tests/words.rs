//! Every word that is stored and shown reads back as what it was written from, and no two things share one.

#![expect(clippy::unwrap_used, reason = "what helps a test fails like one")]

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::str::FromStr;

use shopwright_domain::breaker::BreakerState;
use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::saga::{Step, StepStatus};
use shopwright_domain::store::StoreState;

fn read_back<T>(all: impl IntoIterator<Item = T>, word: impl Fn(&T) -> &'static str, expected: &[&str])
where
    T: FromStr + PartialEq + Debug,
    T::Err: Debug,
{
    let all: Vec<T> = all.into_iter().collect();
    assert_eq!(all.iter().map(&word).collect::<Vec<_>>(), expected);
    for thing in all {
        assert_eq!(word(&thing).parse::<T>().unwrap(), thing);
    }
    assert!("something else".parse::<T>().is_err());
}

fn is_shown_as(thing: impl Display, word: &str) {
    assert_eq!(thing.to_string(), word);
}

#[test]
fn kinds_and_statuses_read_back() {
    read_back(
        OperationKind::ALL,
        |kind| kind.as_str(),
        &["provision", "delete", "unwind", "rotate", "upgrade", "revert"],
    );
    read_back(
        OperationStatus::ALL,
        |status| status.as_str(),
        &["queued", "running", "waiting", "stuck", "succeeded", "failed", "cancelled"],
    );
    read_back(StepStatus::ALL, |status| status.as_str(), &["pending", "started", "succeeded", "failed"]);
    let breaker = [BreakerState::Closed, BreakerState::Open, BreakerState::HalfOpen];
    assert_eq!(breaker.map(BreakerState::as_str), ["closed", "open", "half-open"]);
    is_shown_as(OperationKind::Unwind, "unwind");
    is_shown_as(OperationStatus::Stuck, "stuck");
    is_shown_as(StoreState::Deleting, "deleting");
}

#[test]
fn steps_read_back_whatever_their_saga() {
    let steps = OperationKind::ALL.into_iter().flat_map(OperationKind::steps).copied();
    read_back(
        steps.clone(),
        |step| step.as_str(),
        &[
            "create_namespace",
            "create_credentials",
            "install_release",
            "await_workloads",
            "verify_storefront",
            "publish",
            "uninstall_release",
            "delete_namespace",
            "verify_gone",
            "release",
            "unwind_release",
            "unwind_namespace",
            "verify_unwound",
            "settle",
            "rotate_credentials",
            "rotate_release",
            "await_rotated",
            "verify_rotated",
            "clean_rotated",
            "promote",
            "upgrade_release",
            "await_upgraded",
            "verify_upgraded",
            "adopt",
            "revert_credentials",
            "revert_release",
            "await_reverted",
            "verify_reverted",
            "clean_reverted",
            "settle_revert",
        ],
    );
    assert_eq!(steps.clone().map(Step::as_str).collect::<BTreeSet<_>>().len(), steps.count());
    for kind in OperationKind::ALL {
        assert!(kind.steps().iter().all(|step| step.kind() == kind), "{kind}");
    }
    is_shown_as(OperationKind::Provision.steps()[2], "install_release");
}

#[test]
fn only_a_deleted_store_holds_nothing_and_three_states_are_settled() {
    let live = StoreState::ALL.into_iter().filter(|state| state.is_live());
    let settled = StoreState::ALL.into_iter().filter(|state| state.is_settled());

    assert_eq!(live.collect::<Vec<_>>(), StoreState::ALL[..5]);
    assert_eq!(settled.map(StoreState::as_str).collect::<Vec<_>>(), ["ready", "failed", "deleted"]);
}
