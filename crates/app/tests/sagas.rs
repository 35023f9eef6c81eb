//! Both sagas over the fakes: they succeed, survive crashes and outages at every step, and leave nothing behind.
//! RELIABILITY F1, F4, F5, F32, F55, F57, F60.

mod support;

use jiff::SignedDuration;
use shopwright_domain::ErrorCode;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::operation::{OperationKind, OperationStatus, SetupStep};
use shopwright_domain::saga::{ProvisionStep, Step, StepStatus};
use shopwright_domain::store::{Failure, StoreState};
use shopwright_ports::cluster::{ClusterError, Rollout, SetupResult};
use shopwright_ports::releases::ReleaseError;
use shopwright_ports::storage::StorageError;
use shopwright_ports::stores_api::StoreService;
use shopwright_ports::testing::Fault;
use support::Fixture;

fn unreachable_cluster() -> ClusterError {
    ClusterError::Unreachable { detail: "refused".to_owned(), source: None }
}

fn lost_connection() -> StorageError {
    StorageError::Unavailable { detail: "connection lost".to_owned(), source: None }
}

#[tokio::test]
async fn a_requested_store_becomes_ready_with_its_urls() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;

    let store = world.ready_store(&ada, "teashop").await;

    let urls = store.urls.unwrap();
    assert_eq!(urls.storefront, "http://teashop.localhost:8080");
    assert_eq!(urls.admin, "http://teashop.localhost:8080/app");
    assert!(store.ready_at.is_some());
    let snapshot = world.storage.snapshot().await;
    assert_eq!(snapshot.operations[0].status, OperationStatus::Succeeded);
    assert!(snapshot.steps_of(snapshot.operations[0].id).iter().all(|step| step.status == StepStatus::Succeeded));
    let changes: Vec<_> = snapshot.audit.iter().filter_map(|entry| entry.event.new).map(StoreState::as_str).collect();
    assert_eq!(changes, ["requested", "provisioning", "ready"]);
}

#[tokio::test]
async fn the_credentials_in_the_cluster_are_the_ones_that_the_owner_sees() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;

    let store = world.ready_store(&ada, "teashop").await;

    let view = world.stores.get(&ada, &store.id).await.unwrap();
    let password = view.credentials.unwrap().password.unwrap();
    let written = world.cluster.credentials(&store.id).unwrap();
    assert_eq!(
        written.get("admin-password").map(String::as_str),
        Some(secrecy::ExposeSecret::expose_secret(&password))
    );
}

#[tokio::test]
async fn what_the_set_up_notes_about_the_engine_is_kept_with_the_store() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let id = world.create(&ada, "teashop").await.store.id;
    let note = "takes no orders".to_owned();
    world.cluster.set_rollout(&id, Rollout::Ready(SetupResult { note: Some(note.clone()), ..SetupResult::default() }));

    let store = world.settle(&id).await;

    assert_eq!((store.state, store.engine_note), (StoreState::Ready, Some(note)));
}

#[tokio::test]
async fn the_owner_sees_the_set_ups_steps_while_it_runs_and_after() {
    let step = |name: &str, millis| SetupStep { name: name.to_owned(), millis };
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let accepted = world.create(&ada, "teashop").await;
    let (id, operation) = (accepted.store.id, accepted.operation.unwrap().id);
    let pending = Rollout::Pending(Failure::new(ErrorCode::RolloutTimeout, "the set-up is running"));
    world.cluster.set_rollout(&id, pending);
    let shown = async || world.stores.operation(&ada, operation).await.unwrap().operation.setup;

    let told = [vec![step("database", 12)], vec![step("database", 12), step("theme", 340)]];
    for steps in &told {
        world.cluster.set_progress(&id, steps.clone());
        // A worker that dies with it, and the next one goes on telling.
        world.run_for(&world.worker, 5).await;
        assert_eq!(shown().await, *steps);
        world.clock.advance(SignedDuration::from_secs(11));
    }
    // A pod that says nothing, because it has just begun or its log cannot be read, takes nothing back.
    world.cluster.set_progress(&id, Vec::new());
    world.run_for(&world.worker, 5).await;
    assert_eq!(shown().await, told[1]);

    let all = vec![step("database", 9), step("theme", 300), step("marker", 2)];
    world.cluster.set_rollout(&id, Rollout::Ready(SetupResult { steps: all.clone(), ..SetupResult::default() }));
    assert_eq!(world.settle(&id).await.state, StoreState::Ready);
    assert_eq!(shown().await, all);
}

#[tokio::test]
async fn a_set_up_that_fails_leaves_what_it_had_done_and_the_reason() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let accepted = world.create(&ada, "teashop").await;
    let (id, operation) = (accepted.store.id, accepted.operation.unwrap().id);
    let steps = vec![SetupStep { name: "database".to_owned(), millis: 12 }];
    world.cluster.set_progress(&id, steps.clone());
    world.cluster.set_rollout(&id, Rollout::Pending(Failure::new(ErrorCode::RolloutTimeout, "the set-up is running")));
    world.run_for(&world.worker, 5).await;
    let failure = Failure::new(ErrorCode::SetupFailed, "step theme: no such theme");
    world.cluster.set_rollout(&id, Rollout::Failed(failure.clone()));

    let store = world.settle(&id).await;

    assert_eq!((store.state, store.failure), (StoreState::Failed, Some(failure)));
    assert_eq!(world.stores.operation(&ada, operation).await.unwrap().operation.setup, steps);
}

/// The calls of a provision that can fail, in their order.
const PROVISION_CALLS: [&str; 4] = ["ensure_namespace", "put_credentials", "install", "await_workloads"];

fn fail_call(world: &Fixture, call: &'static str, after: bool) {
    if call == "install" {
        let error = ReleaseError::Failed("no".to_owned());
        world.releases.faults.push(call, if after { Fault::After(error) } else { Fault::Before(error) });
    } else {
        let error = ClusterError::Rejected("no".to_owned());
        world.cluster.faults.push(call, if after { Fault::After(error) } else { Fault::Before(error) });
    }
}

#[tokio::test]
async fn a_step_that_fails_once_before_or_after_its_effect_is_overcome() {
    for call in PROVISION_CALLS {
        for after in [false, true] {
            let world = Fixture::new().await;
            let ada = world.merchant("ada").await;
            fail_call(&world, call, after);

            let store = world.ready_store(&ada, "teashop").await;

            assert_eq!(world.cluster.creations(), 1, "{call}, after {after}");
            assert_eq!(world.releases.installed().len(), 1, "{call}, after {after}");
            assert_eq!(store.retry_count, 0);
        }
    }
}

#[tokio::test]
async fn a_step_that_keeps_failing_fails_the_store_and_retry_goes_on_there() {
    for call in PROVISION_CALLS {
        let world = Fixture::new().await;
        let ada = world.merchant("ada").await;
        for _ in 0..3 {
            fail_call(&world, call, false);
        }
        let id = world.create(&ada, "teashop").await.store.id;

        let failed = world.settle(&id).await;

        assert_eq!(failed.state, StoreState::Failed, "{call}");
        assert!(failed.failure.is_some());
        let retried = world.stores.retry(&ada, &id).await.unwrap();
        assert_eq!(retried.store.state, StoreState::Requested);
        assert_eq!(retried.store.retry_count, 1);
        assert_eq!(world.settle(&id).await.state, StoreState::Ready, "{call}");
        assert_eq!(world.cluster.creations(), 1, "{call}: the namespace was kept");
    }
}

#[tokio::test]
async fn a_crash_at_every_transaction_of_a_provision_loses_nothing_and_doubles_nothing() {
    // RELIABILITY F1, F4, F5, F15: the nth commit of the worker dies, with or without its effect; another worker goes on.
    for after in [false, true] {
        for nth in 0..16 {
            let world = Fixture::new().await;
            let ada = world.merchant("ada").await;
            let id = world.create(&ada, "teashop").await.store.id;
            for _ in 0..nth {
                world.storage.faults.push("commit", Fault::Before(lost_connection()));
            }
            let fault = if after { Fault::After(lost_connection()) } else { Fault::Before(lost_connection()) };
            world.storage.faults.push("commit", fault);

            world.run_due(&world.worker).await;
            let other = world.restarted_worker();
            let store = world.settle_with(&other, &id).await;

            assert_eq!(store.state, StoreState::Ready, "commit {nth}, after {after}");
            assert_eq!(world.cluster.creations(), 1, "commit {nth}, after {after}");
            assert_eq!(world.releases.installed().len(), 1);
            let ready = world
                .storage
                .snapshot()
                .await
                .audit
                .iter()
                .filter(|entry| entry.event.new == Some(StoreState::Ready))
                .count();
            assert_eq!(ready, 1, "commit {nth}, after {after}");
        }
    }
}

#[tokio::test]
async fn an_outage_of_the_cluster_however_long_fails_no_store() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    for _ in 0..40 {
        world.cluster.faults.push("ensure_namespace", Fault::Before(unreachable_cluster()));
        world.cluster.faults.push("check", Fault::Before(unreachable_cluster()));
    }

    let id = world.create(&ada, "teashop").await.store.id;
    let store = world.settle(&id).await;

    assert_eq!(store.state, StoreState::Ready);
    let step = Step::Provision(ProvisionStep::CreateNamespace);
    let snapshot = world.storage.snapshot().await;
    let record = snapshot.steps_of(snapshot.operations[0].id).into_iter().find(|record| record.step == step).unwrap();
    assert_eq!(record.attempts, 0, "an outage costs no attempt");
}

#[tokio::test]
async fn a_cause_that_lasts_fails_the_store_with_the_pods_own_reason() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let id = world.create(&ada, "teashop").await.store.id;
    world.cluster.set_rollout(&id, Rollout::Pending(Failure::new(ErrorCode::ImagePull, "web: ErrImagePull")));

    let store = world.settle(&id).await;

    assert_eq!(store.state, StoreState::Failed);
    let failure = store.failure.unwrap();
    assert_eq!((failure.code, failure.detail.as_str()), (ErrorCode::ImagePull, "web: ErrImagePull"));
    assert!(world.cluster.epoch(&id).is_some(), "a failed store keeps what it has");
}

#[tokio::test]
async fn a_set_up_that_failed_for_good_is_done_anew_by_a_retry() {
    // RELIABILITY F62.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let id = world.create(&ada, "teashop").await.store.id;
    world.cluster.set_rollout(&id, Rollout::Failed(Failure::new(ErrorCode::SetupFailed, "migrate: no")));
    assert_eq!(world.settle(&id).await.failure.unwrap().code, ErrorCode::SetupFailed);
    assert_eq!(world.releases.install_calls(&id), 1);
    world.cluster.clear_rollout(&id);

    world.stores.retry(&ada, &id).await.unwrap();

    assert_eq!(world.settle(&id).await.state, StoreState::Ready);
    assert_eq!(world.releases.install_calls(&id), 2, "the release is applied again, with a set-up Job of its own");
    assert_eq!(world.cluster.creations(), 1);
}

#[tokio::test]
async fn slowness_alone_is_given_its_deadline() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let id = world.create(&ada, "teashop").await.store.id;
    world.cluster.auto_ready(false);
    let start = shopwright_ports::clock::Clock::now(world.clock.as_ref());

    let store = world.settle(&id).await;

    assert_eq!(store.failure.unwrap().code, ErrorCode::RolloutTimeout);
    assert!(store.updated_at.duration_since(start) >= jiff::SignedDuration::from_mins(10));
}

#[tokio::test]
async fn a_namespace_that_is_removed_by_hand_while_the_store_is_made_is_made_again() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let id = world.create(&ada, "teashop").await.store.id;
    world.cluster.faults.push("await_workloads", Fault::Before(ClusterError::NamespaceGone));
    world.cluster.faults.push("await_workloads", Fault::Before(ClusterError::Rejected("once more".to_owned())));

    let store = world.settle(&id).await;

    assert_eq!(store.state, StoreState::Ready);
    assert_eq!(world.releases.install_calls(&id), 2);
}

#[tokio::test]
async fn a_deleted_store_leaves_nothing_and_its_name_and_place_are_free() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;

    let accepted = world.stores.delete(&ada, &store.id).await.unwrap();
    assert_eq!(accepted.store.state, StoreState::Deleting);
    let deleted = world.settle(&store.id).await;

    assert_eq!(deleted.state, StoreState::Deleted);
    assert_eq!(world.leftovers(&store.id).await, Vec::<String>::new());
    let again = world.create(&ada, "teashop").await;
    assert_ne!(again.store.id, store.id);
    assert_ne!(again.store.host, store.host, "the host is in quarantine");
}

#[tokio::test]
async fn deleting_while_it_is_being_made_takes_over() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let id = world.create(&ada, "teashop").await.store.id;
    world.cluster.set_rollout(&id, Rollout::Pending(Failure::new(ErrorCode::ImagePull, "no such image")));
    world.cluster.faults.push("await_workloads", Fault::Before(ClusterError::Throttled { retry_after: None }));
    world.run_due(&world.worker).await;
    assert_eq!(world.store(&id).await.state, StoreState::Provisioning);

    world.stores.delete(&ada, &id).await.unwrap();
    let store = world.settle(&id).await;

    assert_eq!(store.state, StoreState::Deleted);
    assert_eq!(world.leftovers(&id).await, Vec::<String>::new());
    let snapshot = world.storage.snapshot().await;
    assert_eq!(snapshot.operations[0].status, OperationStatus::Cancelled);
}

#[tokio::test]
async fn deleting_twice_is_one_deletion() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;

    let first = world.stores.delete(&ada, &store.id).await.unwrap().operation.unwrap();
    let second = world.stores.delete(&ada, &store.id).await.unwrap().operation.unwrap();
    world.settle(&store.id).await;
    let third = world.stores.delete(&ada, &store.id).await.unwrap();

    assert_eq!(first.id, second.id);
    assert_eq!((third.store.state, third.operation), (StoreState::Deleted, None));
    assert_eq!(world.cluster.deletions(), 1);
}

#[tokio::test]
async fn deleting_tolerates_what_is_already_gone() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    world.cluster.remove_namespace(&store.id);

    world.stores.delete(&ada, &store.id).await.unwrap();

    assert_eq!(world.settle(&store.id).await.state, StoreState::Deleted);
}

#[tokio::test]
async fn helm_failing_to_uninstall_does_not_stop_a_deletion() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    world.releases.faults.push("uninstall", Fault::Before(ReleaseError::Failed("no".to_owned())));

    world.stores.delete(&ada, &store.id).await.unwrap();

    assert_eq!(world.settle(&store.id).await.state, StoreState::Deleted);
    let warned =
        world.storage.snapshot().await.audit.iter().any(|entry| entry.event.event_type == AuditEventType::Warning);
    assert!(warned);
}

#[tokio::test]
async fn a_blocked_deletion_is_stuck_with_its_reason_and_goes_on_when_the_cause_is_gone() {
    // RELIABILITY F55.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    world.cluster.block_removal(&store.id, Some("configmap/x has finalizer example.com/hold"));
    world.stores.delete(&ada, &store.id).await.unwrap();

    world.run_due(&world.worker).await;

    let operation = world.stores.get(&ada, &store.id).await.unwrap().operation.unwrap();
    assert_eq!(operation.status, OperationStatus::Stuck);
    assert!(operation.failure.unwrap().detail.contains("example.com/hold"));
    world.cluster.block_removal(&store.id, None);
    assert_eq!(world.settle(&store.id).await.state, StoreState::Deleted);
}

#[tokio::test]
async fn retrying_a_deletion_that_failed_deletes() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    world.cluster.block_removal(&store.id, Some("held"));
    world.stores.delete(&ada, &store.id).await.unwrap();
    let failed = world.settle(&store.id).await;
    assert_eq!((failed.state, failed.failure.unwrap().code), (StoreState::Failed, ErrorCode::DeleteStuck));
    world.cluster.block_removal(&store.id, None);

    let retried = world.stores.retry(&ada, &store.id).await.unwrap();

    assert_eq!(retried.operation.unwrap().kind, OperationKind::Delete);
    assert_eq!(world.settle(&store.id).await.state, StoreState::Deleted);
}

#[tokio::test]
async fn a_take_over_is_written_down() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let id = world.create(&ada, "teashop").await.store.id;
    world.storage.faults.push("begin", Fault::Before(lost_connection()));
    // The claim is durable, and the worker that made it never learns of it.
    world.storage.faults.push("commit", Fault::After(lost_connection()));
    while world.storage.faults.remaining() > 0 {
        world.run_due(&world.worker).await;
    }

    let store = world.settle_with(&world.restarted_worker(), &id).await;

    assert_eq!(store.state, StoreState::Ready);
    let snapshot = world.storage.snapshot().await;
    let recovery = snapshot.audit.iter().find(|entry| entry.event.event_type == AuditEventType::Recovery).unwrap();
    assert!(recovery.event.metadata.contains_key("previousWorker"));
}
