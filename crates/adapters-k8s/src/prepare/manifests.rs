//! The manifests that this crate brings along, as requests that apply them.

use std::fmt;

use http::Request;
use serde_json::Value;

use super::PrepareError;
use crate::names::MANAGER;

const FILES: [&str; 3] = [
    include_str!("../manifests/accounts.yaml"),
    include_str!("../manifests/policies.yaml"),
    include_str!("../manifests/isolation.yaml"),
];

/// One object to be written.
pub(super) struct Manifest {
    kind: String,
    name: String,
    path: String,
    object: Value,
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// All manifests in the order in which they must be written.
pub(super) fn all() -> Result<Vec<Manifest>, PrepareError> {
    let documents = FILES.into_iter().flat_map(|file| file.split("\n---\n"));
    documents
        .map(|document| {
            let object: Value = serde_saphyr::from_str(document)
                .map_err(|_| PrepareError::Manifest(document.lines().take(4).collect::<Vec<_>>().join(" ")))?;
            Manifest::of(object)
        })
        .collect()
}

impl Manifest {
    fn of(object: Value) -> Result<Self, PrepareError> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (kind, name, namespace) = (text("/kind"), text("/metadata/name"), text("/metadata/namespace"));
        let resource = match kind.as_str() {
            "Namespace" => "/api/v1/namespaces".to_owned(),
            "ServiceAccount" => format!("/api/v1/namespaces/{namespace}/serviceaccounts"),
            "ClusterRole" => "/apis/rbac.authorization.k8s.io/v1/clusterroles".to_owned(),
            "ClusterRoleBinding" => "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings".to_owned(),
            "Role" => format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles"),
            "RoleBinding" => format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings"),
            "PriorityClass" => "/apis/scheduling.k8s.io/v1/priorityclasses".to_owned(),
            "ValidatingAdmissionPolicy" => {
                "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies".to_owned()
            }
            "ValidatingAdmissionPolicyBinding" => {
                "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings".to_owned()
            }
            _ => return Err(PrepareError::Manifest(format!("{kind}/{name}"))),
        };
        Ok(Self { path: format!("{resource}/{name}"), kind, name, object })
    }

    /// A server-side apply.
    pub(super) fn apply(&self) -> Result<Request<Vec<u8>>, PrepareError> {
        let damaged = || PrepareError::Manifest(self.to_string());
        let body = serde_json::to_vec(&self.object).map_err(|_| damaged())?;
        Request::patch(format!("{}?fieldManager={MANAGER}&force=true", self.path))
            .header("content-type", "application/apply-patch+yaml")
            .body(body)
            .map_err(|_| damaged())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names;

    #[test]
    fn every_manifest_can_be_applied() {
        let manifests = all().unwrap();

        assert_eq!(manifests.len(), 31);
        assert!(manifests.iter().all(|manifest| manifest.apply().is_ok() && !manifest.name.is_empty()));
    }

    #[test]
    fn the_manifests_spell_the_names_that_the_code_uses() {
        let files = FILES.concat();

        for name in [
            names::STORE_ID,
            names::EPOCH,
            names::MANAGED_BY,
            names::WORKER_USER,
            names::WORKER_GROUP,
            names::EPOCH_EXTRA,
            names::STORE_EXTRA,
            names::STORE_WORKER,
            names::SYSTEM_NAMESPACE,
            names::CHECK_NAMESPACE,
            names::FENCE_REFUSAL,
            names::EPOCH_REFUSAL,
            names::BASE_REFUSAL,
            names::POD_SECURITY[0].0,
        ] {
            assert!(files.contains(name), "{name}");
        }
        let account = format!("system:serviceaccount:{}:{}", names::SYSTEM_NAMESPACE, names::SERVICE_ACCOUNT);
        assert!(files.contains(&account));
    }
}
