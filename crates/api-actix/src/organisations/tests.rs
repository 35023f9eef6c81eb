//! Organisations, members and invitations over HTTP.

use actix_web::test::TestRequest;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use shopwright_domain::organisation::{Action, InvitationTimes, Role};
use shopwright_domain::{InvitationId, TenantId, UserId};
use shopwright_ports::clock::Clock as _;
use shopwright_ports::identity_api::IdentityError;
use shopwright_ports::organisations_api::{Membership, OpenInvitation, OrganisationError};
use shopwright_ports::storage::{Invitation, Member};
use shopwright_ports::testing::ManualClock;

use crate::testing::{Answer, Bench, OWNER, own_organisation};

const ORGANISATION: &str = "00000000-0000-4000-8000-00000000000a";
const USER: &str = "00000000-0000-4000-8000-00000000000b";

fn at(path: &str) -> String {
    format!("/api/v1/organisations{path}")
}

fn organisation() -> Value {
    json!({"id": ORGANISATION, "name": "owner", "personal": true, "role": "owner", "createdAt": "2026-01-01T00:00:00.000Z"})
}

fn invitation(email: Option<&str>) -> Invitation {
    let now = ManualClock::default().now();
    Invitation {
        id: InvitationId::from_random(7),
        tenant_id: TenantId::from_random(10),
        email: email.map(|email| email.parse().unwrap()),
        role: Role::Developer,
        digest: [1; 32],
        invited_by: UserId::from_random(10),
        created_at: now,
        times: InvitationTimes { expires_at: now, accepted_at: None, revoked_at: None },
    }
}

fn member(role: Role) -> Member {
    Member {
        user_id: UserId::from_random(11),
        email: "ada@example.com".parse().unwrap(),
        username: "ada".parse().unwrap(),
        role,
        joined_at: ManualClock::default().now(),
    }
}

fn refused(answer: &Answer) -> (u16, String, String) {
    let message = answer.body["error"]["message"].as_str().unwrap_or_default();
    (answer.status, answer.code().to_owned(), message.to_owned())
}

#[actix_web::test]
async fn organisations_are_made_shown_renamed_and_deleted() {
    let mut bench = Bench::new();
    bench.organisations.expect_list().returning(|_| Ok(vec![own_organisation()]));
    bench.organisations.expect_create().returning(|_, name| {
        assert_eq!(name.as_str(), "Tea & Co");
        Ok(own_organisation())
    });
    bench.organisations.expect_get().returning(|_, _| Ok(own_organisation()));
    bench.organisations.expect_rename().returning(|_, id, name| {
        assert_eq!((id, name.as_str()), (TenantId::from_random(10), "Coffee"));
        Ok(own_organisation())
    });
    bench.organisations.expect_dissolve().returning(|_, _| Ok(()));
    let app = bench.app().await;
    let one = at(&format!("/{ORGANISATION}"));

    let listed = app.send(OWNER.asks(TestRequest::get().uri(&at("")))).await;
    let made = app.send(OWNER.asks(TestRequest::post().uri(&at("")).set_json(json!({"name": " Tea & Co "})))).await;
    let shown = app.send(OWNER.asks(TestRequest::get().uri(&one))).await;
    let renamed = app.send(OWNER.asks(TestRequest::patch().uri(&one).set_json(json!({"name": "Coffee"})))).await;
    let deleted = app.send(OWNER.asks(TestRequest::delete().uri(&one))).await;

    assert_eq!(listed.body["organisations"], json!([organisation()]));
    assert_eq!((made.status, &made.body["organisation"]), (201, &organisation()));
    assert_eq!((shown.status, &shown.body["organisation"]), (200, &organisation()));
    assert_eq!((renamed.status, &renamed.body["organisation"]), (200, &organisation()));
    assert_eq!((deleted.status, &deleted.body["message"]), (200, &json!("The organisation is deleted.")));
}

#[actix_web::test]
async fn members_are_shown_changed_and_removed() {
    let mut bench = Bench::new();
    bench.organisations.expect_members().returning(|_, _| Ok(vec![member(Role::Viewer)]));
    bench.organisations.expect_change_role().returning(|_, _, user, role| {
        assert_eq!((user, role), (UserId::from_random(11), Role::Admin));
        Ok(member(role))
    });
    bench.organisations.expect_remove_member().returning(|_, _, _| Ok(()));
    let app = bench.app().await;
    let members = at(&format!("/{ORGANISATION}/members"));
    let (one, own) = (format!("{members}/{USER}"), format!("{members}/{ORGANISATION}"));
    let body = |role| json!({"userId": USER, "email": "ada@example.com", "username": "ada", "role": role, "joinedAt": "2026-01-01T00:00:00.000Z"});

    let listed = app.send(OWNER.asks(TestRequest::get().uri(&members))).await;
    let changed = app.send(OWNER.asks(TestRequest::patch().uri(&one).set_json(json!({"role": "admin"})))).await;
    let removed = app.send(OWNER.asks(TestRequest::delete().uri(&one))).await;
    let left = app.send(OWNER.asks(TestRequest::delete().uri(&own))).await;
    let wrong = app.send(OWNER.asks(TestRequest::patch().uri(&one).set_json(json!({"role": "boss"})))).await;

    assert_eq!(listed.body["members"], json!([body("viewer")]));
    assert_eq!(changed.body["member"], body("admin"));
    assert_eq!((removed.status, &removed.body["message"]), (200, &json!("The member is removed.")));
    assert_eq!((left.status, &left.body["message"]), (200, &json!("You left the organisation.")));
    assert_eq!((wrong.status, wrong.kinds()), (400, vec![("role".to_owned(), "any.only".to_owned())]));
}

#[actix_web::test]
async fn an_invitation_is_shown_once_as_a_link_whose_token_no_log_sees() {
    let mut bench = Bench::new();
    bench.organisations.expect_invite().returning(|_, _, email, role| {
        assert_eq!((email.map(|email| email.to_string()).as_deref(), role), (Some("ada@example.com"), Role::Developer));
        Ok((invitation(Some("ada@example.com")), SecretString::from("swi_secret")))
    });
    bench.organisations.expect_invitations().returning(|_, _| Ok(vec![invitation(None)]));
    bench.organisations.expect_revoke_invitation().returning(|_, _, _| Ok(()));
    let app = bench.app().await;
    let uri = at(&format!("/{ORGANISATION}/invitations"));
    let wish = json!({"email": "ada@example.com", "role": "developer"});

    let made = app.send(OWNER.asks(TestRequest::post().uri(&uri).set_json(wish))).await;
    let listed = app.send(OWNER.asks(TestRequest::get().uri(&uri))).await;
    let revoked = app.send(OWNER.asks(TestRequest::delete().uri(&format!("{uri}/{USER}")))).await;

    assert_eq!((made.status, &made.body["token"]), (201, &json!("swi_secret")));
    assert_eq!(made.body["url"], "https://shopwright.example.com/invitation#swi_secret");
    assert_eq!(made.body["invitation"]["email"], "ada@example.com");
    assert_eq!(listed.body["invitations"][0]["email"], Value::Null);
    assert!(!listed.text.contains("swi_"), "{}", listed.text);
    assert_eq!(revoked.status, 200);
}

#[actix_web::test]
async fn an_invitation_for_nobody_in_particular_has_no_address_or_null() {
    for wish in [json!({"role": "viewer"}), json!({"email": null, "role": "viewer"})] {
        let mut bench = Bench::new();
        bench.organisations.expect_invite().returning(|_, _, email, _| {
            assert_eq!(email, None);
            Ok((invitation(None), SecretString::from("swi_secret")))
        });
        let uri = at(&format!("/{ORGANISATION}/invitations"));
        let made = bench.send(OWNER.asks(TestRequest::post().uri(&uri).set_json(&wish))).await;

        assert_eq!((made.status, &made.body["invitation"]["email"]), (201, &Value::Null), "{wish}: {}", made.text);
    }
}

#[actix_web::test]
async fn whoever_holds_an_invitation_sees_what_it_is_for_and_accepts_it() {
    let mut bench = Bench::new();
    bench.organisations.expect_inspect().returning(|token| {
        assert_eq!(token.expose_secret(), "swi_secret");
        Ok(OpenInvitation {
            organisation: "Tea & Co".into(),
            role: Role::Viewer,
            email: None,
            expires_at: ManualClock::default().now(),
        })
    });
    bench.organisations.expect_accept().returning(|_, _| Ok(Membership { role: Role::Viewer, ..own_organisation() }));
    let app = bench.app().await;
    let post = |path: &str| TestRequest::post().uri(path).set_json(json!({"token": "swi_secret"}));

    let seen = app.send(post("/api/v1/invitations/inspect")).await;
    let joined = app.send(OWNER.asks(post("/api/v1/invitations/accept"))).await;

    let expected = json!({"organisation": {"name": "Tea & Co"}, "role": "viewer", "email": null, "expiresAt": "2026-01-01T00:00:00.000Z"});
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&seen.body[key], value);
    }
    assert_eq!((joined.status, &joined.body["organisation"]["role"]), (200, &json!("viewer")));
}

#[actix_web::test]
async fn refusals_say_who_can_help() {
    let cases = [
        (OrganisationError::NotAMember, 403, "FORBIDDEN", "This organisation is not yours"),
        (
            OrganisationError::NotAllowed { role: Role::Viewer, action: Action::Rename },
            403,
            "FORBIDDEN",
            "As viewer you may not rename the organisation",
        ),
        (
            OrganisationError::LastOwner,
            409,
            "LAST_OWNER",
            "An organisation has at least one owner: make somebody else one first",
        ),
        (OrganisationError::Personal, 409, "CONFLICT", "The organisation that came with an account cannot be deleted"),
        (
            OrganisationError::HasStores { held: 2 },
            409,
            "ORGANISATION_HAS_STORES",
            "2 stores are left: delete them first",
        ),
        (OrganisationError::NoSuchMember, 404, "MEMBER_NOT_FOUND", "There is no such member"),
        (OrganisationError::NoSuchInvitation, 404, "INVITATION_NOT_FOUND", "There is no such invitation"),
        (
            OrganisationError::InvitationOver,
            404,
            "INVITATION_NOT_FOUND",
            "This invitation cannot be accepted: it is unknown, used, taken back or expired",
        ),
        (
            OrganisationError::InvitationForAnother,
            403,
            "INVITATION_FOR_ANOTHER",
            "This invitation is for another e-mail address",
        ),
        (OrganisationError::AlreadyMember, 409, "ALREADY_MEMBER", "You are a member already"),
        (
            OrganisationError::TooMany { what: "organisations", limit: 50 },
            409,
            "ORGANISATION_LIMIT_EXCEEDED",
            "50 organisations are as many as there may be",
        ),
    ];
    for (error, status, code, message) in cases {
        let mut bench = Bench::new();
        bench.organisations.expect_get().return_once(move |_, _| Err(error));

        let answer = bench.send(OWNER.asks(TestRequest::get().uri(&at(&format!("/{ORGANISATION}"))))).await;

        assert_eq!(refused(&answer), (status, code.to_owned(), message.to_owned()));
        assert!(answer.body["error"]["suggestion"].is_string(), "{code}");
    }
}

#[actix_web::test]
async fn the_active_organisation_is_the_one_in_the_header() {
    let mut bench = Bench::without_actors();
    bench.identity.expect_authenticate().returning(|_, organisation| {
        assert_eq!(organisation, Some(TenantId::from_random(10)));
        Err(IdentityError::NotAMember)
    });
    let app = bench.app().await;
    let ask =
        |organisation| OWNER.asks(TestRequest::get().uri(&at(""))).insert_header(("x-organisation", organisation));

    let foreign = app.send(ask(ORGANISATION)).await;
    let nonsense = app.send(ask("teashop")).await;

    assert_eq!(refused(&foreign), (403, "FORBIDDEN".into(), "You are no member of this organisation".into()));
    assert_eq!((nonsense.status, nonsense.code()), (400, "VALIDATION_ERROR"));
}
