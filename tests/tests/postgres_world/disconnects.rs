//! Clients that reset their connection in the middle of a request (RELIABILITY F67): a request is acknowledged, or it may have happened as
//! a whole, or it never was; and nobody who comes later suffers from it (F19).

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use serde_json::json;
use shopwright_api_actix::{Api, Cookies, Cors, Dashboard, Limits};
use shopwright_domain::SessionId;
use shopwright_domain::network::TrustedProxies;
use shopwright_ports::audit_api::MockAuditService;
use shopwright_ports::clock::Entropy as _;
use shopwright_ports::events_api::MockEventService;
use shopwright_ports::health_api::MockHealthService;
use shopwright_ports::identity_api::{Bearer, MockIdentityService, Proof};
use shopwright_ports::metrics_api::MockMetricsService;
use shopwright_ports::organisations_api::MockOrganisationService;
use shopwright_ports::platform_api::MockPlatformService;
use shopwright_ports::telemetry::Telemetry;
use shopwright_ports::testing::{FakeGate, SeededEntropy, engines};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::replicas::Replicas;

/// Starts the HTTP API of one replica and says where it is.
fn serve(replicas: &Replicas, stop: &CancellationToken) -> anyhow::Result<SocketAddr> {
    let entropy = Arc::new(SeededEntropy::new(99));
    // Who asks is known at once: what is tried here begins behind that.
    let (context, user) = (replicas.context.clone(), replicas.user.clone());
    let mut identity = MockIdentityService::new();
    identity.expect_authenticate().returning(move |_, _| {
        let proof = Proof::Session(SessionId::from_random(1));
        Ok(Bearer { actor: context.actor.clone(), user: user.clone(), proof })
    });
    let api = Api {
        stores: Arc::new(replicas.stores(100_000).remove(0)),
        identity: Arc::new(identity),
        // Nobody asks.
        organisations: Arc::new(MockOrganisationService::new()),
        platform: Arc::new(MockPlatformService::new()),
        audit: Arc::new(MockAuditService::new()),
        events: Arc::new(MockEventService::new()),
        health: Arc::new(MockHealthService::new()),
        metrics: Arc::new(MockMetricsService::new()),
        engines: Arc::new(engines::catalogue()),
        public_url: "http://127.0.0.1".to_owned(),
        gate: Arc::new(FakeGate::default()),
        entropy,
        clock: replicas.clock.clone(),
        cookies: Cookies::Plain,
        simulated: false,
        dashboard: Dashboard::default(),
        limits: Limits::default(),
        telemetry: Telemetry::default(),
        proxies: TrustedProxies::default(),
        cors: Cors::default(),
        https: false,
    };
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let stop = stop.clone();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(shopwright_api_actix::serve(listener, api, stop.cancelled_owned()))
    });
    Ok(address)
}

/// How many ask at once.
const TOGETHER: usize = 12;

/// Asks for a store and resets the connection after `patience`. Its name when the answer was there in time and said yes.
async fn ask(address: SocketAddr, name: String, patience: Duration) -> Option<String> {
    let body = json!({"name": name, "engine": "medusa"}).to_string();
    let request = format!(
        "POST /api/v1/stores HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer ada\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.expect("connect");
    stream.set_zero_linger().expect("a reset, not a goodbye");
    let answer = async {
        stream.write_all(request.as_bytes()).await?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await?;
        Ok::<_, std::io::Error>(head)
    };
    match tokio::time::timeout(patience, answer).await {
        Ok(answer) => {
            let head = answer.expect("a server that answers");
            assert_eq!(&head, b"HTTP/1.1 202", "{}", String::from_utf8_lossy(&head));
            Some(name)
        }
        Err(_) => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_away_is_acknowledged_or_all_or_nothing() -> anyhow::Result<()> {
    const CLIENTS: usize = 600;
    let replicas = Replicas::start().await?;
    let stop = CancellationToken::new();
    let address = serve(&replicas, &stop)?;
    // How long an answer takes on this machine, when so many ask at once.
    let start = Instant::now();
    let first = (0..5 * TOGETHER).map(|number| ask(address, format!("first-{number}"), Duration::from_mins(1)));
    let first: Vec<_> = futures::stream::iter(first).buffer_unordered(TOGETHER).collect().await;
    assert!(first.iter().all(Option::is_some), "everybody who waits is answered");
    let usual = start.elapsed() / 5;

    let chance = SeededEntropy::new(3);
    let clients = (0..CLIENTS).map(|number| {
        // From before the request is read until after the answer is there.
        let patience = usual * (chance.u32() % 1_000) / 500;
        ask(address, format!("shop-{number}"), patience)
    });
    let clients = futures::stream::iter(clients).buffer_unordered(TOGETHER);
    let acknowledged: BTreeSet<String> = clients.filter_map(async |name| name).collect().await;

    // What the last ones began ends without them.
    let idle = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
        and state <> 'idle'";
    let mut busy = -1;
    for _ in 0..1_000 {
        busy = replicas.database.count(idle).await?;
        if busy == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(busy, 0, "sessions in a transaction that nobody ends");

    let [stores, credentials, operations, events] = replicas.rows().await?;
    assert_eq!([credentials, operations, events], [stores; 3], "all of a store or nothing of it");
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&replicas.database.url).await?;
    let made: BTreeSet<String> =
        sqlx::query_scalar("select name from stores").fetch_all(&mut connection).await?.into_iter().collect();
    let lost: Vec<_> = acknowledged.difference(&made).collect();
    assert!(lost.is_empty(), "acknowledged and not there: {lost:?}");
    println!("{CLIENTS} clients, {} acknowledged, {} stores", acknowledged.len(), made.len());
    assert!(acknowledged.len() > CLIENTS / 20, "hardly anybody waited for the answer: nothing was shown");
    assert!(acknowledged.len() < CLIENTS * 19 / 20, "hardly anybody went away: nothing was shown");

    // Whoever comes now finds a clean pool: each of its connections in turn.
    for number in 0..20 {
        let late = ask(address, format!("late-{number}"), Duration::from_mins(1)).await;
        assert!(late.is_some(), "request {number} after the storm");
    }
    stop.cancel();
    replicas.close().await;
    Ok(())
}
