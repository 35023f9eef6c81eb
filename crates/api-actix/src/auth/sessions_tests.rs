//! The list of sessions, and ending them.

use actix_web::test::TestRequest;
use serde_json::json;
use shopwright_domain::{SessionId, TenantId, UserId};
use shopwright_ports::clock::Clock;
use shopwright_ports::identity_api::IdentityError;
use shopwright_ports::storage::Session;
use shopwright_ports::testing::ManualClock;

use crate::testing::{Bench, OWNER, SESSION};

const PATH: &str = "/api/v1/auth/sessions";

fn session(id: SessionId) -> Session {
    let now = ManualClock::default().now();
    Session {
        id,
        user_id: UserId::from_random(10),
        tenant_id: TenantId::from_random(10),
        created_at: now,
        last_used_at: now,
        expires_at: now,
        revoked_at: None,
        ip_address: Some("192.0.2.1".into()),
        user_agent: None,
    }
}

#[actix_web::test]
async fn each_session_is_shown_and_the_one_that_asks_is_marked() {
    let mut bench = Bench::new();
    bench.identity.expect_sessions().returning(|_| Ok(vec![session(SESSION), session(SessionId::from_random(1))]));

    let answer = bench.send(OWNER.asks(TestRequest::get().uri(PATH))).await;

    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body["sessions"][0],
        json!({
            "id": SESSION.to_string(), "createdAt": "2026-01-01T00:00:00.000Z", "lastUsedAt": "2026-01-01T00:00:00.000Z",
            "expiresAt": "2026-01-01T00:00:00.000Z", "ipAddress": "192.0.2.1", "userAgent": null, "current": true,
        })
    );
    assert_eq!(answer.body["sessions"][1]["current"], false);
}

#[actix_web::test]
async fn one_session_is_ended_by_its_id() {
    let mut bench = Bench::new();
    bench.identity.expect_revoke_session().once().returning(|_, _, id| {
        assert_eq!(id, SESSION);
        Ok(())
    });

    let answer = bench.send(OWNER.asks(TestRequest::delete().uri(&format!("{PATH}/{SESSION}")))).await;

    assert_eq!((answer.status, &answer.body["ended"]), (200, &json!(1)));
}

#[actix_web::test]
async fn a_session_that_is_not_theirs_or_not_there_is_404_alike() {
    let mut bench = Bench::new();
    bench.identity.expect_revoke_session().returning(|_, _, _| Err(IdentityError::NoSuchSession));
    let app = bench.app().await;

    let unknown = app.send(OWNER.asks(TestRequest::delete().uri(&format!("{PATH}/{SESSION}")))).await;
    let malformed = app.send(OWNER.asks(TestRequest::delete().uri(&format!("{PATH}/mine")))).await;

    assert_eq!((unknown.status, unknown.code()), (404, "SESSION_NOT_FOUND"));
    assert_eq!(malformed.kinds(), [("id".to_owned(), "string.pattern.base".to_owned())]);
}

#[actix_web::test]
async fn all_sessions_are_ended_or_all_but_this_one() {
    for (query, kept) in [("", None), ("?keep=current", Some(SESSION))] {
        let mut bench = Bench::new();
        bench.identity.expect_revoke_sessions().once().returning(move |_, _, keep| {
            assert_eq!(keep, kept);
            Ok(3)
        });

        let answer = bench.send(OWNER.asks(TestRequest::delete().uri(&format!("{PATH}{query}")))).await;

        assert_eq!((answer.status, &answer.body["ended"]), (200, &json!(3)));
    }
    let wrong = Bench::new().send(OWNER.asks(TestRequest::delete().uri(&format!("{PATH}?keep=all")))).await;
    assert_eq!(wrong.kinds(), [("keep".to_owned(), "any.only".to_owned())]);
}
