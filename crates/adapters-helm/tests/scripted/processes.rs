//! Helm's processes: none outlives its run, whatever ends it.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use shopwright_domain::StoreId;
use shopwright_ports::cluster::{ClusterError, Fence};
use shopwright_ports::releases::{ReleaseError, Releases};
use shopwright_ports::testing::releases_contract::example_spec;

use crate::world::{World, fence, is_alive, until};

/// A helm that has started another process and waits for it.
const HANGS: &str = "sleep 300 & here_i_am grandchild $!; here_i_am child $$; wait";

#[tokio::test]
async fn at_the_deadline_helm_and_what_it_started_are_stopped() {
    // It does not listen to SIGTERM, and neither does what it starts.
    let mut world = World::new(&format!("trap '' TERM; {HANGS}"));
    world.settings.deadline = Duration::from_millis(1500);
    world.settings.grace = Duration::from_millis(200);

    let result = world.releases().install(&fence(), &example_spec(&fence().store_id)).await;

    assert!(matches!(result, Err(ReleaseError::Deadline(limit)) if limit == world.settings.deadline), "{result:?}");
    let (child, grandchild) = (world.process("child").await, world.process("grandchild").await);
    until("helm's processes are gone", || !is_alive(child) && !is_alive(grandchild)).await;
    assert_eq!(world.run_dirs(), 0);
}

#[tokio::test]
async fn helm_is_asked_before_it_is_killed() {
    let mut world = World::new(&format!("trap 'echo asked >\"$here/asked\"; exit 0' TERM; {HANGS}"));
    world.settings.deadline = Duration::from_millis(1500);
    world.settings.grace = Duration::from_mins(1);
    let started = Instant::now();

    let result = world.releases().install(&fence(), &example_spec(&fence().store_id)).await;

    assert!(matches!(result, Err(ReleaseError::Deadline(_))), "{result:?}");
    assert_eq!(world.seen("asked"), "asked");
    assert!(started.elapsed() < world.settings.grace, "nobody waits for what has ended");
}

#[tokio::test]
async fn a_deadline_that_passed_while_the_cluster_hung_is_the_clusters() {
    let mut world = World::new(HANGS);
    world.settings.deadline = Duration::from_millis(1500);
    let releases = world.releases();
    let run = tokio::spawn(async move { releases.install(&fence(), &example_spec(&fence().store_id)).await });
    world.process("child").await;

    world.access.unreachable.store(true, Ordering::Relaxed);

    let result = run.await.unwrap();
    assert!(matches!(result, Err(ReleaseError::Cluster(ClusterError::Unreachable { .. }))), "{result:?}");
}

#[tokio::test]
async fn a_dropped_future_takes_helm_with_it() {
    let world = World::new(HANGS);
    let releases = world.releases();
    let run = tokio::spawn(async move { releases.install(&fence(), &example_spec(&fence().store_id)).await });
    let (child, grandchild) = (world.process("child").await, world.process("grandchild").await);

    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());

    until("helm's processes are gone", || !is_alive(child) && !is_alive(grandchild)).await;
    until("helm is reaped", || !fs::exists(format!("/proc/{child}")).unwrap()).await;
    // The adapter is gone too, and its part of the scratch directory with it.
    assert_eq!(world.run_dirs(), 0);
}

#[tokio::test]
async fn what_helm_leaves_running_is_stopped_when_helm_has_ended() {
    let world = World::new("sleep 300 & here_i_am grandchild $!; record 1 deployed");

    world.releases().install(&fence(), &example_spec(&fence().store_id)).await.unwrap();

    let grandchild = world.process("grandchild").await;
    until("the grandchild is gone", || !is_alive(grandchild)).await;
}

#[tokio::test]
async fn a_process_that_left_the_group_does_not_hold_the_run_open() {
    let world = World::new("setsid sleep 300 & here_i_am escapee $!; record 1 deployed");
    let started = Instant::now();

    world.releases().install(&fence(), &example_spec(&fence().store_id)).await.unwrap();

    assert!(started.elapsed() < Duration::from_secs(100), "the run waited for it");
    let escapee = world.process("escapee").await.to_string();
    assert!(Command::new("kill").arg(escapee).status().unwrap().success());
}

#[tokio::test]
async fn a_helm_that_says_a_lot_and_one_that_does_not_listen_are_no_problem() {
    let world = World::new("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; record 1 deployed");

    world.releases().install(&fence(), &example_spec(&fence().store_id)).await.unwrap();
}

/// E13: more helms at once than the machine has cores bring nothing, and each takes 70 MB (F12).
#[tokio::test]
async fn no_more_helms_run_at_once_than_there_are_permits() {
    let mut world = World::new("mkdir \"$here/busy\" || touch \"$here/two\"; sleep 0.2; rmdir \"$here/busy\"; exit 1");
    world.add_record(1, "deployed");
    world.settings.permits = 1;
    let releases = Arc::new(world.releases());

    let runs = (1..=4).map(|bits| {
        let releases = Arc::clone(&releases);
        let fence = Fence { store_id: StoreId::from_random(bits), ..fence() };
        tokio::spawn(async move { releases.uninstall(&fence).await })
    });
    for run in runs.collect::<Vec<_>>() {
        // A failure gives its permit back, too.
        assert!(matches!(run.await.unwrap(), Err(ReleaseError::Failed(_))));
    }

    assert_eq!(world.calls(), 4);
    assert!(!world.path("two").exists());
}
