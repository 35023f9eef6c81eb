//! Many stores at once, on one server and on two that share a database. The seed's own server fails 47 of 60 (API section 8, item 12).

use futures::future::try_join_all;
use shopwright_system_tests::client::id_of;
use shopwright_system_tests::{Merchant, World};

async fn create_all(merchants: &[Merchant], count: usize) -> anyhow::Result<Vec<String>> {
    let one = |number: usize| {
        let merchant = merchants[number % merchants.len()].clone();
        async move { merchant.create(&format!("shop-{number}"), "medusa").await.map(|store| id_of(&store)) }
    };
    try_join_all((0..count).map(one)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_creates_at_once_are_sixty_stores() -> anyhow::Result<()> {
    let Some(world) = World::real().await? else { return Ok(()) };
    let ada = world.merchant("ada").await?;
    let start = std::time::Instant::now();

    let ids = create_all(std::slice::from_ref(&ada), 60).await?;
    for id in &ids {
        let store = world.settled(&ada, id).await?;
        assert_eq!(store["status"], "ready", "{store:#}");
    }

    println!("60 stores in {:.1?}", start.elapsed());
    remove_all(&world, &ada, &ids).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_share_forty_creates_and_no_step_has_two_owners() -> anyhow::Result<()> {
    // RELIABILITY F10; DECISIONS 2.
    let Some(world) = World::real().await? else { return Ok(()) };
    let World::Real(real) = &world else { unreachable!("asked for a real world") };
    let second = real.another_server().await?;
    let ada = world.merchant("ada").await?;
    let both = [ada.clone(), ada.at(&second.base)];

    let ids = create_all(&both, 40).await?;
    for id in &ids {
        let store = world.settled(&ada, id).await?;
        assert_eq!(store["status"], "ready", "{store:#}");
        assert_eq!(real.cluster.records(id).await?, 1, "{id}: helm ran once");
    }

    for server in [&real.server, &second] {
        assert!(server.log().contains("operation ended"), "both worked");
    }
    let doubled = "select count(*) from (select store_id from audit_events where event_type = 'helm_install' group by store_id having count(*) > 1) doubled";
    assert_eq!(real.database.count(doubled).await?, 0);
    assert_eq!(real.database.count("select count(*) from audit_events where event_type = 'recovery'").await?, 0);
    remove_all(&world, &ada, &ids).await
}

async fn remove_all(world: &World, merchant: &Merchant, ids: &[String]) -> anyhow::Result<()> {
    try_join_all(ids.iter().map(|id| async move { merchant.delete(&format!("/stores/{id}")).await })).await?;
    for id in ids {
        assert_eq!(world.settled(merchant, id).await?["status"], "deleted");
    }
    Ok(())
}
