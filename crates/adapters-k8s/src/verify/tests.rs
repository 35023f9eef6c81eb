//! What the looks at the fence say of a cluster, which is scripted here; `tests/on_a_cluster` asks a real one.

use std::time::Duration;

use super::*;
use crate::calls::Refusal;
use crate::scripted::{Answer, Seen, calls};

fn refused(code: u16, message: &str) -> Result<(), CallError> {
    let message = message.to_owned();
    let refusal = Refusal { code, reason: String::new(), message, kind: String::new(), retry_after: None };
    Err(CallError::Refused(refusal))
}

/// A cluster that answers each look as it should, but for the one of this number.
fn cluster(wrong: Option<usize>) -> (KubeCluster, Seen) {
    let mut looks = 0;
    let (calls, seen) = calls(move |_| {
        let (number, policy) =
            (looks, [None, Some(FENCE_REFUSAL), Some(FENCE_REFUSAL), Some(EPOCH_REFUSAL), Some(BASE_REFUSAL)]);
        looks += 1;
        match policy[number] {
            None if wrong == Some(number) => Answer::json(403, &json!({"code": 403, "message": "no rights"})),
            Some(policy) if wrong != Some(number) => {
                Answer::json(403, &json!({"code": 403, "message": format!("denied request: {policy} no")}))
            }
            _ => Answer::json(200, &json!({})),
        }
    });
    (KubeCluster::mocked(calls), seen)
}

#[tokio::test]
async fn a_cluster_that_keeps_out_whom_it_should_is_asked_five_times_and_changed_by_none() {
    let (cluster, seen) = cluster(None);

    cluster.verify().await.unwrap();

    let asked = seen.all();
    let epochs: Vec<_> = asked
        .iter()
        .map(|asked| asked.headers.get("impersonate-extra-shopwright-epoch").map(|epoch| epoch.to_str().unwrap()))
        .collect();
    assert_eq!(epochs, [Some("1"), Some("0"), Some("1"), None, None]);
    assert!(asked.iter().all(|asked| asked.parameter("dryRun") == Some("All")), "{asked:?}");
}

#[tokio::test]
async fn whatever_is_let_through_or_shut_by_mistake_is_found() {
    for wrong in 0..5 {
        let (cluster, _) = cluster(Some(wrong));

        let found = cluster.verify().await.unwrap_err();

        assert_eq!(matches!(found, FenceError::Open(_)), wrong > 0, "{wrong}: {found}");
        assert_eq!(matches!(found, FenceError::Closed { .. }), wrong == 0, "{wrong}: {found}");
    }
}

#[test]
fn a_fence_that_lets_a_stale_worker_through_is_open() {
    assert!(matches!(must_be_refused("it", FENCE_REFUSAL, Ok(())), Err(FenceError::Open("it"))));
}

#[test]
fn a_refusal_by_something_else_does_not_prove_the_fence() {
    let by_policy = must_be_refused("it", FENCE_REFUSAL, refused(403, "denied request: shopwright fence: no"));
    let by_rights = must_be_refused("it", FENCE_REFUSAL, refused(403, "User \"x\" cannot create resource"));
    let not_there = must_be_refused("it", FENCE_REFUSAL, refused(404, "shopwright fence: not found"));
    let broken = must_be_refused("it", FENCE_REFUSAL, refused(500, "shopwright fence: no"));

    assert!(by_policy.is_ok());
    assert!(matches!(by_rights, Err(FenceError::Closed { .. })));
    assert!(matches!(not_there, Err(FenceError::Closed { .. })));
    assert!(matches!(broken, Err(FenceError::Unknown(_))));
}

#[test]
fn a_cluster_that_does_not_answer_says_nothing_about_the_fence() {
    let silent = Err(CallError::NoAnswer { detail: "gone".to_owned(), source: None });

    assert!(matches!(must_be_refused("it", FENCE_REFUSAL, silent), Err(FenceError::Unknown(_))));
}

#[test]
fn what_was_just_installed_is_given_a_moment_and_a_cluster_that_is_away_is_not() {
    let closed = FenceError::Closed { what: "it", why: "no".to_owned() };
    let throttled = FenceError::Unknown(ClusterError::Throttled { retry_after: Some(Duration::from_secs(1)) });
    let away = FenceError::Unknown(CallError::NoAnswer { detail: "gone".to_owned(), source: None }.into());

    for (error, may_pass) in [(FenceError::Open("it"), true), (closed, true), (throttled, true), (away, false)] {
        assert_eq!(error.may_pass(), may_pass, "{error}");
    }
}
