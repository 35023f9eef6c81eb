//! Many requests at once, repeated requests, and requests whose clients go away: the use cases on several replicas over one database.

use std::time::Duration;

use futures::future::join_all;
use shopwright_app::stores::Stores;
use shopwright_ports::storage::{Reach, Storage as _};
use shopwright_ports::stores_api::{Accepted, CreateStore, RequestContext, StoreService as _, StoreServiceError};

use crate::replicas::{Replicas, under_key, wish};

/// What a client does who was told that his first request is still being worked on: he waits a moment and asks again.
async fn insist(stores: &Stores, context: &RequestContext, command: &CreateStore) -> (Accepted, u32) {
    for refused in 0..2_000 {
        match stores.create(context, command.clone()).await {
            Ok(accepted) => return (accepted, refused),
            Err(StoreServiceError::KeyInFlight) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("in flight for ever");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_identical_requests_under_one_key_make_one_store() -> anyhow::Result<()> {
    // F64, P7.
    let replicas = Replicas::start().await?;
    let stores = replicas.stores(1_000);
    for round in 0..5 {
        let (command, context) =
            (wish(&format!("tea-{round}"))?, under_key(&replicas.context, &format!("key-{round}"), 1));
        let clients = (0..100).map(|client| insist(&stores[client % stores.len()], &context, &command));

        let answers = join_all(clients).await;

        let (first, _) = &answers[0];
        let operation = first.operation.as_ref().expect("an operation").id;
        for (answer, _) in &answers {
            assert_eq!(answer.store.id, first.store.id);
            assert_eq!(answer.operation.as_ref().map(|operation| operation.id), Some(operation));
            assert!(answer.is_owner);
        }
        let in_flight: u32 = answers.iter().map(|(_, refused)| *refused).sum();
        println!("round {round}: one store for 100 requests, {in_flight} answers that it is in flight");
        assert_eq!(replicas.rows().await?, [round + 1; 4]);
        assert_eq!(replicas.database.count("select count(*) from idempotency_keys").await?, round + 1);

        // Another request under the key is none of them.
        let other = under_key(&replicas.context, &format!("key-{round}"), 2);
        let refusal = stores[1].create(&other, wish("coffee")?).await;
        assert!(matches!(refusal, Err(StoreServiceError::KeyReused)), "{refusal:?}");
    }
    replicas.close().await;
    Ok(())
}

#[tokio::test]
async fn a_key_that_another_replica_works_on_is_in_flight() -> anyhow::Result<()> {
    // F64: nobody waits for the other request, and nobody is told anything about how it will end.
    let replicas = Replicas::start().await?;
    let stores = replicas.stores(1_000);
    let (command, context) = (wish("tea")?, under_key(&replicas.context, "key", 1));
    let mut first = replicas.storages[0].begin(Reach::Tenant(replicas.context.actor.tenant_id)).await?;
    let locked = first.idempotency().try_lock(replicas.context.actor.tenant_id, "POST /stores", "key").await?;
    assert!(locked, "the first request has begun");

    let meanwhile = stores[1].create(&context, command.clone()).await;
    drop(first);
    let (afterwards, _) = insist(&stores[1], &context, &command).await;

    assert!(matches!(meanwhile, Err(StoreServiceError::KeyInFlight)), "{meanwhile:?}");
    assert_eq!(afterwards.store.name.as_str(), "tea");
    assert_eq!(replicas.rows().await?, [1; 4], "the first one came to nothing");
    replicas.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_place_of_a_quota_is_given_once() -> anyhow::Result<()> {
    // F66, P10: 50 requests on four replicas for one place, again and again.
    let replicas = Replicas::start().await?;
    for held in 0..10_u32 {
        let stores = replicas.stores(held + 1);
        let create = async |client: usize| {
            let command = wish(&format!("shop-{held}-{client}")).expect("a wish");
            for _ in 0..100 {
                match stores[client % stores.len()].create(&replicas.context, command.clone()).await {
                    // Too many met at once: a client asks again.
                    Err(StoreServiceError::Conflict) => tokio::time::sleep(Duration::from_millis(5)).await,
                    answer => return answer,
                }
            }
            panic!("client {client} was never heard");
        };

        let answers = join_all((0..50).map(create)).await;

        let admitted = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(admitted, 1, "with {held} of {} stores", held + 1);
        for refusal in answers.into_iter().filter_map(Result::err) {
            let expected = StoreServiceError::QuotaUsedUp { held: held + 1, limit: held + 1 };
            assert_eq!(refusal.to_string(), expected.to_string(), "{refusal:?}");
        }
        assert_eq!(replicas.rows().await?, [i64::from(held) + 1; 4]);
    }
    replicas.close().await;
    Ok(())
}
