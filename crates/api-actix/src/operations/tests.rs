//! Operations: the steps in order, and who may look.

use actix_web::test::TestRequest;
use shopwright_domain::operation::{OperationKind, SetupStep};
use shopwright_domain::saga::{SagaLog, StepError, StepStatus};
use shopwright_ports::clock::Clock;
use shopwright_ports::stores_api::StoreServiceError;
use shopwright_ports::testing::ManualClock;

use super::*;
use crate::testing::{ADMIN, Bench, OPERATION, OWNER, STRANGER, operation};

fn get(id: &str) -> TestRequest {
    TestRequest::get().uri(&format!("/api/v1/operations/{id}"))
}

fn failed_once() -> OperationView {
    let now = ManualClock::default().now();
    let mut steps = SagaLog::new(OperationKind::Provision).records().to_vec();
    steps[0].status = StepStatus::Failed;
    steps[0].attempts = 1;
    steps[0].started_at = Some(now);
    steps[0].finished_at = Some(now + jiff::SignedDuration::from_millis(1500));
    steps[0].error = Some(StepError::new(ErrorCode::ClusterUnreachable, "connection refused"));
    steps.truncate(2);
    let mut operation = operation();
    operation.setup = vec![SetupStep { name: "migrate".to_owned(), millis: 11_206 }];
    OperationView { operation, steps }
}

#[actix_web::test]
async fn an_operation_shows_its_steps_in_order() {
    let mut bench = Bench::new();
    bench
        .stores
        .expect_operation()
        .once()
        .withf(|_, id| id.to_string() == OPERATION)
        .returning(|_, _| Ok(failed_once()));

    let answer = bench.send(OWNER.asks(get(OPERATION))).await;

    assert_eq!(answer.status, 200);
    insta::assert_json_snapshot!(answer.body["operation"], @r#"
    {
      "attempt": 0,
      "createdAt": "2026-01-01T00:00:00.000Z",
      "failure": null,
      "finishedAt": null,
      "id": "00000000-0000-4000-8000-0000000000ff",
      "kind": "provision",
      "requestedAt": "2026-01-01T00:00:00.000Z",
      "setup": [
        {
          "durationMs": 11206,
          "name": "migrate"
        }
      ],
      "startedAt": null,
      "status": "queued",
      "step": "create_namespace",
      "steps": [
        {
          "attempts": 1,
          "error": {
            "class": "platform",
            "code": "cluster_unreachable",
            "detail": "connection refused",
            "hint": "The cluster does not answer; the operation goes on by itself when it does.",
            "message": "connection refused"
          },
          "finishedAt": "2026-01-01T00:00:01.500Z",
          "name": "create_namespace",
          "startedAt": "2026-01-01T00:00:00.000Z",
          "status": "failed"
        },
        {
          "attempts": 0,
          "error": null,
          "finishedAt": null,
          "name": "create_credentials",
          "startedAt": null,
          "status": "pending"
        }
      ],
      "storeId": "store-1a2b3c4d"
    }
    "#);
}

#[actix_web::test]
async fn a_stranger_is_forbidden_and_an_administrator_learns_that_there_is_none() {
    for (who, error, status, code) in [
        (STRANGER, StoreServiceError::Forbidden, 403, "FORBIDDEN"),
        (ADMIN, StoreServiceError::NotFound("operation"), 404, "OPERATION_NOT_FOUND"),
    ] {
        let mut bench = Bench::new();
        bench.stores.expect_operation().return_once(|_, _| Err(error));

        let answer = bench.send(who.asks(get(OPERATION))).await;

        assert_eq!((answer.status, answer.code()), (status, code));
    }
}

#[actix_web::test]
async fn what_is_no_operation_id_is_400() {
    assert_eq!(Bench::new().send(OWNER.asks(get("latest"))).await.status, 400);
}

#[test]
fn a_failure_without_words_is_its_hint() {
    let hint = ErrorCode::Internal.hint();
    assert_eq!(FailureBody::new(ErrorCode::Internal, " ").sentence(), hint);
    assert_eq!(FailureBody::new(ErrorCode::Internal, "it broke").sentence(), format!("it broke. {hint}"));
}
