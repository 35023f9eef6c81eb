//! What may be asked for stores, and by whom.

mod support;

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use shopwright_domain::limits::{Cooldown, StoreQuota};
use shopwright_domain::plans::Plan;
use shopwright_domain::store::StoreState;
use shopwright_ports::clock::Clock as _;
use shopwright_ports::gate_api::Promise;
use shopwright_ports::releases::ReleaseError;
use shopwright_ports::storage::{Page, Reach, Storage as _, StorageError, StoreFilter};
use shopwright_ports::stores_api::{NameRefusal, RequestContext, StoreService, StoreServiceError};
use shopwright_ports::testing::{Fault, engines};
use support::{Fixture, wanted};

const ALL: Page = Page { limit: 100, offset: 0 };

async fn failed_store(
    world: &Fixture,
    context: &shopwright_ports::stores_api::RequestContext,
    name: &str,
) -> shopwright_domain::store::Store {
    for _ in 0..3 {
        world.releases.faults.push("install", Fault::Before(ReleaseError::Failed("no".to_owned())));
    }
    let id = world.create(context, name).await.store.id;
    let store = world.settle(&id).await;
    assert_eq!(store.state, StoreState::Failed);
    store
}

#[tokio::test]
async fn two_tenants_may_use_one_name_and_get_hosts_of_their_own() {
    let world = Fixture::new().await;
    let (ada, bob) = (world.merchant("ada").await, world.merchant("bob").await);

    let first = world.create(&ada, "teashop").await.store;
    let second = world.create(&bob, "teashop").await.store;

    assert_eq!(first.host.as_str(), "teashop.localhost");
    assert!(
        second.host.as_str().starts_with("teashop-") && second.host.as_str().len() == "teashop-0000.localhost".len()
    );
}

#[tokio::test]
async fn the_name_of_an_own_live_store_is_refused_and_the_store_is_named() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let first = world.create(&ada, "teashop").await.store;

    let refusal = world.try_create(&ada, "teashop").await.unwrap_err();

    assert!(matches!(refusal, StoreServiceError::NameInUse { store_id, .. } if store_id == first.id));
}

#[tokio::test]
async fn creating_the_name_of_an_own_failed_store_is_its_retry_with_the_new_password() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let failed = failed_store(&world, &ada, "teashop").await;
    let mut command = wanted("teashop");
    command.password = Some(SecretString::from("a new password"));

    let accepted = world.stores.create(&ada, command).await.unwrap();
    let store = world.settle(&accepted.store.id).await;

    assert_eq!((accepted.store.id, store.state), (failed.id.clone(), StoreState::Ready));
    let written = world.cluster.credentials(&failed.id).unwrap();
    assert_eq!(written.get("admin-password").map(String::as_str), Some("a new password"));
    let revision = world.releases.installed().get(&failed.id).map(|release| release.spec.setup_revision);
    assert_eq!(revision, Some(1), "a set-up that had finished would not see the new password");
}

#[tokio::test]
async fn creating_it_with_another_engine_says_to_delete_it_first() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    failed_store(&world, &ada, "teashop").await;
    let mut command = wanted("teashop");
    command.engine = engines::woocommerce();

    let refusal = world.stores.create(&ada, command).await.unwrap_err();

    assert!(matches!(refusal, StoreServiceError::EngineDiffers { engine, .. } if engine == engines::medusa()));
}

#[tokio::test]
async fn the_quota_counts_failed_stores_and_frees_deleted_ones() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let failed = failed_store(&world, &ada, "shop-0").await;
    for number in 1..5 {
        world.create(&ada, &format!("shop-{number}")).await;
    }

    assert!(matches!(
        world.try_create(&ada, "shop-5").await,
        Err(StoreServiceError::QuotaUsedUp { held: 5, limit: 5 })
    ));
    world.stores.retry(&ada, &failed.id).await.unwrap();
    world.stores.delete(&ada, &failed.id).await.unwrap();
    world.settle(&failed.id).await;
    assert!(world.try_create(&ada, "shop-5").await.is_ok());
}

#[tokio::test]
async fn the_cooldown_holds_tenants_back_but_not_administrators_and_not_retries() {
    let mut world = Fixture::new().await;
    world.stores.rules.plans.standard.cooldown = Cooldown(SignedDuration::from_secs(30));
    let (ada, operator) = (world.merchant("ada").await, world.administrator().await);
    let failed = failed_store(&world, &ada, "shop-0").await;
    world.clock.advance(SignedDuration::from_secs(60));
    world.create(&ada, "shop-1").await;

    assert!(matches!(world.try_create(&ada, "shop-2").await, Err(StoreServiceError::Cooldown { .. })));
    assert!(world.stores.retry(&ada, &failed.id).await.is_ok());
    world.create(&operator, "shop-1").await;
    assert!(world.try_create(&operator, "shop-2").await.is_ok());
    world.clock.advance(SignedDuration::from_secs(30));
    assert!(world.try_create(&ada, "shop-2").await.is_ok());
}

#[tokio::test]
async fn a_refused_create_does_not_use_up_the_cooldown() {
    let mut world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    world.create(&ada, "shop-1").await;
    world.stores.rules.plans.standard.cooldown = Cooldown(SignedDuration::from_secs(30));
    world.clock.advance(SignedDuration::from_secs(29));

    assert!(world.try_create(&ada, "shop-2").await.is_err());
    world.clock.advance(SignedDuration::from_secs(1));
    assert!(world.try_create(&ada, "shop-2").await.is_ok());
}

#[tokio::test]
async fn a_stranger_cannot_tell_a_foreign_store_from_none() {
    let world = Fixture::new().await;
    let (ada, mallory, operator) =
        (world.merchant("ada").await, world.merchant("mallory").await, world.administrator().await);
    let foreign = world.create(&ada, "teashop").await.store.id;
    let none = shopwright_domain::StoreId::from_random(1);

    for id in [&foreign, &none] {
        assert!(matches!(world.stores.get(&mallory, id).await, Err(StoreServiceError::Forbidden)));
        assert!(matches!(world.stores.delete(&mallory, id).await, Err(StoreServiceError::Forbidden)));
        assert!(matches!(world.stores.retry(&mallory, id).await, Err(StoreServiceError::Forbidden)));
        assert!(matches!(world.stores.logs(&mallory, id, None, ALL).await, Err(StoreServiceError::Forbidden)));
    }
    assert!(matches!(world.stores.get(&operator, &none).await, Err(StoreServiceError::NotFound(_))));
    assert!(world.stores.get(&operator, &foreign).await.is_ok());
    assert_eq!(world.stores.list(&mallory, StoreFilter::default(), ALL).await.unwrap().total, 0);
}

#[tokio::test]
async fn an_administrator_never_sees_a_merchants_password() {
    let world = Fixture::new().await;
    let (ada, operator) = (world.merchant("ada").await, world.administrator().await);
    let store = world.ready_store(&ada, "teashop").await;

    let seen = world.stores.get(&operator, &store.id).await.unwrap();
    let own = world.stores.get(&ada, &store.id).await.unwrap();

    assert!(seen.credentials.unwrap().password.is_none());
    assert!(own.credentials.unwrap().password.unwrap().expose_secret().len() >= 20);
}

/// The same person with the key `k1`, for a request whose hash is this.
fn promising(context: &RequestContext, route: &str, fingerprint: u8) -> RequestContext {
    let promise = Promise { route: route.to_owned(), key: "k1".to_owned(), fingerprint: vec![fingerprint] };
    RequestContext { promise: Some(promise), ..context.clone() }
}

#[tokio::test]
async fn the_same_idempotency_key_is_the_same_store_and_another_request_under_it_is_refused() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let with_key = |fingerprint: u8| promising(&ada, "POST /stores", fingerprint);

    let first = world.stores.create(&with_key(1), wanted("teashop")).await.unwrap();
    let again = world.stores.create(&with_key(1), wanted("teashop")).await.unwrap();
    let other = world.stores.create(&with_key(2), wanted("coffeeshop")).await;

    assert_eq!(first.store.id, again.store.id);
    assert!(matches!(other, Err(StoreServiceError::KeyReused)));
    assert_eq!(world.storage.snapshot().await.stores.len(), 1);
}

#[tokio::test]
async fn a_retry_and_a_cancellation_under_a_key_happen_once() {
    // F64: repeated after the store has gone on, they are what they were, and not refused for its new state.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let failed = failed_store(&world, &ada, "coffeeshop").await;

    let retrying = promising(&ada, "POST /stores/1/retry", 1);
    let first = world.stores.retry(&retrying, &failed.id).await.unwrap();
    let again = world.stores.retry(&retrying, &failed.id).await.unwrap();
    let cancelling = promising(&ada, "POST /operations/1/cancel", 1);
    let id = first.operation.as_ref().unwrap().id;
    let cancelled = world.stores.cancel(&cancelling, id).await.unwrap();
    let cancelled_again = world.stores.cancel(&cancelling, id).await.unwrap();

    assert_eq!(first.operation.map(|operation| operation.id), again.operation.map(|operation| operation.id));
    assert_eq!(cancelled.operation, cancelled_again.operation);
    let other = world.stores.retry(&promising(&ada, "POST /stores/1/retry", 2), &failed.id).await;
    assert!(matches!(other, Err(StoreServiceError::KeyReused)), "{other:?}");
}

#[tokio::test]
async fn a_write_to_a_version_that_is_gone_changes_nothing() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.create(&ada, "teashop").await.store;
    let seen = RequestContext { expected: Some(store.row_version), ..ada.clone() };
    let operation = world.stores.get(&ada, &store.id).await.unwrap().operation.unwrap();
    world.stores.cancel(&ada, operation.id).await.unwrap();

    let stale = world.stores.delete(&seen, &store.id).await;
    let now = world.store(&store.id).await;
    let current = RequestContext { expected: Some(now.row_version), ..ada.clone() };

    assert!(matches!(stale, Err(StoreServiceError::Changed)), "{stale:?}");
    assert_eq!(now.state, StoreState::Failed);
    assert!(world.stores.delete(&current, &store.id).await.is_ok());
}

#[tokio::test]
async fn a_plan_says_how_many_stores_there_may_be_and_how_often() {
    let mut world = Fixture::new().await;
    let free = Plan { stores: StoreQuota(1), retries: 0, ..Plan::default() };
    world.stores.rules.plans.others.insert("free".parse().unwrap(), free);
    let (ada, bob) = (world.merchant("ada").await, world.merchant("bob").await);
    let mut tx = world.storage.begin(Reach::Platform).await.unwrap();
    assert!(tx.tenants().set_plan(ada.actor.tenant_id, &"free".parse().unwrap()).await.unwrap());
    tx.commit().await.unwrap();

    world.create(&ada, "teashop").await;
    world.create(&bob, "teashop").await;
    let refused = world.try_create(&ada, "coffeeshop").await;
    let limits = world.stores.limits(&ada).await.unwrap();

    assert!(matches!(refused, Err(StoreServiceError::QuotaUsedUp { held: 1, limit: 1 })), "{refused:?}");
    assert!(world.try_create(&bob, "coffeeshop").await.is_ok());
    assert_eq!((limits.plan_name.as_str(), limits.plan.stores, limits.stores_used), ("free", StoreQuota(1), 1));
    let ends = world.clock.now() + SignedDuration::from_secs(30);
    assert_eq!(limits.cooldown_ends_at, Some(ends));
}

#[tokio::test]
async fn a_name_is_looked_at_without_being_taken() {
    let world = Fixture::new().await;
    let (ada, bob) = (world.merchant("ada").await, world.merchant("bob").await);
    let store = world.create(&ada, "teashop").await.store;
    let look = async |context: &RequestContext, name: &str| world.stores.availability(context, name).await.unwrap();

    let own = look(&ada, "teashop").await;
    assert_eq!(own.refusal, Some(NameRefusal::InUse(store.id, StoreState::Requested)));
    assert_eq!(own.suggestion.map(|name| name.to_string()).as_deref(), Some("teashop-2"));
    // Nobody's name is refused because of somebody else's; only the host is another.
    let theirs = look(&bob, "teashop").await;
    assert_eq!(theirs.refusal, None);
    assert!(theirs.host.is_some_and(|host| host.as_str().starts_with("teashop-")));
    let free = look(&bob, "bookshop").await;
    assert_eq!(free.url.as_deref(), Some("http://bookshop.localhost"));
    let wrong = look(&bob, "Tea Shop").await;
    assert!(matches!(wrong.refusal, Some(NameRefusal::Invalid(_))));
    assert_eq!(wrong.suggestion.map(|name| name.to_string()).as_deref(), Some("tea-shop"));
    assert_eq!(world.storage.snapshot().await.stores.len(), 1);
}

#[tokio::test]
async fn a_store_is_retried_only_when_it_failed_and_only_so_often() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let ready = world.ready_store(&ada, "teashop").await;
    assert!(matches!(
        world.stores.retry(&ada, &ready.id).await,
        Err(StoreServiceError::NotRetryable { state: StoreState::Ready })
    ));

    let failed = failed_store(&world, &ada, "coffeeshop").await;
    for _ in 0..3 {
        world.stores.retry(&ada, &failed.id).await.unwrap();
        for _ in 0..3 {
            world.releases.faults.push("install", Fault::Before(ReleaseError::Failed("no".to_owned())));
        }
        assert_eq!(world.settle(&failed.id).await.state, StoreState::Failed);
    }
    assert!(matches!(world.stores.retry(&ada, &failed.id).await, Err(StoreServiceError::RetriesUsedUp { limit: 3 })));
}

#[tokio::test]
async fn an_engine_that_cannot_be_had_is_refused_before_anything_is_written() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    world.releases.refuse_engine(engines::medusa(), "the chart is missing: set CHARTS_DIR");

    let refusal = world.try_create(&ada, "teashop").await.unwrap_err();

    assert!(matches!(refusal, StoreServiceError::EngineUnavailable(reason) if reason.contains("CHARTS_DIR")));
    assert!(world.storage.snapshot().await.stores.is_empty());
}

#[tokio::test]
async fn an_operation_is_shown_with_all_its_steps() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let operation = world.create(&ada, "teashop").await.operation.unwrap();

    let view = world.stores.operation(&ada, operation.id).await.unwrap();

    let names: Vec<_> = view.steps.iter().map(|record| record.step.as_str()).collect();
    assert_eq!(
        names,
        [
            "create_namespace",
            "create_credentials",
            "install_release",
            "await_workloads",
            "verify_storefront",
            "publish"
        ]
    );
}

fn lost_connection() -> StorageError {
    StorageError::Unavailable { detail: "connection lost".to_owned(), source: None }
}

#[tokio::test]
async fn a_request_whose_commit_was_not_answered_is_looked_up_and_done_once() {
    // RELIABILITY F15: the commit took place or did not, and its answer is lost; the client gave no key.
    for took_place in [false, true] {
        let world = Fixture::new().await;
        let ada = world.merchant("ada").await;
        let lose = || {
            let fault = if took_place { Fault::After(lost_connection()) } else { Fault::Before(lost_connection()) };
            world.storage.faults.push("commit", fault);
        };

        lose();
        let created = world.in_time(world.stores.create(&ada, wanted("teashop"))).await.unwrap();
        lose();
        let cancelled = world.in_time(world.stores.cancel(&ada, created.operation.unwrap().id)).await.unwrap();
        lose();
        let retried = world.in_time(world.stores.retry(&ada, &created.store.id)).await.unwrap();
        lose();
        let deleted = world.in_time(world.stores.delete(&ada, &created.store.id)).await.unwrap();

        let rows = world.storage.snapshot().await;
        assert_eq!((rows.stores.len(), rows.operations.len()), (1, 4), "took place: {took_place}");
        for accepted in [&cancelled, &retried, &deleted] {
            let id = accepted.operation.as_ref().map(|operation| operation.id);
            assert!(id.is_some_and(|id| rows.operation(id).is_some()), "the answer names what was written");
        }
        assert_eq!(world.settle(&created.store.id).await.state, StoreState::Deleted);
    }
}

#[tokio::test]
async fn a_database_that_stays_away_after_a_commit_is_an_error_and_not_a_guess() {
    // RELIABILITY F15.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    world.storage.faults.pass("begin", 1);
    world.storage.faults.push("commit", Fault::After(lost_connection()));
    for _ in 0..4 {
        world.storage.faults.push("begin", Fault::Before(lost_connection()));
    }

    let answer = world.in_time(world.stores.create(&ada, wanted("teashop"))).await;

    assert!(matches!(answer, Err(StoreServiceError::Storage(StorageError::Unavailable { .. }))), "{answer:?}");
}

#[tokio::test]
async fn requests_that_meet_others_are_begun_again_and_not_for_ever() {
    // RELIABILITY F21.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    for _ in 0..4 {
        world.storage.faults.push("commit", Fault::Before(StorageError::Conflict));
    }
    assert!(world.in_time(world.stores.create(&ada, wanted("teashop"))).await.is_ok());
    for _ in 0..5 {
        world.storage.faults.push("commit", Fault::Before(StorageError::Conflict));
    }
    let answer = world.in_time(world.stores.create(&ada, wanted("coffeeshop"))).await;

    assert!(matches!(answer, Err(StoreServiceError::Conflict)));
    assert_eq!(world.storage.snapshot().await.stores.len(), 1);
}
