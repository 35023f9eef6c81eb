//! What a failed helm means for the caller.
//!
//! Helm reports by text, so what can be learned without reading it is: an outage shows in our own next call to the cluster. The texts
//! that are read are the API server's, which are part of its contract far more than helm's are.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use shopwright_ports::cluster::ClusterError;
use shopwright_ports::releases::ReleaseError;

use crate::redact::filtered;

/// What Go's runtime says when it gets no memory.
const MEMORY: [&str; 4] = ["out of memory", "cannot allocate memory", "failed to reserve", "cannot map pages"];

/// How the API server, and the client that helm is built on, say that there is no use in asking now. The verbs open every error of the
/// connection itself.
const OUTAGE: [&str; 12] = [
    "Get \"http",
    "Post \"http",
    "Put \"http",
    "Patch \"http",
    "Delete \"http",
    "an error on the server",
    "Internal error occurred",
    "the server is currently unable to handle the request",
    "the server was unable to return a response in the time allotted",
    "request did not complete within requested timeout",
    "Kubernetes cluster unreachable",
    "etcdserver: ",
];

/// Ways in which helm 4 says that a chart cannot be rendered with its values.
const CHART: [&str; 10] = [
    // The record of the release is a Secret (RELIABILITY F50).
    "Too long: may not be more than 1048576 bytes",
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

    if is_stale(stderr, context.fence_denial) {
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
        return cluster(ClusterError::Policy(text()));
    }
    if has("no space left on device") {
        let source = io::Error::from(io::ErrorKind::StorageFull);
        return Some(ReleaseError::Io { detail: text(), source: source.into() });
    }
    if has("received too many requests") {
        return cluster(ClusterError::Throttled { retry_after: None });
    }
    if OUTAGE.iter().any(|part| has(part)) {
        return cluster(ClusterError::Unreachable { detail: text(), source: None });
    }
    if let Some(manager) = conflicting_manager(stderr) {
        return Some(ReleaseError::Conflict { manager: filtered(manager, context.secrets), detail: text() });
    }
    CHART.iter().any(|part| has(part)).then(|| ReleaseError::Chart(text()))
}

/// Whether the fence refused something.
pub(crate) fn is_stale(stderr: &str, fence_denial: &str) -> bool {
    !fence_denial.is_empty() && stderr.contains(fence_denial)
}

/// How helm died, if it did not end by itself. Nobody here sends signals to a helm whose end is then looked at.
pub(crate) fn death(status: ExitStatus, stderr: &str) -> Option<String> {
    if let Some(signal) = status.signal() {
        return Some(format!("signal {signal} ended it; the machine may be short of memory"));
    }
    // Go's runtime says why on a line of its own before it lists what it was doing.
    let runtime = |line: &&str| MEMORY.iter().any(|part| line.starts_with("fatal error: ") && line.contains(part));
    stderr.lines().find(runtime).map(|line| filtered(line, ""))
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
            ("admission webhook \"policy\" denied the request: no", "Policy"),
            ("the server has received too many requests and has asked us to try again later", "Throttled"),
            ("query: failed to query with labels: Get \"https://h/api/v1/x\": EOF", "Unreachable"),
            (
                "an error on the server (\"oops\") has prevented the request from succeeding (get secrets)",
                "Unreachable",
            ),
            ("the server is currently unable to handle the request", "Unreachable"),
            ("create: failed to create: etcdserver: mvcc: database space exceeded", "Unreachable"),
            ("Internal error occurred: failed calling webhook \"w\": context deadline exceeded", "Unreachable"),
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

    /// RELIABILITY F12.
    #[test]
    fn a_helm_that_was_killed_or_found_no_memory_has_died() {
        let died = |raw, stderr| death(ExitStatus::from_raw(raw), stderr);

        assert!(died(9, "").is_some_and(|reason| reason.starts_with("signal 9")));
        assert_eq!(
            died(2 << 8, "runtime: out of memory\nfatal error: failed to reserve page summary memory\n\ngoroutine 1"),
            Some("fatal error: failed to reserve page summary memory".to_owned())
        );
        assert_eq!(died(1 << 8, "Error: the pod ended: out of memory"), None);
    }

    #[test]
    fn what_is_not_known_is_left_to_the_cluster() {
        assert_eq!(classified("Error: UPGRADE FAILED: another operation is in progress"), "ask the cluster");
    }
}
