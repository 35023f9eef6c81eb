//! Following what happens: nothing is lost or told twice, whoever comes back, however slow, on whichever replica (RELIABILITY F23).

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what helps a test fails like one")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use jiff::SignedDuration;
use shopwright_app::events::{EventSettings, Events};
use shopwright_domain::operation::OperationStatus;
use shopwright_domain::saga::StepStatus;
use shopwright_domain::store::StoreState;
use shopwright_domain::{OperationId, TenantId};
use shopwright_ports::clock::Clock;
use shopwright_ports::events_api::{EventService, EventStream, Followed, Told};
use shopwright_ports::storage::{Event, News, Reach, Storage};
use shopwright_ports::stores_api::{RequestContext, StoreService as _, StoreServiceError};
use support::Fixture;
use tokio_util::sync::CancellationToken;

/// Sleeps by real time, so that the tail runs beside the fixture. What happens is measured by the fixture's clock.
struct RealSleep(Arc<dyn Clock>);

#[async_trait::async_trait]
impl Clock for RealSleep {
    fn now(&self) -> jiff::Timestamp {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// One replica's followers, kept up to date until it is dropped.
struct Replica {
    events: Events,
    stop: CancellationToken,
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn settings() -> EventSettings {
    EventSettings { poll: Duration::from_millis(5), least_pause: Duration::from_millis(1), ..EventSettings::default() }
}

fn replica_with(world: &Fixture, settings: EventSettings) -> Replica {
    let clock = Arc::new(RealSleep(world.clock.clone()));
    let events = Events::new(Arc::new(world.storage.clone()), clock, settings);
    let stop = CancellationToken::new();
    let (running, until) = (events.clone(), stop.clone());
    tokio::spawn(async move { running.run(until).await });
    Replica { events, stop }
}

fn replica(world: &Fixture) -> Replica {
    replica_with(world, settings())
}

async fn told(stream: &mut EventStream) -> Told {
    tokio::time::timeout(Duration::from_secs(20), stream.next()).await.expect("nothing is told").expect("no end")
}

/// The next event with its place.
async fn next(stream: &mut EventStream) -> (String, Arc<Event>) {
    match told(stream).await {
        Told::Event { place, event } => (place, event),
        other => panic!("{other:?}"),
    }
}

async fn begun(
    replica: &Replica,
    context: &RequestContext,
    what: Followed,
    after: Option<String>,
) -> (String, EventStream) {
    let mut stream = replica.events.follow(context, what, after).await.expect("follow");
    match told(&mut stream).await {
        Told::Begins { place } => (place, stream),
        other => panic!("{other:?}"),
    }
}

/// Everything that happened in an organisation, as its stream has it.
async fn stream_of(world: &Fixture, tenant: TenantId) -> Vec<Event> {
    let mut tx = world.storage.begin(Reach::Worker).await.unwrap();
    tx.events().behind(&[(tenant, 0)], 100_000).await.unwrap()
}

#[tokio::test]
async fn a_provision_is_followed_from_step_to_step_until_the_store_is_ready() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let replica = replica(&world);
    let (_, mut stream) = begun(&replica, &ada, Followed::Everything, None).await;

    let store = world.ready_store(&ada, "teashop").await;

    let (mut steps, mut states, mut entries) = (Vec::new(), Vec::new(), 0);
    let mut last = 0;
    loop {
        let (place, event) = next(&mut stream).await;
        assert_eq!((event.sequence, place), (last + 1, event.sequence.to_string()), "a number is missing");
        last = event.sequence;
        assert_eq!(event.store_id, store.id);
        match &event.news {
            News::Store { state, .. } => states.push(*state),
            News::Operation { step: Some(step), step_status: Some(how), .. } => steps.push((*step, *how)),
            // Asked for, and taken up before its first step.
            News::Operation { status, .. } => {
                assert!(matches!(status, OperationStatus::Queued | OperationStatus::Running), "{status}");
            }
            News::Audit { .. } => entries += 1,
        }
        if matches!(event.news, News::Audit { state: Some(StoreState::Ready), .. }) {
            break;
        }
    }
    states.dedup();
    assert_eq!(states, [StoreState::Requested, StoreState::Provisioning, StoreState::Ready]);
    assert!(entries >= 3, "{entries}");
    steps.dedup();
    let all = shopwright_domain::operation::OperationKind::Provision.steps();
    // The last step is one transaction: it has ended when it can be seen.
    let seen_begin = |step: &shopwright_domain::saga::Step| all.last() != Some(step);
    let expected = all.iter().flat_map(|step| [(*step, StepStatus::Started), (*step, StepStatus::Succeeded)]);
    let expected = expected.filter(|(step, how)| seen_begin(step) || *how == StepStatus::Succeeded);
    for step in expected.clone() {
        assert!(steps.contains(&step), "{step:?} is not told: {steps:?}");
    }
    let order: Vec<_> = expected.filter(|step| steps.contains(step)).collect();
    assert_eq!(steps, order);
}

#[tokio::test]
async fn a_store_is_followed_alone_and_by_nobody_else() {
    let world = Fixture::new().await;
    let (ada, bob) = (world.merchant("ada").await, world.merchant("bob").await);
    let replica = replica(&world);
    let (first, second) = (world.ready_store(&ada, "teashop").await, world.create(&ada, "bookshop").await.store);
    let (_, mut stream) = begun(&replica, &ada, Followed::Store(second.id.clone()), None).await;

    world.stores.delete(&ada, &first.id).await.unwrap();
    world.settle(&second.id).await;

    for _ in 0..5 {
        assert_eq!(next(&mut stream).await.1.store_id, second.id);
    }
    let refusal = replica.events.follow(&bob, Followed::Store(second.id), None).await;
    assert!(matches!(refusal, Err(StoreServiceError::Forbidden)));
    let (_, mut theirs) = begun(&replica, &bob, Followed::Everything, None).await;
    world.create(&bob, "bobs").await;
    assert_eq!(next(&mut theirs).await.1.tenant_id, bob.actor.tenant_id);
}

/// Twenty disconnects, now on the one and now on the other of two replicas, while stores are made and removed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_back_twenty_times_misses_nothing_and_hears_nothing_twice() {
    let world = Arc::new(Fixture::new().await);
    let (ada, admin) = (world.merchant("ada").await, world.administrator().await);
    let replicas = [replica(&world), replica(&world)];
    let (mut of_tenant, _) = begun(&replicas[0], &ada, Followed::Everything, None).await;
    let (mut of_all, _) = begun(&replicas[0], &admin, Followed::Everything, None).await;
    let (working, merchant) = (Arc::clone(&world), ada.clone());
    let busy = tokio::spawn(async move {
        for round in 0..12 {
            let store = working.ready_store(&merchant, &format!("shop-{round}")).await;
            working.stores.delete(&merchant, &store.id).await.unwrap();
            working.settle(&store.id).await;
        }
    });

    let (mut heard, mut heard_of_all) = (Vec::new(), Vec::new());
    for round in 0..20 {
        let replica = &replicas[round % 2];
        let (_, mut stream) = begun(replica, &ada, Followed::Everything, Some(of_tenant.clone())).await;
        let (_, mut everybody) = begun(replica, &admin, Followed::Everything, Some(of_all.clone())).await;
        for _ in 0..=round % 7 {
            let (place, event) = next(&mut stream).await;
            of_tenant = place;
            heard.push(event.sequence);
            let (place, event) = next(&mut everybody).await;
            of_all = place;
            heard_of_all.push((event.tenant_id, event.sequence));
        }
    }
    busy.await.unwrap();

    assert_eq!(heard, (1..=heard.len() as u64).collect::<Vec<_>>());
    // And to the end, on the other replica.
    let whole = stream_of(&world, ada.actor.tenant_id).await;
    let (_, mut stream) = begun(&replicas[1], &ada, Followed::Everything, Some(of_tenant)).await;
    while heard.len() < whole.len() {
        heard.push(next(&mut stream).await.1.sequence);
    }
    assert_eq!(heard, whole.iter().map(|event| event.sequence).collect::<Vec<_>>());
    let (_, mut everybody) = begun(&replicas[1], &admin, Followed::Everything, Some(of_all)).await;
    while heard_of_all.len() < whole.len() {
        let event = next(&mut everybody).await.1;
        heard_of_all.push((event.tenant_id, event.sequence));
    }
    let mut counted: BTreeMap<_, u32> = BTreeMap::new();
    for event in &heard_of_all {
        *counted.entry(*event).or_default() += 1;
    }
    assert!(counted.values().all(|times| *times == 1), "{counted:?}");
    assert_eq!(counted.len(), whole.len());
}

#[tokio::test]
async fn an_administrator_hears_everybody() {
    let world = Fixture::new().await;
    let (ada, bob, admin) = (world.merchant("ada").await, world.merchant("bob").await, world.administrator().await);
    let replica = replica(&world);
    let (_, mut stream) = begun(&replica, &admin, Followed::Everything, None).await;

    world.create(&ada, "teashop").await;
    world.create(&bob, "bookshop").await;

    let mut heard: BTreeMap<TenantId, Vec<u64>> = BTreeMap::new();
    for _ in 0..6 {
        let event = next(&mut stream).await.1;
        heard.entry(event.tenant_id).or_default().push(event.sequence);
    }
    let expected = [ada, bob].map(|context| (context.actor.tenant_id, vec![1, 2, 3]));
    assert_eq!(heard, expected.into());
}

#[tokio::test]
async fn a_slow_reader_holds_up_nobody_and_gets_everything() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let replica = replica(&world);
    let (_, mut slow) = begun(&replica, &ada, Followed::Everything, None).await;
    let (_, mut quick) = begun(&replica, &ada, Followed::Everything, None).await;
    // More than waits for a follower.
    let mut told = 0;
    for round in 0..30 {
        world.ready_store(&ada, &format!("shop-{round}")).await;
        let store = world.storage.snapshot().await.stores.last().unwrap().id.clone();
        world.stores.delete(&ada, &store).await.unwrap();
        world.settle(&store).await;
        let head = stream_of(&world, ada.actor.tenant_id).await.len();
        while told < head {
            next(&mut quick).await;
            told += 1;
        }
    }
    assert!(told > 400, "{told}");

    for sequence in 1..=told as u64 {
        assert_eq!(next(&mut slow).await.1.sequence, sequence);
    }
}

#[tokio::test]
async fn a_place_that_is_too_old_or_none_begins_anew() {
    let world = Fixture::new().await;
    let (ada, admin) = (world.merchant("ada").await, world.administrator().await);
    let replica = replica(&world);
    let (early, _) = begun(&replica, &admin, Followed::Everything, None).await;
    world.ready_store(&ada, "teashop").await;
    world.clock.advance(SignedDuration::from_hours(24 * 8));

    let forgotten = replica.events.forget_old().await.unwrap();
    world.create(&ada, "bookshop").await;

    assert!(forgotten > 10, "{forgotten}");
    assert_eq!(stream_of(&world, ada.actor.tenant_id).await[0].sequence, forgotten + 1);
    let head = (forgotten + 3).to_string();
    for (place, kept) in [
        (forgotten.to_string(), true),
        (head.clone(), true),
        ((forgotten - 1).to_string(), false),
        ((forgotten + 4).to_string(), false),
        ("x".to_owned(), false),
        ("-1".to_owned(), false),
        ("99999999999999999999999".to_owned(), false),
    ] {
        let mut stream = replica.events.follow(&ada, Followed::Everything, Some(place.clone())).await.unwrap();
        let expected = if kept { Told::Begins { place: place.clone() } } else { Told::Reset { place: head.clone() } };
        assert_eq!(told(&mut stream).await, expected, "{place}");
    }
    for place in [early, "7".to_owned(), "1;1:1:~1;1:1:~x".to_owned(), String::new()] {
        let mut stream = replica.events.follow(&admin, Followed::Everything, Some(place.clone())).await.unwrap();
        assert!(matches!(told(&mut stream).await, Told::Reset { .. }), "{place}");
    }
}

#[tokio::test]
async fn whoever_has_missed_too_much_is_told_to_begin_anew() {
    let world = Fixture::new().await;
    let (ada, admin) = (world.merchant("ada").await, world.administrator().await);
    let replica = replica_with(&world, EventSettings { replayed: 5, ..settings() });
    let (of_tenant, _) = begun(&replica, &ada, Followed::Everything, None).await;
    let (of_all, _) = begun(&replica, &admin, Followed::Everything, None).await;
    world.ready_store(&ada, "teashop").await;

    let mut stream = replica.events.follow(&ada, Followed::Everything, Some(of_tenant)).await.unwrap();
    let mut everybody = replica.events.follow(&admin, Followed::Everything, Some(of_all)).await.unwrap();

    assert!(matches!(told(&mut stream).await, Told::Reset { .. }));
    assert!(matches!(told(&mut everybody).await, Told::Begins { .. }));
    assert!(matches!(told(&mut everybody).await, Told::Reset { .. }));
    world.create(&ada, "bookshop").await;
    assert!(matches!(told(&mut everybody).await, Told::Event { .. }), "and it goes on from there");
}

/// Each change of an operation or store is one event, and the last of each says what is true.
#[tokio::test]
async fn the_last_event_of_everything_is_how_it_is() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    world.stores.delete(&ada, &store.id).await.unwrap();
    world.settle(&store.id).await;

    let snapshot = world.storage.snapshot().await;
    let mut operations: BTreeMap<OperationId, OperationStatus> = BTreeMap::new();
    let mut last_state = None;
    for event in stream_of(&world, ada.actor.tenant_id).await {
        match (event.operation_id, event.news) {
            (Some(id), News::Operation { status, .. }) => drop(operations.insert(id, status)),
            (_, News::Store { state, .. }) => last_state = Some(state),
            _ => {}
        }
    }

    assert_eq!(last_state, snapshot.store(&store.id).map(|store| store.state));
    let expected: BTreeMap<_, _> = snapshot.operations.iter().map(|row| (row.id, row.status)).collect();
    assert_eq!(operations, expected);
}
