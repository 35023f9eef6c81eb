//! Whether the objects of a release are there: each is read by itself, as the worker, from the cluster's own storage and not from a cache.

use futures::future::try_join_all;
use http::Request;
use kube::core::params::GetParams;
use kube::core::{ApiResource, DynamicObject, GroupVersion, Resource};
use serde::Deserialize;
use shopwright_ports::cluster::{ClusterError, Fence};
use shopwright_ports::releases::ObjectRef;

use crate::KubeCluster;
use crate::calls::{CallError, Identity, Refusal};

/// How many objects are read at once.
const AT_ONCE: usize = 4;

/// The kinds that charts use, with the resources that they are. Others are asked for.
const RESOURCES: [(&str, &str, &str); 18] = [
    ("v1", "ConfigMap", "configmaps"),
    ("v1", "LimitRange", "limitranges"),
    ("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    ("v1", "ResourceQuota", "resourcequotas"),
    ("v1", "Secret", "secrets"),
    ("v1", "Service", "services"),
    ("v1", "ServiceAccount", "serviceaccounts"),
    ("apps/v1", "DaemonSet", "daemonsets"),
    ("apps/v1", "Deployment", "deployments"),
    ("apps/v1", "StatefulSet", "statefulsets"),
    ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    ("batch/v1", "CronJob", "cronjobs"),
    ("batch/v1", "Job", "jobs"),
    ("networking.k8s.io/v1", "Ingress", "ingresses"),
    ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    ("rbac.authorization.k8s.io/v1", "Role", "roles"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"),
];

/// As much of an object as is looked at.
#[derive(Deserialize)]
struct Head {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    deletion_timestamp: Option<String>,
}

/// The API's own list of what is in it.
#[derive(Deserialize)]
struct ResourceList {
    resources: Vec<ListedResource>,
}

#[derive(Deserialize)]
struct ListedResource {
    name: String,
    kind: String,
}

impl KubeCluster {
    pub(crate) async fn missing_objects(
        &self,
        fence: &Fence,
        objects: &[ObjectRef],
    ) -> Result<Vec<ObjectRef>, ClusterError> {
        let mut missing = Vec::new();
        for some in objects.chunks(AT_ONCE) {
            let there = match try_join_all(some.iter().map(|object| self.is_there(fence, object))).await {
                Ok(there) => there,
                Err(error) => match self.why(&fence.store_id, error).await {
                    ClusterError::NamespaceGone => return Ok(objects.to_vec()),
                    error => return Err(error),
                },
            };
            missing.extend(some.iter().zip(there).filter(|(_, there)| !there).map(|(object, _)| object.clone()));
        }
        Ok(missing)
    }

    /// Whether it is there and stays.
    async fn is_there(&self, fence: &Fence, object: &ObjectRef) -> Result<bool, CallError> {
        let Some(resource) = self.resource_of(fence, object).await? else {
            // What the cluster has no word for it does not have.
            return Ok(false);
        };
        let request = kube::core::Request::new(DynamicObject::url_path(&resource, Some(fence.store_id.namespace())));
        let request = request.get_metadata(&object.name, &GetParams::default()).map_err(unusable)?;
        match self.calls.send::<Head>(Identity::worker(fence), request).await {
            Ok(head) => Ok(head.metadata.deletion_timestamp.is_none()),
            Err(error) if error.has_code(404) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn resource_of(&self, fence: &Fence, object: &ObjectRef) -> Result<Option<ApiResource>, CallError> {
        let Ok(version) = object.api_version.parse::<GroupVersion>() else { return Ok(None) };
        let kind = version.with_kind(&object.kind);
        let known = RESOURCES.iter().find(|(version, kind, _)| *version == object.api_version && *kind == object.kind);
        if let Some((_, _, plural)) = known {
            return Ok(Some(ApiResource::from_gvk_with_plural(&kind, plural)));
        }
        let root = if kind.group.is_empty() { "/api" } else { "/apis" };
        let request = Request::get(format!("{root}/{}", object.api_version)).body(Vec::new()).map_err(unusable)?;
        let listed = match self.calls.send::<ResourceList>(Identity::worker(fence), request).await {
            Ok(list) => list.resources,
            Err(error) if error.has_code(404) => return Ok(None),
            Err(error) => return Err(error),
        };
        // Subresources have their parent's or a kind of their own, and a slash.
        let listed = listed.into_iter().find(|it| it.kind == object.kind && !it.name.contains('/'));
        Ok(listed.map(|it| ApiResource::from_gvk_with_plural(&kind, &it.name)))
    }
}

/// A name that cannot be in a path is no object's: reported like a refusal.
fn unusable(error: impl std::fmt::Display) -> CallError {
    CallError::Refused(Refusal {
        code: 400,
        reason: "BadRequest".to_owned(),
        message: error.to_string(),
        kind: String::new(),
        retry_after: None,
    })
}
