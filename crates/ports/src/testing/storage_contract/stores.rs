//! Stores: rows, uniqueness, lists.

use crate::testing::engines;
use jiff::SignedDuration;
use shopwright_domain::error_code::ErrorCode;
use shopwright_domain::store::{Failure, Store, StoreState, StoreUrls};
use shopwright_domain::{Epoch, RowVersion};

use super::world::{World, at};
use crate::storage::{Page, Storage, StorageError, StoreFilter, StoreSort, Unique};

fn full(draft: Store) -> Store {
    Store {
        engine: engines::woocommerce(),
        theme: Some(engines::astra()),
        state: StoreState::Failed,
        epoch: Epoch(4),
        row_version: RowVersion(3),
        retry_count: 2,
        failure: Some(Failure::new(ErrorCode::ImagePull, "no such image: “x”")),
        urls: Some(StoreUrls { storefront: "http://x.localhost".into(), admin: "http://x.localhost/wp-admin".into() }),
        engine_note: Some("takes no orders".into()),
        updated_at: at(1),
        provisioning_started_at: Some(at(2)),
        provisioning_duration: Some(SignedDuration::from_micros(61_000_001)),
        ready_at: Some(at(3)),
        ..draft
    }
}

/// A store is what was written, every field.
pub async fn a_store_reads_back(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let (bare, full) = (world.draft(0), full(world.draft(0)));
    world.insert(&bare).await.expect("insert");
    world.insert(&full).await.expect("insert");

    assert_eq!(world.read(&bare.id).await, bare);
    assert_eq!(world.read(&full.id).await, full);
    let mut tx = world.begin().await;
    assert_eq!(tx.stores().lock(&full.id).await.expect("lock"), Some(full.clone()));
    assert_eq!(tx.stores().live_by_name(world.tenant.id, &full.name).await.expect("read"), Some(full));
    assert_eq!(tx.stores().get(&world.draft(0).id).await.expect("read"), None);
}

/// A save writes every field but the epoch, and raises the version in the row and in the value.
pub async fn a_save_writes_everything_but_the_epoch(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let draft = world.store(0).await;
    let mut changed = Store { epoch: Epoch(99), row_version: draft.row_version, ..full(draft.clone()) };
    let mut tx = world.begin().await;
    tx.stores().save(&mut changed).await.expect("save");
    tx.commit().await.expect("commit");

    assert_eq!(changed.row_version, draft.row_version.next());
    assert_eq!(world.read(&draft.id).await, Store { epoch: draft.epoch, ..changed });
}

/// Of two changes to what was read at the same time, the second is refused and changes nothing.
pub async fn a_stale_save_is_refused(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let read = world.store(0).await;
    let (mut first, mut second) = (read.clone(), read.clone());
    first.retry_count = 1;
    second.retry_count = 2;
    let mut tx = world.begin().await;
    tx.stores().save(&mut first).await.expect("save");
    tx.commit().await.expect("commit");

    let mut tx = world.begin().await;
    let refusal = tx.stores().save(&mut second).await;
    tx.commit().await.expect("a refused save leaves the transaction usable");

    assert!(matches!(refusal, Err(StorageError::Stale)), "{refusal:?}");
    assert_eq!(second.row_version, read.row_version);
    assert_eq!(world.read(&read.id).await, first);
}

/// The epoch rises by one and leaves the version alone: a save that was read before still counts.
pub async fn raising_the_epoch_is_no_save(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let mut store = world.store(0).await;
    let mut tx = world.begin().await;

    let epoch = tx.stores().raise_epoch(&store.id).await.expect("raise");
    tx.stores().save(&mut store).await.expect("save");
    tx.commit().await.expect("commit");

    assert_eq!(epoch, Epoch(1));
    assert_eq!(world.read(&store.id).await.epoch, epoch);
}

/// A tenant cannot have two live stores of a name; another tenant can, and so can the same one after deletion.
pub async fn a_name_is_unique_among_the_live_stores_of_a_tenant(storage: &dyn Storage) {
    let (world, other) = (World::new(storage).await, World::new(storage).await);
    let first = world.store(0).await;
    let again = Store { name: first.name.clone(), ..world.draft(1) };

    let refusal = world.insert(&again).await;
    other.insert(&Store { name: first.name.clone(), ..other.draft(1) }).await.expect("another tenant's store");
    world.delete(&first.id, at(2)).await;
    world.insert(&again).await.expect("the name is free again");

    assert!(matches!(refusal, Err(StorageError::NotUnique(Unique::StoreName))), "{refusal:?}");
    let found = world.begin().await.stores().live_by_name(world.tenant.id, &first.name).await.expect("read");
    assert_eq!(found, Some(again));
}

/// A host has one live store in the installation.
pub async fn a_host_is_unique_among_all_live_stores(storage: &dyn Storage) {
    let (world, other) = (World::new(storage).await, World::new(storage).await);
    let first = world.store(0).await;

    let refusal = other.insert(&Store { host: first.host.clone(), ..other.draft(1) }).await;

    assert!(matches!(refusal, Err(StorageError::NotUnique(Unique::StoreHost))), "{refusal:?}");
}

/// A host is held by a live store, and by a deleted one until it was released long enough ago.
pub async fn a_released_host_stays_in_quarantine(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let store = world.store(0).await;
    let unused = world.draft(0).host;
    let held = world.begin().await.stores().host_is_free(&store.host, at(1_000)).await.expect("look");
    world.delete(&store.id, at(100)).await;

    let mut tx = world.begin().await;

    assert!(!held);
    assert!(!tx.stores().host_is_free(&store.host, at(99)).await.expect("look"));
    assert!(tx.stores().host_is_free(&store.host, at(100)).await.expect("look"));
    assert!(tx.stores().host_is_free(&unused, at(0)).await.expect("look"));
}

/// The id of a deleted store is never used again.
pub async fn an_id_is_never_used_again(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let store = world.store(0).await;
    world.delete(&store.id, at(1)).await;

    let refusal = world.insert(&Store { id: store.id, ..world.draft(2) }).await;

    assert!(matches!(refusal, Err(StorageError::NotUnique(Unique::StoreId))), "{refusal:?}");
}

/// Failed stores count, deleted ones and other tenants' do not.
pub async fn live_stores_are_counted_per_tenant(storage: &dyn Storage) {
    let (world, other) = (World::new(storage).await, World::new(storage).await);
    world.insert(&full(world.draft(0))).await.expect("a failed store");
    world.store(1).await;
    let gone = world.store(2).await;
    world.delete(&gone.id, at(3)).await;
    other.store(0).await;

    assert_eq!(world.begin().await.stores().count_live(world.tenant.id).await.expect("count"), 2);
}

/// Lists are newest first and then by id, in pages, with the number of all.
pub async fn stores_are_listed_newest_first_in_pages(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let oldest = world.store(0).await.id;
    let mut twins = [world.store(1).await.id, world.store(1).await.id];
    twins.sort();
    let filter = StoreFilter { tenant_id: Some(world.tenant.id), ..StoreFilter::default() };
    let mut tx = world.begin().await;

    let (first, total) = tx.stores().list(&filter, Page { limit: 2, offset: 0 }).await.expect("list");
    let (second, _) = tx.stores().list(&filter, Page { limit: 2, offset: 2 }).await.expect("list");
    let (beyond, still) = tx.stores().list(&filter, Page { limit: 2, offset: 9 }).await.expect("list");

    let ids: Vec<_> = first.iter().chain(&second).map(|store| store.id.clone()).collect();
    assert_eq!(ids, [twins[0].clone(), twins[1].clone(), oldest]);
    assert_eq!((total, still, beyond.len()), (3, 3, 0));
}

/// Each filter leaves out what it says; deleted stores are listed only when asked for.
pub async fn lists_of_stores_are_filtered(storage: &dyn Storage) {
    let (world, other) = (World::new(storage).await, World::new(storage).await);
    let plain = world.store(0).await;
    let failed = full(world.draft(1));
    world.insert(&failed).await.expect("insert");
    let gone = world.store(2).await;
    world.delete(&gone.id, at(3)).await;
    other.store(0).await;
    let mine = StoreFilter { tenant_id: Some(world.tenant.id), ..StoreFilter::default() };

    let cases = [
        (mine.clone(), vec![&failed.id, &plain.id]),
        (StoreFilter { owner_id: Some(world.owner.id), ..StoreFilter::default() }, vec![&failed.id, &plain.id]),
        (StoreFilter { owner_id: Some(other.owner.id), ..mine.clone() }, vec![]),
        (StoreFilter { state: Some(StoreState::Failed), ..mine.clone() }, vec![&failed.id]),
        (StoreFilter { state: Some(StoreState::Deleted), ..mine.clone() }, vec![&gone.id]),
        (StoreFilter { engine: Some(engines::medusa()), ..mine.clone() }, vec![&plain.id]),
        (StoreFilter { search: Some(plain.name.as_str()[3..12].to_owned()), ..mine.clone() }, vec![&plain.id]),
        (StoreFilter { search: Some("shop-".into()), ..mine.clone() }, vec![&failed.id, &plain.id]),
        (StoreFilter { search: Some("%".into()), ..mine }, vec![]),
    ];

    for (filter, expected) in cases {
        let (stores, total) =
            world.begin().await.stores().list(&filter, Page { limit: 9, offset: 0 }).await.expect("list");
        assert_eq!(stores.iter().map(|store| &store.id).collect::<Vec<_>>(), expected, "{filter:?}");
        assert_eq!(total, expected.len() as u64, "{filter:?}");
    }
}

/// Every order is total, its opposite is its reverse, and pages that follow each other hold each store once.
pub async fn a_list_of_stores_is_gone_through_in_every_order(storage: &dyn Storage) {
    let world = World::new(storage).await;
    for created in [2, 0, 1, 1, 1] {
        world.store(created).await;
    }
    // Of one name there may be many that are gone.
    for created in [3, 3] {
        let twin = Store { name: "twin".parse().expect("a name"), ..world.draft(created) };
        world.insert(&twin).await.expect("insert");
        world.delete(&twin.id, at(4)).await;
    }
    for (state, count) in [(None, 5), (Some(StoreState::Deleted), 2)] {
        let mut orders = Vec::new();
        for sort in StoreSort::ALL {
            let mut filter = StoreFilter { tenant_id: Some(world.tenant.id), state, sort, ..StoreFilter::default() };
            let mut tx = world.begin().await;
            let (whole, _) = tx.stores().list(&filter, Page { limit: 100, offset: 0 }).await.expect("list");
            let mut pages = Vec::new();
            for _ in 0..count {
                let (page, total) = tx.stores().list(&filter, Page { limit: 1, offset: 0 }).await.expect("list");
                assert_eq!((page.len(), total), (1, count), "{sort:?}");
                filter.after = page.last().map(|store| sort.place_of(store));
                pages.extend(page);
            }
            let (end, total) = tx.stores().list(&filter, Page { limit: 1, offset: 0 }).await.expect("list");
            assert_eq!((end.len(), total), (0, count), "{sort:?}");
            assert_eq!(pages, whole, "{sort:?}");
            orders.push(whole);
        }
        for opposites in orders.chunks(2) {
            let backwards: Vec<_> = opposites[1].iter().rev().cloned().collect();
            assert_eq!(opposites[0], backwards);
        }
        assert!(orders[2].is_sorted_by_key(|store| (store.name.as_str(), store.id.as_str())));
    }
}

/// A place by name in a list by time, and the other way round, is the caller's mistake and no page.
pub async fn a_page_of_stores_begins_only_at_a_place_of_its_order(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let store = world.store(0).await;
    for (sort, other) in [(StoreSort::Newest, StoreSort::Name), (StoreSort::NameBackwards, StoreSort::Oldest)] {
        let filter = StoreFilter { sort, after: Some(other.place_of(&store)), ..StoreFilter::default() };
        let refusal = world.begin().await.stores().list(&filter, Page { limit: 1, offset: 0 }).await;
        assert!(matches!(refusal, Err(StorageError::Internal { .. })), "{refusal:?}");
    }
}
