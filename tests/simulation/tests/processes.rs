//! Processes that die, stop, lie about the time or are asked to go: RELIABILITY F1-F3, F6-F11, F43.

use shopwright_domain::audit::AuditEventType;
use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::saga::Policy;
use shopwright_domain::store::StoreState;
use shopwright_simulation::fault::{Fault, Trouble};
use shopwright_simulation::history::Request;
use shopwright_simulation::plan::Rule;
use shopwright_simulation::replica::{LEASE, Settings};
use shopwright_simulation::run::TAIL;
use shopwright_simulation::stage::{expect, play};
use shopwright_simulation::time::SECOND;

/// What an undisturbed provision changes in the cluster.
const WRITES: [&str; 3] = ["ensure_namespace", "put_credentials", "install"];

fn replicas(replicas: usize) -> Settings {
    Settings { replicas, ..Settings::default() }
}

/// Without anybody to start the dead anew.
fn mortal(replicas: usize) -> Settings {
    Settings { replicas, restarts: false, ..Settings::default() }
}

#[test]
fn f1_what_a_dead_worker_had_is_resumed_within_two_leases_and_the_take_over_is_written_down() {
    play(mortal(2), |stage| async move {
        stage.world.plan().rule(Rule::new("install", Fault::CrashAfter, 1));
        let id = stage.ready("shop").await?;

        let tally = stage.curtain(0).await?;
        expect(tally.recoveries.len() == 1, || format!("{:?}", tally.recoveries))?;
        expect(tally.recoveries[0] <= 2 * LEASE, || format!("{:?}", tally.recoveries))?;
        let rows = stage.rows();
        let recovery = rows.audit.iter().find(|entry| entry.event.event_type == AuditEventType::Recovery);
        let event = &recovery.ok_or("no recovery in the trail")?.event;
        expect(event.store_id.as_ref() == Some(&id), || format!("{event:?}"))?;
        for key in ["previousWorker", "worker", "previousEpoch", "idleMs"] {
            expect(event.metadata.contains_key(key), || format!("no {key}: {event:?}"))?;
        }
        Ok(())
    })
    .holds();
}

#[test]
fn f2_a_helm_that_outlives_its_owner_changes_nothing_for_the_next_one() {
    for (delay, gone) in [(12, false), (40, false), (12, true), (60, true)] {
        play(replicas(2), |stage| async move {
            stage.world.plan().rule(Rule::new("install", Fault::Orphan(delay * SECOND), 1));
            let (id, _) = stage.create("shop").await?;
            if gone {
                stage.seconds(3).await;
                stage.insist("shop", Request::Delete(id.clone())).await?;
                stage.becomes(&id, StoreState::Deleted).await?;
            } else {
                stage.becomes(&id, StoreState::Ready).await?;
                let installed = stage.world.releases.installed();
                let release = installed.get(&id).ok_or("no release")?;
                expect(release.epoch > shopwright_domain::Epoch(1), || format!("the zombie's release: {release:?}"))?;
            }
            // Long after the zombie.
            stage.seconds(80).await;
            stage.curtain(TAIL).await.map(drop)
        })
        .holds();
    }
}

#[test]
fn f3_an_owner_that_is_stopped_for_five_leases_changes_nothing_when_it_goes_on() {
    for call in WRITES {
        for before_it_is_sent in [false, true] {
            play(replicas(2), |stage| async move {
                let fault = Fault::Stop(5 * LEASE);
                // Stopped in the call, or in the transaction that comes before it.
                let stopped_at = if before_it_is_sent { "operations.record_step" } else { call };
                stage.world.plan().rule(Rule { replica: None, ..Rule::new(stopped_at, fault, 1) });
                let id = stage.ready("shop").await?;
                let owner = stage.store(&id)?.epoch;

                stage.seconds(60).await;

                expect(stage.store(&id)?.epoch == owner, || "taken up again".to_owned())?;
                let stops = stage.world.tally().stops;
                expect(stops == 1, || format!("{stops} stops"))?;
                let fenced = stage.world.cluster.epoch(&id);
                expect(fenced.is_some_and(|epoch| epoch <= owner), || format!("{fenced:?} after {owner}"))?;
                stage.curtain(TAIL).await.map(drop)
            })
            .holds();
        }
    }
}

#[test]
fn f6_a_worker_that_cannot_renew_stops_before_its_lease_is_somebody_elses() {
    play(replicas(2), |stage| async move {
        // Its pods take long enough for the lease to run out several times.
        let (id, operation) = stage.half_made("shop").await?;
        let owner = stage.operation(&id)?.worker;
        let index = stage.world.replicas().iter().position(|it| it.as_ref().map(|it| it.worker.id()) == owner);
        let index = index.ok_or("nobody has it")?;
        stage.world.plan().rule(Rule { replica: Some(index), ..Rule::new("renew", Fault::Hang, 100_000) });

        let taken = |rows: &shopwright_ports::testing::Snapshot| {
            rows.operation(operation).is_some_and(|it| it.worker.is_some() && it.worker != owner)
        };
        stage.until("somebody else has it", taken).await?;
        let running = stage.world.replicas()[index].as_ref().map(|it| it.worker.running());
        expect(running == Some(0), || format!("the first one is at work on {running:?} by then"))?;
        stage.world.cluster.clear_rollout(&id);

        stage.becomes(&id, StoreState::Ready).await?;
        stage.curtain(TAIL).await.map(drop)
    })
    .holds();
}

#[test]
fn f7_wall_clocks_that_are_an_hour_off_hurry_nothing_and_hold_nothing_up() {
    for skews in [[3600, 0], [-3600, 0], [3600, -3600], [-3600, 3600]] {
        play(replicas(2), |stage| async move {
            for (index, skew) in skews.into_iter().enumerate() {
                if let Some(Some(replica)) = stage.world.replicas().get(index) {
                    replica.clock.jump(skew * SECOND.cast_signed());
                }
            }
            stage.world.plan().rule(Rule::new("install", Fault::Before(Trouble::Refused), 2));
            stage.world.plan().rule(Rule::new("ensure_namespace", Fault::Before(Trouble::Lost), 7));
            let began = stage.world.sim.now();

            let id = stage.ready("shop").await?;
            stage.insist("shop", Request::Delete(id.clone())).await?;
            stage.becomes(&id, StoreState::Deleted).await?;

            let took = (stage.world.sim.now() - began) / SECOND;
            expect(took < 120, || format!("{took} s"))?;
            stage.curtain(TAIL).await.map(drop)
        })
        .holds();
    }
}

#[test]
fn f8_a_process_that_comes_back_under_its_old_name_is_another_worker() {
    play(replicas(1), |stage| async move {
        stage.world.plan().rule(Rule::new("install", Fault::CrashBefore, 1));
        let first = stage.world.replicas()[0].as_ref().map(|it| it.worker.id());
        let id = stage.ready("shop").await?;

        let second = stage.world.replicas()[0].as_ref().map(|it| it.worker.id());
        expect(first != second, || "the same worker id".to_owned())?;
        let recovered = stage.rows().audit.iter().any(|entry| entry.event.event_type == AuditEventType::Recovery);
        expect(recovered, || "not a take-over".to_owned())?;
        expect(stage.store(&id)?.epoch.0 >= 2, || "the same epoch".to_owned())
    })
    .holds();
}

#[test]
fn f9_a_rolling_restart_under_load_leaves_nothing_pending_and_waits_for_no_lease() {
    let settings = Settings { quota: 20, ..replicas(3) };
    play(settings, |stage| async move {
        let mut ids = Vec::new();
        for number in 0..12 {
            ids.push(stage.create(&format!("shop-{number}")).await?.0);
        }
        for index in 0..3 {
            stage.seconds(1).await;
            stage.terminate(index);
        }
        for id in &ids {
            stage.becomes(id, StoreState::Ready).await?;
        }

        let rows = stage.rows();
        let lost = rows.audit.iter().filter(|entry| entry.event.event_type == AuditEventType::Recovery).count();
        expect(lost == 0, || format!("{lost} operations were left to their leases"))?;
        let installs: usize = ids.iter().map(|id| stage.world.releases.install_calls(id)).sum();
        expect(installs <= ids.len() + 3, || format!("{installs} runs of helm for {} stores", ids.len()))?;
        stage.curtain(TAIL).await.map(drop)
    })
    .holds();
}

#[test]
fn f10_workers_that_start_together_run_nothing_twice() {
    let settings = Settings { quota: 30, ..replicas(3) };
    play(settings, |stage| async move {
        for round in 0..10 {
            stage.create(&format!("shop-{round}-a")).await?;
            stage.create(&format!("shop-{round}-b")).await?;
        }
        let quiet =
            |rows: &shopwright_ports::testing::Snapshot| rows.operations.iter().all(|it| it.status.is_finished());
        stage.until("all are done", quiet).await?;

        for operation in &stage.rows().operations {
            let calls = stage.world.releases.install_calls(&operation.store_id);
            expect(operation.epoch.0 == 1 && calls == 1, || format!("{calls} installs: {operation:?}"))?;
        }
        stage.curtain(TAIL).await.map(drop)
    })
    .holds();
}

#[test]
fn f11_a_store_that_makes_the_code_fall_over_is_parked_and_the_others_go_on() {
    play(replicas(2), |stage| async move {
        stage.world.plan().rule(Rule::new("ensure_namespace", Fault::Before(Trouble::Denied), 1));
        let (poisoned, _) = stage.create("poisoned").await?;
        stage.world.poison(&poisoned, true);
        let others = [stage.ready("tea").await?, stage.ready("coffee").await?];

        stage.until("it is parked", |rows| rows.operations[0].status == OperationStatus::Stuck).await?;

        let parked = stage.operation(&poisoned)?;
        let code = parked.failure.as_ref().map(|failure| failure.code);
        expect(code == Some(shopwright_domain::ErrorCode::Poisoned), || format!("{parked:?}"))?;
        for id in &others {
            expect(stage.store(id)?.state == StoreState::Ready, || format!("{id}"))?;
        }
        stage.world.poison(&poisoned, false);
        stage.becomes(&poisoned, StoreState::Ready).await?;
        stage.curtain(TAIL).await.map(drop)
    })
    .holds();
}

#[test]
fn f11_a_store_that_kills_its_workers_is_parked_and_the_others_go_on() {
    play(replicas(3), |stage| async move {
        stage.world.plan().rule(Rule::new("ensure_namespace", Fault::Before(Trouble::Denied), 1));
        let (deadly, _) = stage.create("deadly").await?;
        let subject = Some(deadly.to_string());
        stage.world.plan().rule(Rule { subject, ..Rule::new("put_credentials", Fault::CrashBefore, 100_000) });
        let other = stage.create("tea").await?.0;

        stage.until("it is parked", |rows| rows.operations[0].status == OperationStatus::Stuck).await?;

        let deaths = stage.world.tally().deaths;
        expect(deaths <= u64::from(Policy::default().max_crashes), || format!("{deaths} processes died"))?;
        stage.becomes(&other, StoreState::Ready).await?;
        stage.world.plan().lift_rules();
        stage.becomes(&deadly, StoreState::Ready).await?;
        stage.curtain(TAIL).await.map(drop)
    })
    .holds();
}

/// F43: nothing is a singleton. One process of three, whichever it is, does everything, the sweeping of strays included.
#[test]
fn f43_any_one_process_is_enough() {
    for survivor in 0..3 {
        play(mortal(3), |stage| async move {
            stage.world.plan().rule(Rule::new("ensure_namespace", Fault::Late(40 * SECOND), 1));
            let (id, _) = stage.create("shop").await?;
            stage.seconds(1).await;
            for index in (0..3).filter(|index| *index != survivor) {
                stage.kill(index);
            }
            stage.insist("shop", Request::Delete(id.clone())).await?;
            stage.becomes(&id, StoreState::Deleted).await?;
            let other = stage.ready("tea").await?;

            stage.curtain(2 * TAIL).await?;

            expect(stage.operation(&other)?.kind == OperationKind::Provision, || "?".to_owned())?;
            expect(!stage.world.cluster.namespaces().contains_key(&id), || "a stray is left".to_owned())
        })
        .holds();
    }
}
