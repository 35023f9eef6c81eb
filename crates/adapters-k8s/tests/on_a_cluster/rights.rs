//! What the service account may not do: the rights are as small as the product needs.

use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::config::Kubeconfig;
use secrecy::ExposeSecret;
use serde_json::json;
use shopwright_adapters_k8s::{FenceError, KubeCluster, prepare};
use std::time::Duration;

use crate::support::{bed, client_of, refusal};

#[tokio::test]
async fn the_service_account_changes_no_namespace_but_a_stores() {
    let Some(bed) = bed().await else { return };
    let namespaces = Api::<Namespace>::all(bed.base().await);
    let patch = Patch::Merge(json!({"metadata": {"annotations": {"a": "b"}}}));
    let of = |value| serde_json::from_value::<Namespace>(value).unwrap();

    for (what, outcome) in [
        ("patch kube-system", namespaces.patch("kube-system", &PatchParams::default(), &patch).await.map(drop)),
        ("delete ours", namespaces.delete("shopwright-system", &DeleteParams::default().dry_run()).await.map(drop)),
        (
            "raise the check",
            namespaces.patch("shopwright-fence-check", &PatchParams::default(), &patch).await.map(drop),
        ),
        (
            "make another",
            namespaces.create(&PostParams::default(), &of(json!({"metadata": {"name": "other"}}))).await.map(drop),
        ),
        (
            "make a store's without an owner",
            namespaces
                .create(&PostParams::default(), &of(json!({"metadata": {"name": "store-00000000"}})))
                .await
                .map(drop),
        ),
    ] {
        let (code, words) = refusal(outcome);
        assert!(code == 403 && words.contains("shopwright base:"), "{what}: {words}");
    }
}

#[tokio::test]
async fn the_service_account_reads_no_secrets_and_binds_nobody_else() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let base = bed.base().await;
    let binding = |role: &str, who: &str| -> RoleBinding {
        serde_json::from_value(json!({
            "metadata": {"name": "shopwright-store-worker"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": who}],
        }))
        .unwrap()
    };
    let create = PostParams { dry_run: true, ..PostParams::default() };
    let bindings = |namespace: &str| Api::<RoleBinding>::namespaced(base.clone(), namespace);

    for (what, outcome) in [
        ("all secrets", Api::<Secret>::all(base.clone()).list(&ListParams::default()).await.map(drop)),
        (
            "a store's secrets",
            Api::<Secret>::namespaced(base.clone(), fence.store_id.namespace())
                .list(&ListParams::default())
                .await
                .map(drop),
        ),
        (
            "the worker in kube-system",
            bindings("kube-system")
                .create(&create, &binding("shopwright-store-worker", "shopwright-workers"))
                .await
                .map(drop),
        ),
        (
            "everybody as the worker",
            bindings(fence.store_id.namespace())
                .create(&create, &binding("shopwright-store-worker", "system:authenticated"))
                .await
                .map(drop),
        ),
        (
            "the worker as administrator",
            bindings(fence.store_id.namespace())
                .create(&create, &binding("cluster-admin", "shopwright-workers"))
                .await
                .map(drop),
        ),
    ] {
        let (code, words) = refusal(outcome);
        assert_eq!(code, 403, "{what}: {words}");
    }
    bed.remove(&fence).await;
}

/// Finding 9c, S47.
#[tokio::test]
async fn the_service_account_becomes_nobody_but_the_worker() {
    let Some(bed) = bed().await else { return };
    let text = prepare::service_account_kubeconfig(&bed.admin_settings, Duration::from_hours(1)).await.unwrap();
    for (user, groups) in [("shopwright-worker", vec!["system:masters"]), ("admin", vec!["shopwright-workers"])] {
        let mut file = Kubeconfig::from_yaml(text.expose_secret()).unwrap();
        let auth = file.auth_infos[0].auth_info.as_mut().unwrap();
        auth.impersonate = Some(user.to_owned());
        auth.impersonate_groups = Some(groups.iter().map(|&group| group.to_owned()).collect());
        let client = client_of(&serde_json::to_string(&file).unwrap().into()).await;

        let (code, words) = refusal(Api::<Namespace>::all(client).list(&ListParams::default()).await);

        assert!(code == 403 && words.contains("impersonate"), "{user}: {words}");
    }
}

#[tokio::test]
async fn the_fence_is_verified_as_the_service_account_and_not_as_an_administrator() {
    let Some(bed) = bed().await else { return };

    bed.cluster.verify().await.expect("the fence holds");

    let administrator = KubeCluster::connect(bed.admin_settings.clone()).await.unwrap();
    let verdict = administrator.verify().await;
    assert!(matches!(&verdict, Err(FenceError::Open(what)) if what.contains("this account")), "{verdict:?}");
}

#[tokio::test]
async fn preparing_again_changes_nothing() {
    let Some(bed) = bed().await else { return };
    let read = async || {
        Api::<Namespace>::all(bed.admin.clone()).get("shopwright-fence-check").await.unwrap().metadata.resource_version
    };
    let before = read().await;

    let written = prepare::prepare(&bed.admin_settings).await.unwrap();

    assert!(written.contains(&"ValidatingAdmissionPolicy/shopwright-fence".to_owned()), "{written:?}");
    assert_eq!(read().await, before);
}

#[tokio::test]
async fn the_service_account_cannot_prepare() {
    let Some(bed) = bed().await else { return };
    let text = prepare::service_account_kubeconfig(&bed.admin_settings, Duration::from_hours(1)).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config");
    std::fs::write(&path, text.expose_secret()).unwrap();
    let source = shopwright_adapters_k8s::KubeSource::Kubeconfig { path, context: "shopwright".to_owned() };

    let refused = prepare::prepare(&shopwright_adapters_k8s::KubeSettings::new(source)).await;

    assert!(matches!(refused, Err(prepare::PrepareError::Apply { .. })), "{refused:?}");
}
