//! The whole product over the fakes: what a merchant's program sees by HTTP.

use reqwest::StatusCode;
use serde_json::json;
use shopwright_system_tests::client::id_of;
use shopwright_system_tests::{Merchant, World};

#[tokio::test]
async fn a_merchants_request_becomes_a_store_and_goes_again() -> anyhow::Result<()> {
    let world = World::mocked().await?;
    let ada = world.merchant("ada").await?;

    let accepted = ada.post("/stores", &json!({"name": "teashop", "engine": "medusa"})).await?;
    assert_eq!(accepted.status, StatusCode::ACCEPTED, "{accepted:?}");
    assert_eq!(accepted.body["store"]["status"], "requested");
    let location = accepted.location.unwrap_or_default();
    let store = world.settled(&ada, &id_of(&accepted.body["store"])).await?;

    assert_eq!(store["status"], "ready", "{store:#}");
    assert_eq!(store["urls"]["storefront"], "http://teashop.localhost");
    let operation = ada.get(location.trim_start_matches("/api/v1")).await?.body;
    assert_eq!(operation["operation"]["status"], "succeeded", "{operation:#}");
    let logs = ada.get(&format!("/stores/{}/logs", id_of(&store))).await?.body;
    assert!(logs["total"].as_u64().is_some_and(|total| total >= 4), "{logs:#}");

    ada.delete(&format!("/stores/{}", id_of(&store))).await?;
    assert_eq!(world.settled(&ada, &id_of(&store)).await?["status"], "deleted");
    Ok(())
}

#[tokio::test]
async fn bad_input_is_told_what_is_wrong_with_it_and_nothing_is_written() -> anyhow::Result<()> {
    let world = World::mocked().await?;
    let ada = world.merchant("ada").await?;
    let cases = [
        (json!({"name": "Tea Shop", "engine": "medusa"}), "name"),
        (json!({"name": "teashop", "engine": "magento"}), "engine"),
        (json!({"name": "teashop", "engine": "medusa", "colour": "red"}), "colour"),
        (json!({"name": "teashop", "engine": "medusa", "theme": "astra"}), "theme"),
        (json!({"name": "teashop", "engine": "medusa", "password": "short"}), "password"),
        (json!({"engine": "medusa"}), "name"),
    ];

    for (body, field) in cases {
        let answer = ada.post("/stores", &body).await?;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "VALIDATION_ERROR"), "{answer:?}");
        assert!(answer.message().contains(field), "{answer:?}");
    }
    let anonymous = Merchant::anonymous(world.base()).get("/stores").await?;
    assert_eq!((anonymous.status, anonymous.code()), (StatusCode::UNAUTHORIZED, "UNAUTHORIZED"));
    assert_eq!(ada.get("/stores").await?.body["total"], 0);
    Ok(())
}

#[tokio::test]
async fn a_second_merchant_sees_nothing_of_the_first() -> anyhow::Result<()> {
    let world = World::mocked().await?;
    let (ada, mallory) = (world.merchant("ada").await?, world.merchant("mallory").await?);
    let store = ada.create("teashop", "woocommerce").await?;

    let foreign = mallory.get(&format!("/stores/{}", id_of(&store))).await?;
    let none = mallory.get("/stores/store-00000000").await?;

    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    assert_eq!((foreign.status, foreign.code(), foreign.message()), (none.status, none.code(), none.message()));
    assert_eq!(mallory.get("/stores").await?.body["total"], 0);
    Ok(())
}

#[tokio::test]
async fn a_name_in_use_is_a_conflict_that_names_the_store() -> anyhow::Result<()> {
    let world = World::mocked().await?;
    let ada = world.merchant("ada").await?;
    let store = ada.create("teashop", "medusa").await?;

    let answer = ada.post("/stores", &json!({"name": "teashop", "engine": "medusa"})).await?;

    assert_eq!((answer.status, answer.code()), (StatusCode::CONFLICT, "CONFLICT"));
    assert!(answer.message().contains(&id_of(&store)), "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn a_provision_is_cancelled_by_http_and_its_store_can_be_retried() -> anyhow::Result<()> {
    let world = World::mocked().await?;
    let World::Mocked(mocked) = &world else { unreachable!("asked for a mocked world") };
    mocked.cluster.auto_ready(false);
    let ada = world.merchant("ada").await?;
    let store = ada.create("teashop", "medusa").await?;
    let (id, operation) = (id_of(&store), id_of(&store["operation"]));
    world.until(&ada, &id, |store| store["operation"]["step"] == "await_workloads").await?;

    let cancelled = ada.post(&format!("/operations/{operation}/cancel"), &json!({})).await?;
    assert_eq!(cancelled.status, StatusCode::ACCEPTED, "{cancelled:?}");
    let store = world.until(&ada, &id, |store| store["operation"]["status"] == "succeeded").await?;
    assert_eq!((store["status"].as_str(), store["operation"]["kind"].as_str()), (Some("failed"), Some("unwind")));
    assert!(mocked.cluster.namespaces().is_empty(), "nothing is left");
    let again = ada.post(&format!("/operations/{operation}/cancel"), &json!({})).await?;
    assert_eq!(again.status, StatusCode::OK, "{again:?}");

    mocked.cluster.auto_ready(true);
    ada.post(&format!("/stores/{id}/retry"), &json!({})).await?;
    assert_eq!(world.settled(&ada, &id).await?["status"], "ready");
    Ok(())
}

#[tokio::test]
async fn credentials_that_are_asked_for_many_times_at_once_under_one_key_are_shown_once() -> anyhow::Result<()> {
    let world = World::mocked().await?;
    let ada = world.merchant("ada").await?;
    let store = ada.create("teashop", "medusa").await?;
    let id = id_of(&world.settled(&ada, &id_of(&store)).await?);
    let http = reqwest::Client::new();
    let url = format!("{}/api/v1/stores/{id}/credentials/reveal", world.base());
    let look = async || {
        // As a good client does: while another is under way it is asked again.
        for _ in 0..1_000 {
            let answer = http.post(&url).bearer_auth(ada.token()).header("idempotency-key", "look-1").send().await?;
            if answer.status() != StatusCode::CONFLICT {
                return anyhow::Ok((answer.status(), answer.json::<serde_json::Value>().await?));
            }
            tokio::task::yield_now().await;
        }
        anyhow::bail!("it was never heard")
    };

    let answers = futures::future::join_all((0..20).map(|_| look())).await;
    let answers = answers.into_iter().collect::<anyhow::Result<Vec<_>>>()?;

    let shown = answers.iter().filter(|(_, body)| body["credentials"]["password"].is_string()).count();
    assert!(answers.iter().all(|(status, _)| *status == StatusCode::OK), "{answers:?}");
    assert_eq!(shown, 1, "{answers:?}");
    let trail = ada.get(&format!("/audit?storeId={id}&eventType=security")).await?.body;
    let looks = trail["logs"].as_array().into_iter().flatten();
    assert_eq!(looks.filter(|entry| entry["metadata"]["action"] == "credentials_revealed").count(), 1, "{trail:#}");
    Ok(())
}
