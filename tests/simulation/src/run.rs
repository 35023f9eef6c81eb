//! One run of one seed: a world, people, trouble, then rest; and what must hold in the end.

use std::sync::Arc;

use jiff::SignedDuration;
use shopwright_domain::store::StoreState;

use crate::client::{Client, Manner, Merchant};
use crate::history::Request;
use crate::nemesis::Nemesis;
use crate::plan::Chances;
use crate::replica::{LEASE, Replica, Settings};
use crate::rng::Rng;
use crate::tally::Tally;
use crate::time::{MILLI, SECOND, Sim};
use crate::world::World;

/// More events than any run needs.
const LIMIT: u64 = 3_000_000;
/// By then whatever a zombie brought back is swept (DECISIONS 7).
pub const TAIL: u64 = 8 * LEASE;
/// How long everything may take to come to rest when nothing goes wrong any more.
const REST: u64 = 30 * 60 * SECOND;

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// Which.
    pub seed: u64,
    /// What was broken, if anything was.
    pub result: Result<(), String>,
    /// The same for the same seed.
    pub hash: u64,
    /// What happened.
    pub tally: Tally,
    /// One line per step, when it was asked for.
    pub trace: Option<String>,
}

impl Outcome {
    /// The numbers of a run that must hold.
    ///
    /// # Panics
    /// With the end of the trace when it does not.
    pub fn holds(self) -> Tally {
        if let Err(broken) = &self.result {
            let trace = self.trace.unwrap_or_default();
            let lines: Vec<&str> = trace.lines().filter(|line| !is_idle(line)).collect();
            let end = &lines[lines.len().saturating_sub(80)..];
            panic!("{}\n{broken}", end.join("\n"));
        }
        self.tally
    }
}

/// Looking for work and finding none.
fn is_idle(line: &str) -> bool {
    ["operations.claim", "operations.next_due", "commit"].iter().any(|call| line.contains(call))
        && line.ends_with("-> ok")
}

/// Runs something in a world of its own, alone in this thread.
///
/// # Panics
/// When the runtime cannot be built.
pub fn simulate<F: Future<Output = Result<Tally, String>>>(
    seed: u64,
    keep_trace: bool,
    scenario: impl FnOnce(Arc<Sim>) -> F,
) -> Outcome {
    let sim = Sim::new(seed, LIMIT, keep_trace);
    let idle = Arc::clone(&sim);
    #[expect(clippy::expect_used, reason = "a runtime without drivers needs nothing that could be missing")]
    let runtime = tokio::runtime::Builder::new_current_thread()
        .on_thread_park(move || idle.advance())
        .build()
        .expect("a runtime");
    let result = runtime.block_on(sim.until_ended(scenario(Arc::clone(&sim))));
    let (result, mut tally) = match result {
        Ok(Ok(tally)) => (Ok(()), tally),
        Ok(Err(broken)) | Err(broken) => (Err(broken), Tally::default()),
    };
    tally.time = sim.now();
    tally.events = sim.events();
    let (hash, trace) = sim.with_trace(|trace| (trace.hash(), trace.lines().map(str::to_owned)));
    Outcome { seed, result, hash, tally, trace }
}

/// Runs one seed.
pub fn seed(seed: u64, keep_trace: bool) -> Outcome {
    simulate(seed, keep_trace, random)
}

fn settings(rng: &mut Rng) -> Settings {
    Settings {
        replicas: usize::try_from(rng.between(1, 3)).unwrap_or(1),
        quota: u32::try_from(rng.between(1, 4)).unwrap_or(1),
        cooldown: SignedDuration::from_secs(rng.below(3).cast_signed()),
        permits: if rng.chance(200_000) { 2 } else { 32 },
        hints: rng.chance(700_000),
        pods_take: rng.between(SECOND, 30 * SECOND),
        ..Settings::default()
    }
}

async fn random(sim: Arc<Sim>) -> Result<Tally, String> {
    let mut rng = sim.random(Rng::fork);
    let chances = Chances::random(&mut rng);
    let latency = chances.latency;
    let settings = settings(&mut rng);
    let world = World::new(Arc::clone(&sim), chances, settings).await.map_err(|error| error.to_string())?;
    world.cluster.set_termination_calls(u32::try_from(rng.below(4)).unwrap_or(0));
    for index in 0..world.settings.replicas {
        Replica::start(&world, index);
    }
    let end = rng.between(20 * SECOND, 90 * SECOND);
    let manner = Manner {
        hangs_up: *rng.pick(&[0, 50_000, 300_000]),
        thinks: *rng.pick(&[3 * SECOND, 8 * SECOND, 20 * SECOND]),
        names: rng.between(1, 4),
    };
    let mut merchants = Vec::new();
    let mut people = tokio::task::JoinSet::new();
    for number in 0..usize::try_from(rng.between(1, 2)).unwrap_or(1) {
        let merchant = Merchant::new(&world, number).await.map_err(|error| error.to_string())?;
        for person in 0..usize::try_from(rng.between(1, 3)).unwrap_or(1) {
            let client = Client {
                world: Arc::clone(&world),
                merchant: Arc::clone(&merchant),
                number: number * 10 + person,
                manner,
            };
            people.spawn(client.work(end));
        }
        merchants.push(merchant);
    }
    for nemesis in Nemesis::choose(&mut rng) {
        tokio::spawn(nemesis.reign(Arc::clone(&world), end));
    }

    sim.sleep(end).await;
    world.plan().set_chances(Chances::calm(latency));
    world.plan().cut_cluster(0);
    world.plan().cut_database(0);
    while people.join_next().await.is_some() {}
    rest(&world, TAIL).await?;
    finish(&world, &merchants, TAIL).await
}

/// Waits until nothing is left to do, and then `tail` microseconds more.
///
/// # Errors
/// What does not come to rest.
pub async fn rest(world: &Arc<World>, tail: u64) -> Result<(), String> {
    let limit = world.sim.now() + REST;
    loop {
        world.sim.sleep(SECOND).await;
        let busy: Vec<String> = {
            let watch = world.watch();
            let operations = watch.rows().operations.iter().filter(|operation| !operation.status.is_finished());
            operations.map(|it| format!("{} of {} is {}: {:?}", it.kind, it.store_id, it.status, it.failure)).collect()
        };
        if busy.is_empty() && world.in_flight() == 0 {
            break;
        }
        if world.sim.now() > limit {
            return Err(format!("does not come to rest: {}", busy.join("; ")));
        }
    }
    world.sim.sleep(tail).await;
    Ok(())
}

/// Looks at everything when it has come to rest; asks once more for what failed, and looks again.
///
/// # Errors
/// What does not hold.
pub async fn finish(world: &Arc<World>, merchants: &[Arc<Merchant>], tail: u64) -> Result<Tally, String> {
    look(world, merchants).await?;
    let mut asked = false;
    for merchant in merchants {
        for known in merchant.book.known() {
            let failed = world.watch().rows().store(&known.id).is_some_and(|store| store.state == StoreState::Failed);
            if failed {
                asked = true;
                person(world, merchant).ask(&known.name, Request::Retry(known.id.clone())).await;
            }
        }
    }
    if asked {
        rest(world, tail).await?;
        look(world, merchants).await?;
    }
    let unmended = world.watch().rows().stores.iter().find(|store| store.state == StoreState::Failed).cloned();
    if let Some(store) = unmended {
        return Err(format!("{} fails although nothing goes wrong any more: {:?}", store.id, store.failure));
    }
    let mut tally = world.tally().clone();
    let watch = world.watch();
    tally.recoveries = watch.recoveries().to_vec();
    for operation in &watch.rows().operations {
        *tally.operations.entry((operation.kind.as_str(), operation.status.as_str())).or_default() += 1;
    }
    Ok(tally)
}

fn person(world: &Arc<World>, merchant: &Arc<Merchant>) -> Client {
    let manner = Manner { hangs_up: 0, thinks: MILLI, names: 1 };
    Client { world: Arc::clone(world), merchant: Arc::clone(merchant), number: 99, manner }
}

async fn look(world: &Arc<World>, merchants: &[Arc<Merchant>]) -> Result<(), String> {
    for merchant in merchants {
        let tenant_id = merchant.context.actor.tenant_id;
        let stores: Vec<_> = {
            let watch = world.watch();
            let theirs = watch.rows().stores.iter().filter(|store| store.tenant_id == tenant_id);
            theirs.map(|store| (store.name.as_str().to_owned(), store.id.clone())).collect()
        };
        for (name, id) in stores {
            person(world, merchant).ask(&name, Request::Get(id)).await;
        }
        merchant.book.check()?;
    }
    world.watch().at_rest(&world.cluster, &world.releases);
    world.watch().violation().map_or(Ok(()), Err)
}
