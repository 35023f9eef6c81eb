//! Every change of a state is written down exactly once, with what was changed and by whom, whatever happens on the way (RELIABILITY S24).

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use shopwright_app::audit::{AuditTrail, verify_chains};
use shopwright_domain::StoreId;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::identity::Credential;
use shopwright_domain::store::StoreState;
use shopwright_ports::audit_api::AuditService as _;
use shopwright_ports::releases::ReleaseError;
use shopwright_ports::storage::{AuditFilter, Page, StorageError};
use shopwright_ports::stores_api::StoreService as _;
use shopwright_ports::testing::Fault;
use std::sync::Arc;
use support::Fixture;

const ALL: Page = Page { limit: 500, offset: 0 };

/// What somebody does, or what goes wrong.
#[derive(Debug, Clone, Copy)]
enum Act {
    Create(u8),
    Delete(u8),
    Retry(u8),
    Cancel(u8),
    Work,
    FailInstall,
    LoseCommit,
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0..3_u8).prop_map(Act::Create),
        2 => (0..3_u8).prop_map(Act::Delete),
        2 => (0..3_u8).prop_map(Act::Retry),
        1 => (0..3_u8).prop_map(Act::Cancel),
        4 => Just(Act::Work),
        2 => Just(Act::FailInstall),
        1 => Just(Act::LoseCommit),
    ]
}

/// Plays the acts on stores `shop-0` to `shop-2`. Refusals are part of the game.
async fn play(world: &Fixture, acts: &[Act]) {
    let ada = world.merchant("ada").await;
    for act in acts {
        let newest = |number: u8| {
            let name = format!("shop-{number}");
            async move {
                let snapshot = world.storage.snapshot().await;
                snapshot.stores.iter().rfind(|store| store.name.as_str() == name).map(|store| store.id.clone())
            }
        };
        match act {
            Act::Create(number) => drop(world.try_create(&ada, &format!("shop-{number}")).await),
            Act::Delete(number) => {
                if let Some(id) = newest(*number).await {
                    drop(world.stores.delete(&ada, &id).await);
                }
            }
            Act::Retry(number) => {
                if let Some(id) = newest(*number).await {
                    drop(world.stores.retry(&ada, &id).await);
                }
            }
            Act::Cancel(number) => {
                if let Some(id) = newest(*number).await {
                    let snapshot = world.storage.snapshot().await;
                    let operation = snapshot.operations.iter().rfind(|row| row.store_id == id).map(|row| row.id);
                    if let Some(operation) = operation {
                        drop(world.stores.cancel(&ada, operation).await);
                    }
                }
            }
            Act::Work => drop(world.worker.run_due().await),
            Act::FailInstall => {
                world.releases.faults.push("install", Fault::Before(ReleaseError::Failed("no".to_owned())));
            }
            Act::LoseCommit => {
                let lost = StorageError::Unavailable { detail: "the answer was lost".to_owned(), source: None };
                world.storage.faults.push("commit", Fault::After(lost));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_change_of_a_state_has_exactly_one_entry(acts in prop::collection::vec(any_act(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = Fixture::new().await;
            play(&world, &acts).await;
            let snapshot = world.storage.snapshot().await;

            // Each store's changes follow from each other, from the first to the state that it is in.
            let mut states: BTreeMap<StoreId, StoreState> = BTreeMap::new();
            for entry in &snapshot.audit {
                let event = &entry.event;
                let (Some(id), Some(new)) = (&event.store_id, event.new) else { continue };
                prop_assert_eq!(event.previous, states.get(id).copied(), "entry {} skips a change", entry.sequence);
                let made = event.event_type == AuditEventType::StoreCreated;
                prop_assert!(made || event.event_type == AuditEventType::StatusChange);
                prop_assert!(made || event.before.contains_key("status"), "{:?}", event);
                prop_assert!(event.after.contains_key("status"), "{:?}", event);
                states.insert(id.clone(), new);
            }
            let rows: BTreeMap<StoreId, StoreState> =
                snapshot.stores.iter().map(|store| (store.id.clone(), store.state)).collect();
            prop_assert_eq!(states, rows);

            let mut broken = Vec::new();
            verify_chains(&world.storage, |chain| broken.extend(chain.broken)).await.unwrap();
            prop_assert_eq!(broken, vec![]);
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn an_entry_says_who_it_was_and_by_which_sign_in() {
    let world = Fixture::new().await;
    let mut ada = world.merchant("ada").await;
    let credential = Credential::Session(shopwright_domain::SessionId::from_random(5));
    ada.origin.credential = Some(credential);
    let store = world.create(&ada, "teashop").await.store;

    let trail = AuditTrail { storage: Arc::new(world.storage.clone()) };
    let page = trail.list(&ada, AuditFilter::default(), ALL).await.unwrap();

    let entry = &page.entries[0];
    assert_eq!((page.total, entry.event.store_id.as_ref()), (1, Some(&store.id)));
    assert_eq!((entry.event.actor, entry.event.credential), (Some(ada.actor.user_id), Some(credential)));
    assert_eq!(entry.store_name.as_ref(), Some(&store.name));
}

#[tokio::test]
async fn members_see_their_organisations_trail_and_administrators_everything() {
    let world = Fixture::new().await;
    let (ada, bob, admin) = (world.merchant("ada").await, world.merchant("bob").await, world.administrator().await);
    let store = world.create(&ada, "teashop").await.store;
    world.create(&bob, "bookshop").await;
    let trail = AuditTrail { storage: Arc::new(world.storage.clone()) };
    let count = async |context, filter| trail.list(context, filter, ALL).await.unwrap().total;
    let security = AuditFilter { event_type: Some("security".into()), ..AuditFilter::default() };
    let of_store = AuditFilter { store_id: Some(store.id.clone()), ..AuditFilter::default() };

    assert_eq!(count(&ada, AuditFilter::default()).await, 1, "sign-ins are no news of stores");
    assert_eq!(count(&ada, security.clone()).await, 1, "and are shown to whoever asks for them");
    assert_eq!(count(&bob, of_store.clone()).await, 0, "a store of others is not there");
    assert_eq!(count(&admin, of_store).await, 1);
    let everything = world.storage.snapshot().await.audit.len() as u64;
    assert_eq!(count(&admin, AuditFilter::default()).await, everything);
    assert!(count(&admin, security).await >= 3);
}
