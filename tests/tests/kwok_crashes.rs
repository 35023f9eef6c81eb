//! kill -9 of the server in each step, between the step's effect and its record: another start makes the store ready without a person,
//! with one namespace, one release, the same credentials. RELIABILITY F1, F4, F44.

use shopwright_system_tests::World;
use shopwright_system_tests::client::id_of;

const STEPS: [&str; 6] =
    ["create_namespace", "create_credentials", "install_release", "await_workloads", "verify_storefront", "publish"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_is_resumed_at_the_step_where_it_was() -> anyhow::Result<()> {
    let Some(mut world) = World::real().await? else { return Ok(()) };
    let ada = world.merchant("ada").await?;

    for (number, step) in STEPS.into_iter().enumerate() {
        let World::Real(real) = &mut world else { unreachable!("asked for a real world") };
        let ada = ada.at(real.base());
        let barrier = real.database.hold_at(step).await?;
        let store = ada.create(&format!("crash-{number}"), "medusa").await?;
        let id = id_of(&store);
        barrier.reached(&real.database).await?;
        let uid = real.cluster.namespace_uid(&id).await?;
        assert!(uid.is_some(), "{step}: the first step's effect is there");
        let password = if number > 0 { Some(real.cluster.credential(&id, "admin-password").await?) } else { None };

        real.server.kill()?;
        barrier.lift().await?;
        real.server = real.another_server().await?;
        let ada = ada.at(real.base());
        let ready = world.settled(&ada, &id).await?;

        assert_eq!(ready["status"], "ready", "{step}: {ready:#}");
        let World::Real(real) = &world else { unreachable!("asked for a real world") };
        assert_eq!(real.cluster.namespace_uid(&id).await?, uid, "{step}: one namespace");
        let after = real.cluster.credential(&id, "admin-password").await?;
        assert_eq!(password.as_ref().unwrap_or(&after), &after, "{step}: the same credentials");
        assert_eq!(ready["adminCredentials"]["password"], after.as_str(), "{step}");
        let recoveries = real.database.count("select count(*) from audit_events where event_type = 'recovery'").await?;
        assert_eq!(recoveries, i64::try_from(number)? + 1, "{step}: the take-over is written down");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_told_to_end_gives_its_work_back_and_ends_well() -> anyhow::Result<()> {
    // RELIABILITY F9.
    let Some(mut world) = World::real().await? else { return Ok(()) };
    let ada = world.merchant("ada").await?;
    let World::Real(real) = &mut world else { unreachable!("asked for a real world") };
    let ids = futures::future::try_join_all((0..4).map(|number| {
        let ada = ada.clone();
        async move { ada.create(&format!("rolling-{number}"), "medusa").await.map(|store| id_of(&store)) }
    }))
    .await?;

    let (took, well) = real.server.terminate().await?;
    assert!(well, "{}", real.server.log_tail());
    assert!(took.as_secs() < 25, "{took:?}");
    let leased = real.database.count("select count(*) from operations where status = 'running'").await?;
    assert_eq!(leased, 0, "nothing is left to run out");

    real.server = real.another_server().await?;
    let ada = ada.at(real.base());
    for id in &ids {
        assert_eq!(world.settled(&ada, id).await?["status"], "ready");
    }
    Ok(())
}
