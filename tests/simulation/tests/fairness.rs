//! One organisation that floods, and another that wants one store: RELIABILITY S25, DECISIONS 26 and 41. In simulated time, so the numbers
//! are what the claim order makes of them and nothing else.

use std::sync::{Arc, Mutex, PoisonError};

use shopwright_domain::store::StoreState;
use shopwright_simulation::client::{Client, Merchant};
use shopwright_simulation::replica::Settings;
use shopwright_simulation::stage::{Stage, expect, play};
use shopwright_simulation::time::{MILLI, SECOND};

/// How many stores the flooding organisation asks for at once.
const FLOOD: u32 = 60;
/// How many stores the other one makes, one after the other.
const SINGLES: usize = 6;

/// How long the single creates took, from the request until the shop is ready, in microseconds.
fn singles(replicas: usize, flood: bool) -> Vec<u64> {
    // Few permits: the cluster is what everybody waits for.
    let settings = Settings { replicas, quota: FLOOD, permits: 4, max_running: 4, ..Settings::default() };
    let took = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&took);
    play(settings, |stage| async move {
        let other = Merchant::new(&stage.world, 1).await.map_err(|error| error.to_string())?;
        let client = Client { number: 1, merchant: Arc::clone(&other), ..stage.client.clone() };
        let other = Stage { world: Arc::clone(&stage.world), merchant: other, client };
        if flood {
            for number in 0..FLOOD {
                stage.create(&format!("flood-{number}")).await?;
            }
        }
        for number in 0..SINGLES {
            let start = stage.world.sim.now();
            let id = other.ready(&format!("single-{number}")).await?;
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(stage.world.sim.now() - start);
            stage.world.sim.sleep(700 * MILLI).await;
            let rows = stage.rows();
            let waiting = rows.stores.iter().filter(|store| store.state == StoreState::Requested).count();
            expect(!flood || waiting > 0, || format!("the flood was over at {id}: it shows nothing"))?;
        }
        Ok(())
    })
    .holds();
    std::mem::take(&mut took.lock().unwrap_or_else(PoisonError::into_inner))
}

fn seconds(micros: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "minutes")]
    let micros = micros as f64;
    micros / 1e6
}

/// S25: however much one organisation has asked for, another's single create takes at most twice as long as alone.
#[test]
fn a_flood_of_one_organisation_at_most_doubles_anothers_single_create() {
    for replicas in [1, 3] {
        let (alone, flooded) = (singles(replicas, false), singles(replicas, true));

        let mean = |all: &[u64]| all.iter().sum::<u64>() / all.len() as u64;
        let longest = |all: &[u64]| all.iter().copied().max().unwrap_or(0);
        println!(
            "{replicas} processes: alone {:.1} s, at most {:.1} s; beside {FLOOD} others {:.1} s, at most {:.1} s",
            seconds(mean(&alone)),
            seconds(longest(&alone)),
            seconds(mean(&flooded)),
            seconds(longest(&flooded)),
        );
        assert!(mean(&flooded) <= 2 * mean(&alone), "on average");
        assert!(
            longest(&flooded) <= 2 * longest(&alone) + SECOND,
            "in the worst case, but for the pause between two looks"
        );
    }
}
