//! The history checker accepts what one store can answer, and nothing else (RELIABILITY P8, F64, F65).

use shopwright_domain::operation::OperationKind;
use shopwright_domain::store::StoreState;
use shopwright_domain::{OperationId, StoreId};
use shopwright_simulation::history::{Answer, Event, Request, Verdict, check};

fn store(number: u32) -> StoreId {
    StoreId::from_random(number)
}

fn operation(number: u128) -> OperationId {
    OperationId::from_random(number)
}

fn accepted(number: u32, state: StoreState, by: u128, kind: OperationKind) -> Answer {
    Answer::Accepted { store: store(number), state, operation: Some((operation(by), kind)) }
}

fn created(number: u32, by: u128) -> Answer {
    accepted(number, StoreState::Requested, by, OperationKind::Provision)
}

fn create(key: &str) -> Request {
    Request::Create { key: Some(key.to_owned()) }
}

/// Sent, answered, what, and the answer.
fn event(asked: u64, answered: u64, request: Request, answer: Answer) -> Event {
    Event { asked, answered: Some(answered), request, answer: Some(answer) }
}

fn unanswered(asked: u64, request: Request) -> Event {
    Event { asked, answered: None, request, answer: None }
}

fn impossible(events: &[Event]) -> bool {
    matches!(check(events), Verdict::Impossible { .. })
}

#[test]
fn a_life_from_request_to_removal_is_sequential() {
    let id = store(1);
    let history = [
        event(0, 1, create("a"), created(1, 1)),
        event(2, 3, Request::Get(id.clone()), Answer::Seen(StoreState::Provisioning)),
        event(4, 5, Request::Get(id.clone()), Answer::Seen(StoreState::Ready)),
        event(6, 7, Request::Delete(id.clone()), accepted(1, StoreState::Deleting, 2, OperationKind::Delete)),
        event(8, 9, Request::Delete(id.clone()), accepted(1, StoreState::Deleting, 2, OperationKind::Delete)),
        event(10, 11, Request::Get(id), Answer::Seen(StoreState::Deleted)),
        event(12, 13, create("b"), created(2, 3)),
    ];

    assert_eq!(check(&history), Verdict::Sequential);
}

#[test]
fn an_acknowledged_store_cannot_be_unknown() {
    let history = [event(0, 1, create("a"), created(1, 1)), event(2, 3, Request::Get(store(1)), Answer::Unknown)];

    assert!(impossible(&history));
}

#[test]
fn an_acknowledged_deletion_cannot_be_followed_by_a_store_that_sells() {
    let id = store(1);
    let history = [
        event(0, 1, create("a"), created(1, 1)),
        event(2, 3, Request::Delete(id.clone()), accepted(1, StoreState::Deleting, 2, OperationKind::Delete)),
        event(4, 5, Request::Get(id), Answer::Seen(StoreState::Ready)),
    ];

    assert!(impossible(&history));
}

#[test]
fn requests_at_the_same_time_may_take_effect_in_any_order() {
    let id = store(1);
    let history = [
        event(0, 1, create("a"), created(1, 1)),
        event(2, 9, Request::Delete(id.clone()), accepted(1, StoreState::Deleting, 2, OperationKind::Delete)),
        event(3, 8, Request::Get(id), Answer::Seen(StoreState::Ready)),
    ];

    assert_eq!(check(&history), Verdict::Sequential);
}

#[test]
fn a_request_without_an_answer_may_have_been_done_late_or_never() {
    let id = store(1);
    let done = [
        event(0, 1, create("a"), created(1, 1)),
        unanswered(2, Request::Delete(id.clone())),
        event(50, 51, Request::Get(id.clone()), Answer::Seen(StoreState::Ready)),
        event(60, 61, Request::Get(id.clone()), Answer::Seen(StoreState::Deleted)),
    ];
    let never = [
        event(0, 1, create("a"), created(1, 1)),
        unanswered(2, Request::Delete(id.clone())),
        event(60, 61, Request::Get(id.clone()), Answer::Seen(StoreState::Ready)),
    ];
    let before_it_was_asked = [
        event(0, 1, create("a"), created(1, 1)),
        event(2, 3, Request::Get(id.clone()), Answer::Seen(StoreState::Deleted)),
        unanswered(4, Request::Delete(id)),
    ];

    assert_eq!(check(&done), Verdict::Sequential);
    assert_eq!(check(&never), Verdict::Sequential);
    assert!(impossible(&before_it_was_asked));
}

#[test]
fn a_key_makes_one_store_however_often_it_is_sent() {
    let once = [
        unanswered(0, create("a")),
        event(2, 3, create("a"), created(1, 1)),
        event(4, 5, create("a"), accepted(1, StoreState::Ready, 1, OperationKind::Provision)),
    ];
    let twice = [event(0, 1, create("a"), created(1, 1)), event(2, 3, create("a"), created(2, 2))];

    assert_eq!(check(&once), Verdict::Sequential);
    assert!(impossible(&twice), "F64");
}

#[test]
fn a_key_that_made_a_store_is_not_told_that_the_name_is_in_use() {
    let in_use = |key| event(2, 3, create(key), Answer::NameInUse(store(1), StoreState::Requested));
    let another_key = [event(0, 1, create("a"), created(1, 1)), in_use("b")];
    let the_same = [event(0, 1, create("a"), created(1, 1)), in_use("a")];

    assert_eq!(check(&another_key), Verdict::Sequential);
    assert!(impossible(&the_same), "F64");
}

#[test]
fn a_name_has_one_live_store() {
    let history = [event(0, 1, create("a"), created(1, 1)), event(2, 3, create("b"), created(2, 2))];

    assert!(impossible(&history));
}

#[test]
fn two_deletions_are_one() {
    let id = store(1);
    let history = [
        event(0, 1, create("a"), created(1, 1)),
        event(2, 3, Request::Delete(id.clone()), accepted(1, StoreState::Deleting, 2, OperationKind::Delete)),
        event(4, 5, Request::Delete(id), accepted(1, StoreState::Deleting, 1, OperationKind::Provision)),
    ];

    assert!(impossible(&history), "the second joins the first: what runs is a deletion (seed 116)");
}

#[test]
fn a_cancelled_provision_fails_and_is_retried_from_nothing() {
    let id = store(1);
    let history = [
        event(0, 1, create("a"), created(1, 1)),
        event(
            2,
            3,
            Request::Cancel(id.clone(), operation(1)),
            accepted(1, StoreState::Failed, 2, OperationKind::Unwind),
        ),
        event(4, 5, Request::Retry(id.clone()), accepted(1, StoreState::Requested, 3, OperationKind::Provision)),
        event(6, 7, Request::Cancel(id.clone(), operation(2)), Answer::NotCancellable),
        event(8, 9, Request::Get(id), Answer::Seen(StoreState::Ready)),
    ];

    assert_eq!(check(&history), Verdict::Sequential);
}

#[test]
fn a_store_that_failed_in_its_deletion_is_never_provisioned_again() {
    let id = store(1);
    let history = [
        event(0, 1, create("a"), created(1, 1)),
        event(2, 3, Request::Delete(id.clone()), accepted(1, StoreState::Deleting, 2, OperationKind::Delete)),
        event(4, 5, Request::Get(id.clone()), Answer::Seen(StoreState::Failed)),
        event(6, 7, Request::Retry(id), accepted(1, StoreState::Requested, 3, OperationKind::Provision)),
    ];

    assert!(impossible(&history));
}

#[test]
fn a_ready_store_cannot_be_retried() {
    let id = store(1);
    let history = [
        event(0, 1, create("a"), created(1, 1)),
        event(2, 3, Request::Get(id.clone()), Answer::Seen(StoreState::Ready)),
        event(4, 5, Request::Retry(id), accepted(1, StoreState::Requested, 3, OperationKind::Provision)),
    ];

    assert!(impossible(&history));
}
