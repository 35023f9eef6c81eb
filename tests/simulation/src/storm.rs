//! Everything that had to wait is due at once: RELIABILITY F30.

use shopwright_domain::store::StoreState;
use shopwright_ports::testing::Snapshot;

use crate::fault::{Fault, Trouble};
use crate::plan::Rule;
use crate::replica::Settings;
use crate::run::Outcome;
use crate::stage::{expect, play};
use crate::time::SECOND;

/// What a process begins again in a second, as `crates/app/src/saga/calls.rs` has it; as many may come at once after a pause.
const BEGUN_AGAIN: u64 = 20;

/// So many operations are told by the cluster to come back at the same time. They do not, and all become ready.
pub fn storm(operations: u32) -> Outcome {
    let settings = Settings { replicas: 1, quota: operations, permits: 5000, max_running: 5000, ..Settings::default() };
    play(settings, |stage| async move {
        let wait = Fault::Before(Trouble::Throttled);
        stage.world.plan().rule(Rule::new("ensure_namespace", wait, operations as usize * 3));
        for number in 0..operations {
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
}
