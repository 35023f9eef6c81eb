//! A third engine through the whole life of a store, with nothing but its descriptor and its chart (`tests/engines/static-site`); and what a
//! store that is ready can be asked for, on real helm and a real kube-apiserver.

use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};
use shopwright_system_tests::World;
use shopwright_system_tests::client::id_of;
use shopwright_system_tests::real::{Environment, Parts, Real, workspace};

/// The charts that are shipped, and the tests' own beside them. `static-site` is a copy: a test may upgrade it.
fn charts(directory: &Path) -> anyhow::Result<()> {
    for name in ["store-common", "medusa", "woocommerce"] {
        symlink(workspace().join("charts").join(name), directory.join(name))?;
    }
    let (from, to) = (workspace().join("tests/engines/static-site"), directory.join("static-site"));
    for folder in ["templates", "charts"] {
        std::fs::create_dir_all(to.join(folder))?;
    }
    for file in [
        ".helmignore",
        "Chart.yaml",
        "engine.toml",
        "templates/_engine.tpl",
        "templates/store.yaml",
        "values-local.yaml",
        "values-production.yaml",
        "values.yaml",
    ] {
        std::fs::copy(from.join(file), to.join(file))?;
    }
    symlink("../../store-common", to.join("charts/store-common"))?;
    let values = std::fs::read_to_string(to.join("values.yaml"))?;
    let values =
        values.replace("shopwright.test/static-site, tag: \"\"", "fake.shopwright.test/static-site, tag: \"1\"");
    Ok(std::fs::write(to.join("values.yaml"), values)?)
}

async fn world(directory: &Path) -> anyhow::Result<Option<World>> {
    let Some(environment) = Environment::read()? else { return Ok(None) };
    charts(directory)?;
    let mut parts = Parts::on_kwok(&environment).await?;
    parts.set("CHARTS_DIR", directory.display().to_string());
    Ok(Some(World::Real(Box::new(Real::on(parts).await?))))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_engine_lives_its_whole_life_without_a_line_of_code() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let Some(world) = world(directory.path()).await? else { return Ok(()) };
    let before = world.parts().cluster.inventory().await?;
    let ada = world.merchant("ada").await?;
    let engines = ada.get("/engines").await?.body;
    let names: Vec<_> = engines["engines"].as_array().into_iter().flatten().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["medusa", "static-site", "woocommerce"]);

    let store = ada.create("pages", "static-site").await?;
    let store = world.settled(&ada, &id_of(&store)).await?;
    let id = id_of(&store);
    assert_eq!(store["status"], "ready", "{store:#}");
    assert_eq!(store["urls"]["admin"], store["urls"]["storefront"], "nobody signs in");
    assert_eq!(store["adminCredentials"], json!({}));

    // Nothing to replace: it says so, and changes nothing.
    let refused = ada.post(&format!("/stores/{id}/credentials/rotate"), &json!({"targets": ["administrator"]})).await?;
    assert_eq!((refused.status.as_u16(), refused.code()), (422, "NOT_ROTATABLE"));

    // An upgrade to another image: told before, done, and told no more.
    let values = directory.path().join("static-site/values.yaml");
    let text = std::fs::read_to_string(&values)?.replace("tag: \"1\"", "tag: \"2\"");
    std::fs::write(&values, text)?;
    let preview = ada.get(&format!("/stores/{id}/upgrade")).await?.body["upgrade"].clone();
    assert_eq!(preview["upToDate"], false);
    let fields = json!([{
        "path": "spec.template.spec.containers[web].image",
        "before": "fake.shopwright.test/static-site:1", "after": "fake.shopwright.test/static-site:2",
    }]);
    let change = json!({"kind": "Deployment", "name": "web", "change": "changed", "fields": fields});
    assert_eq!(preview["changes"], json!([change]), "{preview:#}");
    let upgrade = world.change(&ada, &format!("/stores/{id}/upgrade"), &json!({})).await?;
    assert_eq!(upgrade["status"], "succeeded", "{upgrade:#}");
    assert_eq!(ada.get(&format!("/stores/{id}/upgrade")).await?.body["upgrade"]["upToDate"], true);
    assert_eq!(ada.store(&id).await?["status"], "ready");

    // A second one is taken back while it is made, and made again.
    let second = ada.create("leaflets", "static-site").await?;
    let second_id = id_of(&second);
    world.until(&ada, &second_id, |store| store["status"] == "provisioning").await?;
    let cancel = format!("/operations/{}/cancel", id_of(&second["operation"]));
    assert_eq!(ada.post(&cancel, &json!({})).await?.status.as_u16(), 202);
    let unwound = |store: &Value| store["operation"]["kind"] == "unwind" && store["operation"]["status"] == "succeeded";
    assert_eq!(world.until(&ada, &second_id, unwound).await?["status"], "failed");
    ada.post(&format!("/stores/{second_id}/retry"), &json!({})).await?;
    assert_eq!(world.settled(&ada, &second_id).await?["status"], "ready");

    for id in [&id, &second_id] {
        ada.delete(&format!("/stores/{id}")).await?;
        assert_eq!(world.settled(&ada, id).await?["status"], "deleted");
    }
    assert_eq!(world.parts().cluster.inventory().await?, before);
    assert_eq!(world.parts().database.count("select count(*) from store_releases").await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chart_that_refuses_its_values_takes_an_upgrade_back_and_the_store_goes_on() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let Some(world) = world(directory.path()).await? else { return Ok(()) };
    let ada = world.merchant("ada").await?;
    let store = ada.create("pages", "static-site").await?;
    let id = id_of(&world.settled(&ada, &id_of(&store)).await?);
    let template = directory.path().join("static-site/templates/store.yaml");
    std::fs::write(&template, "{{ fail \"this release is broken\" }}\n")?;

    let upgrade = world.change(&ada, &format!("/stores/{id}/upgrade"), &json!({})).await?;

    assert_eq!((&upgrade["status"], &upgrade["kind"]), (&json!("failed"), &json!("upgrade")), "{upgrade:#}");
    let reverted =
        |store: &Value| store["operation"]["kind"] == "revert" && store["operation"]["status"] == "succeeded";
    let store = world.until(&ada, &id, reverted).await?;
    assert_eq!(store["status"], "ready", "{store:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_puts_new_passwords_into_the_secret_and_leaves_the_others() -> anyhow::Result<()> {
    let Some(world) = World::real().await? else { return Ok(()) };
    let ada = world.merchant("ada").await?;
    let store = ada.create("teashop", "medusa").await?;
    let id = id_of(&world.settled(&ada, &id_of(&store)).await?);
    let cluster = &world.parts().cluster;
    let keys = ["admin-password", "database-password", "database-root-password", "app-secret", "session-secret"];
    let mut before = Vec::new();
    for key in keys {
        before.push(cluster.credential(&id, key).await?);
    }

    let body = json!({"targets": ["administrator", "database"]});
    let rotate = world.change(&ada, &format!("/stores/{id}/credentials/rotate"), &body).await?;

    assert_eq!(rotate["status"], "succeeded", "{rotate:#}");
    for (key, old) in keys.into_iter().zip(before) {
        let replaced = matches!(key, "admin-password" | "database-password");
        assert_eq!(cluster.credential(&id, key).await? != old, replaced, "{key}");
    }
    assert!(cluster.credential(&id, "database-password-before").await.is_err());
    let shown = ada.post(&format!("/stores/{id}/credentials/reveal"), &json!({})).await?;
    assert_eq!(shown.body["credentials"]["password"], cluster.credential(&id, "admin-password").await?);
    Ok(())
}
