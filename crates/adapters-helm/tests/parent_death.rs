//! helm dies with its parent, even if the parent is killed and can do nothing about it (RELIABILITY F2).
//!
//! This program plays all parts, which is why it has no harness: started plainly it is the test, with `parent` it is a process that
//! installs a release, and with `exec-helm` it is what `shopwright exec-helm` is. Helm itself is the scripted one.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use secrecy::SecretString;
use shopwright_adapters_helm::{ExecMode, HelmReleases, HelmSettings, exec_helm};
use shopwright_domain::{Epoch, StoreId};
use shopwright_ports::cluster::{ClusterError, Fence};
use shopwright_ports::releases::{ObjectRef, ReleaseAccess, ReleaseRecord, Releases};
use shopwright_ports::testing::releases_contract::example_spec;

fn main() {
    let mut args = env::args_os().skip(1);
    match args.next().as_deref().and_then(|arg| arg.to_str()) {
        Some(exec_helm::SUBCOMMAND) => panic!("{}", exec_helm::run(args)),
        Some("parent") => parent(Path::new(&args.next().unwrap())),
        // What test runners ask for; none is ignored.
        Some("--list") if env::args().any(|arg| arg == "--ignored") => {}
        Some("--list") => println!("helm_dies_with_its_parent: test"),
        _ => helm_dies_with_its_parent(),
    }
}

fn helm_dies_with_its_parent() {
    let root = tempfile::tempdir().unwrap();
    prepare(root.path());
    let mut parent = Guard(Command::new(env::current_exe().unwrap()).arg("parent").arg(root.path()).spawn().unwrap());
    let helm = until("helm is running", || fs::read_to_string(root.path().join("child")).ok());
    let helm = helm.trim().to_owned();
    assert!(is_alive(&helm));

    parent.0.kill().unwrap();
    parent.0.wait().unwrap();

    until("helm is gone", || (!is_alive(&helm)).then_some(()));

    an_orphan_does_not_become_helm();
    println!("test helm_dies_with_its_parent ... ok");
}

/// The parent may die before the death signal is set; its pid then is not the one that was told.
fn an_orphan_does_not_become_helm() {
    let mut command = Command::new(env::current_exe().unwrap());
    // Not this process, which is the parent.
    command.args([exec_helm::SUBCOMMAND, "1", "/bin/true"]).stderr(Stdio::piped());

    let output = command.output().unwrap();

    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("the process that wanted helm is gone"));
}

fn prepare(root: &Path) {
    fs::create_dir_all(root.join("charts/medusa")).unwrap();
    for file in ["charts/medusa/Chart.yaml", "charts/medusa/values-local.yaml"] {
        fs::write(root.join(file), "{}").unwrap();
    }
    fs::write(root.join("version"), "v4.3.1").unwrap();
    fs::write(root.join("scenario"), "here_i_am child $$; exec sleep 300").unwrap();
    symlink(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scripted/helm"), root.join("helm")).unwrap();
}

/// Installs a release, and does not come to an end by itself.
fn parent(root: &Path) {
    let settings = HelmSettings {
        exec: ExecMode::Via(env::current_exe().unwrap()),
        ..HelmSettings::new(root.join("helm"), root.join("charts"), root.join("scratch"), "fence:")
    };
    let releases = HelmReleases::new(settings, Arc::new(NoCluster)).unwrap();
    let fence = Fence { store_id: StoreId::from_random(0xab), epoch: Epoch(1) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let result = runtime.block_on(releases.install(&fence, &example_spec(&fence.store_id)));
    panic!("helm ended before its parent: {result:?}");
}

fn until<T>(what: &str, holds: impl Fn() -> Option<T>) -> T {
    let limit = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(value) = holds() {
            return value;
        }
        assert!(Instant::now() < limit, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A zombie is dead: whose child it is decides when it goes.
fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// The parent does not outlive a failed test.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct NoCluster;

#[async_trait]
impl ReleaseAccess for NoCluster {
    async fn kubeconfig(&self, _: &Fence) -> Result<SecretString, ClusterError> {
        Ok("{}".into())
    }

    async fn records(&self, _: &Fence) -> Result<Vec<ReleaseRecord>, ClusterError> {
        Ok(Vec::new())
    }

    async fn remove_record(&self, _: &Fence, _: &ReleaseRecord) -> Result<(), ClusterError> {
        Ok(())
    }

    async fn missing(&self, _: &Fence, _: &[ObjectRef]) -> Result<Vec<ObjectRef>, ClusterError> {
        Ok(Vec::new())
    }
}
