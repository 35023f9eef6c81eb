//! Real helm while the whole cluster is ill: a frozen apiserver, a frozen etcd, a dead aggregated API. Everybody on the cluster is hit, so
//! these tests run alone (.config/nextest.toml), and only on a cluster of tests/cluster, whose processes they know.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test's helpers fail the test")]

#[path = "../real_helm/hold.rs"]
#[expect(dead_code, reason = "one of its places to hold is used")]
mod hold;
#[path = "../real_helm/kubectl.rs"]
mod kubectl;
#[path = "../real_helm/world.rs"]
#[expect(dead_code, reason = "a part of what it can do is used")]
mod world;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use shopwright_domain::StoreId;
use shopwright_ports::cluster::{Cluster, ClusterError, Removal};
use shopwright_ports::releases::{ReleaseError, Releases};
use shopwright_ports::testing::releases_contract::{World as _, example_spec};

use hold::{DEPLOYMENTS, Hold};
use world::{World, at};

/// Helm alone takes this long to notice (RELIABILITY E10).
const HELMS_OWN: Duration = Duration::from_secs(46);
const DEADLINE: Duration = Duration::from_secs(5);

/// A process of the cluster that is stopped; it goes on when this is dropped, whatever happens.
struct Frozen(Pid);

impl Frozen {
    fn start(world: &World, process: &str) -> Self {
        let file = world.kubectl.kubeconfig.parent().unwrap_or(Path::new("/")).join("pid").join(process);
        let text = fs::read_to_string(&file).expect("a cluster of tests/cluster");
        let pid = Pid::from_raw(text.split(' ').next().unwrap().parse().unwrap()).unwrap();
        kill_process(pid, Signal::STOP).unwrap();
        Self(pid)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let _ = kill_process(self.0, Signal::CONT);
    }
}

/// Whether a helm is at work for the store.
fn has_helm(store_id: &StoreId) -> bool {
    let named = |pid: &str| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == store_id.release().as_bytes())
    };
    let entries = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    entries.filter(|name| name.parse::<u32>().is_ok()).any(|pid| named(&pid))
}

/// RELIABILITY E10, F37: with a frozen apiserver helm does not come back for a long time. Ours is stopped at our deadline, the cluster is
/// told to be the reason, and the next run heals.
#[tokio::test]
async fn e10_f37_a_frozen_apiserver_ends_helm_at_our_own_deadline() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let impatient = world.another(|settings| {
        settings.deadline = DEADLINE;
        settings.grace = Duration::from_secs(1);
    });
    let hold = Hold::start(&world.kubectl, &store_id, DEPLOYMENTS).await;
    let began = Instant::now();
    let (fence, spec) = (at(&store_id, 1), example_spec(&store_id));
    let run = hold.holds(async move { impatient.install(&fence, &spec).await }).await;
    let frozen = Frozen::start(&world, "kube-apiserver");

    let result = run.await.unwrap();
    let took = began.elapsed();

    assert!(matches!(result, Err(ReleaseError::Cluster(ClusterError::Unreachable { .. }))), "{result:?}");
    assert!(took < HELMS_OWN / 2, "{took:?}");
    assert!(!has_helm(&store_id));
    println!("ended after {took:?}");
    drop(frozen);
    hold.release().await;
    let installed = world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();
    assert!(installed.healed.len() <= 1, "{installed:?}");
    assert!(world.is_whole(&store_id).await);
}

/// RELIABILITY F38: likewise a frozen etcd, behind an apiserver that takes the connection.
#[tokio::test]
async fn f38_a_frozen_etcd_is_an_outage_of_the_cluster() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let impatient = world.another(|settings| {
        settings.deadline = DEADLINE;
        settings.grace = Duration::from_secs(1);
    });
    let frozen = Frozen::start(&world, "etcd");

    let result = impatient.install(&at(&store_id, 1), &example_spec(&store_id)).await;

    assert!(matches!(result, Err(ReleaseError::Cluster(ClusterError::Unreachable { .. }))), "{result:?}");
    assert!(!has_helm(&store_id));
    drop(frozen);
    world.kubectl.until("the cluster is back", &["get", "--raw", "/readyz"], Result::is_ok).await;
    world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();
}

/// An aggregated API without anything behind it; it is removed when this is dropped.
struct DeadApi<'a>(&'a World);

impl Drop for DeadApi<'_> {
    fn drop(&mut self) {
        let mut kubectl = std::process::Command::new("kubectl");
        kubectl.arg("--kubeconfig").arg(&self.0.kubectl.kubeconfig);
        let _ = kubectl.args(["delete", "apiservice", "v1.dead.example.com", "--ignore-not-found"]).output();
    }
}

/// RELIABILITY E12, F56: a dead aggregated API keeps every namespace from going. Helm installs and uninstalls beside it; that the store is
/// not gone is said with the API's name, and it goes once the API has gone.
#[tokio::test]
async fn e12_f56_a_dead_aggregated_api_blocks_the_end_and_is_named() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let fence = at(&store_id, 1);
    let service = json!({"name": "dead", "namespace": "default"});
    let dead = json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": "v1.dead.example.com"},
        "spec": {"group": "dead.example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 100,
            "insecureSkipTLSVerify": true, "service": service}});
    world.kubectl.apply(&dead).await;
    let guard = DeadApi(&world);
    let group = ["get", "--raw", "/apis/dead.example.com/v1"];
    let unavailable = |result: &Result<String, String>| {
        result.as_ref().is_err_and(|error| error.contains("ServiceUnavailable") || error.contains("unable to handle"))
    };
    world.kubectl.until("the API is dead", &group, unavailable).await;

    world.releases.install(&fence, &example_spec(&store_id)).await.unwrap();
    assert!(world.releases.uninstall(&fence).await.unwrap().left.is_empty());
    world.cluster.delete_namespace(&fence).await.unwrap();

    let limit = Instant::now() + Duration::from_mins(1);
    let reason = loop {
        match world.cluster.await_gone(&store_id, Duration::from_secs(5)).await.unwrap() {
            Removal::Blocked(reason) => break reason,
            other => assert!(Instant::now() < limit, "{other:?}"),
        }
    };
    assert!(reason.contains("dead.example.com"), "{reason}");
    drop(guard);
    let limit = Instant::now() + Duration::from_secs(30);
    while !matches!(world.cluster.await_gone(&store_id, Duration::from_secs(5)).await, Ok(Removal::Gone { .. })) {
        assert!(Instant::now() < limit, "it does not go");
    }
}
