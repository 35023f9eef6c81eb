//! Requests that are repeated: once is enough, whichever server is asked.

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use shopwright_system_tests::real::Detached;

use crate::people::{get, insist, post, register, shop, token};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f64_a_hundred_identical_requests_to_two_servers_get_one_answer() -> anyhow::Result<()> {
    // F64, P7.
    let parts = Detached::create(&[]).await?;
    let (one, other) = (parts.server().await?, parts.server().await?);
    let http = reqwest::Client::new();
    let ada = token(&register(&http, &one.base, "ada").await?);
    for round in 0..3 {
        let (key, name) = (format!("order-{round}"), format!("tea-{round}"));
        let asking = (0..100).map(|client| {
            let base = if client % 2 == 0 { &one.base } else { &other.base };
            insist(&http, base, &ada, Some(&key), &name)
        });

        let answers: Vec<_> = join_all(asking).await.into_iter().collect::<anyhow::Result<_>>()?;

        let first = &answers[0];
        assert_eq!(first.status, StatusCode::ACCEPTED, "{first:?}");
        for answer in &answers {
            assert_eq!((answer.status, &answer.text), (first.status, &first.text));
            assert_eq!(answer.header("location"), first.header("location"));
        }
        let original = answers.iter().filter(|answer| answer.header("idempotency-replayed").is_empty()).count();
        println!("round {round}: {original} of 100 answers were no repetition");
        assert_eq!(parts.database.count("select count(*) from stores").await?, round + 1);
        assert_eq!(parts.database.count("select count(*) from operations").await?, round + 1);

        let another = post(&http, &other.base, "/stores", Some(&ada), Some(&key), &shop("coffee")).await?;
        assert_eq!(
            (another.status, another.code().as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "IDEMPOTENCY_KEY_REUSED")
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_final_refusal_is_repeated_by_the_other_server() -> anyhow::Result<()> {
    let parts = Detached::create(&[]).await?;
    let (one, other) = (parts.server().await?, parts.server().await?);
    let http = reqwest::Client::new();
    let ada = token(&register(&http, &one.base, "ada").await?);
    let wrong = json!({"name": "Tea", "engine": "medusa", "password": "hunter22 hunter22"});

    let first = post(&http, &one.base, "/stores", Some(&ada), Some("k"), &wrong).await?;
    let again = post(&http, &other.base, "/stores", Some(&ada), Some("k"), &wrong).await?;

    assert_eq!(first.status, StatusCode::BAD_REQUEST);
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    assert_eq!(again.header("idempotency-replayed"), "true");
    let kept = "select count(*) from idempotency_keys where answer_body like '%hunter22%'";
    assert_eq!(parts.database.count(kept).await?, 0, "a password was kept");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f66_the_last_place_of_a_quota_is_given_once_by_two_servers() -> anyhow::Result<()> {
    // F66, P10: 50 requests at quota - 1, on two processes.
    let parts = Detached::create(&[("MAX_STORES_PER_USER", "3")]).await?;
    let (one, other) = (parts.server().await?, parts.server().await?);
    let http = reqwest::Client::new();
    for round in 0..3 {
        let ada = token(&register(&http, &one.base, &format!("ada{round}")).await?);
        for held in 0..2 {
            assert_eq!(
                insist(&http, &one.base, &ada, None, &format!("held-{held}")).await?.status,
                StatusCode::ACCEPTED
            );
        }
        let names: Vec<String> = (0..50).map(|client| format!("shop-{client}")).collect();
        let asking = names.iter().enumerate().map(|(client, name)| {
            let base = if client % 2 == 0 { &one.base } else { &other.base };
            insist(&http, base, &ada, None, name)
        });

        let answers: Vec<_> = join_all(asking).await.into_iter().collect::<anyhow::Result<_>>()?;

        let (admitted, refused): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.status == StatusCode::ACCEPTED);
        assert_eq!(admitted.len(), 1, "round {round}");
        for answer in &refused {
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (429, "STORE_LIMIT_EXCEEDED"), "{answer:?}");
            assert_eq!(answer.header("retry-after"), "");
        }
        assert_eq!(get(&http, &other.base, "/stores", Some(&ada)).await?.json()["total"], 3);
        let limits = get(&http, &other.base, "/limits", Some(&ada)).await?.json();
        assert_eq!((&limits["stores"]["limit"], &limits["stores"]["used"]), (&json!(3), &json!(3)));
    }
    Ok(())
}
