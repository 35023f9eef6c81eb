//! A database and a cluster that fail, hang, answer late or lie: RELIABILITY F15, F21, F23, F32-F34, F36, F54, and DECISIONS 7.

use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::store::StoreState;
use shopwright_simulation::fault::{Fault, Trouble};
use shopwright_simulation::history::Request;
use shopwright_simulation::plan::Rule;
use shopwright_simulation::replica::Settings;
use shopwright_simulation::run::TAIL;
use shopwright_simulation::stage::{expect, play};
use shopwright_simulation::time::SECOND;

fn replicas(replicas: usize) -> Settings {
    Settings { replicas, ..Settings::default() }
}

#[test]
fn f15_a_commit_without_an_answer_is_looked_up_and_the_request_answered() {
    for nth in 0..3 {
        play(replicas(1), |stage| async move {
            let id = stage.ready("shop").await?;
            let lost = Rule::new("commit", Fault::After(Trouble::Lost), 1);
            stage.world.plan().rule(lost);
            let request = match nth {
                0 => Request::Create { key: Some("another".to_owned()) },
                1 => Request::Delete(id.clone()),
                _ => {
                    stage.world.plan().lift_rules();
                    let (id, operation) = stage.half_made("other").await?;
                    stage.world.plan().rule(Rule::new("commit", Fault::After(Trouble::Lost), 1));
                    let answer = stage.client.ask("other", Request::Cancel(id.clone(), operation)).await;
                    stage.world.cluster.clear_rollout(&id);
                    return expect(answer.is_some(), || "no answer to a cancellation".to_owned());
                }
            };
            let name = if nth == 0 { "another" } else { "shop" };

            let answer = stage.client.ask(name, request).await;

            expect(answer.is_some(), || "the client was left without an answer".to_owned())?;
            stage.curtain(TAIL).await.map(drop)
        })
        .holds();
    }
}

#[test]
fn f21_transactions_that_meet_are_begun_again() {
    for call in
        ["commit", "stores.save", "operations.enqueue", "audit.append", "operations.record_step", "operations.claim"]
    {
        play(replicas(2), |stage| async move {
            stage.world.plan().rule(Rule::new(call, Fault::Before(Trouble::Conflict), 3));
            let id = stage.ready("shop").await?;
            stage.world.plan().rule(Rule::new(call, Fault::Before(Trouble::Conflict), 3));

            stage.insist("shop", Request::Delete(id.clone())).await?;

            stage.becomes(&id, StoreState::Deleted).await?;
            stage.curtain(TAIL).await.map(drop)
        })
        .holds();
    }
}

#[test]
fn f23_without_any_hint_polling_finishes_everything() {
    play(Settings { hints: false, ..replicas(2) }, |stage| async move {
        let began = stage.world.sim.now();
        let id = stage.ready("shop").await?;
        stage.insist("shop", Request::Delete(id.clone())).await?;
        stage.becomes(&id, StoreState::Deleted).await?;

        let took = (stage.world.sim.now() - began) / SECOND;
        expect(took < 60, || format!("{took} s"))?;
        stage.curtain(TAIL).await.map(drop)
    })
    .holds();
}

/// RELIABILITY F32, P6: ten minutes without a cluster fail no store, everything resumes within a minute, and hardly anybody asks meanwhile.
#[test]
fn f32_an_outage_of_ten_minutes_fails_no_store() {
    let settings = Settings { quota: 40, ..replicas(3) };
    play(settings, |stage| async move {
        for number in 0..10 {
            stage.create(&format!("before-{number}")).await?;
        }
        let busy = stage.world.sim.now() / SECOND;
        stage.seconds(2).await;
        let until = stage.world.sim.now() + 600 * SECOND;
        stage.world.plan().cut_cluster(until);
        for number in 0..10 {
            stage.create(&format!("during-{number}")).await?;
        }
        stage.seconds(598).await;
        let failed = stage.rows().stores.iter().filter(|store| store.state == StoreState::Failed).count();
        expect(failed == 0, || format!("{failed} stores failed in the outage"))?;

        stage.seconds(62).await;

        let waiting = stage.rows().operations.iter().filter(|it| it.status == OperationStatus::Waiting).count();
        expect(waiting == 0, || format!("{waiting} operations have not resumed a minute after the outage"))?;
        let per_second = stage.world.tally().per_second.clone();
        let normal: u64 = per_second.range(busy..busy + 2).map(|(_, calls)| *calls).sum::<u64>() / 2;
        let (from, to) = (until / SECOND - 540, until / SECOND - 1);
        let during = per_second.range(from..to).map(|(_, calls)| *calls).sum::<u64>();
        let seconds = to - from;
        expect(during * 10 <= normal * seconds, || format!("{during} calls in {seconds} s, {normal} a second before"))?;
        stage.curtain(TAIL).await?;
        let ready = stage.rows().stores.iter().all(|store| store.state == StoreState::Ready);
        expect(ready, || "not all are ready".to_owned())
    })
    .holds();
}

#[test]
fn f33_what_a_call_without_an_answer_has_made_is_found_and_adopted() {
    for call in ["ensure_namespace", "put_credentials", "install"] {
        for delay in [SECOND, 9 * SECOND, 40 * SECOND] {
            play(replicas(2), |stage| async move {
                stage.world.plan().rule(Rule::new(call, Fault::Late(delay), 1));
                stage.ready("shop").await?;

                let tally = stage.curtain(TAIL).await?;

                expect(tally.faults.contains_key("late effect"), || "nothing was late".to_owned())?;
                let made = stage.world.cluster.creations();
                expect(made == 1, || format!("{made} namespaces after a late {call}"))
            })
            .holds();
        }
    }
}

/// F34, F36: between a look at the namespaces and what follows from it, the namespace becomes another one.
#[test]
fn f36_what_a_stale_list_shows_is_not_removed_by_name() {
    play(replicas(1), |stage| async move {
        // A cancelled provision whose namespace is brought back by a zombie, and is then taken up by a retry.
        stage.world.plan().rule(Rule::new("ensure_namespace", Fault::Late(30 * SECOND), 1));
        let (id, operation) = stage.create("shop").await?;
        stage.seconds(1).await;
        stage.insist("shop", Request::Cancel(id.clone(), operation)).await?;
        stage.ends(&id).await?;
        stage.until("the zombie's namespace is there", |_| stage.world.cluster.epoch(&id).is_some()).await?;
        // From now on every list is the one that was seen while it was a stray.
        stage.seconds(11).await;
        stage.world.plan().rule(Rule::new("list_namespaces", Fault::Stale, 100));

        stage.insist("shop", Request::Retry(id.clone())).await?;
        stage.becomes(&id, StoreState::Ready).await?;
        stage.seconds(90).await;

        expect(stage.store(&id)?.state == StoreState::Ready, || "?".to_owned())?;
        expect(stage.world.cluster.epoch(&id).is_some(), || {
            "the namespace of a store that sells was swept".to_owned()
        })?;
        stage.curtain(TAIL).await.map(drop)
    })
    .holds();
}

/// DECISIONS 7: a worker sends its request for a namespace, sleeps through the deletion, and the request arrives after it.
#[test]
fn a_namespace_that_is_made_after_its_store_was_deleted_is_swept() {
    for kind in [OperationKind::Delete, OperationKind::Unwind] {
        play(replicas(2), |stage| async move {
            stage.world.plan().rule(Rule::new("ensure_namespace", Fault::Orphan(45 * SECOND), 1));
            let (id, operation) = stage.create("shop").await?;
            stage.seconds(1).await;
            let request = match kind {
                OperationKind::Delete => Request::Delete(id.clone()),
                _ => Request::Cancel(id.clone(), operation),
            };
            stage.insist("shop", request).await?;
            stage.ends(&id).await?;
            expect(stage.world.cluster.epoch(&id).is_none(), || "it is there already".to_owned())?;

            stage.until("the zombie arrives", |_| stage.world.cluster.epoch(&id).is_some()).await?;
            let arrived = stage.world.sim.now();
            stage.until("it is swept", |_| stage.world.cluster.epoch(&id).is_none()).await?;

            let stood = (stage.world.sim.now() - arrived) / SECOND;
            expect((20..60).contains(&stood), || format!("it stood for {stood} s"))?;
            let swept = stage.world.tally().swept;
            expect(swept == 1, || format!("swept {swept} times"))?;
            stage.curtain(TAIL).await.map(drop)
        })
        .holds();
    }
}

/// F54: the chart is replaced between two attempts; the operation says what its store is made of.
#[test]
fn f54_an_attempt_with_another_chart_is_written_down() {
    play(replicas(2), |stage| async move {
        stage.world.plan().rule(Rule::new("install", Fault::CrashBefore, 1));
        let (id, _) = stage.create("shop").await?;
        stage.until("the first attempt is written down", |rows| rows.operations[0].release.is_some()).await?;
        let first = stage.operation(&id)?.release;
        stage.world.releases.replace_charts();

        stage.becomes(&id, StoreState::Ready).await?;

        let second = stage.operation(&id)?.release;
        expect(first != second, || "the operation does not know its chart was replaced".to_owned())?;
        let installed = stage.world.releases.installed();
        let release = installed.get(&id).ok_or("no release")?;
        expect(second.as_ref() == Some(&release.digests), || format!("{second:?}, installed {:?}", release.digests))
    })
    .holds();
}
