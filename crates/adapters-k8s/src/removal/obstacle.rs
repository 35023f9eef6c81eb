//! What keeps a namespace that is going away, in the cluster's words, with the names that help whoever must act.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolumeClaim, Pod};
use kube::core::params::ListParams;
use kube::{Resource, ResourceExt};
use shopwright_domain::StoreId;

use crate::KubeCluster;

/// The conditions that tell of content that does not go, the most telling first.
const HELD: [&str; 4] = [
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceFinalizersRemaining",
    "NamespaceContentRemaining",
    "NamespaceDeletionContentFailure",
];
/// The condition of a cluster whose controller cannot even tell what there is to remove.
const DISCOVERY: &str = "NamespaceDeletionDiscoveryFailure";
/// So many objects are named.
const MOST_NAMES: usize = 3;

/// Why the namespace is still there, if that can be seen.
pub(super) fn obstacle(namespace: &Namespace) -> Option<String> {
    let name = namespace.name_any();
    let conditions = namespace.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let conditions: Vec<_> = conditions.filter(|condition| condition.status == "True").collect();
    let words = |wanted: &str| {
        let found = conditions.iter().find(|condition| condition.type_ == wanted)?;
        Some(found.message.clone().unwrap_or_else(|| wanted.to_owned()))
    };
    if let Some(words) = words(DISCOVERY) {
        // No namespace of the cluster can be removed then (F56): whoever looks for the fault in the store looks in the wrong place.
        let services = dead_services(&words);
        let services = if services.is_empty() { "an APIService".to_owned() } else { services };
        return Some(format!(
            "the cluster is at fault, not the store: {services} does not answer, and until it does or is removed no namespace goes \
             away; namespace {name}: {words}"
        ));
    }
    let held: Vec<_> = HELD.iter().filter_map(|wanted| words(wanted)).collect();
    if !held.is_empty() {
        return Some(format!("namespace {name}: {}", held.join(" ")));
    }
    // All content is gone, and somebody else's finalizer is on the namespace itself.
    let own = namespace.finalizers();
    let going = namespace.metadata.deletion_timestamp.is_some();
    (going && !own.is_empty()).then(|| format!("namespace {name} itself has the finalizers {}", own.join(", ")))
}

/// What serves the versions of APIs that a failed discovery names: the `APIService` of `group/version` is called `version.group`.
fn dead_services(words: &str) -> String {
    let mut services: Vec<String> = words
        .split([' ', ',', ';'])
        .filter_map(|word| word.trim_end_matches(':').split_once('/'))
        .filter(|(group, version)| {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
            group.contains('.') && group.chars().all(plain) && version.starts_with('v') && version.chars().all(plain)
        })
        .map(|(group, version)| format!("APIService {version}.{group}"))
        .collect();
    services.sort();
    services.dedup();
    services.truncate(MOST_NAMES);
    services.join(", ")
}

impl KubeCluster {
    /// The obstacle with the names of the objects that it is about, as far as this account may see them. A look that fails takes nothing
    /// away from what is known already.
    pub(super) async fn with_objects(&self, store_id: &StoreId, obstacle: String) -> String {
        let namespace = store_id.namespace();
        let mut names = Vec::new();
        names.extend(self.held::<PersistentVolumeClaim>(namespace, &obstacle).await);
        names.extend(self.held::<Pod>(namespace, &obstacle).await);
        names.extend(self.held::<StatefulSet>(namespace, &obstacle).await);
        names.extend(self.held::<Deployment>(namespace, &obstacle).await);
        names.extend(self.held::<Job>(namespace, &obstacle).await);
        names.truncate(MOST_NAMES);
        if names.is_empty() { obstacle } else { format!("{obstacle} ({})", names.join("; ")) }
    }

    /// The objects of a kind that the obstacle speaks of, with their finalizers.
    async fn held<K>(&self, namespace: &str, obstacle: &str) -> Vec<String>
    where
        K: Resource<DynamicType = ()> + Clone,
    {
        if !obstacle.contains(&format!("{}.", K::plural(&()))) {
            return Vec::new();
        }
        let found = self.calls.list_metadata::<K>(Some(namespace), &ListParams::default()).await.unwrap_or_default();
        let held = found.into_iter().filter_map(|metadata| {
            let finalizers = metadata.finalizers.filter(|finalizers| !finalizers.is_empty())?;
            let name = metadata.name.unwrap_or_default();
            Some(format!("{} {name} has the finalizers {}", K::kind(&()), finalizers.join(", ")))
        });
        held.collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn namespace(metadata: &Value, conditions: &[(&str, &str, &str)]) -> Namespace {
        let conditions: Vec<_> = conditions
            .iter()
            .map(|(kind, status, message)| json!({"type": kind, "status": status, "message": message}))
            .collect();
        serde_json::from_value(json!({"metadata": metadata, "status": {"conditions": conditions}})).unwrap()
    }

    #[test]
    fn f55_what_remains_is_told_with_what_holds_it() {
        let held = namespace(
            &json!({"name": "store-1"}),
            &[
                (
                    "NamespaceContentRemaining",
                    "True",
                    "Some resources are remaining: configmaps. has 1 resource instances",
                ),
                (
                    "NamespaceFinalizersRemaining",
                    "True",
                    "finalizers remaining: example.test/held in 1 resource instances",
                ),
                ("NamespaceDeletionDiscoveryFailure", "False", "all well"),
            ],
        );

        let words = obstacle(&held).unwrap();

        assert!(words.starts_with("namespace store-1: finalizers remaining: example.test/held"), "{words}");
        assert!(words.contains("configmaps. has 1"), "{words}");
        assert_eq!(obstacle(&namespace(&json!({}), &[("NamespaceContentRemaining", "False", "gone")])), None);
    }

    #[test]
    fn f55_a_finalizer_of_the_namespace_itself_is_told() {
        let metadata = json!({"name": "store-1", "finalizers": ["example.test/held"], "deletionTimestamp": "2026-01-01T00:00:00Z"});
        let held = namespace(&metadata, &[("NamespaceContentRemaining", "False", "gone")]);

        assert_eq!(obstacle(&held).as_deref(), Some("namespace store-1 itself has the finalizers example.test/held"));
    }

    #[test]
    fn f56_a_dead_api_is_the_clusters_fault_and_named() {
        let words = "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: \
                     metrics.example.test/v1beta1: stale GroupVersion discovery: metrics.example.test/v1beta1";
        let held = namespace(&json!({"name": "store-1"}), &[("NamespaceDeletionDiscoveryFailure", "True", words)]);

        let words = obstacle(&held).unwrap();

        assert!(
            words.starts_with(
                "the cluster is at fault, not the store: APIService v1beta1.metrics.example.test does not"
            )
        );
        assert_eq!(dead_services("https://10.0.0.1/x and/or nothing"), "");
    }
}
