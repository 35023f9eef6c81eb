//! The door: what is let in over several replicas, with one database, without one, and after a restart.

mod support;

use std::sync::Arc;

use jiff::SignedDuration;
use shopwright_app::gate::{Door, GateRules};
use shopwright_domain::limits::Rate;
use shopwright_domain::plans::Plan;
use shopwright_domain::{TenantId, UserId};
use shopwright_ports::clock::Clock as _;
use shopwright_ports::gate_api::{Gate as _, Payer, Promise, PromiseError};
use shopwright_ports::storage::{Reach, Storage as _, StorageError, StoredAnswer};
use shopwright_ports::testing::storage_contract::example_tenant;
use shopwright_ports::testing::{FakeDigester, FakeStorage, Fault, ManualClock};
use support::Fixture;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

struct World {
    clock: Arc<ManualClock>,
    storage: FakeStorage,
    rules: GateRules,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let storage = FakeStorage::new(clock.clone());
        let address = Rate { limit: 60, window: MINUTE };
        Self { clock, storage, rules: GateRules { address, ..GateRules::default() } }
    }

    /// A process that was just started.
    fn replica(&self) -> Door {
        Door::new(Arc::new(self.storage.clone()), Arc::new(FakeDigester), self.clock.clone(), self.rules.clone())
    }
}

fn address(text: &str) -> Payer {
    Payer::Address(text.to_owned())
}

/// How many of `count` requests are let in, one after the other, by the replicas in turn.
async fn let_in(replicas: &[Door], payer: &Payer, count: usize) -> usize {
    let mut admitted = 0;
    for request in 0..count {
        admitted += usize::from(replicas[request % replicas.len()].admit(payer).await.is_ok());
    }
    admitted
}

#[tokio::test]
async fn one_replica_lets_in_exactly_the_limit() {
    let world = World::new();
    let door = world.replica();

    assert_eq!(let_in(std::slice::from_ref(&door), &address("a"), 100).await, 60);
    assert_eq!(let_in(&[door], &address("b"), 10).await, 10, "others pay for themselves");
}

#[tokio::test]
async fn over_replicas_no_more_than_a_block_each_is_let_in_beyond_the_limit() {
    let world = World::new();
    let replicas = [world.replica(), world.replica(), world.replica(), world.replica()];

    // At one moment the limit is exact, however many doors there are.
    assert_eq!(let_in(&replicas, &address("a"), 400).await, 60);
    // Somebody who never stops gets the limit per window, and at most a block of 3 for each replica besides.
    let mut admitted = 0;
    for _ in 0..240 {
        world.clock.advance(SignedDuration::from_millis(250));
        admitted += let_in(&replicas, &address("a"), 4).await;
    }
    assert!((48..=60 + 4 * 3).contains(&admitted), "{admitted}");
}

#[tokio::test]
async fn a_refusal_says_the_true_rest_and_costs_no_statement() {
    let world = World::new();
    let door = world.replica();
    assert_eq!(let_in(std::slice::from_ref(&door), &address("a"), 61).await, 60);

    // Nobody asks the database while it is known that there is nothing.
    let lost = || StorageError::Unavailable { detail: "nobody should ask".into(), source: None };
    world.storage.faults.push("begin", Fault::Before(lost()));
    let refused = door.admit(&address("a")).await.unwrap_err();
    let shown = door.look(&address("a")).unwrap_err();

    assert_eq!(refused.until, world.clock.now() + SignedDuration::from_secs(1));
    assert_eq!((refused.meter.remaining, refused.meter.reset_seconds(), shown.until), (0, 60, refused.until));
    assert!(world.storage.begin(Reach::Identity).await.is_err(), "the fault is still there");
    world.clock.advance(SignedDuration::from_secs(1));
    assert!(door.admit(&address("a")).await.is_ok(), "the rest was true");
}

#[tokio::test]
async fn a_restart_forgets_no_limit() {
    let world = World::new();
    let_in(&[world.replica()], &address("a"), 60).await;

    assert_eq!(let_in(&[world.replica()], &address("a"), 10).await, 0);
}

#[tokio::test]
async fn the_plan_of_the_organisation_says_how_much_its_people_may_ask() {
    let mut world = World::new();
    let plan = Plan { requests: Rate { limit: 40, window: MINUTE }, ..Plan::default() };
    world.rules.plans.others.insert("free".parse().unwrap(), plan);
    let mut tenant = example_tenant();
    tenant.plan = "free".parse().unwrap();
    let mut tx = world.storage.begin(Reach::Identity).await.unwrap();
    tx.tenants().insert(&tenant).await.unwrap();
    tx.commit().await.unwrap();
    let payer = |tenant_id| Payer::User { id: UserId::from_random(1), tenant_id };

    let door = world.replica();
    let meter = door.admit(&payer(tenant.id)).await.unwrap();

    assert_eq!((meter.rate.limit, meter.remaining), (40, 39));
    assert_eq!(let_in(&[door], &payer(tenant.id), 100).await, 39);
    let elsewhere = Payer::User { id: UserId::from_random(2), tenant_id: TenantId::from_random(9) };
    assert_eq!(world.replica().admit(&elsewhere).await.unwrap().rate.limit, 600);
}

#[tokio::test]
async fn a_slow_caller_is_never_refused() {
    let world = World::new();
    let replicas = [world.replica(), world.replica(), world.replica()];
    for request in 0..400 {
        world.clock.advance(SignedDuration::from_secs(3));
        assert!(replicas[request % 3].admit(&address("a")).await.is_ok(), "request {request}");
    }
}

#[tokio::test]
async fn without_a_database_each_replica_counts_for_itself() {
    let world = World::new();
    let door = world.replica();
    let lost = || StorageError::Unavailable { detail: "away".into(), source: None };
    world.storage.faults.push("begin", Fault::Before(lost()));

    assert_eq!(let_in(std::slice::from_ref(&door), &address("a"), 100).await, 60);
    assert_eq!(
        let_in(std::slice::from_ref(&door), &address("b"), 100).await,
        60,
        "the database is left alone meanwhile"
    );
    world.clock.advance(SignedDuration::from_secs(6));
    assert_eq!(let_in(&[world.replica()], &address("a"), 100).await, 60, "it has heard of none of them");
}

#[tokio::test]
async fn nobody_waits_for_a_database_that_does_not_answer() {
    let world = World::new();
    let door = world.replica();
    world.storage.faults.push("begin", Fault::Hang);
    let payer = address("a");
    let asking = door.admit(&payer);
    let time = async {
        loop {
            tokio::task::yield_now().await;
            world.clock.advance_to_next_sleeper();
        }
    };

    tokio::select! {
        admitted = asking => assert!(admitted.is_ok()),
        () = time => unreachable!(),
    }
    assert!(world.clock.now() <= ManualClock::default().now() + SignedDuration::from_secs(1));
}

fn promise(fingerprint: u8) -> Promise {
    Promise { route: "POST /organisations".into(), key: "k".into(), fingerprint: vec![fingerprint] }
}

fn told() -> StoredAnswer {
    StoredAnswer { status: 201, content_type: "application/json".into(), body: "{}".into(), location: None }
}

#[tokio::test]
async fn a_claimed_key_is_nobody_elses_until_it_is_answered_or_given_back() {
    // F64, for what is written where no key may be seen.
    let fixture = Fixture::new().await;
    let ada = fixture.merchant("ada").await;
    let door = || {
        let storage = Arc::new(fixture.storage.clone());
        Door::new(storage, Arc::new(FakeDigester), fixture.clock.clone(), GateRules::default())
    };
    let (one, other) = (door(), door());

    one.claim(&ada, &promise(1)).await.unwrap();
    assert!(matches!(other.claim(&ada, &promise(1)).await, Err(PromiseError::InFlight)));
    assert!(matches!(other.claim(&ada, &promise(2)).await, Err(PromiseError::Reused)));
    one.release(&ada, &promise(1)).await.unwrap();
    other.claim(&ada, &promise(1)).await.unwrap();
    assert_eq!(other.keep(&ada, &promise(1), told()).await.unwrap(), told());
    assert_eq!(one.earlier(&ada, &promise(1)).await.unwrap(), Some(told()));
}

#[tokio::test]
async fn a_request_whose_server_died_over_it_is_not_made_again() {
    let fixture = Fixture::new().await;
    let ada = fixture.merchant("ada").await;
    let storage = Arc::new(fixture.storage.clone());
    let door = Door::new(storage, Arc::new(FakeDigester), fixture.clock.clone(), GateRules::default());
    door.claim(&ada, &promise(1)).await.unwrap();

    fixture.clock.advance(SignedDuration::from_secs(61));

    assert!(matches!(door.claim(&ada, &promise(1)).await, Err(PromiseError::Lost)));
    fixture.clock.advance(SignedDuration::from_hours(24));
    assert!(door.claim(&ada, &promise(1)).await.is_ok(), "a day later it counts no more");
}

#[tokio::test]
async fn many_at_once_lease_once() {
    let world = World::new();
    let door = Arc::new(world.replica());
    let payer = address("a");
    let asking = (0..200).map(|_| door.admit(&payer));

    let admitted = futures::future::join_all(asking).await.into_iter().flatten().count();

    assert_eq!(admitted, 60, "no block was leased and lost");
}

#[tokio::test]
async fn more_payers_than_can_be_remembered_cost_no_more_memory() {
    let mut world = World::new();
    world.rules.address = Rate { limit: 1, window: MINUTE };
    let door = world.replica();
    // The fake copies every row for each transaction: without a database this is about memory alone.
    let lost = || StorageError::Unavailable { detail: "away".into(), source: None };
    world.storage.faults.push("begin", Fault::Before(lost()));
    for number in 0..50_000 {
        assert!(door.admit(&address(&format!("10.{number}"))).await.is_ok());
    }

    assert!(door.remembered() <= 20_000, "{}", door.remembered());
}
