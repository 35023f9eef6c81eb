//! A server that is killed in the middle of things and started again: what was promised still holds.

use std::time::Duration;

use futures::future::join_all;
use reqwest::{Client, StatusCode};
use serde_json::json;
use shopwright_system_tests::real::Detached;

use crate::people::{PASSWORD, get, insist, post, register, token};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_loses_no_session_limit_lock_out_key_or_event() -> anyhow::Result<()> {
    let parts = Detached::create(&[
        ("REGISTER_RATE_LIMIT_MAX", "3"),
        ("SHOPWRIGHT_USER_RATE_LIMIT_MAX", "60"),
        ("RATE_LIMIT_WINDOW_MS", "3600000"),
        ("MAX_STORES_PER_USER", "2"),
        ("STORE_CREATION_COOLDOWN_MS", "3600000"),
    ])
    .await?;
    let mut server = parts.server().await?;
    let http = Client::new();
    let (ada, bob) = (register(&http, &server.base, "ada").await?, register(&http, &server.base, "bob").await?);
    register(&http, &server.base, "eve").await?;
    let created = insist(&http, &server.base, &token(&ada), Some("order-1"), "teashop").await?;
    assert_eq!(created.status, StatusCode::ACCEPTED, "{created:?}");
    let store = created.json()["store"]["id"].as_str().unwrap_or_default().to_owned();
    let logs = get(&http, &server.base, &format!("/stores/{store}/logs"), Some(&token(&ada))).await?.json();
    let guess = json!({"email": "eve@example.com", "password": "wrong wrong"});
    for _ in 0..5 {
        post(&http, &server.base, "/auth/login", None, None, &guess).await?;
    }
    let mut asked = 0;
    while get(&http, &server.base, "/auth/me", Some(&token(&bob))).await?.status == StatusCode::OK {
        asked += 1;
        anyhow::ensure!(asked < 100, "no limit");
    }

    server.kill()?;
    let server = parts.server().await?;

    let base = &server.base;
    // A session: the access token, and the refresh token.
    assert_eq!(get(&http, base, "/auth/me", Some(&token(&ada))).await?.status, StatusCode::OK);
    let refresh = json!({"refreshToken": ada["refreshToken"]});
    let refreshed = post(&http, base, "/auth/refresh", None, None, &refresh).await?;
    assert_eq!(refreshed.status, StatusCode::OK, "{refreshed:?}");
    // Limits: requests, registrations, the pause between stores, the quota.
    assert_eq!(get(&http, base, "/auth/me", Some(&token(&bob))).await?.status.as_u16(), 429);
    let late = json!({"email": "mallory@example.com", "username": "mallory", "password": PASSWORD});
    assert_eq!(post(&http, base, "/auth/register", None, None, &late).await?.code(), "REGISTRATION_RATE_LIMITED");
    let second = json!({"name": "second", "engine": "medusa"});
    let paused = post(&http, base, "/stores", Some(&token(&refreshed.json())), None, &second).await?;
    assert_eq!((paused.status.as_u16(), paused.code().as_str()), (429, "CREATION_COOLDOWN"));
    let limits = get(&http, base, "/limits", Some(&token(&ada))).await?.json();
    assert_eq!((&limits["stores"]["used"], &limits["creationCooldown"]["seconds"]), (&json!(1), &json!(3600)));
    // A lock-out, also for the right password.
    let right = json!({"email": "eve@example.com", "password": PASSWORD});
    assert_eq!(post(&http, base, "/auth/login", None, None, &right).await?.status.as_u16(), 423);
    // An idempotency key.
    let again = insist(&http, base, &token(&ada), Some("order-1"), "teashop").await?;
    assert_eq!((again.status, &again.text), (created.status, &created.text));
    assert_eq!(again.header("idempotency-replayed"), "true");
    // Events.
    let after = get(&http, base, &format!("/stores/{store}/logs"), Some(&token(&ada))).await?.json();
    assert_eq!((&after["logs"], &after["total"]), (&logs["logs"], &logs["total"]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_a_dying_server_was_working_on_happen_once() -> anyhow::Result<()> {
    // F64: killed at moments that nobody chose, with forty keyed requests under way each time.
    let parts = Detached::create(&[]).await?;
    let mut server = parts.server().await?;
    let http = Client::builder().timeout(Duration::from_secs(20)).build()?;
    let ada = token(&register(&http, &server.base, "ada").await?);
    for round in 0..4_u64 {
        let orders: Vec<(String, String)> =
            (0..20).map(|order| (format!("order-{round}-{order}"), format!("tea-{round}-{order}"))).collect();
        let base = server.base.clone();
        let asking = orders.iter().chain(&orders).map(|(key, name)| insist(&http, &base, &ada, Some(key), name));
        let dying = async {
            tokio::time::sleep(Duration::from_millis(30 + 60 * round)).await;
            server.kill()
        };
        let (before, killed) = futures::join!(join_all(asking), dying);
        killed?;
        server = parts.server().await?;

        let base = server.base.clone();
        let repeated = join_all(orders.iter().map(|(key, name)| insist(&http, &base, &ada, Some(key), name))).await;

        let answered = before.iter().filter(|answer| answer.is_ok()).count();
        println!("round {round}: {answered} of 40 were answered before the server died");
        for (number, answer) in repeated.into_iter().enumerate() {
            let answer = answer?;
            assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
            for earlier in [&before[number], &before[number + 20]].into_iter().flatten() {
                assert_eq!(earlier.text, answer.text, "what was acknowledged is what stands");
            }
        }
        let total = i64::try_from(20 * (round + 1))?;
        assert_eq!(parts.database.count("select count(*) from stores").await?, total);
        assert_eq!(parts.database.count("select count(*) from operations").await?, total);
    }
    Ok(())
}
