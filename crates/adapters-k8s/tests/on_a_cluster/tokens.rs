//! Why the fence is a policy and not a token that is taken away.

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::{Value, json};
use shopwright_ports::cluster::{Cluster, ClusterError};

use crate::support::{bed, credentials, eventually, fresh, with_token};

/// E15: a token that is bound to a Secret lives on for seconds after the Secret is gone. A stale owner that holds one is refused all the
/// while, because the fence looks at the epoch.
#[tokio::test]
async fn e15_a_token_that_was_taken_away_opens_nothing_while_it_lives_on() {
    let Some(bed) = bed().await else { return };
    let old = bed.store().await;
    let secrets = Api::<Secret>::namespaced(bed.admin.clone(), "shopwright-system");
    let name = format!("bound-{}", fresh());
    let secret = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
    let secret = secrets.create(&PostParams::default(), &secret).await.unwrap();
    let bound = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": {"audiences": [], "boundObjectRef": {
            "apiVersion": "v1", "kind": "Secret", "name": name, "uid": secret.metadata.uid}},
    });
    let request = http::Request::post("/api/v1/namespaces/shopwright-system/serviceaccounts/shopwright/token");
    let request = request.header("content-type", "application/json").body(bound.to_string().into_bytes()).unwrap();
    let token: Value = bed.admin.request(request).await.unwrap();
    let owner = with_token(&bed, token.pointer("/status/token").and_then(Value::as_str).unwrap()).await;
    owner.put_credentials(&old, &credentials("first")).await.expect("while the claim holds");

    let new = bed.raised(&old).await;
    let write = async || owner.put_credentials(&old, &credentials("stale")).await;
    // The token is as good as it was: it is the epoch that is refused.
    let stale = write().await;
    assert!(matches!(stale, Err(ClusterError::StaleEpoch { .. })), "{stale:?}");

    secrets.delete(&name, &DeleteParams::default()).await.unwrap();
    let dead = async || {
        let stale = write().await;
        assert!(matches!(stale, Err(ClusterError::StaleEpoch { .. } | ClusterError::Denied(_))), "{stale:?}");
        matches!(owner.check().await, Err(ClusterError::Denied(_)))
    };
    eventually("the token is not believed any more", dead).await;
    bed.remove(&new).await;
}
