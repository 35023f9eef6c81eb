//! A real helm dies with its parent, even if the parent is killed and can do nothing about it, and leaves what a later owner heals
//! (RELIABILITY F2).
//!
//! This program plays all parts, which is why it has no harness: started plainly it is the test, with `parent` it is a process that
//! installs a release, and with `exec-helm` it is what `shopwright exec-helm` is.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test's helpers fail the test")]

#[path = "real_helm/hold.rs"]
#[expect(dead_code, reason = "one of its places to hold is used")]
mod hold;
#[path = "real_helm/kubectl.rs"]
mod kubectl;
#[path = "real_helm/world.rs"]
#[expect(dead_code, reason = "a part of what it can do is used")]
mod world;

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use shopwright_adapters_helm::{ExecMode, HelmReleases, HelmSettings, exec_helm};
use shopwright_adapters_k8s::FENCE_REFUSAL;
use shopwright_domain::StoreId;
use shopwright_ports::releases::Releases;
use shopwright_ports::testing::releases_contract::{World as _, example_spec};

use hold::{ACCOUNTS, Hold};
use world::{World, at, connect_by};

fn main() {
    let mut args = env::args_os().skip(1);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match args.next().as_deref().and_then(|arg| arg.to_str()) {
        Some(exec_helm::SUBCOMMAND) => panic!("{}", exec_helm::run(args)),
        Some("parent") => {
            let [root, helm, store] = [(); 3].map(|()| args.next().unwrap());
            runtime.block_on(parent(root.into(), helm.into(), &store.into_string().unwrap().parse().unwrap()));
        }
        // What test runners ask for; none is ignored.
        Some("--list") if env::args().any(|arg| arg == "--ignored") => {}
        Some("--list") => println!("f02_helm_dies_with_its_parent: test"),
        _ => {
            runtime.block_on(f02_helm_dies_with_its_parent());
            println!("test f02_helm_dies_with_its_parent ... ok");
        }
    }
}

async fn f02_helm_dies_with_its_parent() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    // Everything but the record is still to be made.
    let hold = Hold::start(&world.kubectl, &store_id, ACCOUNTS).await;
    let before = hold.arrivals();
    let mut parent = Command::new(env::current_exe().unwrap());
    parent.arg("parent").arg(world.root.path()).arg(&world.settings.helm_bin).arg(store_id.as_str());
    let mut parent = Guard(parent.spawn().unwrap());
    hold.next_arrival(before).await;
    let helm = child_of(parent.0.id()).expect("helm is the parent's child");

    parent.0.kill().unwrap();
    parent.0.wait().unwrap();

    let limit = Instant::now() + Duration::from_secs(10);
    while is_alive(helm) {
        assert!(Instant::now() < limit, "helm lives on");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    hold.release().await;
    let versions = world.versions(&store_id).await;
    assert_eq!(world.statuses(&store_id).await, ["pending-install"]);
    assert!(!world.is_whole(&store_id).await, "somebody finished its work");

    // Nothing was changed before the next owner came, and nothing is in its way.
    world.raise_epoch(&at(&store_id, 2)).await;
    assert_eq!(world.versions(&store_id).await, versions);
    let installed = world.releases.install(&at(&store_id, 2), &example_spec(&store_id)).await.unwrap();
    assert_eq!(installed.healed, ["revision 1: pending-install"]);
    assert!(world.is_whole(&store_id).await);
}

/// Installs a release, and does not come to an end by itself.
async fn parent(root: PathBuf, helm: PathBuf, store_id: &StoreId) {
    let cluster = connect_by(&root.join("kubeconfig")).await;
    let settings = HelmSettings {
        exec: ExecMode::Via(env::current_exe().unwrap()),
        ..HelmSettings::new(helm, root.join("charts"), root.join("scratch-of-parent"), FENCE_REFUSAL)
    };
    let releases = HelmReleases::new(settings, Arc::new(cluster)).unwrap();
    let result = releases.install(&at(store_id, 1), &example_spec(store_id)).await;
    panic!("helm ended before its parent: {result:?}");
}

fn stat(pid: &str) -> Option<(String, String)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').map(str::to_owned);
    Some((fields.next()?, fields.next()?))
}

fn child_of(parent: u32) -> Option<u32> {
    let parent = parent.to_string();
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    pids.filter(|pid| stat(pid).is_some_and(|(_, of)| of == parent)).find_map(|pid| pid.parse().ok())
}

/// A zombie is dead: whose child it is decides when it goes.
fn is_alive(pid: u32) -> bool {
    stat(&pid.to_string()).is_some_and(|(state, _)| !["Z", "X"].contains(&state.as_str()))
}

/// The parent does not outlive a failed test.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
