//! The processes of a cluster that the kit has started: stopped where they are, and always let go on.

use std::path::{Path, PathBuf};
use std::process::Command;

use shopwright_adapters_k8s::KubeSource;

use crate::support::Bed;

/// A stopped process; it goes on when this is dropped, also by a failing test.
pub(crate) struct Frozen(String);

impl Drop for Frozen {
    fn drop(&mut self) {
        signal("-CONT", &self.0);
    }
}

fn signal(which: &str, pid: &str) {
    assert!(Command::new("kill").args([which, pid]).status().unwrap().success(), "kill {which} {pid}");
}

fn directory(bed: &Bed) -> Option<PathBuf> {
    let KubeSource::Kubeconfig { path, .. } = &bed.admin_settings.source else { return None };
    let directory = path.parent()?.to_owned();
    if directory.join("pid/kube-apiserver").exists() {
        return Some(directory);
    }
    assert!(
        std::env::var("SHOPWRIGHT_REQUIRE_TIERS").as_deref() != Ok("all"),
        "all tiers are required, and the cluster is not one of tests/cluster"
    );
    eprintln!("LEFT OUT: the cluster is not one of tests/cluster: nobody's processes are stopped.");
    None
}

fn pid(directory: &Path, process: &str) -> String {
    let file = std::fs::read_to_string(directory.join("pid").join(process)).expect("a pid file");
    file.split_whitespace().next().expect("a pid").to_owned()
}

/// Stops the process where it is; `None` where nobody's processes may be stopped.
pub(crate) fn freeze(bed: &Bed, process: &str) -> Option<Frozen> {
    let pid = pid(&directory(bed)?, process);
    signal("-STOP", &pid);
    Some(Frozen(pid))
}

/// The address at which etcd's clients find it.
pub(crate) fn etcd_address(bed: &Bed) -> Option<String> {
    let pid = pid(&directory(bed)?, "etcd");
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    let mut words = line.split(|&byte| byte == 0).map(String::from_utf8_lossy);
    words.find(|word| word == "--listen-client-urls").expect("etcd is told where to listen");
    words.next().map(String::from)
}
