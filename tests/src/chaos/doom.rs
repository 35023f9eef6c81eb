//! Stores that the cluster refuses until they are pardoned: without them no store of a run would ever fail, and nothing would be retried.
//!
//! An admission policy of the harness refuses the Deployments of namespaces whose name ends in [`MARK`], unless a `ConfigMap` names them.

use k8s_openapi::api::admissionregistration::v1::{ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

/// The last digit of a doomed store's id: one in sixteen.
const MARK: char = '7';
/// The policy's name, which stands in every refusal.
pub(super) const NAME: &str = "chaos-doom";

/// The policy; it must be lifted at the end, for a cluster may be used again.
#[derive(Clone)]
pub(super) struct Doom(Client);

impl std::fmt::Debug for Doom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Doom")
    }
}

impl Doom {
    /// Whether the store is one of them.
    pub(super) fn strikes(id: &str) -> bool {
        id.ends_with(MARK)
    }

    /// Of stores in this cluster. None is doomed yet.
    pub(super) fn over(client: Client) -> Self {
        Self(client)
    }

    /// Puts the policy in place.
    ///
    /// # Errors
    /// The cluster's own.
    pub(super) async fn impose(&self) -> anyhow::Result<()> {
        self.pardons(&json!({"chaos": ""})).await?;
        let unless = "params != null && has(params.data) && namespaceObject.metadata.name in params.data";
        let policy = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": NAME},
            "spec": {
                "failurePolicy": "Ignore",
                "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
                "matchConstraints": {"resourceRules": [
                    {"apiGroups": ["apps"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": ["deployments"]}
                ]},
                "validations": [{
                    "expression": format!("!namespaceObject.metadata.name.endsWith('{MARK}') || ({unless})"),
                    "message": "chaos: this store is doomed until it is pardoned",
                }],
            },
        });
        let binding = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": NAME},
            "spec": {
                "policyName": NAME, "validationActions": ["Deny"],
                "paramRef": {"name": NAME, "namespace": "default", "parameterNotFoundAction": "Allow"},
            },
        });
        apply(&Api::<ValidatingAdmissionPolicy>::all(self.0.clone()), &policy).await?;
        apply(&Api::<ValidatingAdmissionPolicyBinding>::all(self.0.clone()), &binding).await
    }

    /// From now on the store is like any other.
    ///
    /// # Errors
    /// The cluster's own.
    pub(super) async fn pardon(&self, id: &str) -> anyhow::Result<()> {
        let api = Api::<ConfigMap>::namespaced(self.0.clone(), "default");
        api.patch(NAME, &PatchParams::default(), &Patch::Merge(json!({"data": {id: ""}}))).await?;
        Ok(())
    }

    /// Takes it all away, if it is there.
    ///
    /// # Errors
    /// The cluster's own.
    pub(super) async fn lift(&self) -> anyhow::Result<()> {
        remove(&Api::<ValidatingAdmissionPolicyBinding>::all(self.0.clone())).await?;
        remove(&Api::<ValidatingAdmissionPolicy>::all(self.0.clone())).await?;
        remove(&Api::<ConfigMap>::namespaced(self.0.clone(), "default")).await
    }

    async fn pardons(&self, data: &Value) -> anyhow::Result<()> {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME}, "data": data});
        apply(&Api::<ConfigMap>::namespaced(self.0.clone(), "default"), &object).await
    }
}

async fn apply<K>(api: &Api<K>, object: &Value) -> anyhow::Result<()>
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    api.patch(NAME, &PatchParams::apply("chaos").force(), &Patch::Apply(object)).await?;
    Ok(())
}

async fn remove<K>(api: &Api<K>) -> anyhow::Result<()>
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    match api.delete(NAME, &DeleteParams::default()).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(error.into()),
    }
}
