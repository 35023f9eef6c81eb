//! Making, listing and revoking API tokens.

use std::time::Duration;

use actix_web::test::TestRequest;
use serde_json::{Value, json};
use shopwright_domain::Scope;
use shopwright_ports::identity_api::{IdentityError, NewApiToken};

use crate::testing::{Answer, Bench, OWNER, api_token};

const PATH: &str = "/api/v1/auth/tokens";

async fn create(bench: Bench, body: &Value) -> Answer {
    bench.send(OWNER.asks(TestRequest::post().uri(PATH).set_json(body))).await
}

fn shown() -> Value {
    json!({
        "id": api_token().id.to_string(), "name": "CI", "prefix": "swt_1a2b3c4d", "scopes": ["stores:read"],
        "organisationId": "00000000-0000-4000-8000-00000000000a",
        "createdAt": "2026-01-01T00:00:00.000Z", "expiresAt": "2026-01-02T00:00:00.000Z", "lastUsedAt": null,
    })
}

#[actix_web::test]
async fn a_new_token_is_shown_this_once() {
    let mut bench = Bench::new();
    bench.identity.expect_create_api_token().once().returning(|_, _, wanted| {
        let scopes = [Scope::StoresRead, Scope::StoresWrite].into();
        assert_eq!(wanted, NewApiToken { name: "CI".into(), scopes, lifetime: Duration::from_hours(24 * 7) });
        Ok((api_token(), "swt_1a2b3c4d_secret".into()))
    });
    let body = json!({"name": " CI ", "scopes": ["stores:write", "stores:read"], "expiresInDays": 7});

    let answer = create(bench, &body).await;

    assert_eq!((answer.status, &answer.body["token"]), (201, &json!("swt_1a2b3c4d_secret")));
    assert_eq!(answer.body["apiToken"], shown());
}

#[actix_web::test]
async fn a_list_shows_everything_but_the_tokens() {
    let mut bench = Bench::new();
    bench.identity.expect_api_tokens().returning(|_| Ok(vec![api_token()]));

    let answer = bench.send(OWNER.asks(TestRequest::get().uri(PATH))).await;

    assert_eq!((answer.status, &answer.body["apiTokens"]), (200, &json!([shown()])));
}

#[actix_web::test]
async fn a_token_lives_ninety_days_unless_told_otherwise() {
    let mut bench = Bench::new();
    bench.identity.expect_create_api_token().once().returning(|_, _, wanted| {
        assert_eq!(wanted.lifetime, Duration::from_hours(24 * 90));
        Ok((api_token(), "swt_1".into()))
    });

    assert_eq!(create(bench, &json!({"name": "CI", "scopes": "stores:read account:read"})).await.status, 201);
}

#[actix_web::test]
async fn each_mistake_is_named() {
    let cases = [
        (json!({}), vec![("name", "any.required"), ("scopes", "any.required")]),
        (json!({"name": " ", "scopes": []}), vec![("name", "string.max"), ("scopes", "any.only")]),
        (json!({"name": "a\nb", "scopes": ["root"]}), vec![("name", "string.max"), ("scopes", "any.only")]),
        (json!({"name": "x".repeat(65), "scopes": [1]}), vec![("name", "string.max"), ("scopes", "any.only")]),
        (json!({"name": "CI", "scopes": ["stores:read"], "expiresInDays": 0}), vec![("expiresInDays", "number.min")]),
        (json!({"name": "CI", "scopes": ["stores:read"], "expiresInDays": 366}), vec![("expiresInDays", "number.max")]),
        (
            json!({"name": "CI", "scopes": ["stores:read"], "expiresInDays": "x"}),
            vec![("expiresInDays", "number.base")],
        ),
        (
            json!({"name": "CI", "scopes": ["stores:read"], "expiresInDays": 1.5}),
            vec![("expiresInDays", "number.integer")],
        ),
        (json!({"name": "CI", "scopes": ["stores:read"], "role": "admin"}), vec![("role", "any.unknown")]),
    ];
    for (body, expected) in cases {
        let answer = create(Bench::new(), &body).await;

        let kinds = answer.kinds();
        let kinds: Vec<_> = kinds.iter().map(|(key, kind)| (key.as_str(), kind.as_str())).collect();
        assert_eq!((answer.status, kinds), (400, expected), "{body}");
    }
}

#[actix_web::test]
async fn too_many_and_a_scope_of_administrators_are_refused() {
    let body = json!({"name": "CI", "scopes": ["platform:admin"]});
    let mut bench = Bench::new();
    bench.identity.expect_create_api_token().returning(|_, _, _| Err(IdentityError::TooManyApiTokens { limit: 50 }));
    let many = create(bench, &body).await;
    let mut bench = Bench::new();
    let refuse = |_: &_, _: &_, _| Err(IdentityError::ScopeNotYours(Scope::PlatformAdmin));
    bench.identity.expect_create_api_token().returning(refuse);
    let high = create(bench, &body).await;

    assert_eq!((many.status, many.code()), (409, "API_TOKEN_LIMIT_EXCEEDED"));
    assert_eq!(many.body["error"]["metadata"], json!({"limit": 50}));
    assert_eq!((high.status, high.code()), (403, "FORBIDDEN"));
    assert_eq!(high.body["error"]["metadata"], json!({"scope": "platform:admin"}));
}

#[actix_web::test]
async fn revoking_one_that_is_not_there_is_404() {
    let path = format!("{PATH}/{}", api_token().id);
    let mut bench = Bench::new();
    bench.identity.expect_revoke_api_token().times(1).returning(|_, _, _| Ok(()));
    bench.identity.expect_revoke_api_token().returning(|_, _, _| Err(IdentityError::NoSuchApiToken));
    let app = bench.app().await;
    let revoke = |path: &str| app.send(OWNER.asks(TestRequest::delete().uri(path)));

    assert_eq!(revoke(&path).await.status, 200);
    let again = revoke(&path).await;
    assert_eq!((again.status, again.code()), (404, "API_TOKEN_NOT_FOUND"));
    assert_eq!(revoke(&format!("{PATH}/mine")).await.status, 400);
}
