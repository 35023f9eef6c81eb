//! Streams of events: their bytes, who may follow, and how they end.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant as Clock};

use actix_web::test::TestRequest;
use futures::stream::{iter, pending};
use serde_json::{Value, json};
use shopwright_domain::ErrorCode;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::saga::{ProvisionStep, Step, StepStatus};
use shopwright_domain::store::{Failure, StoreState};
use shopwright_ports::clock::Clock as _;
use shopwright_ports::gate_api::Payer;
use shopwright_ports::identity_api::IdentityError;
use shopwright_ports::storage::{Event, News};
use shopwright_ports::stores_api::StoreServiceError;
use shopwright_ports::testing::ManualClock;

use super::*;
use crate::testing::{Bench, OPERATION, OWNER, STORE, STRANGER};
use crate::{Api, Limits, LocalServer};

fn event(sequence: u64, news: News) -> Told {
    let event = Event {
        tenant_id: OWNER.actor().tenant_id,
        sequence,
        at: ManualClock::default().now(),
        store_id: STORE.parse().unwrap(),
        operation_id: matches!(news, News::Operation { .. }).then(|| OPERATION.parse().unwrap()),
        news,
        transaction: 1,
    };
    Told::Event { place: sequence.to_string(), event: Arc::new(event) }
}

fn ready() -> News {
    News::Store { state: StoreState::Ready, failure: None }
}

fn get(path: &str) -> TestRequest {
    TestRequest::get().uri(path)
}

#[actix_web::test]
async fn every_kind_of_event_has_its_name_its_number_and_one_shape() {
    let waiting = News::Operation {
        kind: OperationKind::Provision,
        status: OperationStatus::Running,
        step: Some(Step::Provision(ProvisionStep::InstallRelease)),
        step_status: Some(StepStatus::Started),
        attempt: 1,
        failure: Some(Failure::new(ErrorCode::ImagePull, "no such image")),
    };
    let entry = News::Audit {
        number: 24,
        event_type: AuditEventType::StatusChange,
        state: Some(StoreState::Ready),
        message: "two\nlines".into(),
    };
    let told = [Told::Begins { place: "6".into() }, event(7, ready()), event(8, waiting), event(9, entry)];
    let mut bench = Bench::new();
    bench
        .events
        .expect_follow()
        .once()
        .withf(|_, what, after| *what == Followed::Store(STORE.parse().unwrap()) && after.as_deref() == Some("6"))
        .return_once(move |_, _, _| Ok(iter(told).boxed()));
    let path = format!("/api/v1/stores/{STORE}/events");

    let answer = bench.send(OWNER.asks(get(&path)).insert_header(("last-event-id", "6"))).await;

    assert_eq!((answer.status, answer.header("content-type")), (200, "text/event-stream"));
    assert_eq!((answer.header("cache-control"), answer.header("content-encoding")), ("no-store", "identity"));
    let events: Vec<&str> = answer.text.split_terminator("\n\n").collect();
    assert_eq!(events.len(), 4, "{}", answer.text);
    assert_eq!(events[0], "retry: 2000\nid: 6");
    let common = json!({
        "at": "2026-01-01T00:00:00.000Z", "organisationId": "00000000-0000-4000-8000-00000000000a", "storeId": STORE, "operationId": null,
        "kind": null, "step": null, "stepStatus": null, "attempt": null, "failure": null, "auditId": null, "eventType": null,
    });
    let failure = json!({
        "code": "image_pull", "class": ErrorCode::ImagePull.class().as_str(), "detail": "no such image", "message": "no such image",
        "hint": ErrorCode::ImagePull.hint(),
    });
    let expected = [
        ("7", "store", json!({"type": "store", "id": 7, "status": "ready", "message": "the store is ready"})),
        (
            "8",
            "operation",
            json!({
                "type": "operation", "id": 8, "operationId": OPERATION, "kind": "provision", "status": "running",
                "step": "install_release", "stepStatus": "started", "attempt": 1, "failure": failure,
                "message": "provision is running; install_release is started",
            }),
        ),
        (
            "9",
            "audit",
            json!({
                "type": "audit", "id": 9, "status": "ready", "auditId": "24", "eventType": "status_change", "message": "two\nlines",
            }),
        ),
    ];
    for (event, (place, name, own)) in events[1..].iter().zip(expected) {
        let head = format!("id: {place}\nevent: {name}\ndata: ");
        let data: Value = serde_json::from_str(event.strip_prefix(&head).unwrap_or(event)).unwrap();
        let mut body = common.clone();
        body.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        assert_eq!(data, body);
    }
}

#[actix_web::test]
async fn whoever_comes_back_too_late_is_told_to_read_everything() {
    let mut bench = Bench::new();
    bench
        .events
        .expect_follow()
        .withf(|_, what, after| *what == Followed::Everything && after.as_deref() == Some("1"))
        .return_once(|_, _, _| Ok(iter([Told::Reset { place: "40".into() }]).boxed()));

    let answer = bench.send(OWNER.asks(get("/api/v1/events")).insert_header(("last-event-id", "1"))).await;

    assert!(answer.text.contains("id: 40\nevent: reset\ndata: {"), "{}", answer.text);
}

#[actix_web::test]
async fn a_store_that_is_not_theirs_is_refused_before_anything_is_told() {
    let mut bench = Bench::new();
    bench.events.expect_follow().returning(|_, _, _| Err(StoreServiceError::Forbidden));

    let answer = bench.send(STRANGER.asks(get(&format!("/api/v1/stores/{STORE}/events")))).await;

    assert_eq!((answer.status, answer.code()), (403, "FORBIDDEN"));
}

/// A stream that says one thing and then nothing.
fn quiet(limits: Limits) -> Bench {
    let mut bench = Bench::new();
    bench.events.expect_follow().returning(|_, _, _| Ok(iter([event(7, ready())]).chain(pending()).boxed()));
    bench.limits = limits;
    bench
}

/// Follows over a real connection, up to the first event.
fn follow(address: SocketAddr) -> BufReader<TcpStream> {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request =
        format!("GET /api/v1/events HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer owner-token\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut lines = BufReader::new(connection);
    read_until(&mut lines, "data: ");
    lines
}

/// Reads up to a line that begins like this.
fn read_until(lines: &mut BufReader<TcpStream>, begin: &str) {
    let mut line = String::new();
    while !line.starts_with(begin) {
        line.clear();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "the stream ended before `{begin}`");
    }
}

/// Reads to the end of the stream.
fn read_to_the_end(lines: &mut BufReader<TcpStream>) {
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        line.clear();
    }
}

#[test]
fn a_shutdown_ends_open_streams_at_once() {
    let mut server = LocalServer::start(quiet(Limits::default()).api()).unwrap();
    let mut streams = [follow(server.address()), follow(server.address())];
    let start = Clock::now();

    server.begin_shutdown();
    streams.iter_mut().for_each(read_to_the_end);
    server.stop().unwrap();

    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn a_quiet_stream_shows_that_it_lives() {
    let limits = Limits { heartbeat: Duration::from_millis(20), ..Limits::default() };
    let server = LocalServer::start(quiet(limits).api()).unwrap();
    let mut stream = follow(server.address());

    read_until(&mut stream, ": alive");
    read_until(&mut stream, ": alive");

    drop(stream);
    server.stop().unwrap();
}

#[test]
fn a_stream_ends_when_its_reader_may_not_see_it_any_more() {
    let revoked = Arc::new(AtomicBool::new(false));
    let limits = Limits { recheck: Duration::from_millis(20), ..Limits::default() };
    let mut bench = quiet(limits.clone());
    let known = Bench::new().api().identity;
    let told = Arc::clone(&revoked);
    bench.identity = shopwright_ports::identity_api::MockIdentityService::new();
    bench.identity.expect_authenticate().returning(move |token, organisation| {
        if told.load(Ordering::Acquire) {
            return Err(IdentityError::Unauthorized);
        }
        futures::executor::block_on(known.authenticate(token, organisation))
    });
    let server = LocalServer::start(bench.api()).unwrap();
    let mut stream = follow(server.address());

    revoked.store(true, Ordering::Release);

    read_to_the_end(&mut stream);
    server.stop().unwrap();
}

/// A stream is one request, however often it is asked whether its reader may still see it.
#[test]
fn a_stream_outlives_the_requests_that_its_reader_has_left() {
    let asked = Arc::new(AtomicUsize::new(0));
    let often = Duration::from_millis(20);
    let mut bench = quiet(Limits { recheck: often, heartbeat: often, ..Limits::default() });
    let (known, counted, gate) = (Bench::new().api().identity, Arc::clone(&asked), Arc::clone(&bench.gate));
    bench.identity = shopwright_ports::identity_api::MockIdentityService::new();
    bench.identity.expect_authenticate().returning(move |token, organisation| {
        counted.fetch_add(1, Ordering::AcqRel);
        futures::executor::block_on(known.authenticate(token, organisation))
    });
    let server = LocalServer::start(bench.api()).unwrap();
    let mut stream = follow(server.address());
    let reader = OWNER.actor();
    gate.shut(Payer::User { id: reader.user_id, tenant_id: reader.tenant_id }, jiff::Timestamp::MAX);
    let shut_at = asked.load(Ordering::Acquire);

    while asked.load(Ordering::Acquire) < shut_at + 3 {
        read_until(&mut stream, ": alive");
    }
    read_until(&mut stream, ": alive");

    drop(stream);
    server.stop().unwrap();
}

#[test]
fn somebody_has_only_so_many_streams_and_gets_room_when_one_is_closed() {
    let limits = Limits { streams_per_person: 2, heartbeat: Duration::from_millis(20), ..Limits::default() };
    let server = LocalServer::start(Api { limits: limits.clone(), ..quiet(limits).api() }).unwrap();
    let (first, second) = (follow(server.address()), follow(server.address()));
    let status = || {
        let mut connection = TcpStream::connect(server.address()).unwrap();
        let request = "GET /api/v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer owner-token\r\n\r\n";
        connection.write_all(request.as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(connection).read_line(&mut line).unwrap();
        line
    };

    assert!(status().starts_with("HTTP/1.1 429"), "the third is one too many");
    drop(first);
    // The server notices when it writes the next heartbeat.
    let start = Clock::now();
    while !status().starts_with("HTTP/1.1 200") {
        assert!(start.elapsed() < Duration::from_secs(10), "the place of a closed stream is not given back");
    }
    drop(second);
    server.stop().unwrap();
}
