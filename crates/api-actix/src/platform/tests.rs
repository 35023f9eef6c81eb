//! Clusters and accounts over HTTP, for those who run the platform.

use actix_web::test::TestRequest;
use serde_json::{Value, json};
use shopwright_domain::breaker::BreakerState;
use shopwright_domain::operation::OperationStatus;
use shopwright_domain::store::StoreState;
use shopwright_domain::{ClusterName, Scope, UserId};
use shopwright_ports::health_api::FenceCondition;
use shopwright_ports::platform_api::{AccountPage, ClusterSight, ClusterView, Clusters, PlatformError};
use shopwright_ports::storage::{Account, ClusterCensus, RegisteredCluster, UserFilter};
use shopwright_ports::stores_api::EngineView;
use shopwright_ports::testing::engines;

use crate::testing::{ADMIN, Actor, Bench, OWNER, STRANGER};

const USERS: &str = "/api/v1/platform/users";
const CLUSTERS: &str = "/api/v1/platform/clusters";

fn account(who: Actor, active: bool) -> Account {
    let mut user = who.user();
    user.active = active;
    Account { user, sessions: 2, api_tokens: 1 }
}

fn shown(who: Actor, active: bool) -> Value {
    let user = who.user();
    json!({
        "id": user.id.to_string(), "email": user.email.as_str(), "username": user.username.as_str(),
        "role": user.role.as_str(), "active": active, "organisationId": user.tenant_id.to_string(), "sessions": 2,
        "apiTokens": 1, "createdAt": "2026-01-01T00:00:00.000Z",
    })
}

fn one(id: UserId) -> String {
    format!("{USERS}/{id}")
}

#[actix_web::test]
async fn accounts_are_listed_page_by_page() {
    let place = account(OWNER, true).place();
    let filter = UserFilter { search: Some("ada@".to_owned()), ..UserFilter::default() };
    let next = UserFilter { after: Some(place), ..filter.clone() };
    let mut bench = Bench::new();
    bench
        .platform
        .expect_users()
        .once()
        .withf(move |_, asked, limit| *asked == filter && *limit == 50)
        .returning(move |_, _, _| Ok(AccountPage { accounts: vec![account(OWNER, true)], next: Some(place) }));
    bench
        .platform
        .expect_users()
        .once()
        .withf(move |_, asked, limit| *asked == next && *limit == 2)
        .returning(|_, _, _| Ok(AccountPage { accounts: vec![account(STRANGER, false)], next: None }));
    let app = bench.app().await;
    let get = |query: &str| ADMIN.asks(TestRequest::get().uri(&format!("{USERS}?search=Ada@{query}")));

    let first = app.send(get("")).await;
    let token = first.body["nextPageToken"].as_str().unwrap_or_default();
    let second = app.send(get(&format!("&limit=2&pageToken={token}"))).await;

    assert_eq!((first.status, &first.body["users"]), (200, &json!([shown(OWNER, true)])), "{}", first.text);
    assert_eq!((second.status, &second.body["users"]), (200, &json!([shown(STRANGER, false)])), "{}", second.text);
    assert_eq!(second.body["nextPageToken"], Value::Null);
    assert!(!first.text.contains("argon2"), "nobody needs to see a hash: {}", first.text);
}

#[actix_web::test]
async fn a_wrong_question_is_400() {
    let long = format!("?search={}", "x".repeat(256));
    for (query, kind) in [
        ("?search=", "string.empty"),
        (long.as_str(), "string.max"),
        ("?limit=0", "number.min"),
        ("?limit=101", "number.max"),
        ("?pageToken=x", "any.invalid"),
    ] {
        let answer = Bench::new().send(ADMIN.asks(TestRequest::get().uri(&format!("{USERS}{query}")))).await;

        assert_eq!((answer.status, answer.kinds()[0].1.as_str()), (400, kind), "{query}");
    }
}

#[actix_web::test]
async fn an_account_is_closed_and_opened() {
    let id = OWNER.user().id;
    let mut bench = Bench::new();
    bench.platform.expect_set_active().times(2).returning(move |context, asked, active| {
        assert_eq!((context.actor.user_id, asked), (ADMIN.user().id, id));
        Ok(account(OWNER, active))
    });
    let app = bench.app().await;
    let patch = |active: bool| ADMIN.asks(TestRequest::patch().uri(&one(id)).set_json(json!({"active": active})));

    let closed = app.send(patch(false)).await;
    let opened = app.send(patch(true)).await;

    assert_eq!((closed.status, &closed.body["user"]), (200, &shown(OWNER, false)), "{}", closed.text);
    let message = "The account is deactivated: its sessions are ended, its API tokens revoked.";
    assert_eq!(closed.body["message"], message);
    assert_eq!((opened.status, &opened.body["user"]), (200, &shown(OWNER, true)), "{}", opened.text);
    assert_eq!(opened.body["message"], "The account is active.");
}

#[actix_web::test]
async fn a_wrong_change_is_400_and_names_every_field() {
    for (body, wrong) in [
        (json!({}), vec![("active", "any.required")]),
        (json!({"active": "perhaps"}), vec![("active", "boolean.base")]),
        (json!({"active": null, "role": "admin"}), vec![("active", "boolean.base"), ("role", "any.unknown")]),
    ] {
        let request = ADMIN.asks(TestRequest::patch().uri(&one(OWNER.user().id)).set_json(&body));
        let answer = Bench::new().send(request).await;

        let wrong: Vec<_> = wrong.into_iter().map(|(field, kind)| (field.to_owned(), kind.to_owned())).collect();
        assert_eq!((answer.status, answer.kinds()), (400, wrong), "{body}");
    }
    let path = format!("{USERS}/ada");
    let answer = Bench::new().send(ADMIN.asks(TestRequest::patch().uri(&path).set_json(json!({"active": true})))).await;
    assert_eq!((answer.status, answer.kinds()[0].0.as_str()), (400, "id"));
}

#[actix_web::test]
async fn refusals_have_their_codes() {
    type Refusal = fn() -> PlatformError;
    let cases: [(Refusal, u16, &str, &str); 4] = [
        (|| PlatformError::NotAdministrator, 403, "FORBIDDEN", "This is for administrators"),
        (|| PlatformError::NoSuchUser, 404, "USER_NOT_FOUND", "There is no such user"),
        (|| PlatformError::OwnAccount, 409, "OWN_ACCOUNT", "You cannot deactivate your own account"),
        (
            || PlatformError::LastAdministrator,
            409,
            "LAST_ADMINISTRATOR",
            "This is the last active platform administrator",
        ),
    ];
    for (error, status, code, message) in cases {
        let mut bench = Bench::new();
        bench.platform.expect_set_active().returning(move |_, _, _| Err(error()));
        let request = TestRequest::patch().uri(&one(OWNER.user().id)).set_json(json!({"active": false}));
        let answer = bench.send(ADMIN.asks(request)).await;

        assert_eq!((answer.status, answer.code()), (status, code));
        assert_eq!(answer.body["error"]["message"], message);
        assert_eq!(answer.body["error"]["retryable"], false);
    }
}

/// Nobody who is no administrator gets as far as the service, nor as far as a word about what they sent.
#[actix_web::test]
async fn everybody_else_is_refused() {
    let routes = || {
        [
            TestRequest::get().uri(USERS),
            TestRequest::patch().uri(&one(OWNER.user().id)),
            TestRequest::get().uri(CLUSTERS),
        ]
    };
    for request in routes() {
        let answer = Bench::new().send(OWNER.asks(request)).await;
        assert_eq!((answer.status, answer.code()), (403, "FORBIDDEN"), "{}", answer.text);
    }
    for request in routes() {
        let answer = Bench::new().send(OWNER.asks_with(request, &Scope::ALL)).await;
        assert_eq!((answer.status, answer.code()), (403, "FORBIDDEN"), "a scope gives nobody a right: {}", answer.text);
    }
    for request in routes() {
        let scopes = [Scope::AccountRead, Scope::StoresRead, Scope::StoresWrite];
        let answer = Bench::new().send(ADMIN.asks_with(request, &scopes)).await;
        assert_eq!((answer.status, answer.code()), (403, "INSUFFICIENT_SCOPE"), "{}", answer.text);
    }
}

fn census(name: &str) -> ClusterCensus {
    let cluster = RegisteredCluster { name: name.parse::<ClusterName>().unwrap(), permits: 32 };
    let mut census = ClusterCensus::of(cluster);
    census.stores = vec![((StoreState::Ready, engines::medusa()), 41), ((StoreState::Failed, engines::medusa()), 1)];
    census.operations = vec![(OperationStatus::Running, 3), (OperationStatus::Stuck, 1)];
    census
}

fn sight() -> ClusterSight {
    ClusterSight {
        breaker: BreakerState::Closed,
        breaker_last_failure: None,
        fence: FenceCondition::Holds,
        fence_detail: None,
        unknown_namespaces: 2,
    }
}

fn medusa() -> EngineView {
    let engine = engines::catalogue().get(&engines::medusa()).unwrap().clone();
    EngineView { engine, note: None, unavailable: Some("the chart is not there".to_owned()) }
}

async fn clusters(views: Vec<ClusterView>) -> Value {
    let mut bench = Bench::new();
    let found = Clusters { clusters: views, engines: vec![medusa()] };
    bench.platform.expect_clusters().returning(move |_| Ok(found.clone()));
    let answer = bench.send(ADMIN.asks_with(TestRequest::get().uri(CLUSTERS), &[Scope::PlatformAdmin])).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body["clusters"].clone()
}

#[actix_web::test]
async fn a_cluster_tells_what_is_on_it_and_what_this_server_knows_of_it() {
    let shown = clusters(vec![ClusterView { census: census("default"), sight: Some(sight()) }]).await;

    let engine = &shown[0]["engines"][0];
    assert_eq!(
        (&engine["name"], &engine["available"], &engine["unavailableReason"], &engine["stores"]),
        (&json!("medusa"), &json!(false), &json!("the chart is not there"), &json!(42)),
    );
    let mut rest = shown[0].clone();
    rest.as_object_mut().unwrap().remove("engines");
    assert_eq!(
        rest,
        json!({
            "name": "default", "takesWork": true, "reason": null, "fence": "holds", "unknownNamespaces": 2,
            "breakers": {"helm": "closed", "kubernetes": "closed", "lastFailureAt": null},
            "capacity": {"permits": 32, "running": 3},
            "operations": {"queued": 0, "running": 3, "waiting": 0, "stuck": 1},
            "stores": {"requested": 0, "provisioning": 0, "ready": 41, "failed": 1, "deleting": 0},
        })
    );
}

#[actix_web::test]
async fn a_cluster_that_takes_no_work_says_why() {
    let open = ClusterSight { fence: FenceCondition::Open, fence_detail: Some("no policy".into()), ..sight() };
    let unknown = ClusterSight { fence: FenceCondition::Unknown, ..sight() };
    let silent = ClusterSight { breaker: BreakerState::Open, ..sight() };
    let half_open = ClusterSight { breaker: BreakerState::HalfOpen, ..sight() };
    for (sight, takes_work, reason) in [
        (Some(open), json!(false), json!("its fence is open: no policy")),
        (Some(unknown), json!(false), json!("nobody could look at its fence yet")),
        (Some(silent), json!(false), json!("it did not answer several times in a row")),
        (Some(half_open), json!(true), Value::Null),
        (None, Value::Null, json!("this server does not work on it")),
    ] {
        let shown = clusters(vec![ClusterView { census: census("default"), sight: sight.clone() }]).await;

        assert_eq!((&shown[0]["takesWork"], &shown[0]["reason"]), (&takes_work, &reason), "{sight:?}");
        assert_eq!(shown[0]["breakers"].is_null(), sight.is_none());
    }
}
