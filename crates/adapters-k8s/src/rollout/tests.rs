//! One look at a store that does not become ready, through the whole adapter: the reason arrives, and the object that it is about.

use serde_json::{Value, json};
use shopwright_domain::error_code::ErrorCode;

use super::*;
use crate::names::{INSTANCE, STORE_ID};
use crate::scripted::{Answer, Asked, calls};

/// What the apiserver has, by the plural of the kind.
type Has = Vec<(&'static str, Value)>;

fn labelled(mut object: Value) -> Value {
    object["metadata"]["labels"][INSTANCE] = json!("store-00000001");
    object["metadata"]["labels"][STORE_ID] = json!("store-00000001");
    object
}

fn waiting_store() -> Has {
    let web = json!({
        "metadata": {"name": "web", "generation": 1},
        "spec": {"replicas": 1, "selector": {}, "template": {}},
        "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1},
    });
    let setup = json!({
        "metadata": {"name": "setup-1", "uid": "job", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"template": {"spec": {"containers": [{"name": "setup", "image": "fake.shopwright.test/x:1"}]}}},
        "status": {"conditions": [{"type": "Complete", "status": "True"}]},
    });
    vec![("deployments", labelled(web)), ("jobs", labelled(setup))]
}

fn pod(status: &Value) -> Value {
    labelled(json!({"metadata": {"name": "web-x"}, "spec": {"nodeName": "node-7", "containers": []}, "status": status}))
}

fn container(rest: &Value) -> Value {
    let mut container = json!({"name": "web", "image": "i", "imageID": "", "ready": false, "restartCount": 0});
    for (key, value) in rest.as_object().unwrap() {
        container[key] = value.clone();
    }
    json!({"phase": "Pending", "containerStatuses": [container]})
}

fn answer(has: &Has, asked: &Asked) -> Answer {
    if asked.path == "/api/v1/namespaces/store-00000001" {
        let metadata = json!({"name": "store-00000001", "labels": {STORE_ID: "store-00000001"}});
        return Answer::json(200, &json!({"kind": "Namespace", "apiVersion": "v1", "metadata": metadata}));
    }
    let (group, plural) = asked.path.rsplit_once('/').unwrap();
    let kinds = [
        ("deployments", "apps/v1", "Deployment"),
        ("statefulsets", "apps/v1", "StatefulSet"),
        ("jobs", "batch/v1", "Job"),
        ("pods", "v1", "Pod"),
        ("persistentvolumeclaims", "v1", "PersistentVolumeClaim"),
        ("events", "v1", "Event"),
    ];
    let (_, version, kind) = kinds.iter().find(|(known, ..)| *known == plural).unwrap_or_else(|| panic!("{group}"));
    let items: Vec<_> = has.iter().filter(|(known, _)| *known == plural).map(|(_, object)| object).collect();
    Answer::json(200, &json!({"kind": format!("{kind}List"), "apiVersion": version, "metadata": {}, "items": items}))
}

/// F60, and each of its neighbours: the step's error is the cause, not "not ready yet".
#[tokio::test]
async fn every_reason_arrives_within_one_look_with_its_object() {
    let waiting = |reason: &str| container(&json!({"state": {"waiting": {"reason": reason, "message": "the words"}}}));
    let ended = json!({"exitCode": 137, "reason": "OOMKilled"});
    let crashing = json!({"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": ended}});
    let homeless = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}]});
    let mut alone = container(&json!({"ready": true, "state": {"running": {}}}));
    alone["conditions"] = json!([{"type": "Ready", "status": "False"}]);
    let event = |reason: &str, message: &str| json!({"metadata": {"name": "e"}, "involvedObject": {}, "reason": reason, "type": "Warning", "message": message});
    let quota = "pods \"db-0\" is forbidden: exceeded quota: store, requested: pods=1, used: pods=0, limited: pods=0";
    let claim = labelled(json!({"metadata": {"name": "data-db-0"}, "status": {"phase": "Pending"}}));
    for (code, named, kind, object) in [
        (ErrorCode::ImagePull, "pod web-x", "pods", pod(&waiting("ImagePullBackOff"))),
        (ErrorCode::CrashLoop, "pod web-x", "pods", pod(&container(&crashing))),
        (ErrorCode::Unschedulable, "pod web-x", "pods", pod(&homeless)),
        (ErrorCode::ProbeFailing, "pod web-x", "pods", pod(&container(&json!({"state": {"running": {}}})))),
        (ErrorCode::NodeLost, "node-7 does not answer", "pods", pod(&alone)),
        (ErrorCode::VolumePending, "data-db-0", "persistentvolumeclaims", claim),
        (ErrorCode::QuotaExceeded, "pods \"db-0\"", "events", event("FailedCreate", quota)),
        (ErrorCode::VolumePending, "no class", "events", event("ProvisioningFailed", "data-db-0: no class")),
    ] {
        let mut has = waiting_store();
        has.push((kind, object));
        let (calls, _) = calls(move |asked| answer(&has, asked));
        let cluster = KubeCluster::mocked(calls);

        let wanted = Readiness { deployments: vec!["web".to_owned()], setup: true };
        let looked = cluster.watch_rollout(&StoreId::from_random(1), &wanted, Duration::ZERO).await;

        assert!(
            matches!(&looked, Ok(Rollout::Pending(failure)) if failure.code == code && failure.detail.contains(named)),
            "{code}: {looked:?}"
        );
    }
}
