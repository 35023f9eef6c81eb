//! Tables: objects as a cluster shows them, and the verdict on them.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shopwright_domain::StoreId;
use shopwright_domain::error_code::ErrorCode;
use shopwright_domain::operation::SetupStep;
use shopwright_ports::cluster::SetupResult;

use super::*;

const RESULT: &str =
    r#"{"result":"ok","engine":"medusa","version":"2.21.2","note":null,"steps":[{"name":"migrate","ms":1234}]}"#;

fn assess(objects: &StoreObjects) -> Rollout {
    super::assess(objects, &Readiness { deployments: vec!["web".to_owned()], setup: true })
}

fn store_id() -> StoreId {
    StoreId::from_random(1)
}

fn object<K: DeserializeOwned>(mut value: Value) -> Arc<K> {
    value["metadata"]["labels"][INSTANCE] = json!(store_id().as_str());
    Arc::new(serde_json::from_value(value).unwrap())
}

fn deployment(ready: i32) -> Value {
    json!({
        "metadata": {"name": "web", "generation": 2},
        "spec": {"replicas": 1, "selector": {}, "template": {}},
        "status": {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "readyReplicas": ready},
    })
}

fn job(condition: Option<&str>) -> Value {
    let conditions: Vec<_> = condition
        .into_iter()
        .map(|it| json!({"type": it, "status": "True", "reason": "Why", "message": "the words"}))
        .collect();
    json!({
        "metadata": {"name": "setup-1", "uid": "job", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"template": {"spec": {"containers": [{"name": "setup", "image": "shopwright.test/medusa:1"}]}}},
        "status": {"conditions": conditions},
    })
}

fn setup_pod(exit_code: i32, finished: &str, message: Option<&str>) -> Value {
    json!({
        "metadata": {"name": "setup-1-x", "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "setup-1", "uid": "job"}]},
        "status": {
            "phase": if exit_code == 0 { "Succeeded" } else { "Failed" },
            "containerStatuses": [{"name": "setup", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
                "state": {"terminated": {"exitCode": exit_code, "finishedAt": finished, "message": message}}}],
        },
    })
}

fn web_pod(container: &Value) -> Value {
    let mut container = container.clone();
    container["name"] = json!("web");
    container["image"] = json!("i");
    container["imageID"] = json!("");
    json!({"metadata": {"name": "web-x"}, "status": {"phase": "Running", "containerStatuses": [container]}})
}

fn waiting(reason: &str, restarts: i32) -> Value {
    json!({"ready": false, "restartCount": restarts, "state": {"waiting": {"reason": reason, "message": "the words"}}})
}

fn unready() -> StoreObjects {
    StoreObjects {
        store_id: store_id(),
        deployments: vec![object(deployment(0))],
        stateful_sets: vec![],
        jobs: vec![object(job(Some("Complete")))],
        pods: vec![object(setup_pod(0, "2026-01-01T00:00:00Z", Some(RESULT)))],
        claims: vec![],
        events: vec![],
    }
}

fn ready() -> StoreObjects {
    StoreObjects { deployments: vec![object(deployment(1))], ..unready() }
}

fn with_pod(pod: Value) -> StoreObjects {
    let mut objects = unready();
    objects.pods.push(object(pod));
    objects
}

#[track_caller]
fn pending(objects: &StoreObjects, code: ErrorCode, words: &str) {
    match assess(objects) {
        Rollout::Pending(failure) => {
            assert_eq!(failure.code, code, "{}", failure.detail);
            assert!(failure.detail.contains(words), "{}", failure.detail);
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn failed(objects: &StoreObjects, code: ErrorCode, words: &str) {
    match assess(objects) {
        Rollout::Failed(failure) => {
            assert_eq!(failure.code, code, "{}", failure.detail);
            assert!(failure.detail.contains(words), "{}", failure.detail);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_store_is_ready_when_all_its_pods_are_and_the_set_up_has_said_so() {
    let steps = vec![SetupStep { name: "migrate".to_owned(), millis: 1234 }];

    assert_eq!(assess(&ready()), Rollout::Ready(SetupResult { version: Some("2.21.2".to_owned()), note: None, steps }));
}

#[test]
fn an_incomplete_view_is_never_a_ready_store() {
    let nothing = StoreObjects { deployments: vec![], jobs: vec![], pods: vec![], ..ready() };
    pending(&nothing, ErrorCode::RolloutTimeout, "not there yet");

    let no_job = StoreObjects { jobs: vec![], ..ready() };
    pending(&no_job, ErrorCode::RolloutTimeout, "not there yet");

    let mut of_another = deployment(1);
    of_another["metadata"]["labels"] = json!({INSTANCE: "store-ffffffff"});
    let of_another =
        StoreObjects { deployments: vec![Arc::new(serde_json::from_value(of_another).unwrap())], ..ready() };
    pending(&of_another, ErrorCode::RolloutTimeout, "not there yet");
}

#[test]
fn the_status_of_an_older_generation_does_not_count() {
    let mut changed = deployment(1);
    changed["metadata"]["generation"] = json!(3);

    pending(
        &StoreObjects { deployments: vec![object(changed)], ..ready() },
        ErrorCode::RolloutTimeout,
        "deployment web",
    );
}

#[test]
fn a_pod_of_the_older_template_does_not_count() {
    let mut rolling = deployment(1);
    rolling["status"]["updatedReplicas"] = json!(0);

    pending(
        &StoreObjects { deployments: vec![object(rolling)], ..ready() },
        ErrorCode::RolloutTimeout,
        "deployment web",
    );
}

#[test]
fn a_stateful_set_is_waited_for() {
    let database = json!({
        "metadata": {"name": "db", "generation": 1},
        "spec": {"replicas": 1, "selector": {}, "template": {}},
        "status": {"observedGeneration": 1, "replicas": 1},
    });

    pending(
        &StoreObjects { stateful_sets: vec![object(database)], ..ready() },
        ErrorCode::RolloutTimeout,
        "stateful set db",
    );
}

#[test]
fn the_reasons_of_a_container_that_does_not_run() {
    for (reason, restarts, code) in [
        ("ErrImagePull", 0, ErrorCode::ImagePull),
        ("ImagePullBackOff", 0, ErrorCode::ImagePull),
        ("CreateContainerConfigError", 0, ErrorCode::CrashLoop),
    ] {
        pending(&with_pod(web_pod(&waiting(reason, restarts))), code, "pod web-x, container web");
    }
    for reason in ["InvalidImageName", "ErrImageNeverPull"] {
        failed(&with_pod(web_pod(&waiting(reason, 0))), ErrorCode::ImagePull, reason);
    }
    pending(&with_pod(web_pod(&waiting("ContainerCreating", 0))), ErrorCode::RolloutTimeout, "0 of 1");
}

#[test]
fn a_crash_loop_is_final_after_its_fifth_restart_and_says_how_it_ended() {
    let mut container = waiting("CrashLoopBackOff", 4);
    container["lastState"] = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
    pending(&with_pod(web_pod(&container)), ErrorCode::CrashLoop, "OOMKilled, exit code 137");

    container["restartCount"] = json!(5);
    container["lastState"] = json!({"terminated": {"exitCode": 2, "reason": "Error", "message": "no\n  database"}});
    failed(&with_pod(web_pod(&container)), ErrorCode::CrashLoop, "exit code 2: no database; restarted 5 times");
}

#[test]
fn a_container_that_has_recovered_is_not_held_against_it() {
    let container = json!({"ready": true, "restartCount": 7, "state": {"running": {}},
        "lastState": {"terminated": {"exitCode": 1}}});
    let mut objects = ready();
    objects.pods.push(object(web_pod(&container)));

    assert!(matches!(assess(&objects), Rollout::Ready(_)));
}

#[test]
fn a_container_that_runs_and_does_not_answer_fails_its_probe() {
    let container = json!({"ready": false, "restartCount": 0, "state": {"running": {}}});

    pending(&with_pod(web_pod(&container)), ErrorCode::ProbeFailing, "runs, but is not ready");
}

#[test]
fn a_probe_that_fails_is_told_in_the_kubelets_last_words() {
    let mut pod = web_pod(&json!({"ready": false, "restartCount": 0, "state": {"running": {}}}));
    pod["metadata"]["uid"] = json!("u-1");
    let event = |uid: &str, field: &str, at: &str, message: &str| {
        let involved = json!({"uid": uid, "fieldPath": field});
        let event = json!({"metadata": {}, "involvedObject": involved, "reason": "Unhealthy", "lastTimestamp": at, "message": message});
        serde_json::from_value(event).unwrap()
    };
    let events = vec![
        event("u-1", "spec.containers{web}", "2026-01-01T00:00:01Z", "connection refused"),
        event("u-1", "spec.containers{web}", "2026-01-01T00:00:09Z", "HTTP probe failed with statuscode: 404"),
        event("u-1", "spec.containers{other}", "2026-01-01T00:00:10Z", "another container's"),
        event("u-0", "spec.containers{web}", "2026-01-01T00:00:11Z", "another pod's"),
    ];

    let words = "is not ready: HTTP probe failed with statuscode: 404";
    pending(&StoreObjects { events, ..with_pod(pod) }, ErrorCode::ProbeFailing, words);
}

#[test]
fn a_provisioners_words_come_before_the_state_of_the_claim() {
    let claim = json!({"metadata": {"name": "uploads"}, "status": {"phase": "Pending"}});
    let event = json!({"metadata": {}, "involvedObject": {}, "reason": "ProvisioningFailed", "message": "storageclass \"x\" not found"});
    let events = vec![serde_json::from_value(event).unwrap()];
    let objects = StoreObjects { claims: vec![object(claim)], events, ..unready() };

    pending(&objects, ErrorCode::VolumePending, "storageclass \"x\" not found");
}

#[test]
fn no_room_and_no_volume_are_told_apart() {
    for (message, code) in [
        ("0/2 nodes are available: 2 Insufficient memory.", ErrorCode::Unschedulable),
        ("0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.", ErrorCode::VolumePending),
        ("persistentvolumeclaim \"uploads\" not found", ErrorCode::VolumePending),
    ] {
        let pod = json!({"metadata": {"name": "web-x"}, "status": {"phase": "Pending",
            "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]}});
        pending(&with_pod(pod), code, message);
    }
}

#[test]
fn a_pending_claim_is_a_reason_only_while_a_pod_waits() {
    let claim = json!({"metadata": {"name": "data-db-0"}, "status": {"phase": "Pending"}});

    pending(
        &StoreObjects { claims: vec![object(claim.clone())], ..unready() },
        ErrorCode::VolumePending,
        "volume claim data-db-0 is Pending",
    );
    assert!(matches!(assess(&StoreObjects { claims: vec![object(claim)], ..ready() }), Rollout::Ready(_)));
}

#[test]
fn a_quota_that_keeps_pods_from_being_made_is_told() {
    let message =
        "pods \"web-x\" is forbidden: exceeded quota: store, requested: pods=1, used: pods=0, limited: pods=0";
    let mut refused = deployment(0);
    refused["status"]["conditions"] = json!([{"type": "ReplicaFailure", "status": "True", "message": message}]);
    pending(
        &StoreObjects { deployments: vec![object(refused)], ..unready() },
        ErrorCode::QuotaExceeded,
        "exceeded quota",
    );

    let event = json!({"metadata": {}, "involvedObject": {}, "reason": "FailedCreate", "message": message});
    let events = vec![serde_json::from_value(event).unwrap()];
    pending(&StoreObjects { events, ..unready() }, ErrorCode::QuotaExceeded, "exceeded quota");
}

#[test]
fn a_set_up_that_failed_for_good_gives_its_own_reason() {
    let words = r#"{"result":"failed","step":"migrate","reason":"the database refused"}"#;
    let mut objects = unready();
    objects.jobs = vec![object(job(Some("Failed")))];
    objects.pods = vec![
        object(setup_pod(1, "2026-01-01T00:00:01Z", Some(r#"{"result":"failed","reason":"older"}"#))),
        object(setup_pod(1, "2026-01-01T00:00:02Z", Some(words))),
    ];
    failed(&objects, ErrorCode::SetupFailed, "step migrate: the database refused");

    objects.pods = vec![];
    failed(&objects, ErrorCode::SetupFailed, "Why: the words");
}

#[test]
fn a_set_up_that_is_tried_again_shows_its_last_failure() {
    let mut objects = unready();
    objects.jobs = vec![object(job(None))];
    objects.pods = vec![object(setup_pod(7, "2026-01-01T00:00:01Z", None))];

    pending(&objects, ErrorCode::SetupFailed, "exit code 7; it is tried again");
}

#[test]
fn a_set_up_without_a_result_is_a_failure_unless_its_images_are_the_harnesss() {
    let mut objects = ready();
    objects.pods = vec![object(setup_pod(0, "2026-01-01T00:00:00Z", Some("done")))];
    failed(&objects, ErrorCode::SetupResultMissing, "setup-1");

    let image = |name: &str| {
        let mut faked = job(Some("Complete"));
        faked["spec"]["template"]["spec"]["containers"][0]["image"] = json!(name);
        vec![object(faked)]
    };
    objects.jobs = image("fake.shopwright.test/setup:1");
    assert_eq!(assess(&objects), Rollout::Ready(SetupResult::default()));

    objects.jobs = image("shopwright.test/fake.shopwright.test/setup:1");
    failed(&objects, ErrorCode::SetupResultMissing, "setup-1");
}

#[test]
fn a_job_that_is_going_away_does_not_speak_for_its_successor() {
    let mut old = job(Some("Failed"));
    old["metadata"]["deletionTimestamp"] = json!("2026-01-02T00:00:00Z");
    let mut objects = ready();
    objects.jobs.push(object(old));

    assert!(matches!(assess(&objects), Rollout::Ready(_)));
}

#[test]
fn the_set_ups_note_reaches_the_owner() {
    let note = r#"{"result":"ok","engine":"woocommerce","version":"7.0","note":"no orders","steps":[]}"#;
    let mut objects = ready();
    objects.pods = vec![object(setup_pod(0, "2026-01-01T00:00:00Z", Some(note)))];

    assert!(matches!(assess(&objects), Rollout::Ready(result) if result.note.as_deref() == Some("no orders")));
}

#[test]
fn words_of_others_become_one_short_line() {
    assert_eq!(tidy("a\u{1b}[31m\n\tb"), "a [31m b");
    assert_eq!(tidy(&"x".repeat(400)).chars().count(), 300);
    let log = format!("{}\nno space left", "x".repeat(400));
    assert_eq!(tidy_end(&log).chars().count(), 300);
    assert!(tidy_end(&log).ends_with("xx no space left"), "{}", tidy_end(&log));
    assert_eq!(tidy_end("a\nb"), "a b");
}

#[test]
fn a_node_that_is_gone_is_named() {
    let silent = json!({
        "metadata": {"name": "web-x"},
        "spec": {"nodeName": "node-7", "containers": []},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "False"}],
            "containerStatuses": [{"name": "web", "image": "i", "imageID": "", "ready": true, "restartCount": 0, "state": {"running": {}}}],
        },
    });
    let mut lost = silent.clone();
    lost["metadata"]["deletionTimestamp"] = json!("2026-01-02T00:00:00Z");
    lost["status"]["conditions"] = json!([{"type": "DisruptionTarget", "status": "True",
        "reason": "DeletionByTaintManager", "message": "Taint manager: deleting due to NoExecute taint"}]);

    pending(&with_pod(silent), ErrorCode::NodeLost, "pod web-x: its node node-7 does not answer");
    pending(&with_pod(lost), ErrorCode::NodeLost, "pod web-x: its node node-7 is lost: Taint manager");
}
