//! Everything that had to wait is due at once: RELIABILITY F30.

use shopwright_domain::store::StoreState;
use shopwright_ports::testing::Snapshot;
use shopwright_simulation::fault::{Fault, Trouble};
use shopwright_simulation::plan::Rule;
use shopwright_simulation::replica::Settings;
use shopwright_simulation::stage::{expect, play};
use shopwright_simulation::time::SECOND;

/// How many operations wait. (What they cost the fake database grows with their square.)
const OPERATIONS: u32 = 120;
/// What a process begins again in a second, as `crates/app/src/saga/calls.rs` has it; as many may come at once after a pause.
const BEGUN_AGAIN: u64 = 20;

#[test]
fn f30_operations_that_are_told_to_come_back_at_the_same_time_do_not() {
    let settings = Settings { replicas: 1, quota: OPERATIONS, permits: 1000, max_running: 1000, ..Settings::default() };
    play(settings, |stage| async move {
        // The cluster asks everybody to come back in two seconds.
        let wait = Fault::Before(Trouble::Throttled);
        stage.world.plan().rule(Rule::new("ensure_namespace", wait, OPERATIONS as usize * 3));
        for number in 0..OPERATIONS {
            stage.create(&format!("shop-{number}")).await?;
        }
        let rush = stage.world.sim.now() / SECOND + 1;
        stage.seconds(30).await;
        stage.world.plan().lift_rules();
        let ready = |rows: &Snapshot| rows.stores.iter().all(|store| store.state == StoreState::Ready);
        stage.until("all are ready", ready).await?;

        let begun = stage.world.tally().begun.clone();
        let most = begun.range(rush..).map(|(_, count)| *count).max().unwrap_or(0);
        expect(most > 0, || "nothing was begun again".to_owned())?;
        expect(most <= 2 * BEGUN_AGAIN, || format!("{most} operations were begun again in one second: {begun:?}"))
    })
    .holds();
}
