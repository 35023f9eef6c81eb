//! Two helms on one release: a stopped one that comes back, and two at once. The fence decides, not helm.

use std::fs;
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use shopwright_domain::StoreId;
use shopwright_ports::cluster::ClusterError;
use shopwright_ports::releases::{ReleaseError, ReleaseSpec, Releases};
use shopwright_ports::testing::releases_contract::{World as _, example_spec};

use crate::hold::{ACCOUNTS, DEPLOYMENTS, Held, Hold};
use crate::world::{World, at};

/// The helm that this process runs for the store.
pub(crate) fn helm_of(store_id: &StoreId) -> Pid {
    let me = std::process::id().to_string();
    let is_ours = |pid: &str| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1).map(str::to_owned));
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let names_it = line.split(|byte| *byte == 0).any(|word| word == store_id.release().as_bytes());
        parent.as_deref() == Some(&me) && names_it
    };
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    let ours: Vec<_> = pids.filter(|name| name.parse::<u32>().is_ok()).filter(|pid| is_ours(pid)).collect();
    assert_eq!(ours.len(), 1, "one helm is at work for {store_id}: {ours:?}");
    Pid::from_raw(ours[0].parse().unwrap()).unwrap()
}

fn moved(store_id: &StoreId, to: &str) -> ReleaseSpec {
    let mut spec = example_spec(store_id);
    spec.public_url.push_str(to);
    spec
}

/// Lets `stale` run at epoch 1 until it comes to what is held, stops its helm there, lets epoch 2 install, and the helm go on. Says how the
/// stale run ended, after it was seen that it changed nothing.
async fn overtaken<F, T>(world: &World, store_id: &StoreId, what: Held, stale: F) -> Result<T, ReleaseError>
where
    F: Future<Output = Result<T, ReleaseError>> + Send + 'static,
    T: std::fmt::Debug + Send + 'static,
{
    let hold = Hold::start(&world.kubectl, store_id, what).await;
    let run = hold.holds(stale).await;
    let helm = helm_of(store_id);
    kill_process(helm, Signal::STOP).unwrap();
    // What was under way arrives before the later owner comes.
    hold.release().await;

    world.raise_epoch(&at(store_id, 2)).await;
    let installed = world.releases.install(&at(store_id, 2), &moved(store_id, "/new")).await.unwrap();
    let versions = world.versions(store_id).await;
    kill_process(helm, Signal::CONT).unwrap();
    let late = run.await.unwrap();

    assert_eq!(world.versions(store_id).await, versions, "not one object, not one record");
    assert_eq!(world.revision(store_id).await, Some(installed.revision));
    assert_eq!(record_and_object(world, store_id).await, ["/new", "/new"].map(|to| moved(store_id, to).public_url));
    assert!(world.is_whole(store_id).await);
    late
}

/// RELIABILITY E4, F3: a stopped helm that resumes after a take-over overwrites the new owner's record, were it not for the fence. It is
/// stopped once with its objects before it, and once with nothing to write but the record.
#[tokio::test]
async fn e04_a_helm_that_resumes_after_a_take_over_changes_nothing() {
    let Some(world) = World::start().await else { return };
    for held in [ACCOUNTS, DEPLOYMENTS] {
        let store_id = world.new_store().await;
        let (releases, fence, spec) = (world.another(|_| {}), at(&store_id, 1), moved(&store_id, "/old"));

        let late = overtaken(&world, &store_id, held, async move { releases.install(&fence, &spec).await }).await;

        assert!(matches!(late, Err(ReleaseError::Cluster(ClusterError::StaleEpoch { .. }))), "{held:?}: {late:?}");
    }
}

/// RELIABILITY E4: the same for a helm that was stopped while it uninstalled.
#[tokio::test]
async fn e04_an_uninstallation_that_resumes_after_a_take_over_removes_nothing() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();
    let (releases, fence) = (world.another(|_| {}), at(&store_id, 1));

    let late = overtaken(&world, &store_id, DEPLOYMENTS, async move { releases.uninstall(&fence).await }).await;

    assert!(matches!(late, Err(ReleaseError::Cluster(ClusterError::StaleEpoch { .. }))), "{late:?}");
}

/// The URL in the newest record's values and the one in the live object.
async fn record_and_object(world: &World, store_id: &StoreId) -> [String; 2] {
    let newest = world.releases_of(store_id).await.pop().unwrap();
    let object = world.kubectl.json(&["-n", store_id.namespace(), "get", "configmap/web"]).await;
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    [text(&newest["config"]["store"]["publicUrl"]), text(&object["data"]["url"])]
}

/// RELIABILITY E7, F49: whoever holds the later epoch wins, whenever the other one started; record and objects are the winner's.
#[tokio::test]
async fn e07_f49_of_two_owners_at_once_exactly_the_later_one_wins() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();
    let other = world.another(|_| {});

    for round in 1..=5_i64 {
        let (old, new) = (at(&store_id, round), at(&store_id, round + 1));
        let stale = tokio::spawn({
            let (releases, spec) = (Arc::clone(&other), moved(&store_id, &format!("/old-{round}")));
            async move { releases.install(&old, &spec).await }
        });
        world.raise_epoch(&new).await;
        let won = world.releases.install(&new, &moved(&store_id, &format!("/new-{round}"))).await;
        let lost = stale.await.unwrap();

        let wanted = moved(&store_id, &format!("/new-{round}")).public_url;
        assert!(won.is_ok(), "round {round}: {won:?}");
        // It may have been done before the later owner came; if not, it met the fence or missed its own record.
        assert!(!matches!(lost, Err(ReleaseError::Died(_) | ReleaseError::Deadline(_))), "round {round}: {lost:?}");
        assert_eq!(record_and_object(&world, &store_id).await, [wanted.clone(), wanted], "round {round}");
        assert_eq!(world.statuses(&store_id).await.iter().filter(|it| *it == "deployed").count(), 1);
    }
}

/// RELIABILITY E7, F49: what helm itself does about it, which the heal relies on: a second run finds the first one's pending record and
/// refuses. Should a later helm let both through, this says so.
#[tokio::test]
async fn e07_f49_helm_itself_lets_one_of_two_upgrades_win() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();
    let hold = Hold::start(&world.kubectl, &store_id, DEPLOYMENTS).await;
    let (releases, fence, spec) = (world.another(|_| {}), at(&store_id, 1), moved(&store_id, "/first"));
    let first = hold.holds(async move { releases.install(&fence, &spec).await }).await;

    let namespace = store_id.namespace();
    let mut second = tokio::process::Command::new(&world.settings.helm_bin);
    second.args(["upgrade", "--install", store_id.release(), "-n", namespace, "-f", "-", "--wait=hookOnly"]);
    second.arg(world.chart("")).arg("--kubeconfig").arg(&world.kubectl.kubeconfig).env("HOME", world.root.path());
    second.stdin(std::process::Stdio::null()).args(["--set", "store.publicUrl=http://second"]);
    let second = second.output().await.unwrap();
    hold.release().await;

    let said = String::from_utf8_lossy(&second.stderr);
    assert!(!second.status.success() && said.contains("another operation"), "{said}");
    // Held for a while and then let go, the first one has failed or succeeded; nobody else has.
    drop(first.await);
    let urls = record_and_object(&world, &store_id).await;
    assert!(urls.iter().all(|url| !url.contains("second")), "{urls:?}");
}

/// RELIABILITY F51, E8: fields that somebody else has changed are not taken over by force; who it was is told.
#[tokio::test]
async fn e08_f51_a_conflict_after_scaling_by_hand_names_the_manager() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();
    world.kubectl.ok(&["-n", store_id.namespace(), "scale", "deployment/web", "--replicas=3"]).await;

    let result = world.releases.install(&at(&store_id, 1), &moved(&store_id, "/moved")).await;

    let Err(ReleaseError::Conflict { manager, detail }) = result else { panic!("{result:?}") };
    assert_eq!(manager, "kubectl");
    assert!(detail.contains(".spec.replicas"), "{detail}");
    let web = world.kubectl.json(&["-n", store_id.namespace(), "get", "deployment/web"]).await;
    assert_eq!(web["spec"]["replicas"], json!(3), "nothing was taken over");
}
