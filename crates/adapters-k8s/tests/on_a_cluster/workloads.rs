//! A store's workloads as a chart makes them, small, with images that no node ever runs.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};
use shopwright_domain::StoreId;

fn labels(store_id: &StoreId, component: &str) -> Value {
    json!({
        "app.kubernetes.io/instance": store_id.as_str(),
        "app.kubernetes.io/component": component,
        "shopwright.dev/store-id": store_id.as_str(),
    })
}

fn template(store_id: &StoreId, component: &str) -> Value {
    json!({
        "metadata": {"labels": labels(store_id, component)},
        "spec": {
            "automountServiceAccountToken": false,
            "securityContext": {"runAsNonRoot": true, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{
                "name": component,
                "image": "fake.shopwright.test/nothing:1",
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            }],
        },
    })
}

fn controller(store_id: &StoreId, component: &str) -> Value {
    json!({
        "metadata": {"name": component, "labels": labels(store_id, component)},
        "spec": {
            "replicas": 1,
            "serviceName": component,
            "selector": {"matchLabels": labels(store_id, component)},
            "template": template(store_id, component),
        },
    })
}

pub(crate) fn deployment(store_id: &StoreId) -> Deployment {
    let mut value = controller(store_id, "web");
    value["spec"].as_object_mut().unwrap().remove("serviceName");
    serde_json::from_value(value).unwrap()
}

pub(crate) fn job(store_id: &StoreId) -> Job {
    let mut template = template(store_id, "setup");
    template["spec"]["restartPolicy"] = json!("Never");
    serde_json::from_value(json!({
        "metadata": {"name": "setup-0123456789", "labels": labels(store_id, "setup")},
        "spec": {"template": template},
    }))
    .unwrap()
}

/// Installs them all, as the worker.
pub(crate) async fn install(worker: &kube::Client, store_id: &StoreId, deployment: &Deployment) {
    let (namespace, params) = (store_id.namespace(), PostParams::default());
    let database: StatefulSet = serde_json::from_value(controller(store_id, "db")).unwrap();
    Api::namespaced(worker.clone(), namespace).create(&params, &database).await.unwrap();
    Api::namespaced(worker.clone(), namespace).create(&params, &job(store_id)).await.unwrap();
    Api::namespaced(worker.clone(), namespace).create(&params, deployment).await.unwrap();
}

/// With a claim on the cluster's default storage class.
pub(crate) fn database_with_a_volume(store_id: &StoreId) -> StatefulSet {
    let mut value = controller(store_id, "db");
    value["spec"]["volumeClaimTemplates"] = json!([{
        "metadata": {"name": "data", "labels": labels(store_id, "db")},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }]);
    value["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "data", "mountPath": "/data"}]);
    serde_json::from_value(value).unwrap()
}
