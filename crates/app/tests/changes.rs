//! Rotations and upgrades of stores that are ready, over the fakes: they succeed, survive a crash at every transaction, and when they fail
//! at whichever step the store is brought back to what it was. RELIABILITY F1, F4, F15, F49.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use secrecy::ExposeSecret;
use shopwright_domain::ErrorCode;
use shopwright_domain::engine::RotationTarget;
use shopwright_domain::operation::{Operation, OperationKind, OperationStatus};
use shopwright_domain::store::{Failure, Store, StoreState};
use shopwright_ports::cluster::{ClusterError, Rollout};
use shopwright_ports::releases::ReleaseError;
use shopwright_ports::storage::{Reach, Storage, StorageError};
use shopwright_ports::storefront::StorefrontError;
use shopwright_ports::stores_api::{Accepted, Change, RequestContext, Share, StoreService, StoreServiceError};
use shopwright_ports::testing::Fault;
use support::Fixture;

const BOTH: [RotationTarget; 2] = RotationTarget::ALL;

/// What a store is, outside the control plane's own rows: the release and the Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shape {
    chart: String,
    secret: BTreeMap<String, String>,
    sealed: Vec<u8>,
    version: u32,
    pending: bool,
}

async fn shape(world: &Fixture, store: &Store) -> Shape {
    let snapshot = world.storage.snapshot().await;
    Shape {
        chart: world.releases.installed()[&store.id].digests.chart.clone(),
        secret: world.cluster.credentials(&store.id).unwrap(),
        sealed: snapshot.credentials[&store.id].bytes.clone(),
        version: snapshot.credential_versions[&store.id],
        pending: snapshot.pending_credentials.contains_key(&store.id),
    }
}

async fn ask(world: &Fixture, who: &RequestContext, store: &Store, kind: OperationKind) -> Accepted {
    if kind == OperationKind::Rotate {
        return world.stores.rotate_credentials(who, &store.id, BOTH.to_vec()).await.unwrap();
    }
    world.releases.replace_charts();
    world.stores.upgrade(who, &store.id).await.unwrap()
}

/// The store's operations after its provision, oldest first.
async fn changes(world: &Fixture, store: &Store) -> Vec<Operation> {
    let operations = world.storage.snapshot().await.operations;
    operations
        .into_iter()
        .filter(|it| it.store_id == store.id && it.kind != OperationKind::Provision)
        .cloned()
        .collect()
}

/// Works until nothing of the store is unfinished, a revert that follows a failure included.
async fn settle(world: &Fixture, store: &Store) -> Vec<Operation> {
    for _ in 0..500 {
        world.run_due(&world.worker).await;
        let done = changes(world, store).await;
        if done.iter().all(|operation| operation.status.is_finished()) {
            return done;
        }
        world.clock.advance(SignedDuration::from_secs(11));
    }
    panic!("it does not settle: {:#?}", changes(world, store).await);
}

fn kinds(operations: &[Operation]) -> Vec<(OperationKind, OperationStatus)> {
    operations.iter().map(|operation| (operation.kind, operation.status)).collect()
}

const CHANGES: [OperationKind; 2] = [OperationKind::Rotate, OperationKind::Upgrade];

#[tokio::test]
async fn an_upgrade_installs_what_the_platform_has_now_and_keeps_it() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    let before = shape(&world, &store).await;

    ask(&world, &ada, &store, OperationKind::Upgrade).await;
    let done = settle(&world, &store).await;

    assert_eq!(kinds(&done), [(OperationKind::Upgrade, OperationStatus::Succeeded)]);
    let after = shape(&world, &store).await;
    assert_ne!(after.chart, before.chart);
    assert_eq!(Shape { chart: before.chart.clone(), ..after.clone() }, before, "the credentials are the same bytes");
    assert_eq!(world.store(&store.id).await.state, StoreState::Ready);
    assert_eq!(world.storage.snapshot().await.releases[&store.id].chart, after.chart);
}

#[tokio::test]
async fn a_rotation_leaves_the_release_alone_and_forgets_the_old_passwords() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    let before = shape(&world, &store).await;
    // The platform has another chart meanwhile: another password is no upgrade.
    world.releases.replace_charts();

    ask(&world, &ada, &store, OperationKind::Rotate).await;
    let done = settle(&world, &store).await;

    assert_eq!(kinds(&done), [(OperationKind::Rotate, OperationStatus::Succeeded)]);
    let after = shape(&world, &store).await;
    assert_eq!((after.chart.as_str(), after.version, after.pending), (before.chart.as_str(), 2, false));
    for (key, old) in &before.secret {
        let replaced = matches!(key.as_str(), "admin-password" | "database-password");
        assert_eq!(after.secret[key] != *old, replaced, "{key}");
    }
    assert!(!after.secret.contains_key("database-password-before"));
    let shown = world.stores.reveal_credentials(&ada, &store.id).await.unwrap();
    assert_eq!(shown.password.unwrap().expose_secret(), after.secret["admin-password"]);
}

#[tokio::test]
async fn only_what_was_named_is_rotated() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    let before = shape(&world, &store).await;

    world.stores.rotate_credentials(&ada, &store.id, vec![RotationTarget::Administrator]).await.unwrap();
    settle(&world, &store).await;

    let after = shape(&world, &store).await;
    assert_ne!(after.secret["admin-password"], before.secret["admin-password"]);
    assert_eq!(after.secret["database-password"], before.secret["database-password"]);
}

#[tokio::test]
async fn while_it_is_not_known_which_password_is_in_force_the_set_up_has_both() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    let old = shape(&world, &store).await.secret;
    let pending = Rollout::Pending(Failure::new(ErrorCode::RolloutTimeout, "the set-up is running"));
    world.cluster.set_rollout(&store.id, pending);
    ask(&world, &ada, &store, OperationKind::Rotate).await;

    world.run_for(&world.worker, 5).await;

    let secret = world.cluster.credentials(&store.id).unwrap();
    assert_eq!(secret["database-password-before"], old["database-password"]);
    assert_ne!(secret["database-password"], old["database-password"]);
}

/// Makes the next run of each call fail as often as it takes to give up.
fn break_call(world: &Fixture, call: &'static str, after: bool) {
    for _ in 0..3 {
        if call == "install" {
            let error = ReleaseError::Failed("no".to_owned());
            world.releases.faults.push(call, if after { Fault::After(error) } else { Fault::Before(error) });
        } else {
            let error = ClusterError::Rejected("no".to_owned());
            world.cluster.faults.push(call, if after { Fault::After(error) } else { Fault::Before(error) });
        }
    }
}

#[tokio::test]
async fn a_change_that_fails_at_any_step_is_taken_back_and_the_store_stays_ready() {
    for kind in CHANGES {
        let calls: &[&str] = match kind {
            OperationKind::Rotate => &["put_credentials", "install"],
            _ => &["install"],
        };
        for call in calls {
            for after in [false, true] {
                let world = Fixture::new().await;
                let ada = world.merchant("ada").await;
                let store = world.ready_store(&ada, "teashop").await;
                let before = shape(&world, &store).await;
                break_call(&world, call, after);

                ask(&world, &ada, &store, kind).await;
                let done = settle(&world, &store).await;

                let name = format!("{kind}, {call}, after {after}");
                let wanted = [(kind, OperationStatus::Failed), (OperationKind::Revert, OperationStatus::Succeeded)];
                assert_eq!(kinds(&done), wanted, "{name}");
                assert!(done[0].failure.is_some(), "{name}");
                assert_eq!(shape(&world, &store).await, before, "{name}: byte for byte");
                assert_eq!(world.store(&store.id).await.state, StoreState::Ready, "{name}");
                assert_eq!(world.store(&store.id).await.failure, None, "{name}");

                // And again, with nothing in the way: what was taken back is no obstacle.
                ask(&world, &ada, &store, kind).await;
                let done = settle(&world, &store).await;
                assert_eq!(
                    done.last().map(|last| (last.kind, last.status)),
                    Some((kind, OperationStatus::Succeeded)),
                    "{name}"
                );
            }
        }
    }
}

#[tokio::test]
async fn workloads_that_do_not_start_are_brought_back_at_once_with_the_pods_own_reason() {
    for kind in CHANGES {
        let world = Fixture::new().await;
        let ada = world.merchant("ada").await;
        let store = world.ready_store(&ada, "teashop").await;
        let before = shape(&world, &store).await;
        world.cluster.set_rollout(&store.id, Rollout::Failed(Failure::new(ErrorCode::CrashLoop, "web: exit code 1")));
        let asked = ask(&world, &ada, &store, kind).await.operation.unwrap();

        let failed = world.ended(asked.id).await;
        let took = failed.finished_at.unwrap().duration_since(failed.started_at.unwrap());
        world.cluster.clear_rollout(&store.id);
        let done = settle(&world, &store).await;

        let failure = failed.failure.unwrap();
        assert_eq!((failure.code, failure.detail.as_str()), (ErrorCode::CrashLoop, "web: exit code 1"));
        assert!(took < SignedDuration::from_secs(60), "{kind} kept the store down for {took}");
        assert_eq!(done[1].status, OperationStatus::Succeeded);
        assert_eq!(shape(&world, &store).await, before, "{kind}");
    }
}

#[tokio::test]
async fn a_storefront_that_does_not_answer_takes_an_upgrade_back() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    let before = shape(&world, &store).await;
    for _ in 0..60 {
        let error = StorefrontError::Status { host: store.host.clone(), path: "/".to_owned(), status: 500 };
        world.storefront.faults.push("probe", Fault::Before(error));
    }
    let asked = ask(&world, &ada, &store, OperationKind::Upgrade).await.operation.unwrap();

    let failed = world.ended(asked.id).await;
    settle(&world, &store).await;

    assert_eq!(failed.failure.unwrap().code, ErrorCode::StorefrontUnreachable);
    assert_eq!(shape(&world, &store).await, before);
}

#[tokio::test]
async fn a_revert_is_not_given_up_for_its_attempts() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    let before = shape(&world, &store).await;
    world.cluster.set_rollout(&store.id, Rollout::Failed(Failure::new(ErrorCode::CrashLoop, "web: exit code 1")));
    let asked = ask(&world, &ada, &store, OperationKind::Upgrade).await.operation.unwrap();
    world.ended(asked.id).await;

    for _ in 0..20 {
        world.run_due(&world.worker).await;
        world.clock.advance(SignedDuration::from_secs(31));
    }
    assert_eq!(changes(&world, &store).await[1].status, OperationStatus::Stuck, "and shown as stuck");
    world.cluster.clear_rollout(&store.id);
    let done = settle(&world, &store).await;

    assert_eq!(done[1].status, OperationStatus::Succeeded);
    assert_eq!(shape(&world, &store).await, before);
}

#[tokio::test]
async fn a_crash_at_every_transaction_of_a_change_converges() {
    // Twice each: the worker that takes over meets the same crash at its first commit.
    for kind in CHANGES {
        for fails in [false, true] {
            for after in [false, true] {
                for nth in 0..14 {
                    let world = Fixture::new().await;
                    let ada = world.merchant("ada").await;
                    let store = world.ready_store(&ada, "teashop").await;
                    let before = shape(&world, &store).await;
                    ask(&world, &ada, &store, kind).await;
                    if fails {
                        world
                            .cluster
                            .faults
                            .push("await_workloads", Fault::Before(ClusterError::Rejected("no".to_owned())));
                    }
                    let lost = || StorageError::Unavailable { detail: "connection lost".to_owned(), source: None };
                    world.storage.faults.pass("commit", nth);
                    for _ in 0..2 {
                        world
                            .storage
                            .faults
                            .push("commit", if after { Fault::After(lost()) } else { Fault::Before(lost()) });
                    }

                    world.run_due(&world.worker).await;
                    let done = settle(&world, &store).await;

                    let name = format!("{kind}, fails {fails}, commit {nth}, after {after}");
                    let now = shape(&world, &store).await;
                    assert_eq!(world.store(&store.id).await.state, StoreState::Ready, "{name}");
                    assert!(!now.pending && !now.secret.contains_key("database-password-before"), "{name}");
                    let reverted = done.iter().any(|operation| operation.kind == OperationKind::Revert);
                    assert_eq!(reverted, done[0].status == OperationStatus::Failed, "{name}: {:?}", kinds(&done));
                    if reverted {
                        assert_eq!(now, before, "{name}");
                    } else if kind == OperationKind::Rotate {
                        assert_eq!((now.version, &now.chart), (2, &before.chart), "{name}");
                        assert_ne!(now.secret, before.secret, "{name}");
                    } else {
                        assert_eq!(now.secret, before.secret, "{name}");
                        assert_ne!(now.chart, before.chart, "{name}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_deletion_takes_over_from_a_change_and_nothing_is_left() {
    for kind in CHANGES {
        let world = Fixture::new().await;
        let ada = world.merchant("ada").await;
        let store = world.ready_store(&ada, "teashop").await;
        ask(&world, &ada, &store, kind).await;

        world.stores.delete(&ada, &store.id).await.unwrap();

        assert_eq!(world.settle(&store.id).await.state, StoreState::Deleted);
        let snapshot = world.storage.snapshot().await;
        assert_eq!(world.leftovers(&store.id).await, Vec::<String>::new());
        assert!(snapshot.pending_credentials.is_empty() && snapshot.releases.is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn a_change_needs_a_store_that_is_ready_and_at_rest() {
    let world = Fixture::new().await;
    let (ada, eve) = (world.merchant("ada").await, world.merchant("eve").await);
    let requested = world.create(&ada, "coffee").await.store;
    let refusal = world.stores.upgrade(&ada, &requested.id).await.unwrap_err();
    assert!(matches!(refusal, StoreServiceError::NotReady { state: StoreState::Requested }), "{refusal:?}");

    let store = world.ready_store(&ada, "teashop").await;
    ask(&world, &ada, &store, OperationKind::Rotate).await;
    let refusal = world.stores.upgrade(&ada, &store.id).await.unwrap_err();
    assert!(matches!(refusal, StoreServiceError::Busy { kind: OperationKind::Rotate, .. }), "{refusal:?}");
    let refusal = world.stores.upgrade(&eve, &store.id).await.unwrap_err();
    assert!(matches!(refusal, StoreServiceError::Forbidden), "{refusal:?}");
}

#[tokio::test]
async fn what_an_upgrade_would_change_is_told_and_nothing_is_written() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    let preview = world.stores.preview_upgrade(&ada, &store.id).await.unwrap();
    assert!(preview.up_to_date && preview.changes.is_empty());

    world.releases.replace_charts();
    let preview = world.stores.preview_upgrade(&ada, &store.id).await.unwrap();

    assert!(!preview.up_to_date);
    let [change] = &preview.changes[..] else { panic!("{:?}", preview.changes) };
    assert_eq!((change.object.to_string().as_str(), change.change), ("Deployment web", Change::Changed));
    assert_eq!(change.fields[0].after.as_deref(), Some("fake.shopwright.test/medusa:1"));
    assert!(changes(&world, &store).await.is_empty());
}

#[tokio::test]
async fn what_a_store_takes_is_told_to_whoever_may_look_at_it_and_found_out_once_per_release() {
    let world = Fixture::new().await;
    let (ada, eve) = (world.merchant("ada").await, world.merchant("eve").await);
    let store = world.ready_store(&ada, "teashop").await;

    let resources = world.stores.resources(&ada, &store.id).await.unwrap();

    assert_eq!(resources.cpu_millicores, Share { taken: 500, quota: Some(2_000) });
    assert_eq!(resources.memory_bytes, Share { taken: 512 << 20, quota: Some(2 << 30) });
    assert_eq!(resources.storage_bytes, Share { taken: 1 << 30, quota: Some(10 << 30) });
    // The next store of the release is no work.
    world.releases.faults.push("render", Fault::Before(ReleaseError::Failed("asked twice".to_owned())));
    let other = world.ready_store(&ada, "bookshop").await;
    assert_eq!(world.stores.resources(&ada, &other.id).await.unwrap(), resources);
    assert!(matches!(world.stores.resources(&eve, &store.id).await, Err(StoreServiceError::Forbidden)));
}

#[tokio::test]
async fn credentials_are_shown_to_their_owner_and_every_look_is_written_down() {
    let world = Fixture::new().await;
    let (ada, eve) = (world.merchant("ada").await, world.merchant("eve").await);
    let store = world.ready_store(&ada, "teashop").await;
    let looks = async |world: &Fixture| {
        let audit = world.storage.snapshot().await.audit;
        audit.iter().filter(|entry| entry.event.message.contains("credentials were shown")).count()
    };

    let shown = world.stores.reveal_credentials(&ada, &store.id).await.unwrap();

    assert!(shown.password.is_some());
    assert_eq!(looks(&world).await, 1);
    assert!(matches!(world.stores.reveal_credentials(&eve, &store.id).await, Err(StoreServiceError::Forbidden)));
    let operator = world.administrator().await;
    let looked = world.stores.reveal_credentials(&operator, &store.id).await;
    assert!(matches!(looked, Err(StoreServiceError::NotAllowed { .. })));
    assert_eq!(looks(&world).await, 1);
    // A look that could not be written down shows nothing.
    world.fail_commit(1, false);
    assert!(world.stores.reveal_credentials(&ada, &store.id).await.is_err());
    for _ in 0..20 {
        let _ = world.stores.reveal_credentials(&ada, &store.id).await;
    }
    let refusal = world.stores.reveal_credentials(&ada, &store.id).await;
    assert!(matches!(refusal, Err(StoreServiceError::RevealedTooOften { .. })), "{refusal:?}");
}

#[tokio::test]
async fn a_store_is_as_large_as_its_organisations_plan_says_from_its_next_upgrade_on() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    let size = async || world.storage.snapshot().await.releases[&store.id].size.clone().map(|size| size.to_string());
    let installed = || world.releases.installed()[&store.id].digests.size.clone().map(|size| size.to_string());
    assert_eq!((installed(), size().await), (None, None));
    assert!(world.stores.preview_upgrade(&ada, &store.id).await.unwrap().up_to_date);

    let mut tx = world.storage.begin(Reach::Platform).await.unwrap();
    assert!(tx.tenants().set_plan(store.tenant_id, &"team".parse().unwrap()).await.unwrap());
    tx.commit().await.unwrap();
    let preview = world.stores.preview_upgrade(&ada, &store.id).await.unwrap();
    assert!(!preview.up_to_date && preview.from.size.is_none());
    assert_eq!(preview.to.size.map(|size| size.to_string()).as_deref(), Some("large"));

    // One that does not work is taken back to the size that did.
    world.cluster.set_rollout(&store.id, Rollout::Failed(Failure::new(ErrorCode::Unschedulable, "no room")));
    world.stores.upgrade(&ada, &store.id).await.unwrap();
    for _ in 0..500 {
        world.run_due(&world.worker).await;
        if changes(&world, &store).await[0].status == OperationStatus::Failed {
            break;
        }
        world.clock.advance(SignedDuration::from_secs(11));
    }
    let tried = changes(&world, &store).await[0].release.clone().unwrap().size;
    assert_eq!((tried.map(|size| size.to_string()).as_deref(), size().await), (Some("large"), None));
    world.cluster.clear_rollout(&store.id);
    let done = settle(&world, &store).await;
    assert_eq!(done.last().map(|it| (it.kind, it.status)), Some((OperationKind::Revert, OperationStatus::Succeeded)));
    assert_eq!((installed(), size().await), (None, None));

    world.stores.upgrade(&ada, &store.id).await.unwrap();
    settle(&world, &store).await;
    assert_eq!((installed().as_deref(), size().await.as_deref()), (Some("large"), Some("large")));
    assert!(world.stores.preview_upgrade(&ada, &store.id).await.unwrap().up_to_date);
}
