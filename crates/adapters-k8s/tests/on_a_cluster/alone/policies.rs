//! Policies that are taken away, weakened, or overruled by somebody else's.

use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration,
};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;
use shopwright_adapters_k8s::prepare;
use shopwright_ports::cluster::{Cluster, ClusterError};

use crate::support::{Bed, bed, credentials, eventually};

async fn is_unfenced(bed: &Bed, words: &str) -> bool {
    let verdict = bed.cluster.verify_fence().await;
    matches!(&verdict, Err(ClusterError::Unfenced(why)) if why.contains(words) && why.contains("clusters prepare"))
}

/// S51: each of the three policies is missed, by name of what it should have refused, and none is missed once it is back.
#[tokio::test]
async fn s51_a_policy_that_is_gone_or_only_warns_opens_the_fence() {
    let Some(bed) = bed().await else { return };
    let bindings = Api::<ValidatingAdmissionPolicyBinding>::all(bed.admin.clone());
    let policies = Api::<ValidatingAdmissionPolicy>::all(bed.admin.clone());
    for (policy, words) in [
        ("shopwright-fence", "a worker of another epoch"),
        ("shopwright-epoch", "an epoch that goes back"),
        ("shopwright-base", "a namespace that is no store's"),
    ] {
        for way in ["binding removed", "policy removed", "only audited"] {
            bed.cluster.verify_fence().await.expect("the fence holds at first");
            match way {
                "binding removed" => drop(bindings.delete(policy, &DeleteParams::default()).await.unwrap()),
                "policy removed" => drop(policies.delete(policy, &DeleteParams::default()).await.unwrap()),
                _ => {
                    let audit = Patch::Merge(json!({"spec": {"validationActions": ["Audit"]}}));
                    bindings.patch(policy, &PatchParams::default(), &audit).await.unwrap();
                }
            }
            eventually(&format!("{policy}, {way}: an open fence"), async || is_unfenced(&bed, words).await).await;

            prepare::prepare(&bed.admin_settings).await.expect("it can be prepared again");
            eventually("a closed fence", async || bed.cluster.verify_fence().await.is_ok()).await;
        }
    }
}

/// S51: a fence that an older version installed lets a worker of one store into another's namespace. It is missed like one that is gone.
#[tokio::test]
async fn s51_a_fence_that_does_not_look_at_the_store_is_open() {
    let Some(bed) = bed().await else { return };
    let policies = Api::<ValidatingAdmissionPolicy>::all(bed.admin.clone());
    let fence = policies.get("shopwright-fence").await.unwrap();
    let whole = fence.spec.unwrap().validations.unwrap().remove(0).expression;
    let older = whole.replace("request.userInfo.extra['shopwright-store'] == [namespaceObject.metadata.name]", "true");
    assert_ne!(older, whole);
    let older = Patch::Merge(
        json!({"spec": {"validations": [{"expression": older, "message": "shopwright fence: no", "reason": "Forbidden"}]}}),
    );
    policies.patch("shopwright-fence", &PatchParams::default(), &older).await.unwrap();

    eventually("an open fence", async || is_unfenced(&bed, "a worker of another store").await).await;

    prepare::prepare(&bed.admin_settings).await.expect("it can be prepared again");
    eventually("a closed fence", async || bed.cluster.verify_fence().await.is_ok()).await;
}

/// F40: a policy that does not want the object names itself, and waiting does not help; a webhook that is down names itself, and waiting
/// does. A webhook that is dead for one kind of object is felt by that kind alone.
#[tokio::test]
async fn f40_a_policys_no_and_a_dead_webhook_are_told_apart() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let policy: ValidatingAdmissionPolicy = serde_json::from_value(json!({
        "metadata": {"name": "no-secrets.example.test"},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"]}]},
            "validations": [{"expression": "false", "message": "secrets are not wanted here", "reason": "Forbidden"}],
        },
    }))
    .unwrap();
    let binding: ValidatingAdmissionPolicyBinding = serde_json::from_value(json!({
        "metadata": {"name": "no-secrets.example.test"},
        "spec": {"policyName": "no-secrets.example.test", "validationActions": ["Deny"]},
    }))
    .unwrap();
    let (policies, bindings) = (Api::all(bed.admin.clone()), Api::all(bed.admin.clone()));
    policies.create(&PostParams::default(), &policy).await.unwrap();
    bindings.create(&PostParams::default(), &binding).await.unwrap();
    let put = async || bed.cluster.put_credentials(&fence, &credentials("p")).await;
    let denied = async || {
        matches!(put().await, Err(ClusterError::Policy(words))
            if words.contains("no-secrets.example.test") && words.contains("secrets are not wanted here"))
    };
    // The very first writes may still pass: then the Secret is there, and only making it is denied.
    let secrets = Api::<k8s_openapi::api::core::v1::Secret>::namespaced(bed.admin.clone(), fence.store_id.namespace());
    let denied_anew = async || {
        let _ = secrets.delete("store-credentials", &DeleteParams::default()).await;
        denied().await
    };
    eventually("a refusal that names the policy", denied_anew).await;
    bindings.delete("no-secrets.example.test", &DeleteParams::default()).await.unwrap();
    policies.delete("no-secrets.example.test", &DeleteParams::default()).await.unwrap();
    eventually("no refusal any more", async || put().await.is_ok()).await;

    let hook: ValidatingWebhookConfiguration = serde_json::from_value(json!({
        "metadata": {"name": "dead.example.test"},
        "webhooks": [{
            "name": "dead.example.test",
            "clientConfig": {"url": "https://127.0.0.1:1/"},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["secrets"]}],
            "failurePolicy": "Fail", "sideEffects": "None", "timeoutSeconds": 1, "admissionReviewVersions": ["v1"],
        }],
    }))
    .unwrap();
    let hooks = Api::all(bed.admin.clone());
    hooks.create(&PostParams::default(), &hook).await.unwrap();
    let down = async || {
        let outcome = bed.cluster.put_credentials(&fence, &credentials("other")).await;
        matches!(&outcome, Err(error) if error.is_outage() && error.to_string().contains("dead.example.test"))
    };
    eventually("an outage that names the webhook", down).await;
    bed.cluster.raise_epoch(&fence).await.expect("it is felt by secrets alone");
    hooks.delete("dead.example.test", &DeleteParams::default()).await.unwrap();
    eventually("no outage any more", async || put().await.is_ok()).await;
    bed.remove(&fence).await;
}
