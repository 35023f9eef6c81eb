//! Credentials, audit trail, idempotency keys, signing keys.

use jiff::SignedDuration;
use shopwright_domain::audit::chain::Verifier;
use shopwright_domain::audit::{AuditEvent, AuditEventType, ChainDigest, chain};
use shopwright_domain::identity::Credential;
use shopwright_domain::store::StoreState;
use shopwright_domain::{ApiTokenId, Epoch, SessionId};

use super::world::{World, at, example_tenant, idempotency_record};
use crate::secrets::Sealed;
use crate::storage::{AuditEntry, AuditFilter, IdempotencyRecord, Page, Reach, SealedKey, Storage, StoredAnswer};

const PAGE: Page = Page { limit: 100, offset: 0 };

fn sealed(bytes: &[u8]) -> Sealed {
    Sealed { key_id: "key-1".into(), bytes: bytes.to_vec() }
}

/// Credentials are written over, and gone once forgotten; forgetting twice is fine.
pub async fn credentials_are_overwritten_and_forgotten(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let id = world.store(0).await.id;
    let mut tx = world.begin().await;
    assert_eq!(tx.credentials().get(&id).await.expect("read"), None);
    tx.credentials().put(world.tenant.id, &id, &sealed(&[0, 1])).await.expect("put");
    tx.credentials().put(world.tenant.id, &id, &sealed(&[0, 255])).await.expect("put again");
    tx.commit().await.expect("commit");

    let mut tx = world.begin().await;
    assert_eq!(tx.credentials().get(&id).await.expect("read"), Some(sealed(&[0, 255])));
    for _ in 0..2 {
        tx.credentials().remove(&id).await.expect("remove");
    }
    assert_eq!(tx.credentials().get(&id).await.expect("read"), None);
}

/// Each tenant's chain is 1, 2, 3 ..., and what was rolled back leaves no gap.
pub async fn audit_numbers_have_no_gaps(storage: &dyn Storage) {
    let (world, other) = (World::new(storage).await, World::new(storage).await);
    for (message, commit) in [("first", true), ("lost", false), ("second", true)] {
        let mut tx = world.within(Reach::Worker).await;
        tx.audit().append(&world.event(message, 0)).await.expect("append");
        if commit {
            tx.audit().append(&other.event(message, 0)).await.expect("append");
            tx.commit().await.expect("commit");
        }
    }

    let expected = [(2, "second".to_owned()), (1, "first".to_owned())];
    assert_eq!(world.messages().await, expected);
    assert_eq!(other.messages().await, expected);
}

/// An event is what was written, every field.
pub async fn an_audit_event_reads_back(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let store = world.store(0).await;
    let event = AuditEvent {
        store_id: Some(store.id.clone()),
        operation_id: Some(world.operation(&store, 0).id),
        event_type: AuditEventType::StatusChange,
        previous: Some(StoreState::Requested),
        new: Some(StoreState::Provisioning),
        actor: Some(world.owner.id),
        actor_email: Some("ada@example.com".into()),
        ip_address: Some("192.0.2.1".into()),
        request_id: Some("req_0123456789ab".parse().expect("a request id")),
        credential: Some(Credential::ApiToken(ApiTokenId::from_random(7))),
        epoch: Some(Epoch(3)),
        ..world.event("It “moved”.", 5)
    };
    let event = event.with("durationMs", 1_234_567_890_123).with("step", "publish").with("again", false);
    let event = event.changing("retryCount", 1, 2).changing("note", "\"quoted\"\n", "ünïcödé");
    let mut tx = world.begin().await;
    tx.audit().append(&event).await.expect("append");
    tx.commit().await.expect("commit");

    let filter = AuditFilter { store_id: Some(store.id.clone()), ..AuditFilter::default() };
    let read = world.begin().await.audit().list(&filter, PAGE).await.expect("list");

    let digest = chain::digest(ChainDigest::default(), 1, &event);
    assert_eq!(read, (vec![AuditEntry { sequence: 1, event, digest, store_name: Some(store.name) }], 1));
}

/// Entries come newest first, in pages, with the number of all; across tenants the time is the order.
pub async fn audit_entries_are_listed_newest_first(storage: &dyn Storage) {
    let (world, other) = (World::new(storage).await, World::new(storage).await);
    let mut tx = world.within(Reach::Worker).await;
    // In a chain the number decides, whatever the clocks of two replicas said.
    tx.audit().append(&world.event("one", 2_000_002)).await.expect("append");
    tx.audit().append(&world.event("two", 2_000_001)).await.expect("append");
    tx.audit().append(&other.event("elsewhere", 2_000_003)).await.expect("append");
    tx.commit().await.expect("commit");

    let filter = AuditFilter { tenant_id: Some(world.tenant.id), ..AuditFilter::default() };
    let page = Page { limit: 1, offset: 1 };
    let (second, total) = world.begin().await.audit().list(&filter, page).await.expect("list");
    let (all, _) = world.within(Reach::Platform).await.audit().list(&AuditFilter::default(), PAGE).await.expect("list");

    assert_eq!((second[0].event.message.as_str(), total), ("one", 2));
    let all: Vec<_> = all.iter().map(|entry| entry.event.message.as_str()).take(3).collect();
    assert_eq!(all, ["elsewhere", "one", "two"]);
}

/// Every chain is whole, by the rule of the domain, and its head is its last entry; also for entries with every kind of value.
pub async fn a_chain_of_audit_entries_can_be_verified(storage: &dyn Storage) {
    let (world, other) = (World::new(storage).await, World::new(storage).await);
    let texts = ["", "-", "3:abc", "\u{1}\t\"\\", "ü“\u{1f375}”", "{\"a\": 1}"];
    for (seconds, text) in (0_i64..).zip(texts) {
        let mut event = AuditEvent { actor_email: Some(text.to_owned()), ..world.event(text, seconds) };
        event.at += SignedDuration::from_micros(seconds * 7);
        event.credential = (seconds % 2 == 0).then(|| Credential::Session(SessionId::from_random(9)));
        let event = event.with(text, text).with("B", true).with("a", i64::MIN + seconds).with("ä", i64::MAX);
        let event = event.changing("x", text, seconds);
        let mut tx = world.within(Reach::Worker).await;
        tx.audit().append(&event).await.expect("append");
        tx.audit().append(&other.event(text, seconds)).await.expect("append");
        tx.commit().await.expect("commit");
    }

    for tenant in [world.tenant.id, other.tenant.id] {
        let mut tx = world.within(Reach::Worker).await;
        let head = tx.audit().head(tenant).await.expect("read").expect("a head");
        let mut verifier = Verifier::new(head);
        loop {
            let entries = tx.audit().chain(tenant, verifier.last(), 4).await.expect("read");
            if entries.is_empty() {
                break;
            }
            for entry in entries {
                verifier.next(entry.sequence, &entry.event, entry.digest).expect("a whole chain");
            }
        }
        verifier.end().expect("a whole chain");
        assert_eq!((head.sequence, verifier.last()), (texts.len() as u64, texts.len() as u64));
        assert_eq!(tx.audit().beyond(tenant).await.expect("look"), None);
    }
}

/// The heads of chains are gone through by tenant; a tenant that nothing happened to has an empty chain.
pub async fn the_heads_of_chains_are_listed(storage: &dyn Storage) {
    let (world, other) = (World::new(storage).await, World::new(storage).await);
    let mut tx = world.within(Reach::Worker).await;
    tx.audit().append(&world.event("one", 0)).await.expect("append");
    tx.commit().await.expect("commit");

    let (mut heads, mut after) = (Vec::new(), None);
    loop {
        let page = world.within(Reach::Worker).await.audit().heads(after, 2).await.expect("list");
        let Some(last) = page.last() else { break };
        after = Some(last.tenant_id);
        heads.extend(page);
    }

    let length = |tenant| heads.iter().find(|head| head.tenant_id == tenant).map(|head| head.sequence);
    assert_eq!((length(world.tenant.id), length(other.tenant.id)), (Some(1), Some(0)));
    assert!(heads.is_sorted_by_key(|head| head.tenant_id));
    assert_eq!(world.within(Reach::Worker).await.audit().head(example_tenant().id).await.expect("read"), None);
}

/// Each filter leaves out what it says, and counts what it leaves.
pub async fn audit_entries_are_filtered(storage: &dyn Storage) {
    let (world, other) = (World::new(storage).await, World::new(storage).await);
    let store = world.store(0).await;
    let operation = world.operation(&store, 0).id;
    let about =
        |message: &str, seconds: i64| AuditEvent { store_id: Some(store.id.clone()), ..world.event(message, seconds) };
    let security = AuditEvent { event_type: AuditEventType::Security, ..world.event("sign-in", 1) };
    let mut tx = world.within(Reach::Worker).await;
    for event in [
        security,
        about("store", 2),
        AuditEvent { operation_id: Some(operation), ..about("operation", 3) },
        AuditEvent { actor: Some(world.owner.id), ..about("person", 4) },
        other.event("elsewhere", 5),
    ] {
        tx.audit().append(&event).await.expect("append");
    }
    tx.commit().await.expect("commit");
    let mine = AuditFilter { tenant_id: Some(world.tenant.id), ..AuditFilter::default() };

    for (filter, expected) in [
        (mine.clone(), vec!["person", "operation", "store", "sign-in"]),
        (AuditFilter { of_stores: true, ..mine.clone() }, vec!["person", "operation", "store"]),
        (AuditFilter { event_type: Some("security".into()), ..mine.clone() }, vec!["sign-in"]),
        (AuditFilter { event_type: Some("dance".into()), ..mine.clone() }, vec![]),
        (AuditFilter { actor: Some(world.owner.id), ..AuditFilter::default() }, vec!["person"]),
        (AuditFilter { operation_id: Some(operation), ..AuditFilter::default() }, vec!["operation"]),
        (
            AuditFilter { store_id: Some(store.id.clone()), ..AuditFilter::default() },
            vec!["person", "operation", "store"],
        ),
        (AuditFilter { from: Some(at(2)), until: Some(at(4)), ..mine.clone() }, vec!["operation", "store"]),
        (AuditFilter { tenant_id: Some(other.tenant.id), store_id: Some(store.id.clone()), ..mine }, vec![]),
    ] {
        let (entries, total) = world.within(Reach::Platform).await.audit().list(&filter, PAGE).await.expect("list");
        let messages: Vec<_> = entries.iter().map(|entry| entry.event.message.as_str()).collect();
        assert_eq!((messages, total), (expected.clone(), expected.len() as u64), "{filter:?}");
    }
}

/// Pages that follow each other hold each entry once, in one chain and across chains.
pub async fn the_audit_trail_is_gone_through_from_end_to_end(storage: &dyn Storage) {
    let (world, other) = (World::new(storage).await, World::new(storage).await);
    let mut tx = world.within(Reach::Worker).await;
    for seconds in [3_000_000, 3_000_002, 3_000_002, 3_000_001] {
        tx.audit().append(&world.event("here", seconds)).await.expect("append");
        tx.audit().append(&other.event("there", seconds)).await.expect("append");
    }
    tx.commit().await.expect("commit");

    let by_time = AuditFilter { from: Some(at(3_000_000)), until: Some(at(3_000_003)), ..AuditFilter::default() };
    let by_number = AuditFilter { tenant_id: Some(world.tenant.id), ..AuditFilter::default() };
    for (mut filter, count) in [(by_time, 8), (by_number, 4)] {
        let mut tx = world.within(Reach::Platform).await;
        let (whole, _) = tx.audit().list(&filter, PAGE).await.expect("list");
        let mut pages = Vec::new();
        loop {
            let page = tx.audit().entries(&filter, Page { limit: 3, offset: 0 }).await.expect("a page");
            let Some(last) = page.last() else { break };
            filter.after = Some(last.place());
            pages.extend(page);
        }
        assert_eq!((whole.len(), tx.audit().list(&filter, PAGE).await.expect("list").1), (count, count as u64));
        assert_eq!(pages, whole);
    }
}

/// A key gives back what was recorded under it by this tenant for this route, as long as it is young enough.
pub async fn an_idempotency_key_gives_back_what_was_recorded(storage: &dyn Storage) {
    let (world, other) = (World::new(storage).await, World::new(storage).await);
    let store = world.store(0).await;
    let record = idempotency_record(&world.operation(&store, 0), "key", at(10));
    let mut tx = world.begin().await;
    assert!(tx.idempotency().try_lock(world.tenant.id, "create", "key").await.expect("lock"));
    tx.idempotency().put(&record).await.expect("put");
    tx.commit().await.expect("commit");

    let mut tx = world.begin().await;
    let mut keys =
        async |tenant, route, key, since| tx.idempotency().get(tenant, route, key, since).await.expect("read");

    let mine = world.tenant.id;
    let just_before = at(10) - SignedDuration::from_micros(1);
    assert_eq!(keys(mine, "create", "key", just_before).await, Some(record));
    assert_eq!(keys(mine, "create", "key", at(10)).await, None);
    assert_eq!(keys(mine, "delete", "key", at(0)).await, None);
    assert_eq!(keys(mine, "create", "Key", at(0)).await, None);
    assert_eq!(keys(other.tenant.id, "create", "key", at(0)).await, None);
}

/// A key that is used again later holds the later request.
pub async fn an_idempotency_key_is_written_over(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let store = world.store(0).await;
    let old = idempotency_record(&world.operation(&store, 0), "key", at(0));
    let new = IdempotencyRecord { fingerprint: vec![9], created_at: at(99_999), ..old.clone() };
    let mut tx = world.begin().await;
    tx.idempotency().put(&old).await.expect("put");
    tx.idempotency().put(&new).await.expect("put again");

    assert_eq!(tx.idempotency().get(world.tenant.id, "create", "key", at(-1)).await.expect("read"), Some(new));
}

fn answer(body: &str) -> StoredAnswer {
    StoredAnswer {
        status: 202,
        content_type: "application/json".into(),
        body: body.into(),
        location: Some("/api/v1/operations/1".into()),
    }
}

/// Of several answers under a key the first is the one that everybody gets, until it is too old.
pub async fn the_first_answer_under_a_key_stands(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let store = world.store(0).await;
    let bare = IdempotencyRecord {
        store_id: None,
        operation_id: None,
        ..idempotency_record(&world.operation(&store, 0), "answered", at(10))
    };
    let with =
        |body: &str, seconds| IdempotencyRecord { answer: Some(answer(body)), created_at: at(seconds), ..bare.clone() };
    let mut tx = world.begin().await;
    let first = tx.idempotency().answer(&with("one", 10), at(0)).await.expect("answer");
    let second = tx.idempotency().answer(&with("two", 20), at(0)).await.expect("answer");
    let other = IdempotencyRecord { fingerprint: vec![9], ..with("three", 30) };
    let third = tx.idempotency().answer(&other, at(0)).await.expect("answer");
    tx.commit().await.expect("commit");

    assert_eq!((first, second), (with("one", 10), with("one", 10)));
    assert_eq!(third, with("one", 10), "another request has no answer here");
    let mut tx = world.begin().await;
    assert_eq!(tx.idempotency().answer(&other, at(10)).await.expect("answer"), other, "the old one counts no more");
    let read = tx.idempotency().get(world.tenant.id, "create", "answered", at(10)).await.expect("read");
    assert_eq!(read, Some(other));
}

/// The answer is written down after what was made, and leaves it.
pub async fn an_answer_stands_beside_what_was_made(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let store = world.store(0).await;
    let made = idempotency_record(&world.operation(&store, 0), "made", at(10));
    let told = IdempotencyRecord {
        store_id: None,
        operation_id: None,
        answer: Some(answer("told")),
        created_at: at(11),
        ..made.clone()
    };
    let mut tx = world.begin().await;
    tx.idempotency().put(&made).await.expect("put");

    let stands = tx.idempotency().answer(&told, at(0)).await.expect("answer");

    assert_eq!(stands, IdempotencyRecord { answer: Some(answer("told")), ..made });
    let read = tx.idempotency().get(world.tenant.id, "create", "made", at(0)).await.expect("read");
    assert_eq!(read, Some(stands));
}

/// Records of long ago go, the others stay.
pub async fn idempotency_keys_of_long_ago_are_forgotten(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let store = world.store(0).await;
    let operation = world.operation(&store, 0);
    let mut tx = world.within(Reach::Worker).await;
    for (key, seconds) in [("old", -1_000_000), ("new", 10)] {
        tx.idempotency().put(&idempotency_record(&operation, key, at(seconds))).await.expect("put");
    }

    assert_eq!(tx.idempotency().purge(at(-999_999)).await.expect("purge"), 1);

    let mut keys =
        async |key| tx.idempotency().get(world.tenant.id, "create", key, at(-2_000_000)).await.expect("read");
    assert_eq!(keys("old").await, None);
    assert!(keys("new").await.is_some());
}

/// The newest signing key is the first.
pub async fn signing_keys_come_newest_first(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let key = |name: &str, seconds| SealedKey {
        id: format!("{name}-{}", world.tenant.id),
        sealed: sealed(name.as_bytes()),
        created_at: at(0),
        activates_at: at(seconds),
    };
    let keys = [key("newest", 3), key("middle", 2), key("oldest", 1)];
    let mut tx = world.within(Reach::Identity).await;
    for index in [1, 2, 0] {
        tx.signing_keys().insert(&keys[index]).await.expect("insert");
    }
    tx.commit().await.expect("commit");

    let mine = |all: Vec<SealedKey>| all.into_iter().filter(|known| keys.contains(known)).collect::<Vec<_>>();
    let locked = world.within(Reach::Identity).await.signing_keys().lock_all().await.expect("lock");
    assert_eq!(mine(locked), keys);

    let mut tx = world.within(Reach::Identity).await;
    tx.signing_keys().remove(&keys[1].id).await.expect("remove");
    tx.commit().await.expect("commit");
    let left = world.within(Reach::Identity).await.signing_keys().all().await.expect("read");
    assert_eq!(mine(left), [keys[0].clone(), keys[2].clone()]);
}
