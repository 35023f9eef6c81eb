//! The life of a store on a real PostgreSQL, kube-apiserver and helm, under the product's service account; pods only pretend to run.
//! RELIABILITY F42, F48, F57, F58; promise P11.

use std::process::Command;

use serde_json::Value;
use shopwright_system_tests::World;
use shopwright_system_tests::client::id_of;
use shopwright_system_tests::real::Environment;

fn assert_ready(store: &Value) {
    assert_eq!(store["status"], "ready", "{store:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_engines_become_ready_and_their_deletion_leaves_nothing() -> anyhow::Result<()> {
    let Some(world) = World::real().await? else { return Ok(()) };
    let before = world.parts().cluster.inventory().await?;
    let ada = world.merchant("ada").await?;

    for engine in ["medusa", "woocommerce"] {
        let store = ada.create(&format!("shop-{engine}"), engine).await?;
        let store = world.settled(&ada, &id_of(&store)).await?;
        assert_ready(&store);
        assert_eq!(store["urls"]["storefront"], format!("http://shop-{engine}.localhost"));
        assert!(store["adminCredentials"]["password"].as_str().is_some_and(|password| password.len() >= 20));
        assert_eq!(world.parts().cluster.records(&id_of(&store)).await?, 1);
        assert_eq!(
            world.parts().cluster.credential(&id_of(&store), "admin-password").await?,
            store["adminCredentials"]["password"].as_str().unwrap_or_default()
        );

        let id = id_of(&store);
        ada.delete(&format!("/stores/{id}")).await?;
        let again = ada.delete(&format!("/stores/{id}")).await?;
        assert!(again.status.is_success(), "deleting twice is one deletion: {again:?}");
        assert_eq!(world.settled(&ada, &id).await?["status"], "deleted");
    }

    assert_eq!(world.parts().cluster.inventory().await?, before);
    assert_eq!(world.parts().database.count("select count(*) from store_credentials").await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_remove_by_hand_does_not_stop_a_deletion() -> anyhow::Result<()> {
    let Some(world) = World::real().await? else { return Ok(()) };
    let Some(environment) = Environment::read()? else { return Ok(()) };
    let before = world.parts().cluster.inventory().await?;
    let ada = world.merchant("ada").await?;
    let (first, second) = (ada.create("by-kubectl", "medusa").await?, ada.create("by-helm", "medusa").await?);
    assert_ready(&world.settled(&ada, &id_of(&first)).await?);
    assert_ready(&world.settled(&ada, &id_of(&second)).await?);

    world.parts().cluster.delete_namespace(&id_of(&first)).await?;
    let uninstalled = Command::new(&environment.helm)
        .args(["uninstall", &id_of(&second), "-n", &id_of(&second), "--kubeconfig"])
        .arg(&environment.admin_kubeconfig)
        .output()?;
    assert!(uninstalled.status.success(), "{}", String::from_utf8_lossy(&uninstalled.stderr));

    for store in [&first, &second] {
        ada.delete(&format!("/stores/{}", id_of(store))).await?;
        assert_eq!(world.settled(&ada, &id_of(store)).await?["status"], "deleted");
    }
    assert_eq!(world.parts().cluster.inventory().await?, before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_is_deleted_while_it_is_being_made() -> anyhow::Result<()> {
    let Some(world) = World::real().await? else { return Ok(()) };
    let before = world.parts().cluster.inventory().await?;
    let ada = world.merchant("ada").await?;
    let barrier = world.parts().database.hold_at("install_release").await?;
    let store = ada.create("teashop", "medusa").await?;
    barrier.reached(&world.parts().database).await?;

    let accepted = ada.delete(&format!("/stores/{}", id_of(&store))).await?;
    assert_eq!(accepted.body["store"]["status"], "deleting", "{accepted:?}");
    barrier.lift().await?;

    assert_eq!(world.settled(&ada, &id_of(&store)).await?["status"], "deleted");
    assert_eq!(world.parts().cluster.inventory().await?, before);
    Ok(())
}
