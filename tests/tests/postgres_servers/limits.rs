//! Limits over two server processes.

use reqwest::{Client, StatusCode};
use serde_json::json;
use shopwright_system_tests::real::Detached;

use crate::people::{get, post, register, token};

#[tokio::test]
async fn requests_are_counted_over_both_servers() -> anyhow::Result<()> {
    let parts =
        Detached::create(&[("SHOPWRIGHT_USER_RATE_LIMIT_MAX", "40"), ("RATE_LIMIT_WINDOW_MS", "3600000")]).await?;
    let (one, other) = (parts.server().await?, parts.server().await?);
    let http = Client::new();
    let ada = token(&register(&http, &one.base, "ada").await?);

    let mut admitted = 0;
    let mut refusal = None;
    for request in 0..120 {
        let base = if request % 2 == 0 { &one.base } else { &other.base };
        let answer = get(&http, base, "/auth/me", Some(&ada)).await?;
        assert_eq!(answer.header("ratelimit-policy"), "40;w=3600");
        match answer.status {
            StatusCode::OK => admitted += 1,
            _ => refusal = Some(answer),
        }
    }

    // At one moment the limit is exact; the window is an hour, so nothing comes back meanwhile but one in 90 seconds.
    assert!((40..=41).contains(&admitted), "{admitted}");
    let refusal = refusal.ok_or_else(|| anyhow::anyhow!("nobody was refused"))?;
    assert_eq!((refusal.status.as_u16(), refusal.code().as_str()), (429, "RATE_LIMIT_EXCEEDED"));
    let rest: u64 = refusal.header("retry-after").parse()?;
    assert!((1..=90).contains(&rest), "{rest}");
    assert_eq!(refusal.header("ratelimit-remaining"), "0");
    // Others, and whoever asks without a token, pay for themselves.
    let bob = token(&register(&http, &other.base, "bob").await?);
    assert_eq!(get(&http, &one.base, "/auth/me", Some(&bob)).await?.status, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn registrations_are_counted_over_both_servers_by_the_address_that_our_proxy_names() -> anyhow::Result<()> {
    let parts =
        Detached::create(&[("REGISTER_RATE_LIMIT_MAX", "3"), ("SHOPWRIGHT_TRUSTED_PROXIES", "127.0.0.0/8")]).await?;
    let (one, other) = (parts.server().await?, parts.server().await?);
    let http = Client::new();
    let register = async |base: &str, number: usize, address: &str| {
        let body = json!({"email": format!("u{number}@example.com"), "username": format!("u-{number}"), "password": "correct horse"});
        let request = http.post(format!("{base}/api/v1/auth/register")).header("x-forwarded-for", address).json(&body);
        anyhow::Ok(request.send().await?)
    };

    let mut statuses = Vec::new();
    for number in 0..5 {
        let base = if number % 2 == 0 { &one.base } else { &other.base };
        let answer = register(base, number, "1.1.1.1, 203.0.113.5").await?;
        let text =
            |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
        assert_eq!(text("ratelimit-policy"), "3;w=3600");
        statuses.push((answer.status().as_u16(), text("ratelimit-remaining"), !text("retry-after").is_empty()));
    }

    assert_eq!(
        statuses.iter().map(|(status, left, rest)| (*status, left.as_str(), *rest)).collect::<Vec<_>>(),
        [(201, "2", false), (201, "1", false), (201, "0", false), (429, "0", true), (429, "0", true)]
    );
    assert_eq!(register(&one.base, 9, "203.0.113.6").await?.status(), StatusCode::CREATED, "another address");
    // Whoever writes the header themselves through the proxy is still who the proxy says.
    assert_eq!(register(&one.base, 10, "203.0.113.77, 203.0.113.5").await?.status().as_u16(), 429);
    Ok(())
}

#[tokio::test]
async fn a_locked_account_is_locked_everywhere() -> anyhow::Result<()> {
    let parts = Detached::create(&[]).await?;
    let (one, other) = (parts.server().await?, parts.server().await?);
    let http = Client::new();
    register(&http, &one.base, "ada").await?;
    let guess = json!({"email": "ada@example.com", "password": "wrong wrong"});
    for _ in 0..5 {
        assert_eq!(post(&http, &one.base, "/auth/login", None, None, &guess).await?.status, StatusCode::UNAUTHORIZED);
    }

    let locked = post(&http, &other.base, "/auth/login", None, None, &guess).await?;

    assert_eq!((locked.status.as_u16(), locked.code().as_str()), (423, "ACCOUNT_LOCKED"));
    assert_eq!(locked.header("ratelimit-policy"), "10;w=900");
    let rest: u64 = locked.header("retry-after").parse()?;
    assert!((880..=900).contains(&rest), "{rest}");
    Ok(())
}
