//! What a failed helm means for the caller.
//!
//! Helm reports by text, so what can be learned without reading it is: an outage shows in our own next call to the cluster. The texts
//! that are read are the API server's, which are part of its contract far more than helm's are.

use shopwright_ports::cluster::ClusterError;
use shopwright_ports::releases::ReleaseError;

use crate::redact::filtered;

/// Ways in which helm 4 says that a chart cannot be rendered with its values.
const CHART: [&str; 9] = [
    "values don't meet the specifications of the schema",
    "execution error at (",
    "parse error at (",
    "YAML parse error on",
    "error converting YAML",
    "error calling ",
    "Chart.yaml file is missing",
    "failed parsing --",
    "failed to parse ",
];

/// The context in which helm failed.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) fence_denial: &'a str,
    /// Text whose words must not be shown.
    pub(crate) secrets: &'a str,
}

/// What helm's error is, as far as its text says. `None` is left for the cluster to explain.
pub(crate) fn classify(stderr: &str, context: &Context<'_>) -> Option<ReleaseError> {
    let has = |part: &str| stderr.contains(part);
    let text = || filtered(stderr, context.secrets);
    let cluster = |error| Some(ReleaseError::Cluster(error));

    if !context.fence_denial.is_empty() && has(context.fence_denial) {
        return cluster(ClusterError::StaleEpoch { known: None });
    }
    if has("exceeded quota") {
        return cluster(ClusterError::Quota(text()));
    }
    if has("is being terminated") {
        return cluster(ClusterError::Terminating);
    }
    if has(&format!("namespaces \"{}\" not found", context.namespace)) {
        return cluster(ClusterError::NamespaceGone);
    }
    if has("is forbidden: User \"") || has("Unauthorized") {
        return cluster(ClusterError::Denied(text()));
    }
    if has("denied the request") || has("denied request: ") || has("violates PodSecurity") {
        return cluster(ClusterError::Rejected(text()));
    }
    if has("received too many requests") {
        return cluster(ClusterError::Throttled { retry_after: None });
    }
    if let Some(manager) = conflicting_manager(stderr) {
        return Some(ReleaseError::Conflict { manager: filtered(manager, context.secrets), detail: text() });
    }
    CHART.iter().any(|part| has(part)).then(|| ReleaseError::Chart(text()))
}

/// Who owns the fields that server-side apply does not take over (RELIABILITY F51).
fn conflicting_manager(stderr: &str) -> Option<&str> {
    let (_, after) = stderr.split_once("conflict with \"").or_else(|| stderr.split_once("conflicts with \""))?;
    after.split_once('"').map(|(manager, _)| manager)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: Context<'_> =
        Context { namespace: "store-1a2b3c4d", fence_denial: "shopwright fence:", secrets: "" };

    fn classified(stderr: &str) -> String {
        classify(stderr, &CONTEXT).map_or_else(|| "ask the cluster".to_owned(), |error| format!("{error:?}"))
    }

    #[test]
    fn the_cluster_is_named_as_the_reason_where_it_is() {
        let table = [
            (
                "pods is forbidden: ValidatingAdmissionPolicy 'f' with binding 'b' denied request: shopwright fence: 1",
                "StaleEpoch",
            ),
            ("persistentvolumeclaims \"data\" is forbidden: exceeded quota: store, requested: x", "Quota"),
            (
                "configmaps \"x\" is forbidden: unable to create new content in namespace s because it is being terminated",
                "Terminating",
            ),
            ("create: failed to create: namespaces \"store-1a2b3c4d\" not found", "NamespaceGone"),
            ("secrets is forbidden: User \"shopwright-worker\" cannot list resource", "Denied"),
            ("admission webhook \"policy\" denied the request: no", "Rejected"),
            ("the server has received too many requests and has asked us to try again later", "Throttled"),
        ];
        for (stderr, expected) in table {
            let classified = classified(stderr);
            assert!(classified.starts_with(&format!("Cluster({expected}")), "{stderr}: {classified}");
        }
    }

    #[test]
    fn a_chart_that_refuses_its_values_is_not_helms_failure() {
        for stderr in [
            "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nmedusa:\n- at '/web': x",
            "Error: execution error at (medusa/templates/store.yaml:3:4): store.id is not the release",
        ] {
            assert!(classified(stderr).starts_with("Chart("), "{stderr}");
        }
    }

    #[test]
    fn a_conflict_names_who_changed_the_object() {
        let stderr = "Error: UPGRADE FAILED: conflict occurred while applying object default/web apps/v1, Kind=Deployment: \
                      Apply failed with 1 conflict: conflict with \"kubectl\" with subresource \"scale\" using apps/v1: .spec.replicas";

        assert!(classified(stderr).starts_with("Conflict { manager: \"kubectl\""), "{}", classified(stderr));
    }

    #[test]
    fn what_is_not_known_is_left_to_the_cluster() {
        assert_eq!(classified("Error: UPGRADE FAILED: another operation is in progress"), "ask the cluster");
    }
}
