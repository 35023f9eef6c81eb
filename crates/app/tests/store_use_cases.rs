//! What may be asked for stores, and by whom.

mod support;

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use shopwright_domain::limits::Cooldown;
use shopwright_domain::store::StoreState;
use shopwright_ports::releases::ReleaseError;
use shopwright_ports::storage::{Page, StorageError, StoreFilter};
use shopwright_ports::stores_api::{Idempotency, StoreService, StoreServiceError};
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
    world.stores.rules.cooldown = Cooldown(SignedDuration::from_secs(30));
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
    world.stores.rules.cooldown = Cooldown(SignedDuration::from_secs(30));
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

#[tokio::test]
async fn the_same_idempotency_key_is_the_same_store_and_another_request_under_it_is_refused() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let with_key = |name: &str, fingerprint: u8| {
        let mut command = wanted(name);
        command.idempotency = Some(Idempotency { key: "k1".to_owned(), fingerprint: vec![fingerprint] });
        command
    };

    let first = world.stores.create(&ada, with_key("teashop", 1)).await.unwrap();
    let again = world.stores.create(&ada, with_key("teashop", 1)).await.unwrap();
    let other = world.stores.create(&ada, with_key("coffeeshop", 2)).await;

    assert_eq!(first.store.id, again.store.id);
    assert!(matches!(other, Err(StoreServiceError::KeyReused)));
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
