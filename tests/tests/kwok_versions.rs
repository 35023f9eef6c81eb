//! Two versions of the program share one queue: what a newer one has begun, this one leaves alone. RELIABILITY F13, P16.

use shopwright_system_tests::World;
use shopwright_system_tests::client::id_of;

/// Operations that are added from now on are a newer program's.
const NEWER: &str = "
    create function newer() returns trigger language plpgsql as $$ begin new.saga_version := 99; return new; end $$;
    create trigger newer before insert on operations for each row execute function newer();";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f13_an_operation_of_a_newer_version_waits_for_a_newer_program() -> anyhow::Result<()> {
    let Some(world) = World::real().await? else { return Ok(()) };
    let World::Real(real) = &world else { unreachable!("asked for a real world") };
    let second = real.another_server().await?;
    let ada = world.merchant("ada").await?;
    real.database.execute(NEWER).await?;
    let newer = id_of(&ada.create("newer", "medusa").await?);
    real.database.execute("drop trigger newer on operations").await?;

    // Both servers work, and pass it by: what was asked for later is done.
    for (number, merchant) in [ada.clone(), ada.at(&second.base)].iter().cycle().take(4).enumerate() {
        let store = merchant.create(&format!("ours-{number}"), "medusa").await?;
        assert_eq!(world.settled(&ada, &id_of(&store)).await?["status"], "ready");
    }
    let untouched = "select count(*) from operations o join stores s on s.id = o.store_id
        where o.saga_version = 99 and o.status = 'queued' and o.started_at is null and o.worker is null and s.epoch = 0";
    assert_eq!(real.database.count(untouched).await?, 1);
    assert_eq!(real.cluster.namespace_uid(&newer).await?, None);

    real.database.execute("update operations set saga_version = 1 where saga_version = 99").await?;
    assert_eq!(world.settled(&ada, &newer).await?["status"], "ready");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f13_a_store_whose_operation_is_newer_can_be_deleted_by_this_program() -> anyhow::Result<()> {
    // A deletion takes over from whatever runs, and is an operation of this version.
    let Some(world) = World::real().await? else { return Ok(()) };
    let World::Real(real) = &world else { unreachable!("asked for a real world") };
    let ada = world.merchant("ada").await?;
    real.database.execute(NEWER).await?;
    let newer = id_of(&ada.create("newer", "medusa").await?);
    real.database.execute("drop trigger newer on operations").await?;

    ada.delete(&format!("/stores/{newer}")).await?;

    assert_eq!(world.settled(&ada, &newer).await?["status"], "deleted");
    Ok(())
}
