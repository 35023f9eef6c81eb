//! People who repeat, race, hang up and change their minds: RELIABILITY F64-F67, P8.

use std::collections::BTreeSet;

use futures::future::join_all;
use shopwright_domain::store::StoreState;
use shopwright_simulation::client::{Client, Manner};
use shopwright_simulation::history::{Answer, Request};
use shopwright_simulation::replica::Settings;
use shopwright_simulation::run::TAIL;
use shopwright_simulation::stage::{Stage, expect, play};
use shopwright_simulation::time::{MILLI, SECOND};

fn settings(quota: u32) -> Settings {
    Settings { quota, ..Settings::default() }
}

/// Somebody of the same organisation who hangs up that often.
fn colleague(stage: &Stage, number: usize, hangs_up: u32) -> Client {
    let manner = Manner { hangs_up, thinks: SECOND, names: 2 };
    Client { number, manner, ..stage.client.clone() }
}

#[test]
fn f64_a_hundred_identical_requests_make_one_store() {
    play(settings(5), |stage| async move {
        let request = Request::Create { key: Some("the same".to_owned()) };
        let people: Vec<Client> = (0..100).map(|number| colleague(&stage, number, 200_000)).collect();

        let answers = join_all(people.iter().map(|person| person.ask("shop", request.clone()))).await;

        let told: BTreeSet<_> = answers
            .into_iter()
            .flatten()
            .map(|answer| match answer {
                Answer::Accepted { store, .. } => Ok(store),
                // Not even that the name is taken: their own request took it.
                other => Err(format!("{other:?}")),
            })
            .collect();
        expect(told.len() == 1 && told.iter().all(Result::is_ok), || format!("{told:?}"))?;
        expect(stage.rows().stores.len() == 1, || format!("{} stores", stage.rows().stores.len()))?;
        stage.curtain(TAIL).await.map(drop)
    })
    .holds();
}

/// F65: whichever of two requests comes first, the end is one that some order explains; the history checker looks.
#[test]
fn f65_racing_requests_have_one_winner() {
    for pause in 0..60 {
        play(settings(5), |stage| async move {
            let (id, operation) = stage.create("shop").await?;
            stage.world.sim.sleep(pause * 50 * MILLI).await;
            let (one, other, third) = (colleague(&stage, 1, 0), colleague(&stage, 2, 0), colleague(&stage, 3, 0));
            let requests = (
                one.ask("shop", Request::Delete(id.clone())),
                other.ask("shop", Request::Cancel(id.clone(), operation)),
                third.ask("shop", Request::Delete(id.clone())),
            );

            let (first, _, third) = futures::join!(requests.0, requests.1, requests.2);

            expect(first.is_some() && third.is_some(), || "no answer".to_owned())?;
            stage.becomes(&id, StoreState::Deleted).await?;
            stage.curtain(TAIL).await.map(drop)
        })
        .holds();
    }
}

#[test]
fn f66_fifty_requests_for_the_last_place_get_one_store() {
    play(settings(3), |stage| async move {
        stage.create("first").await?;
        stage.create("second").await?;
        let people: Vec<Client> = (0..50).map(|number| colleague(&stage, number, 0)).collect();
        let names: Vec<String> = (0..50).map(|number| format!("shop-{number}")).collect();

        let mut asked = Vec::new();
        for (person, name) in people.iter().zip(&names) {
            asked.push(person.ask(name, Request::Create { key: None }));
        }
        let answers = join_all(asked).await;

        let accepted = answers.iter().filter(|answer| matches!(answer, Some(Answer::Accepted { .. }))).count();
        expect(accepted == 1, || format!("{accepted} were accepted"))?;
        expect(stage.rows().stores.len() == 3, || format!("{} stores", stage.rows().stores.len()))?;
        stage.curtain(TAIL).await.map(drop)
    })
    .holds();
}

/// F67: a client is gone at any moment of its request; what it asked for is done or not, never half.
#[test]
fn f67_a_request_that_is_dropped_at_any_moment_is_done_or_not() {
    play(settings(400), |stage| async move {
        let person = colleague(&stage, 1, 1_000_000);
        for number in 0..150 {
            person.ask(&format!("shop-{number}"), Request::Create { key: Some(format!("key-{number}")) }).await;
            let known = stage.rows().stores.last().map(|store| (store.name.to_string(), store.id.clone()));
            if let Some((name, id)) = known.filter(|_| number % 3 == 0) {
                person.ask(&name, Request::Delete(id)).await;
            }
        }

        stage.curtain(TAIL).await?;

        let rows = stage.rows();
        let (stores, requests) = (rows.stores.len(), stage.merchant.book.requests());
        expect((20..150).contains(&stores), || format!("{stores} stores of {requests} requests"))?;
        for store in &rows.stores {
            let operations = rows.operations.iter().filter(|operation| operation.store_id == store.id).count();
            expect(operations >= 1, || format!("{} without an operation", store.id))?;
            // Half would also be a store that whoever asks again under the same key is not told about.
            let keys = rows.idempotency.iter().filter(|key| key.store_id.as_ref() == Some(&store.id)).count();
            expect(keys == 1, || format!("{} is known under {keys} keys", store.id))?;
        }
        Ok(())
    })
    .holds();
}
