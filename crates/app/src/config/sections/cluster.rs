//! The cluster and what it takes to make stores on it.

use std::path::PathBuf;

use crate::config::cluster::{self, ClusterAccess};
use crate::config::ingress::IngressAddr;
use crate::config::reader::Reader;
use crate::config::settings::{INGRESS_ADDR, INGRESS_CLASS, INGRESS_NAMESPACE, STORAGE_CLASS};
use crate::config::{paths, values};

/// The cluster and what it takes to make stores on it.
#[derive(Debug, Clone)]
pub struct ClusterConfig {
    /// How it is reached.
    pub access: ClusterAccess,
    /// Where storefront checks connect.
    pub ingress_addr: Option<IngressAddr>,
    /// The ingress class of stores.
    pub ingress_class: String,
    /// The namespace of the ingress controller.
    pub ingress_namespace: String,
    /// The storage class of stores.
    pub storage_class: String,
    /// The helm binary.
    pub helm_bin: PathBuf,
    /// The directory of the charts.
    pub charts_dir: PathBuf,
}

pub(in crate::config) fn cluster(reader: &mut Reader<'_>) -> Option<ClusterConfig> {
    let access = cluster::read(reader);
    let ingress_addr = reader.read(&INGRESS_ADDR, IngressAddr::parse);
    let ingress_class = reader.read(&INGRESS_CLASS, values::object_name);
    let ingress_namespace = reader.read(&INGRESS_NAMESPACE, values::object_name);
    let storage_class = reader.read(&STORAGE_CLASS, values::object_name);
    let helm_bin = paths::helm_bin(reader);
    let charts_dir = paths::charts_dir(reader);
    Some(ClusterConfig {
        access: access?,
        ingress_addr,
        ingress_class: ingress_class?,
        ingress_namespace: ingress_namespace?,
        storage_class: storage_class?,
        helm_bin: helm_bin?,
        charts_dir: charts_dir?,
    })
}
