//! The values that only the control plane knows, as the document that helm reads from its stdin. It holds no secret: the chart finds
//! those in the Secret that is named here. JSON is YAML, and user text in it is quoted by construction (RELIABILITY S27).

use serde::Serialize;
use shopwright_ports::releases::ReleaseSpec;

use crate::settings::ClusterValues;

/// The Secret that the cluster port writes.
const CREDENTIALS_SECRET: &str = "store-credentials";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    store: Store<'a>,
    #[serde(skip_serializing_if = "Cluster::is_empty")]
    cluster: Cluster<'a>,
    credentials_secret: &'static str,
    /// Left out where nobody says which: the values files do.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'a str>,
    /// Left out for the first set: a store whose credentials were never replaced has the same release as ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials_version: Option<u32>,
    setup: Setup,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Store<'a> {
    id: &'a str,
    name: &'a str,
    host: &'a str,
    public_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    theme: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Cluster<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ingress_class_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ingress_namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_class_name: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Setup {
    revision: u64,
}

impl Cluster<'_> {
    const fn is_empty(&self) -> bool {
        self.ingress_class_name.is_none() && self.ingress_namespace.is_none() && self.storage_class_name.is_none()
    }
}

/// The document for this store, the same bytes for the same input.
pub(crate) fn document(spec: &ReleaseSpec, cluster: &ClusterValues) -> Result<Vec<u8>, serde_json::Error> {
    let document = Document {
        store: Store {
            id: spec.store_id.as_str(),
            name: spec.name.as_str(),
            host: spec.host.as_str(),
            public_url: &spec.public_url,
            theme: spec.theme.as_ref().map(shopwright_domain::store::ThemeName::as_str),
        },
        cluster: Cluster {
            ingress_class_name: cluster.ingress_class.as_deref(),
            ingress_namespace: cluster.ingress_namespace.as_deref(),
            storage_class_name: cluster.storage_class.as_deref(),
        },
        credentials_secret: CREDENTIALS_SECRET,
        plan: spec.size.as_ref().map(shopwright_domain::plans::SizeName::as_str),
        credentials_version: (spec.credentials_version > 1).then_some(spec.credentials_version),
        setup: Setup { revision: spec.setup_revision },
    };
    serde_json::to_vec(&document)
}
