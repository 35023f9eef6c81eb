//! Events: what storage writes down about changes, for readers who follow along.

use shopwright_domain::audit::{AuditEvent, AuditEventType};
use shopwright_domain::error_code::ErrorCode;
use shopwright_domain::operation::OperationStatus;
use shopwright_domain::saga::{StepRecord, StepStatus};
use shopwright_domain::store::{Failure, StoreState};
use shopwright_domain::{StoreId, TenantId};

use super::world::{LONG, World, at, far_future, new_worker, step_record};
use crate::storage::{Event, Mark, News, Reach, Storage, StreamBounds};

/// The tenant's stream from its beginning.
async fn stream(world: &World<'_>) -> Vec<Event> {
    world.begin().await.events().behind(&[(world.tenant.id, 0)], 1_000).await.expect("read")
}

/// Its numbers are 1, 2, 3 ..., and the bounds say so.
async fn numbered(world: &World<'_>, events: &[Event]) {
    let numbers: Vec<u64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>());
    let bounds = world.begin().await.events().bounds(world.tenant.id).await.expect("read");
    assert_eq!(bounds, Some(StreamBounds { floor: 0, head: events.len() as u64 }));
}

/// Status, step with its status, counted failures, whether there is a reason to wait.
type Progress = (OperationStatus, Option<usize>, Option<StepStatus>, u32, bool);

/// The operations' part of a stream.
fn operations(events: &[Event]) -> Vec<Progress> {
    let steps = shopwright_domain::operation::OperationKind::Provision.steps();
    let of = |event: &Event| match &event.news {
        News::Operation { status, step, step_status, attempt, failure, .. } => {
            let index = step.and_then(|step| steps.iter().position(|known| *known == step));
            Some((*status, index, *step_status, *attempt, failure.is_some()))
        }
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

/// Asked for, begun, failed once, waiting, over: one event each, with the step that it is about.
pub async fn every_change_of_an_operation_is_told(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let id = world.queued(0).await.id;
    let failure = Failure::new(ErrorCode::ImagePull, "no such image");
    let lease = world.claim(new_worker(), LONG).await.expect("the operation").lease;
    let steps = shopwright_domain::operation::OperationKind::Provision.steps();
    for (status, attempts) in [(StepStatus::Started, 0), (StepStatus::Failed, 1)] {
        let mut tx = world.begin().await;
        let record = StepRecord { status, attempts, ..step_record(0) };
        tx.operations().record_step(&lease, &record).await.expect("record");
        tx.commit().await.expect("commit");
    }
    let mut tx = world.begin().await;
    tx.operations().record_progress(&lease, steps[1], 0).await.expect("progress");
    tx.commit().await.expect("commit");
    let mut tx = world.begin().await;
    tx.operations().note_waiting(&lease, Some(&failure)).await.expect("note");
    tx.commit().await.expect("commit");
    let mut tx = world.begin().await;
    tx.operations().park(&lease, OperationStatus::Stuck, Some(far_future()), Some(&failure)).await.expect("park");
    tx.commit().await.expect("commit");
    let mut tx = world.begin().await;
    tx.operations().supersede(id, at(5)).await.expect("supersede");
    tx.operations().supersede(id, at(6)).await.expect("supersede what is over");
    tx.commit().await.expect("commit");

    let events = stream(&world).await;

    numbered(&world, &events).await;
    assert!(events.iter().all(|event| event.tenant_id == world.tenant.id && event.store_id == lease.store_id));
    assert!(events[1..].iter().all(|event| event.operation_id == Some(id)), "{events:?}");
    assert_eq!(
        operations(&events),
        [
            (OperationStatus::Queued, Some(0), None, 0, false),
            (OperationStatus::Running, Some(0), Some(StepStatus::Started), 0, false),
            (OperationStatus::Running, Some(0), Some(StepStatus::Failed), 1, false),
            (OperationStatus::Running, Some(1), None, 0, false),
            (OperationStatus::Running, Some(1), None, 0, true),
            (OperationStatus::Stuck, Some(1), None, 0, true),
            (OperationStatus::Cancelled, Some(1), None, 0, true),
        ]
    );
    world.settle().await;
}

/// Made, changed: one event each, with the state and the reason. Raising the epoch is nobody's news.
pub async fn every_change_of_a_store_is_told(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let mut store = world.store(0).await;
    let failure = Failure::new(ErrorCode::Cancelled, "stopped");
    store.state = StoreState::Failed;
    store.failure = Some(failure.clone());
    let mut tx = world.begin().await;
    tx.stores().raise_epoch(&store.id).await.expect("raise");
    tx.stores().save(&mut store).await.expect("save");
    tx.commit().await.expect("commit");
    let mut tx = world.begin().await;
    tx.stores().raise_epoch(&store.id).await.expect("raise");
    tx.commit().await.expect("commit");

    let events = stream(&world).await;

    numbered(&world, &events).await;
    let news: Vec<&News> = events.iter().map(|event| &event.news).collect();
    let made = News::Store { state: StoreState::Requested, failure: None };
    assert_eq!(news, [&made, &News::Store { state: StoreState::Failed, failure: Some(failure) }]);
    assert!(events.iter().all(|event| event.store_id == store.id && event.operation_id.is_none()));
}

/// Entries about stores are told, after what they are about; sign-ins are not.
pub async fn an_audit_entry_about_a_store_is_told(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let store = world.draft(0);
    let operation = world.operation(&store, 0);
    let entry = AuditEvent {
        store_id: Some(store.id.clone()),
        operation_id: Some(operation.id),
        event_type: AuditEventType::StoreCreated,
        new: Some(StoreState::Requested),
        ..world.event("asked for", 0)
    };
    let mut tx = world.begin().await;
    tx.audit().append(&world.event("signed in", 0)).await.expect("append");
    tx.audit().append(&entry).await.expect("append");
    tx.stores().insert(&store).await.expect("insert");
    tx.operations().enqueue(&operation, &[]).await.expect("enqueue");
    tx.commit().await.expect("commit");

    let events = stream(&world).await;

    numbered(&world, &events).await;
    let topics: Vec<&str> = events
        .iter()
        .map(|event| match event.news {
            News::Operation { .. } => "operation",
            News::Store { .. } => "store",
            News::Audit { .. } => "audit",
        })
        .collect();
    assert_eq!(topics, ["operation", "store", "audit"]);
    let expected = News::Audit {
        number: 2,
        event_type: AuditEventType::StoreCreated,
        state: Some(StoreState::Requested),
        message: "asked for".into(),
    };
    assert_eq!((&events[2].news, events[2].operation_id), (&expected, Some(operation.id)));
    world.settle().await;
}

/// However often it was touched: with the step that ended, and as it is at the end of the transaction.
pub async fn a_transaction_tells_an_operation_once(storage: &dyn Storage) {
    let world = World::new(storage).await;
    world.queued(0).await;
    let lease = world.claim(new_worker(), LONG).await.expect("the operation").lease;
    let steps = shopwright_domain::operation::OperationKind::Provision.steps();
    let mut tx = world.begin().await;
    tx.operations().record_step(&lease, &step_record(5)).await.expect("record");
    tx.operations().record_progress(&lease, steps[5], 0).await.expect("progress");
    tx.operations().finish(&lease, OperationStatus::Succeeded, None, at(9)).await.expect("finish");
    tx.commit().await.expect("commit");

    let events = stream(&world).await;

    let last = (OperationStatus::Succeeded, Some(5), Some(StepStatus::Succeeded), 1, false);
    assert_eq!(operations(&events)[1..], [last]);
    numbered(&world, &events).await;
}

/// Nothing, and no number is lost by it.
pub async fn what_is_rolled_back_is_not_told(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let mut tx = world.begin().await;
    tx.stores().insert(&world.draft(0)).await.expect("insert");
    drop(tx);
    let store = world.store(0).await;

    let events = stream(&world).await;

    numbered(&world, &events).await;
    assert_eq!(events.iter().map(|event| &event.store_id).collect::<Vec<_>>(), [&store.id]);
}

/// Of each tenant what lies behind its number; no more than asked for.
pub async fn events_of_many_tenants_are_read_at_once(storage: &dyn Storage) {
    let worlds = [World::new(storage).await, World::new(storage).await, World::new(storage).await];
    for world in &worlds {
        for created in 0..3 {
            world.store(created).await;
        }
    }
    let mut behind = [(worlds[0].tenant.id, 1), (worlds[1].tenant.id, 3)];
    behind.sort();

    let mut tx = worlds[0].within(Reach::Worker).await;
    let both = tx.events().behind(&behind, 100).await.expect("read");
    let one = tx.events().behind(&behind, 1).await.expect("read");
    let none = tx.events().behind(&[], 100).await.expect("read");

    let numbers: Vec<_> = both.iter().map(|event| (event.tenant_id, event.sequence)).collect();
    assert_eq!(numbers, [(worlds[0].tenant.id, 2), (worlds[0].tenant.id, 3)]);
    assert_eq!((one.len(), none.len()), (1, 0));
    let nobody = TenantId::from_random(0);
    assert_eq!(tx.events().bounds(nobody).await.expect("read"), None);
}

/// Between two moments lies what was committed between them, whoever's it is, always in the same order.
pub async fn events_between_two_moments_are_those_of_all_tenants(storage: &dyn Storage) {
    let (world, other) = (World::new(storage).await, World::new(storage).await);
    let mark = async || world.within(Reach::Worker).await.events().mark().await.expect("a mark");
    let ids = async |from: &Mark, to: &Mark| {
        let events = world.within(Reach::Worker).await.events().between(from, to, 100).await.expect("read");
        events.into_iter().map(|event| event.store_id).collect::<Vec<StoreId>>()
    };
    world.store(0).await;
    let first = mark().await;
    let (mine, theirs) = (world.store(1).await.id, other.store(1).await.id);
    let second = mark().await;
    let later = world.store(2).await.id;
    let third = mark().await;

    assert_eq!(ids(&first, &second).await, [mine.clone(), theirs.clone()]);
    assert_eq!(ids(&second, &third).await, std::slice::from_ref(&later));
    assert_eq!(ids(&first, &third).await, [mine, theirs, later]);
    assert_eq!(ids(&second, &second).await, []);
    assert!(first.is_not_after(&second) && second.is_not_after(&third) && !third.is_not_after(&first));
    let read: Mark = second.to_string().parse().expect("a mark");
    assert_eq!(read, second);
}

/// What is forgotten is gone, the bounds say up to where, and numbers go on.
pub async fn events_are_forgotten_by_age(storage: &dyn Storage) {
    let world = World::new(storage).await;
    for created in 0..3 {
        world.store(created).await;
    }
    let forget = async |before, limit| {
        let mut tx = world.within(Reach::Worker).await;
        let gone = tx.events().purge(before, limit).await.expect("forget");
        tx.commit().await.expect("commit");
        gone
    };

    assert_eq!(forget(at(0), 100).await, 0);
    while forget(far_future(), 2).await == 2 {}
    world.store(3).await;

    assert_eq!(stream(&world).await.iter().map(|event| event.sequence).collect::<Vec<_>>(), [4]);
    let bounds = world.begin().await.events().bounds(world.tenant.id).await.expect("read");
    assert_eq!(bounds, Some(StreamBounds { floor: 3, head: 4 }));
}
