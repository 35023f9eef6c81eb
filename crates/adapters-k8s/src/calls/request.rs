//! The few kinds of request that are made, for any kind of object. `namespace` is `None` for objects of the cluster.

use k8s_openapi::api::core::v1::Pod;
use kube::Resource;
use kube::core::params::{DeleteParams, GetParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::subresource::LogParams;
use kube::core::{Request, request};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{CallError, Calls, Identity};
use crate::names::MANAGER;

pub(super) fn of<K: Resource<DynamicType = ()>>(namespace: Option<&str>) -> Request {
    Request::new(K::url_path(&(), namespace))
}

/// A request that cannot be built is a fault of this crate; it is reported like a refusal, never by a panic.
pub(super) fn built<T>(built: Result<T, request::Error>) -> Result<T, CallError> {
    built.map_err(|error| {
        CallError::Refused(super::Refusal {
            code: 400,
            reason: "BadRequest".to_owned(),
            message: error.to_string(),
            kind: String::new(),
            retry_after: None,
        })
    })
}

fn encoded(object: &impl Serialize) -> Result<Vec<u8>, CallError> {
    built(serde_json::to_vec(object).map_err(request::Error::SerializeBody))
}

impl Calls {
    /// The object as the cluster's own storage has it, not a cache of it.
    pub(crate) async fn get<K>(&self, namespace: Option<&str>, name: &str) -> Result<Option<K>, CallError>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned,
    {
        let request = built(of::<K>(namespace).get(name, &GetParams::default()))?;
        match self.send(Identity::Base, request).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.has_code(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn create<K>(
        &self,
        identity: Identity<'_>,
        namespace: Option<&str>,
        object: &K,
        dry_run: bool,
    ) -> Result<(), CallError>
    where
        K: Resource<DynamicType = ()> + Serialize,
    {
        let params = PostParams { dry_run, field_manager: Some(MANAGER.to_owned()) };
        let request = built(of::<K>(namespace).create(&params, encoded(object)?))?;
        self.send_unread(identity, request).await
    }

    /// Server-side apply: afterwards the object has these fields, whoever had them before.
    pub(crate) async fn apply<K>(
        &self,
        identity: Identity<'_>,
        namespace: Option<&str>,
        name: &str,
        object: &K,
    ) -> Result<(), CallError>
    where
        K: Resource<DynamicType = ()> + Serialize,
    {
        let params = PatchParams::apply(MANAGER).force();
        let request = built(of::<K>(namespace).patch(name, &params, &Patch::Apply(object)))?;
        self.send_unread(identity, request).await
    }

    /// A merge patch. With `metadata.uid` and `metadata.resourceVersion` in it, it changes exactly the object that was read.
    pub(crate) async fn merge<K>(&self, name: &str, patch: &serde_json::Value, dry_run: bool) -> Result<(), CallError>
    where
        K: Resource<DynamicType = ()>,
    {
        let params = PatchParams { dry_run, field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let request = built(of::<K>(None).patch(name, &params, &Patch::Merge(patch)))?;
        self.send_unread(Identity::Base, request).await
    }

    /// What the pod's only container has written so far.
    pub(crate) async fn log(
        &self,
        identity: Identity<'_>,
        namespace: &str,
        pod: &str,
        params: &LogParams,
    ) -> Result<String, CallError> {
        let request = built(of::<Pod>(Some(namespace)).logs(pod, params))?;
        self.send_text(identity, request).await
    }

    pub(crate) async fn delete<K>(
        &self,
        identity: Identity<'_>,
        namespace: Option<&str>,
        name: &str,
        preconditions: Preconditions,
    ) -> Result<(), CallError>
    where
        K: Resource<DynamicType = ()>,
    {
        let params = DeleteParams::background().preconditions(preconditions);
        let request = built(of::<K>(namespace).delete(name, &params))?;
        self.send_unread(identity, request).await
    }
}
