//! Who may do what, as the cluster itself answers it (RELIABILITY S47). A right that is added or lost changes this table.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::authorization::v1::{SelfSubjectRulesReview, SubjectAccessReview};
use kube::Client;
use kube::api::{Api, PostParams};
use serde_json::json;

use crate::support::bed;

type Rights = BTreeMap<String, BTreeSet<String>>;

/// What this client may do in the namespace: resource to verbs, without what every account may ask about itself.
async fn rights(client: &Client, namespace: &str) -> Rights {
    let asked = serde_json::from_value(json!({"spec": {"namespace": namespace}})).unwrap();
    let review: SelfSubjectRulesReview =
        Api::all(client.clone()).create(&PostParams::default(), &asked).await.expect("everybody may ask");
    let status = review.status.unwrap();
    assert!(!status.incomplete, "{:?}", status.evaluation_error);
    let mut rights = Rights::new();
    for rule in status.resource_rules {
        for resource in rule.resources.iter().flatten() {
            for group in rule.api_groups.iter().flatten() {
                let only = rule.resource_names.iter().flatten().cloned().collect::<Vec<_>>().join(" ");
                let key = format!("{resource}.{group} {only}");
                rights.entry(key.trim_matches([' ', '.']).replace(". ", " ")).or_default().extend(rule.verbs.clone());
            }
        }
    }
    rights.retain(|resource, _| !resource.starts_with("selfsubject"));
    rights
}

fn table(rows: &[(&str, &str)]) -> Rights {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
    rows.iter().map(|(resource, verbs)| ((*resource).to_owned(), words(verbs))).collect()
}

const READ: &str = "get list watch";
const ALL: &str = "get list watch create update patch delete";

/// F43: no right on leases, so nothing that every replica would wait for can be lost. F55: none on `namespaces/finalize` either.
#[tokio::test]
async fn s47_f43_the_service_account_has_these_rights_and_no_other() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let expected = table(&[
        ("namespaces", "get list watch create patch delete"),
        ("rolebindings.rbac.authorization.k8s.io", "get create patch"),
        ("clusterroles.rbac.authorization.k8s.io shopwright-store-worker", "bind"),
        ("pods", READ),
        ("persistentvolumeclaims", READ),
        ("persistentvolumes", READ),
        ("events", READ),
        ("deployments.apps", READ),
        ("statefulsets.apps", READ),
        ("jobs.batch", READ),
        ("users shopwright-worker", "impersonate"),
        ("groups shopwright-workers", "impersonate"),
        ("userextras/shopwright-epoch.authentication.k8s.io", "impersonate"),
        ("userextras/shopwright-store.authentication.k8s.io", "impersonate"),
    ]);
    let base = bed.base().await;

    for namespace in [fence.store_id.namespace(), "kube-system", "shopwright-system", "default"] {
        assert_eq!(rights(&base, namespace).await, expected, "{namespace}");
    }
    bed.remove(&fence).await;
}

#[tokio::test]
async fn s47_the_worker_has_rights_in_its_stores_namespace_alone() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let worker = bed.worker(&fence).await;
    let expected = table(&[
        ("configmaps", ALL),
        ("limitranges", ALL),
        ("persistentvolumeclaims", ALL),
        ("resourcequotas", ALL),
        ("secrets", ALL),
        ("serviceaccounts", ALL),
        ("services", ALL),
        ("deployments.apps", ALL),
        ("statefulsets.apps", ALL),
        ("jobs.batch", ALL),
        ("cronjobs.batch", ALL),
        ("ingresses.networking.k8s.io", ALL),
        ("networkpolicies.networking.k8s.io", ALL),
        ("httproutes.gateway.networking.k8s.io", ALL),
        ("poddisruptionbudgets.policy", ALL),
        ("externalsecrets.external-secrets.io", ALL),
        // The cluster lets nobody give away what he has not himself, and a policy leaves the store's own account hardly anything.
        ("roles.rbac.authorization.k8s.io", ALL),
        ("rolebindings.rbac.authorization.k8s.io", ALL),
        ("pods", READ),
        ("pods/log", READ),
        ("events", READ),
        ("replicasets.apps", READ),
        ("controllerrevisions.apps", READ),
    ]);

    assert_eq!(rights(&worker, fence.store_id.namespace()).await, expected);
    for namespace in ["kube-system", "shopwright-system", "default"] {
        assert_eq!(rights(&worker, namespace).await, Rights::new(), "{namespace}");
    }
    assert_eq!(rights(&worker, "shopwright-fence-check").await, table(&[("configmaps", "create")]));
    bed.remove(&fence).await;
}

/// The same by single questions, for what would hurt most: an answer to "may I" that the table above could hide behind a wildcard.
#[tokio::test]
async fn s47_what_would_hurt_most_is_not_allowed() {
    let Some(bed) = bed().await else { return };
    let account = ("system:serviceaccount:shopwright-system:shopwright", "system:serviceaccounts");
    let worker = ("shopwright-worker", "shopwright-workers");
    let reviews = Api::<SubjectAccessReview>::all(bed.admin.clone());
    for (user, group) in [account, worker] {
        for (verb, api, resource, name) in [
            ("get", "", "secrets", ""),
            ("create", "", "pods", ""),
            ("create", "", "pods/exec", ""),
            ("create", "", "serviceaccounts/token", ""),
            ("update", "", "namespaces", ""),
            ("update", "", "namespaces/finalize", ""),
            ("create", "coordination.k8s.io", "leases", ""),
            ("update", "coordination.k8s.io", "leases", ""),
            ("patch", "", "nodes", ""),
            ("escalate", "rbac.authorization.k8s.io", "clusterroles", ""),
            ("bind", "rbac.authorization.k8s.io", "clusterroles", "cluster-admin"),
            ("create", "rbac.authorization.k8s.io", "clusterrolebindings", ""),
            ("impersonate", "", "users", "system:admin"),
            ("impersonate", "", "groups", "system:masters"),
            ("impersonate", "", "serviceaccounts", "default"),
            ("impersonate", "authentication.k8s.io", "userextras/other", ""),
            ("impersonate", "authentication.k8s.io", "uids", "1"),
            ("delete", "admissionregistration.k8s.io", "validatingadmissionpolicies", "shopwright-fence"),
            ("patch", "admissionregistration.k8s.io", "validatingadmissionpolicybindings", "shopwright-fence"),
        ] {
            let asked = serde_json::from_value(json!({"spec": {
                "user": user, "groups": [group, "system:authenticated"],
                "resourceAttributes": {"verb": verb, "group": api, "resource": resource.split('/').next(),
                    "subresource": resource.split('/').nth(1), "name": name, "namespace": "kube-system"},
            }}));
            let answer = reviews.create(&PostParams::default(), &asked.unwrap()).await.unwrap();
            assert!(!answer.status.unwrap().allowed, "{user} may {verb} {resource} {name}");
        }
    }
}
