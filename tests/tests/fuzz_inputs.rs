//! Fuzz targets: whatever comes in, nothing panics, nothing is a 500, and what must not pass does not (RELIABILITY P14, F68).

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures::{FutureExt as _, StreamExt as _};
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use shopwright_app::crypto::{Ed25519Tokens, KeySource, ensure_signing_key, install_crypto};
use shopwright_app::events::{EventSettings, Events};
use shopwright_domain::identity::{Actor, Email, PlatformRole};
use shopwright_domain::network::{Cidr, TrustedProxies};
use shopwright_domain::organisation::Role;
use shopwright_domain::plans::{Plan, Plans};
use shopwright_domain::store::{HostSuffix, StoreHost, StoreName};
use shopwright_domain::{RequestId, SessionId, TenantId, UserId};
use shopwright_ports::events_api::{EventService as _, Followed, Told};
use shopwright_ports::identity_api::Origin;
use shopwright_ports::secrets::{Claims, Tokens as _};
use shopwright_ports::stores_api::RequestContext;
use shopwright_ports::testing::{FakeSealer, FakeStorage, ManualClock, SeededEntropy};
use shopwright_system_tests::fuzz::Fuzzer;
use shopwright_system_tests::{Merchant, Mocked, World};

fn claims(number: u128, role: PlatformRole) -> anyhow::Result<Claims> {
    Ok(Claims {
        user_id: UserId::from_random(number),
        tenant_id: TenantId::from_random(number),
        session_id: SessionId::from_random(number),
        email: "ada@example.com".parse()?,
        role,
    })
}

#[tokio::test]
async fn fuzz_jwt() -> anyhow::Result<()> {
    install_crypto();
    let clock = Arc::new(ManualClock::default());
    let storage = Arc::new(FakeStorage::new(clock.clone()));
    let sealer = Arc::new(FakeSealer::default());
    ensure_signing_key(storage.as_ref(), sealer.as_ref(), clock.as_ref(), &SeededEntropy::new(1)).await?;
    let source = KeySource::Database { storage, sealer };
    let tokens = Ed25519Tokens::open(source, clock, Duration::from_mins(10)).await?;
    let mut good = Vec::new();
    for (number, role) in [(1, PlatformRole::Tenant), (2, PlatformRole::Admin)] {
        good.push(
            tokens.issue(&claims(number, role)?).map_err(|_| anyhow::anyhow!("no token"))?.expose_secret().to_owned(),
        );
    }
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJpc3MiOiJzaG9wd3JpZ2h0In0.";

    let mut fuzzer = Fuzzer::new("JWT", good.iter().map(String::as_bytes).chain([none.as_bytes(), b"a.b.c", b"..."]));
    while let Some(input) = fuzzer.next_input() {
        let text = String::from_utf8_lossy(&input);
        // What passes says what was signed: whoever changes a letter that counts is refused.
        if let Ok(read) = tokens.verify(&text).await {
            let whose = good.iter().position(|token| token.split('.').take(2).eq(text.split('.').take(2)));
            let expected = whose.map(|index| if index == 0 { PlatformRole::Tenant } else { PlatformRole::Admin });
            assert_eq!(Some(read.role), expected, "input {}: {text}", fuzzer.runs);
        }
    }
    Ok(())
}

#[test]
fn fuzz_host_and_store_names() {
    let corpus = [
        "teashop",
        "my-tea-shop-2",
        "admin",
        "adm1n",
        "a--b",
        "-a",
        "xn--caf-dma",
        "store5",
        "ass-ociation",
        "localhost",
        "shops.example.com",
        ".localhost",
        "TEA.example.com.",
        "a.b.c.d.e.f",
    ];
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    Fuzzer::new("host and store names", corpus.map(str::as_bytes)).feed(|input| {
        let text = String::from_utf8_lossy(input);
        let check = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
        if let Ok(name) = text.parse::<StoreName>() {
            check(is_label(name.as_str()) && name.as_str().len() >= 3, "a name that is no label")?;
            let suffix = HostSuffix::local();
            for host in [StoreHost::preferred(&name, &suffix), StoreHost::alternative(&name, &suffix, 0xbeef)] {
                check(host.as_str().parse::<StoreHost>().is_ok(), "a name whose host is none")?;
            }
        }
        for number in [1, 2, u32::MAX] {
            if let Some(near) = StoreName::near(&text, number) {
                check(near.as_str().parse::<StoreName>() == Ok(near.clone()), "a suggestion that is no name")?;
            }
        }
        if let Ok(host) = text.parse::<StoreHost>() {
            check(host.as_str().split('.').all(is_label), "a host of other labels")?;
        }
        if let Ok(suffix) = text.parse::<HostSuffix>() {
            check(
                suffix.as_str().parse::<HostSuffix>() == Ok(suffix.clone()),
                "a suffix that is read otherwise again",
            )?;
        }
        if let Ok(email) = text.parse::<Email>() {
            check(email.as_str().parse::<Email>() == Ok(email.clone()), "an address that is read otherwise again")?;
        }
        Ok(())
    });
}

#[test]
fn fuzz_proxies_and_plans() {
    let corpus = [
        "10.0.0.0/8",
        "192.0.2.1, 10.0.0.2",
        "for=192.0.2.60;proto=http;by=203.0.113.43",
        "for=\"[2001:db8:cafe::17]:4711\", for=10.0.0.1",
        "::ffff:10.0.0.1",
        "free: stores=1 cooldown=5m; team: requests=6000/1m retries=10",
    ];
    let ours = TrustedProxies("10.0.0.0/8,fd00::/8".split(',').filter_map(|range| range.parse().ok()).collect());
    Fuzzer::new("proxies and plans", corpus.map(str::as_bytes)).feed(|input| {
        let text = String::from_utf8_lossy(input);
        let stranger = "203.0.113.9".parse().map_err(|_| "an address")?;
        for (forwarded, list) in [(Some(text.as_ref()), None), (None, Some(text.as_ref()))] {
            ours.client("10.0.0.1".parse().map_err(|_| "an address")?, forwarded, list);
            if ours.client(stranger, forwarded, list) != stranger {
                return Err("a stranger chose their address".to_owned());
            }
        }
        if let Ok(range) = text.parse::<Cidr>()
            && range.to_string().parse::<Cidr>() != Ok(range)
        {
            return Err("a range that is read otherwise again".to_owned());
        }
        // Refused or read, never a panic.
        let _ = Plans::parse(Plan::default(), &text);
        Ok(())
    });
}

/// Bodies, query strings and headers, through the whole API over the fakes: page tokens, keys and tags among them.
#[tokio::test]
async fn fuzz_requests() -> anyhow::Result<()> {
    let world = World::mocked().await?;
    let ada = world.merchant("ada").await?;
    let http = reqwest::Client::new();
    let endpoints = [
        (Method::POST, "/stores"),
        (Method::POST, "/auth/login"),
        (Method::POST, "/auth/register"),
        (Method::POST, "/auth/refresh"),
        (Method::POST, "/auth/tokens"),
        (Method::PATCH, "/auth/password"),
        (Method::POST, "/stores/store-1a2b3c4d/retry"),
        (Method::GET, "/stores"),
        (Method::GET, "/stores/availability"),
        (Method::GET, "/operations"),
        (Method::GET, "/audit"),
        (Method::DELETE, "/stores/store-1a2b3c4d"),
    ];
    let corpus = [
        r#"{"name":"teashop","engine":"medusa"}"#,
        r#"{"name":"teashop","engine":"woocommerce","theme":"astra","password":"correct horse","ownerId":"x"}"#,
        r#"{"email":"ada@example.com","password":"correct horse battery"}"#,
        r#"{"email":"eve@example.com","username":"eve","password":"correct horse battery","role":"admin"}"#,
        r#"{"refreshToken":"swr_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}"#,
        r#"{"name":"CI","scopes":["stores:read"],"expiresInDays":30}"#,
        r#"{"currentPassword":"a","newPassword":"correct horse battery"}"#,
        "name=teashop&engine=medusa",
        "limit=5&offset=10&status=ready&engine=medusa&sort=-createdAt&search=tea",
        "eyJrIjoiMjAyNi0xMS0yNVQwMDowMDowMFoiLCJpZCI6InN0b3JlLTFhMmIzYzRkIn0",
        "4711",
        "W/\"0123456789abcdef\", \"*\", *",
        "\"\"",
    ];
    let mut fuzzer = Fuzzer::new("requests", corpus.map(str::as_bytes));
    while let Some(input) = fuzzer.next_input() {
        let (method, path) = endpoints[fuzzer.below(endpoints.len())].clone();
        let mut url = reqwest::Url::parse(&format!("{}/api/v1{path}", world.base()))?;
        let text = String::from_utf8_lossy(&input).into_owned();
        match fuzzer.below(4) {
            0 => url.set_query(Some(&text)),
            1 => drop(url.query_pairs_mut().append_pair("pageToken", &text).append_pair("name", &text)),
            _ => {}
        }
        let mut request = http.request(method.clone(), url);
        let headers = [
            "idempotency-key",
            "if-match",
            "if-none-match",
            "authorization",
            "accept",
            "forwarded",
            "cookie",
            "x-organisation",
            "traceparent",
        ];
        let header = headers[fuzzer.below(headers.len())];
        match reqwest::header::HeaderValue::from_bytes(&input) {
            Ok(value) if fuzzer.below(2) == 0 => request = request.header(header, value),
            _ => {}
        }
        if header != "authorization" {
            request = request.bearer_auth(ada.token());
        }
        let kinds =
            ["application/json", "application/x-www-form-urlencoded", "application/json; charset=utf-8", "text/plain"];
        request = request.header("content-type", kinds[fuzzer.below(kinds.len())]).body(input.clone());
        let answer = request.send().await?;
        let (status, id) = (answer.status(), answer.headers().get("x-request-id").cloned());
        let body = answer.text().await?;
        let shown = format!("input {} to {method} {path} with {header}: {text:?}", fuzzer.runs);
        assert!(status.as_u16() < 500, "{status} {body}: {shown}");
        assert!(id.is_some(), "no request id: {shown}");
        if status.is_client_error() && status != StatusCode::NOT_MODIFIED {
            let json: Value = serde_json::from_str(&body)?;
            let code = json["error"]["code"].as_str().or_else(|| json["code"].as_str());
            assert!(code.is_some(), "{body}: {shown}");
        }
    }
    Ok(())
}

/// Somebody of this name, as the use cases know them.
async fn context_of(world: &Mocked, name: &str, role: PlatformRole) -> anyhow::Result<RequestContext> {
    let rows = world.storage.snapshot().await;
    let user = rows.users.iter().find(|user| user.username.as_str() == name).context("the account")?;
    let actor = Actor {
        user_id: user.id,
        tenant_id: user.tenant_id,
        member_role: Role::Owner,
        email: user.email.clone(),
        role,
    };
    Ok(RequestContext::new(actor, Origin::unknown(RequestId::from_random(1))))
}

/// Streams that are gone on with from any `Last-Event-ID` begin, and tell nobody what is somebody else's.
#[tokio::test]
async fn fuzz_last_event_ids() -> anyhow::Result<()> {
    let world = Mocked::start().await?;
    for name in ["ada", "bob"] {
        Merchant::register(&world.base, name).await?.create("teashop", "medusa").await?;
    }
    let events = Events::new(Arc::new(world.storage.clone()), world.clock.clone(), EventSettings::default());
    let ada = context_of(&world, "ada", PlatformRole::Tenant).await?;
    let operator = context_of(&world, "bob", PlatformRole::Admin).await?;
    let follow = async |who: &RequestContext, after: Option<&str>| {
        events.follow(who, Followed::Everything, after.map(str::to_owned)).await
    };
    let mut corpus: Vec<String> =
        ["0", "1", "2", "4711", "18446744073709551616", "-1", "~~", "0~0~0"].map(str::to_owned).into();
    let begun = follow(&operator, None).await?.next().await;
    let Some(Told::Begins { place }) = begun else { anyhow::bail!("{begun:?}") };
    corpus.push(place);

    let mut fuzzer = Fuzzer::new("Last-Event-ID", corpus.iter().map(String::as_bytes));
    let (mut replayed, mut reset) = (0_u64, 0_u64);
    while let Some(input) = fuzzer.next_input() {
        let text = String::from_utf8_lossy(&input);
        for who in [&ada, &operator] {
            let mut stream = follow(who, Some(&text)).await?;
            match stream.next().await {
                Some(Told::Begins { .. }) => {}
                Some(Told::Reset { .. }) => reset += 1,
                other => anyhow::bail!("input {}: a stream begins with {other:?}: {text:?}", fuzzer.runs),
            }
            // What it has missed, as far as it is there.
            while let Some(Some(told)) = stream.next().now_or_never() {
                let Told::Event { event, .. } = told else { continue };
                let foreign = event.tenant_id != who.actor.tenant_id && !who.actor.is_admin();
                anyhow::ensure!(!foreign, "input {}: {event:?} of somebody else: {text:?}", fuzzer.runs);
                replayed += 1;
            }
        }
    }
    println!("{replayed} events were told, {reset} streams begin anew");
    anyhow::ensure!(replayed > 0 && reset > 0, "{replayed} {reset}");
    Ok(())
}
