//! The engine when things go wrong: deaths, panics, waits, budgets, restored databases, shutdowns.

#![expect(clippy::unwrap_used, reason = "what helps a test fails like one")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use shopwright_app::worker::Worker;
use shopwright_domain::audit::{AuditEvent, AuditEventType, MetadataValue};
use shopwright_domain::operation::{Operation, OperationStatus};
use shopwright_domain::saga::{Policy, StepRecord};
use shopwright_domain::store::{Failure, StoreState};
use shopwright_domain::{Epoch, ErrorCode, StoreId};
use shopwright_ports::clock::Clock;
use shopwright_ports::cluster::{Cluster, ClusterError, Fence, Rollout};
use shopwright_ports::releases::ReleaseError;
use shopwright_ports::secrets::{SealError, Sealed, Sealer};
use shopwright_ports::storage::StorageError;
use shopwright_ports::stores_api::StoreService;
use shopwright_ports::testing::{FakeSealer, Fault, engines};
use support::Fixture;
use tokio_util::sync::CancellationToken;

const LEASE: i64 = 10;
/// More turns of a fifth of a second than anything here needs.
const TURNS: usize = 1_000;

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

async fn events(world: &Fixture, wanted: impl Fn(&AuditEvent) -> bool) -> Vec<AuditEvent> {
    let snapshot = world.storage.snapshot().await;
    snapshot.audit.iter().map(|entry| entry.event.clone()).filter(wanted).collect()
}

fn with_code(code: ErrorCode) -> impl Fn(&AuditEvent) -> bool {
    move |event| event.metadata.get("errorCode") == Some(&MetadataValue::from(code.as_str()))
}

fn text(event: &AuditEvent, key: &str) -> String {
    match event.metadata.get(key) {
        Some(MetadataValue::Text(text)) => text.clone(),
        Some(MetadataValue::Number(number)) => number.to_string(),
        Some(MetadataValue::Flag(flag)) => flag.to_string(),
        None => String::new(),
    }
}

async fn step_of(world: &Fixture, operation: &Operation) -> StepRecord {
    let snapshot = world.storage.snapshot().await;
    let steps = snapshot.steps_of(operation.id);
    steps.into_iter().find(|record| Some(record.step) == operation.step).unwrap()
}

/// A worker takes up what is due and dies some seconds later; its lease runs out.
async fn a_worker_dies(world: &Fixture) {
    world.run_for(&world.restarted_worker(), 3).await;
    world.clock.advance(seconds(LEASE + 1));
}

#[tokio::test]
async fn an_operation_that_ends_worker_after_worker_is_parked_and_others_go_on() {
    // RELIABILITY F11.
    let limit = Policy::default().max_crashes;
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let poison = world.create(&ada, "teashop").await.operation.unwrap();
    for _ in 0..limit {
        world.cluster.faults.push("put_credentials", Fault::Hang);
        a_worker_dies(&world).await;
    }
    let innocent = world.create(&ada, "coffeeshop").await.store.id;

    world.run_due(&world.restarted_worker()).await;

    let parked = world.operation(poison.id).await;
    assert_eq!(parked.status, OperationStatus::Stuck);
    assert_eq!(parked.failure.as_ref().map(|failure| failure.code), Some(ErrorCode::Poisoned));
    assert_eq!(step_of(&world, &parked).await.crashes, limit);
    assert_eq!(world.store(&innocent).await.state, StoreState::Ready);
    assert_eq!(events(&world, with_code(ErrorCode::Poisoned)).await.len(), 1);
    // It is tried again now and then, and the cause is gone.
    assert_eq!(world.settle_with(&world.restarted_worker(), &poison.store_id).await.state, StoreState::Ready);
}

#[tokio::test]
async fn deaths_while_it_only_waits_are_not_blamed_on_an_operation() {
    // RELIABILITY F1, F11: honest kills, many of them.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    world.cluster.auto_ready(false);
    let operation = world.create(&ada, "teashop").await.operation.unwrap();
    for _ in 0..30 {
        a_worker_dies(&world).await;
    }
    let waiting = world.operation(operation.id).await;
    assert_eq!(step_of(&world, &waiting).await.crashes, 0);

    world.cluster.auto_ready(true);

    let start = world.clock.now();
    assert_eq!(world.settle(&operation.store_id).await.state, StoreState::Ready);
    assert!(world.clock.now().duration_since(start) <= seconds(2 * LEASE), "resumed within two leases");
}

#[tokio::test]
async fn a_take_over_is_written_down_with_both_workers_both_epochs_and_the_idle_time() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    world.create(&ada, "teashop").await;
    world.cluster.faults.push("put_credentials", Fault::Hang);
    a_worker_dies(&world).await;

    let heir = world.restarted_worker();
    world.run_due(&heir).await;

    let recoveries = events(&world, |event| event.event_type == AuditEventType::Recovery).await;
    let [recovery] = recoveries.as_slice() else { panic!("{recoveries:?}") };
    assert_eq!(text(recovery, "worker"), heir.id().to_string());
    assert_ne!(text(recovery, "previousWorker"), text(recovery, "worker"));
    assert_eq!((text(recovery, "previousEpoch"), text(recovery, "epoch")), ("1".to_owned(), "2".to_owned()));
    assert_eq!((text(recovery, "step"), text(recovery, "crashes")), ("create_credentials".to_owned(), "1".to_owned()));
    assert!(text(recovery, "idleMs").parse::<i64>().unwrap() >= 1000);
}

/// Panics over one store.
struct Panicking {
    inner: FakeSealer,
    over: StoreId,
}

impl Sealer for Panicking {
    fn seal(&self, context: &str, plain: &[u8]) -> Result<Sealed, SealError> {
        self.inner.seal(context, plain)
    }

    fn open(&self, context: &str, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        assert!(context != self.over.as_str(), "this store is poison");
        self.inner.open(context, sealed)
    }
}

#[tokio::test]
async fn a_panic_ends_its_run_alone_and_counts_like_a_death() {
    // RELIABILITY F11.
    let limit = Policy::default().max_crashes;
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let poison = world.create(&ada, "teashop").await.operation.unwrap();
    let innocent = world.create(&ada, "coffeeshop").await.store.id;
    let sealer = Arc::new(Panicking { inner: FakeSealer::default(), over: poison.store_id.clone() });
    let worker = world.worker_with(sealer);

    world.run_due(&worker).await;
    let waiting = world.operation(poison.id).await;
    assert_eq!((waiting.status, waiting.worker), (OperationStatus::Waiting, None), "the lease is given back");
    assert_eq!(step_of(&world, &waiting).await.crashes, 1);
    assert_eq!(world.store(&innocent).await.state, StoreState::Ready);

    for _ in 1..limit {
        world.clock.advance(seconds(31));
        world.run_due(&worker).await;
    }
    let parked = world.operation(poison.id).await;
    assert_eq!(parked.status, OperationStatus::Stuck);
    assert_eq!(parked.failure.map(|failure| failure.code), Some(ErrorCode::Poisoned));
    assert!(
        events(&world, |event| event.event_type == AuditEventType::Recovery).await.is_empty(),
        "nobody waited for a lease"
    );
}

#[tokio::test]
async fn a_database_that_is_away_for_a_moment_costs_no_lease_and_no_blame() {
    // RELIABILITY F15, F26: the record of a step is lost in every way.
    let lost = || StorageError::Unavailable { detail: "connection lost".to_owned(), source: None };
    for fault in [Fault::Before(lost()), Fault::After(lost())] {
        let world = Fixture::new().await;
        let ada = world.merchant("ada").await;
        let id = world.create(&ada, "teashop").await.store.id;
        world.storage.faults.pass("commit", 4);
        world.storage.faults.push("commit", fault);
        let start = world.clock.now();

        world.run_due(&world.worker).await;

        assert_eq!(world.store(&id).await.state, StoreState::Ready, "the same worker goes on");
        assert!(world.clock.now().duration_since(start) < seconds(5));
        assert!(events(&world, |event| event.event_type == AuditEventType::Recovery).await.is_empty());
    }
}

#[tokio::test]
async fn records_that_meet_other_transactions_are_begun_again() {
    // RELIABILITY F21: deadlocks and serialisation failures at every transaction of a provision.
    for nth in 0..16 {
        let world = Fixture::new().await;
        let ada = world.merchant("ada").await;
        let id = world.create(&ada, "teashop").await.store.id;
        world.storage.faults.pass("commit", nth);
        for _ in 0..3 {
            world.storage.faults.push("commit", Fault::Before(StorageError::Conflict));
        }

        assert_eq!(world.settle(&id).await.state, StoreState::Ready, "commit {nth}");

        let moves = events(&world, |event| event.event_type == AuditEventType::StatusChange).await;
        assert_eq!(moves.len(), 2, "commit {nth}");
        assert_eq!(world.releases.install_calls(&id), 1, "commit {nth}: nothing was repeated but the record");
    }
}

#[tokio::test]
async fn a_herd_that_becomes_due_at_once_is_spread_and_a_new_store_does_not_wait_for_it() {
    // RELIABILITY F30.
    const HERD: usize = 100;
    let mut world = Fixture::new().await;
    world.stores.rules.plans.standard.stores = shopwright_domain::limits::StoreQuota(1000);
    let (ada, bob) = (world.merchant("ada").await, world.merchant("bob").await);
    for number in 0..HERD {
        world.create(&ada, &format!("shop-{number}")).await;
        world.cluster.faults.push("ensure_namespace", Fault::Before(ClusterError::Throttled { retry_after: None }));
    }
    world.run_due(&world.worker).await;
    assert_eq!(world.cluster.creations(), 0);
    world.clock.advance(seconds(31));
    let fresh = world.create(&bob, "bookshop").await.store.id;

    let mut begun = BTreeMap::from([(-1, 0)]);
    let start = world.clock.now();
    world.run_due(&world.worker).await;
    assert_eq!(world.store(&fresh).await.state, StoreState::Ready, "it was not behind them");
    for _ in 0..30 {
        let second = world.clock.now().duration_since(start).as_secs();
        begun.insert(second, world.cluster.creations());
        world.clock.advance(SignedDuration::from_millis(500));
        world.run_due(&world.worker).await;
    }

    // A second's worth may be saved up; the new store comes beside them.
    let counts: Vec<usize> = begun.values().copied().collect();
    assert!(counts[1] <= 20 + 20 + 1, "{begun:?}");
    assert!(counts[1..].windows(2).all(|pair| pair[1] - pair[0] <= 20), "{begun:?}");
    assert_eq!(world.cluster.creations(), HERD + 1);
}

#[tokio::test]
async fn a_cluster_without_its_fence_takes_no_work_and_goes_on_when_it_is_prepared() {
    // DECISIONS 5, RELIABILITY S51.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    world.cluster.open_fence(Some("the binding is gone"));
    let operation = world.create(&ada, "teashop").await.operation.unwrap();

    for _ in 0..10 {
        world.run_due(&world.worker).await;
        world.clock.advance(seconds(31));
    }

    let waiting = world.operation(operation.id).await;
    assert_eq!((waiting.status, waiting.attempt), (OperationStatus::Waiting, 0));
    assert_eq!(waiting.failure.as_ref().map(|failure| failure.code), Some(ErrorCode::ClusterUnfenced));
    assert_eq!((world.cluster.creations(), world.releases.install_calls(&operation.store_id)), (0, 0));
    assert_eq!(events(&world, with_code(ErrorCode::ClusterUnfenced)).await.len(), 1, "once, not at each back-off");
    world.cluster.open_fence(None);
    let start = world.clock.now();
    assert_eq!(world.settle(&operation.store_id).await.state, StoreState::Ready);
    assert!(world.clock.now().duration_since(start) <= seconds(30));
}

#[tokio::test]
async fn a_policy_that_is_removed_under_a_running_store_stops_every_further_change() {
    // RELIABILITY S51: what holds for a minute is looked at again.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    world.cluster.open_fence(Some("the policy is gone"));
    world.clock.advance(seconds(60));

    world.stores.delete(&ada, &store.id).await.unwrap();
    world.run_due(&world.worker).await;

    assert_eq!((world.releases.uninstall_calls(&store.id), world.cluster.deletions()), (0, 0));
    world.cluster.open_fence(None);
    assert_eq!(world.settle(&store.id).await.state, StoreState::Deleted);
}

#[tokio::test]
async fn what_a_rollout_waits_for_is_told_while_it_waits_and_taken_back() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let operation = world.create(&ada, "teashop").await.operation.unwrap();
    let pending = Failure::new(ErrorCode::Unschedulable, "pod web-0: 0/1 nodes have room");
    world.cluster.set_rollout(&operation.store_id, Rollout::Pending(pending.clone()));
    let start = world.clock.now();

    let look = async {
        loop {
            let seen = world.operation(operation.id).await;
            if seen.failure.is_some() {
                assert_eq!((seen.status, seen.failure), (OperationStatus::Running, Some(pending.clone())));
                assert!(world.clock.now().duration_since(start) <= seconds(10));
                world.cluster.clear_rollout(&operation.store_id);
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    futures::join!(world.in_time(world.worker.run_due()), look).0.unwrap();

    let ended = world.operation(operation.id).await;
    assert_eq!((ended.status, ended.failure), (OperationStatus::Succeeded, None));
}

#[tokio::test]
async fn a_cluster_that_freezes_under_helm_is_told_before_helm_gives_up() {
    // RELIABILITY F37.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let operation = world.create(&ada, "teashop").await.operation.unwrap();
    world.releases.faults.push("install", Fault::Hang);
    let frozen = || ClusterError::Unreachable { detail: "no answer within 10 s".to_owned(), source: None };
    world.cluster.faults.push("check", Fault::Before(frozen()));

    world.run_for(&world.worker, 25).await;

    let seen = world.operation(operation.id).await;
    assert_eq!(seen.status, OperationStatus::Running);
    assert_eq!(seen.failure.map(|failure| failure.code), Some(ErrorCode::ClusterUnreachable));
}

#[tokio::test]
async fn a_reason_is_written_down_when_it_is_new_and_not_at_each_look() {
    // RELIABILITY F55.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    world.cluster.block_removal(&store.id, Some("configmap/x has finalizer example.com/hold"));
    world.stores.delete(&ada, &store.id).await.unwrap();
    for _ in 0..10 {
        world.run_due(&world.worker).await;
        world.clock.advance(seconds(31));
    }
    assert_eq!(events(&world, with_code(ErrorCode::DeleteBlocked)).await.len(), 1);

    for _ in 0..3 {
        world.cluster.faults.push("await_gone", Fault::Before(ClusterError::Denied("no".to_owned())));
        world.run_due(&world.worker).await;
        world.clock.advance(seconds(31));
    }
    world.run_due(&world.worker).await;

    assert_eq!(events(&world, with_code(ErrorCode::PermissionDenied)).await.len(), 1);
    assert_eq!(events(&world, with_code(ErrorCode::DeleteBlocked)).await.len(), 2, "it is the reason again");
}

#[tokio::test]
async fn a_worker_that_is_fenced_out_says_who_holds_the_store_now() {
    // RELIABILITY F3, F6.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let provision = world.create(&ada, "teashop").await.operation.unwrap();
    world.cluster.faults.push("put_credentials", Fault::Hang);
    let stop = CancellationToken::new();
    let told = async {
        let mut deletion = None;
        for _ in 0..TURNS {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            world.clock.advance(SignedDuration::from_millis(200));
            let hanging = world.operation(provision.id).await.status == OperationStatus::Running;
            if deletion.is_none() && hanging && world.cluster.creations() == 1 {
                deletion = world.stores.delete(&ada, &provision.store_id).await.unwrap().operation;
            }
            let lost = events(&world, |event| event.message.contains("lease lost")).await;
            if let (Some(event), Some(deletion)) = (lost.first(), &deletion) {
                return (event.clone(), deletion.id);
            }
        }
        panic!("nobody says that the lease is lost");
    };
    let (event, deletion) = tokio::select! {
        biased;
        () = world.worker.run(stop.clone()) => unreachable!(),
        told = told => told,
    };

    assert_eq!(event.event_type, AuditEventType::Warning);
    assert_eq!((event.operation_id, event.epoch), (Some(provision.id), Some(Epoch(1))));
    assert_eq!(text(&event, "worker"), world.worker.id().to_string());
    assert_eq!(text(&event, "currentOperation"), deletion.to_string());
    assert!(text(&event, "currentEpoch").parse::<i64>().unwrap() > 1);
}

#[tokio::test]
async fn a_database_that_was_restored_from_before_goes_on_above_what_the_cluster_has_seen() {
    // DECISIONS 2, RELIABILITY F28.
    for known in [1, 50] {
        let world = Fixture::new().await;
        let ada = world.merchant("ada").await;
        let id = world.create(&ada, "teashop").await.store.id;
        let before = Fence { store_id: id.clone(), epoch: Epoch(known) };
        world.cluster.ensure_namespace(&before, &engines::medusa()).await.unwrap();

        let store = world.settle(&id).await;

        assert_eq!((store.state, world.cluster.epoch(&id)), (StoreState::Ready, Some(store.epoch)));
        assert!(store.epoch.0 >= known);
        let lifted = events(&world, |event| event.metadata.contains_key("knownEpoch")).await;
        assert_eq!(lifted.len(), usize::from(known > 1));
    }
}

#[tokio::test]
async fn a_lease_whose_epoch_was_lifted_is_renewed_under_the_new_one() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let id = world.create(&ada, "teashop").await.store.id;
    let before = Fence { store_id: id.clone(), epoch: Epoch(50) };
    world.cluster.ensure_namespace(&before, &engines::medusa()).await.unwrap();
    world.cluster.auto_ready(false);
    let start = world.clock.now();

    let ready = async {
        for _ in 0..TURNS {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            world.clock.advance(SignedDuration::from_millis(200));
            if world.clock.now().duration_since(start) > seconds(5 * LEASE) {
                world.cluster.auto_ready(true);
            }
            if world.store(&id).await.state.is_settled() {
                return;
            }
        }
        panic!("the store does not settle");
    };
    tokio::select! {
        biased;
        () = world.worker.run(CancellationToken::new()) => unreachable!(),
        () = ready => {}
    }

    let store = world.store(&id).await;
    assert_eq!((store.state, store.epoch), (StoreState::Ready, Epoch(51)), "one claim, lifted once");
}

#[tokio::test]
async fn an_attempt_that_installs_something_else_is_written_down() {
    // RELIABILITY F54.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let operation = world.create(&ada, "teashop").await.operation.unwrap();
    world.releases.faults.push("install", Fault::Before(ReleaseError::Failed("no".to_owned())));
    world.run_due(&world.worker).await;
    let first = world.operation(operation.id).await.release;
    assert!(first.is_some(), "it is on record before the run");

    world.releases.replace_charts();
    assert_eq!(world.settle(&operation.store_id).await.state, StoreState::Ready);

    let changed = events(&world, |event| event.metadata.contains_key("changed")).await;
    let [event] = changed.as_slice() else { panic!("{changed:?}") };
    assert_eq!((event.event_type, text(event, "changed").as_str()), (AuditEventType::Warning, "chart"));
    assert_ne!(world.operation(operation.id).await.release, first);
}

/// Runs the worker until it has ended after a stop that comes as soon as `ready_to_stop`.
async fn stopped(world: &Fixture, worker: &Worker, ready_to_stop: impl Fn() -> bool) {
    let stop = CancellationToken::new();
    let driver = async {
        for _ in 0..TURNS {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            if ready_to_stop() {
                stop.cancel();
            }
            world.clock.advance(SignedDuration::from_millis(200));
        }
        panic!("it does not stop");
    };
    tokio::select! {
        biased;
        () = worker.run(stop.clone()) => {}
        () = driver => unreachable!(),
    }
}

#[tokio::test]
async fn a_shutdown_hands_back_what_only_waits_at_once() {
    // RELIABILITY F9.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    world.cluster.auto_ready(false);
    let operation = world.create(&ada, "teashop").await.operation.unwrap();

    stopped(&world, &world.worker, || !world.releases.installed().is_empty()).await;

    let back = world.operation(operation.id).await;
    assert_eq!((back.status, back.worker), (OperationStatus::Queued, None));
    world.cluster.auto_ready(true);
    assert_eq!(world.run_due(&world.restarted_worker()).await, 1, "nobody waits for a lease");
    assert_eq!(world.store(&operation.store_id).await.state, StoreState::Ready);
    assert!(events(&world, |event| event.event_type == AuditEventType::Recovery).await.is_empty());
}

#[tokio::test]
async fn a_shutdown_that_a_step_outlasts_ends_all_the_same_and_hands_back() {
    // RELIABILITY F9.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let operation = world.create(&ada, "teashop").await.operation.unwrap();
    world.cluster.faults.push("put_credentials", Fault::Hang);
    let start = world.clock.now();

    stopped(&world, &world.worker, || world.cluster.creations() == 1).await;

    assert!(world.clock.now().duration_since(start) < seconds(30));
    let back = world.operation(operation.id).await;
    assert_eq!((back.status, back.worker), (OperationStatus::Queued, None));
    let heir = world.restarted_worker();
    world.run_due(&heir).await;
    let snapshot = world.storage.snapshot().await;
    assert!(snapshot.steps_of(operation.id).iter().all(|record| record.crashes == 0), "a shutdown is no crash");
    assert_eq!(world.store(&operation.store_id).await.state, StoreState::Ready);
}

/// A worker dies at its nth commit from now. Whether there was such a commit: if not, every one has had its turn.
async fn dies_at_commit(world: &Fixture, nth: usize) -> bool {
    world.storage.faults.pass("commit", nth);
    world.storage.faults.push("commit", Fault::Hang);
    world.run_for(&world.restarted_worker(), 3).await;
    world.clock.advance(seconds(LEASE + 1));
    world.storage.faults.remaining() == 0
}

#[tokio::test]
async fn a_death_at_every_transaction_of_a_provision_loses_nothing_and_doubles_nothing() {
    // RELIABILITY F1, F5.
    let mut deaths = 0;
    loop {
        let world = Fixture::new().await;
        let ada = world.merchant("ada").await;
        let id = world.create(&ada, "teashop").await.store.id;
        if !dies_at_commit(&world, deaths).await {
            break;
        }

        assert_eq!(world.settle_with(&world.restarted_worker(), &id).await.state, StoreState::Ready, "commit {deaths}");

        assert_eq!((world.cluster.creations(), world.releases.installed().len()), (1, 1), "commit {deaths}");
        deaths += 1;
    }
    assert!(deaths >= 13, "a claim, and begin and end of each step, are transactions: {deaths}");
}

#[tokio::test]
async fn a_death_at_every_transaction_of_a_deletion_leaves_nothing() {
    // RELIABILITY F1, F5.
    let mut deaths = 0;
    loop {
        let world = Fixture::new().await;
        let ada = world.merchant("ada").await;
        let store = world.ready_store(&ada, "teashop").await;
        world.stores.delete(&ada, &store.id).await.unwrap();
        if !dies_at_commit(&world, deaths).await {
            break;
        }

        let last = world.settle_with(&world.restarted_worker(), &store.id).await;

        assert_eq!(last.state, StoreState::Deleted, "commit {deaths}");
        assert_eq!(world.leftovers(&store.id).await, Vec::<String>::new(), "commit {deaths}");
        deaths += 1;
    }
    assert!(deaths >= 8, "{deaths}");
}
