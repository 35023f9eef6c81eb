//! Sessions, API tokens and guessing defence over the fakes, with a clock that stands still.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use shopwright_app::identity::Identity;
use shopwright_domain::Scope;
use shopwright_domain::identity::{Actor, Email, PlatformRole};
use shopwright_ports::identity_api::{Bearer, IdentityError, IdentityService, NewApiToken, Origin, Proof, SignedIn};
use support::{Fixture, SlowHasher};

const PASSWORD: &str = "correct horse";

fn ada() -> Email {
    "ada@example.com".parse().unwrap()
}

async fn registered(fixture: &Fixture) -> SignedIn {
    let name = "ada".parse().unwrap();
    fixture.identity.register(&fixture.origin(), ada(), name, PASSWORD.into(), None).await.unwrap()
}

async fn login(fixture: &Fixture, email: &Email, password: &str) -> Result<SignedIn, IdentityError> {
    // From another address each time: the rate per address is another test's.
    let origin = Origin { ip_address: Some(fixture.origin().request_id.to_string()), ..fixture.origin() };
    fixture.identity.login(&origin, email.clone(), password.into()).await
}

async fn refresh(fixture: &Fixture, token: &SecretString) -> Result<SignedIn, IdentityError> {
    fixture.identity.refresh(&fixture.origin(), token).await
}

async fn bearer(fixture: &Fixture, token: &SecretString) -> Result<Bearer, IdentityError> {
    fixture.identity.authenticate(token.expose_secret(), None).await
}

async fn actor(fixture: &Fixture, signed_in: &SignedIn) -> Actor {
    bearer(fixture, &signed_in.token).await.unwrap().actor
}

/// What the security events of the audit trail were about.
async fn actions(fixture: &Fixture) -> Vec<String> {
    let audit = fixture.storage.snapshot().await.audit;
    let action = |entry: &shopwright_ports::storage::AuditEntry| match entry.event.metadata.get("action") {
        Some(shopwright_domain::audit::MetadataValue::Text(action)) => Some(action.clone()),
        _ => None,
    };
    audit.iter().filter_map(action).collect()
}

/// RELIABILITY S4: whoever asks at the same moment gets the same successor, and it is made once.
#[tokio::test]
async fn s4_fifty_refreshes_at_once_are_one_rotation() {
    let fixture = Fixture::new().await;
    let first = registered(&fixture).await;

    let answers = futures::future::join_all((0..50).map(|_| refresh(&fixture, &first.refresh_token))).await;

    let successors: BTreeSet<String> =
        answers.into_iter().map(|answer| answer.unwrap().refresh_token.expose_secret().to_owned()).collect();
    assert_eq!(successors.len(), 1);
    assert!(!successors.contains(first.refresh_token.expose_secret()));
    let snapshot = fixture.storage.snapshot().await;
    assert_eq!((snapshot.sessions.len(), snapshot.refresh_tokens.len()), (1, 2), "one rotation");
}

/// RELIABILITY S4: within ten seconds the same successor, after that the end of the session for both who hold it.
#[tokio::test]
async fn s4_a_token_that_is_used_again_later_ends_its_session() {
    let fixture = Fixture::new().await;
    let first = registered(&fixture).await;
    let second = refresh(&fixture, &first.refresh_token).await.unwrap();

    fixture.clock.advance(SignedDuration::from_secs(10));
    let again = refresh(&fixture, &first.refresh_token).await.unwrap();
    assert_eq!(again.refresh_token.expose_secret(), second.refresh_token.expose_secret());
    assert_eq!(again.refresh_expires_at, second.refresh_expires_at);

    fixture.clock.advance(SignedDuration::from_secs(1));
    assert!(matches!(refresh(&fixture, &first.refresh_token).await, Err(IdentityError::SessionOver)));
    assert!(matches!(refresh(&fixture, &second.refresh_token).await, Err(IdentityError::SessionOver)), "the family");
    assert!(matches!(bearer(&fixture, &again.token).await, Err(IdentityError::Unauthorized)), "its access tokens too");
    assert_eq!(actions(&fixture).await, ["registration", "refresh_token_reused"]);
}

/// RELIABILITY S4: a dump of the database refreshes nothing.
#[tokio::test]
async fn s4_nothing_at_rest_is_a_token() {
    let fixture = Fixture::new().await;
    let first = registered(&fixture).await;
    let second = refresh(&fixture, &first.refresh_token).await.unwrap();
    let wanted =
        NewApiToken { name: "CI".into(), scopes: [Scope::StoresRead].into(), lifetime: Duration::from_hours(1) };
    let actor = actor(&fixture, &first).await;
    let (_, api_token) = fixture.identity.create_api_token(&fixture.origin(), &actor, wanted).await.unwrap();

    let rest = format!("{:?}", fixture.storage.snapshot().await);

    for secret in [&first.refresh_token, &second.refresh_token, &api_token, &first.token] {
        assert!(!rest.contains(secret.expose_secret()));
    }
}

#[tokio::test]
async fn what_was_never_a_refresh_token_is_refused_and_harms_nobody() {
    let fixture = Fixture::new().await;
    let first = registered(&fixture).await;
    let real = first.refresh_token.expose_secret();

    for text in ["", "swr_", "swr_0", &real[4..], &real.to_uppercase(), &format!("{real}0"), &"swr_0".repeat(100)] {
        let answer = refresh(&fixture, &text.into()).await;
        assert!(matches!(answer, Err(IdentityError::SessionOver)), "{text}");
        fixture.identity.logout(&fixture.origin(), &text.into()).await.unwrap();
    }

    assert!(refresh(&fixture, &first.refresh_token).await.is_ok());
}

#[tokio::test]
async fn a_session_ends_idle_or_at_the_latest_after_its_life() {
    let fixture = Fixture::new().await;
    let idle = registered(&fixture).await;
    let mut busy = login(&fixture, &ada(), PASSWORD).await.unwrap();
    for _ in 0..4 {
        fixture.clock.advance(SignedDuration::from_hours(24 * 7) - SignedDuration::from_secs(1));
        busy = refresh(&fixture, &busy.refresh_token).await.unwrap();
    }

    assert!(matches!(refresh(&fixture, &idle.refresh_token).await, Err(IdentityError::SessionOver)), "idle for a week");
    fixture.clock.advance(SignedDuration::from_hours(24 * 3));
    assert!(matches!(refresh(&fixture, &busy.refresh_token).await, Err(IdentityError::SessionOver)), "a month is over");
    fixture.clock.advance(SignedDuration::from_hours(24 * 31));
    assert_eq!(fixture.identity.forget_what_is_over().await.unwrap(), 5, "two sessions, three counters");
    assert!(fixture.storage.snapshot().await.sessions.is_empty());
}

/// RELIABILITY S3: an access token is worth nothing from the moment in which its session ends.
#[tokio::test]
async fn s3_a_session_that_is_ended_stops_at_once() {
    let fixture = Fixture::new().await;
    let (first, second, third) = (
        registered(&fixture).await,
        login(&fixture, &ada(), PASSWORD).await.unwrap(),
        login(&fixture, &ada(), PASSWORD).await.unwrap(),
    );
    let actor = actor(&fixture, &first).await;
    let Proof::Session(id) = bearer(&fixture, &second.token).await.unwrap().proof else { panic!("a session") };
    let origin = fixture.origin();
    assert_eq!(fixture.identity.sessions(&actor).await.unwrap().len(), 3);

    fixture.identity.revoke_session(&origin, &actor, id).await.unwrap();
    assert!(bearer(&fixture, &second.token).await.is_err());
    assert!(refresh(&fixture, &second.refresh_token).await.is_err());
    let again = fixture.identity.revoke_session(&origin, &actor, id).await;
    assert!(matches!(again, Err(IdentityError::NoSuchSession)));

    fixture.identity.logout(&origin, &third.refresh_token).await.unwrap();
    fixture.identity.logout(&origin, &third.refresh_token).await.unwrap();
    assert!(bearer(&fixture, &third.token).await.is_err());

    assert_eq!(fixture.identity.revoke_sessions(&origin, &actor, None).await.unwrap(), 1);
    assert!(bearer(&fixture, &first.token).await.is_err());
    let expected = ["registration", "login_success", "login_success", "session_revoked", "logout", "sessions_revoked"];
    assert_eq!(actions(&fixture).await, expected);
}

#[tokio::test]
async fn nobody_ends_the_session_of_somebody_else() {
    let fixture = Fixture::new().await;
    let ada = registered(&fixture).await;
    let Proof::Session(id) = bearer(&fixture, &ada.token).await.unwrap().proof else { panic!("a session") };
    let mallory = fixture.merchant("mallory").await.actor;

    let refused = fixture.identity.revoke_session(&fixture.origin(), &mallory, id).await;
    fixture.identity.revoke_sessions(&fixture.origin(), &mallory, None).await.unwrap();

    assert!(matches!(refused, Err(IdentityError::NoSuchSession)));
    assert!(bearer(&fixture, &ada.token).await.is_ok());
}

/// RELIABILITY S10.
#[tokio::test]
async fn s10_a_new_password_ends_every_other_session() {
    let fixture = Fixture::new().await;
    let (mine, thief) = (registered(&fixture).await, login(&fixture, &ada(), PASSWORD).await.unwrap());
    let Bearer { actor, proof: Proof::Session(keep), .. } = bearer(&fixture, &mine.token).await.unwrap() else {
        panic!("a session")
    };

    let new = SecretString::from("battery staple");
    fixture.identity.change_password(&fixture.origin(), &actor, Some(keep), PASSWORD.into(), new).await.unwrap();

    assert!(bearer(&fixture, &mine.token).await.is_ok());
    assert!(bearer(&fixture, &thief.token).await.is_err());
    assert!(refresh(&fixture, &thief.refresh_token).await.is_err());
    assert!(matches!(login(&fixture, &ada(), PASSWORD).await, Err(IdentityError::InvalidCredentials)));
    assert!(login(&fixture, &ada(), "battery staple").await.is_ok());
}

/// RELIABILITY S7: where the operator wants it, nobody chooses what everybody tries first, nor their own name.
#[tokio::test]
async fn s7_what_is_guessed_first_is_no_password() {
    let mut fixture = Fixture::new().await;
    fixture.identity.rules.common_passwords_allowed = false;
    let register = async |password: &str| {
        let name = "ada-lovelace".parse().unwrap();
        fixture.identity.register(&fixture.origin(), ada(), name, password.into(), None).await
    };
    for password in ["Password2026!", "ada-lovelace1", "ADA@example.com", "ada!!!!!"] {
        assert!(matches!(register(password).await, Err(IdentityError::CommonPassword)), "{password}");
    }
    let signed_in = register("seven otters").await.unwrap();

    let actor = actor(&fixture, &signed_in).await;
    let change = async |new: &str| {
        let (old, new) = ("seven otters".into(), new.into());
        fixture.identity.change_password(&fixture.origin(), &actor, None, old, new).await
    };
    assert!(matches!(change("12345678").await, Err(IdentityError::CommonPassword)));
    assert!(change("eight otters").await.is_ok());

    fixture.identity.rules.common_passwords_allowed = true;
    let name = "bob".parse().unwrap();
    let email = "bob@example.com".parse().unwrap();
    assert!(fixture.identity.register(&fixture.origin(), email, name, "password".into(), None).await.is_ok());
}

/// RELIABILITY S5: whoever signs in with a hash of earlier times has one of today afterwards; a wrong password changes none.
#[tokio::test]
async fn s5_a_hash_of_earlier_times_is_renewed_at_the_next_sign_in() {
    let fixture = Fixture::new().await;
    registered(&fixture).await;
    let mut rows = fixture.storage.snapshot().await;
    rows.users.iter_mut().next().unwrap().password_hash = format!("old${PASSWORD}");
    fixture.storage.restore(&rows).await;
    let hash = async || fixture.storage.snapshot().await.users[0].password_hash.clone();

    assert!(login(&fixture, &ada(), "wrong horse").await.is_err());
    assert_eq!(hash().await, format!("old${PASSWORD}"));
    let first = login(&fixture, &ada(), PASSWORD).await.unwrap();

    assert_eq!(hash().await, format!("fake${PASSWORD}"));
    assert!(bearer(&fixture, &first.token).await.is_ok(), "another hash of the same password ends no session");
    assert!(login(&fixture, &ada(), PASSWORD).await.is_ok());
}

/// RELIABILITY S10: a sign-in that was under way begins no session, and of two new passwords at once one counts.
#[tokio::test]
async fn s10_whoever_was_just_using_the_old_password_is_refused() {
    let fixture = Fixture::new().await;
    let actor = actor(&fixture, &registered(&fixture).await).await;
    let before = fixture.identity.clone();
    let attempt = async |identity: &Identity, new: &str| {
        let (origin, new) = (fixture.origin(), SecretString::from(new));
        identity.change_password(&origin, &actor, None, PASSWORD.into(), new).await
    };
    let meanwhile = |new: &'static str, old: &'static str| {
        let (identity, origin, actor) = (before.clone(), fixture.origin(), actor.clone());
        SlowHasher::meanwhile(async move {
            identity.change_password(&origin, &actor, None, old.into(), new.into()).await.unwrap();
        })
    };
    let mut slow = before.clone();

    slow.hasher = meanwhile("battery staple", PASSWORD);
    let changed = attempt(&slow, "paper clip").await;
    assert!(matches!(changed, Err(IdentityError::WrongPassword)), "{changed:?}");
    slow.hasher = meanwhile(PASSWORD, "battery staple");
    let late = slow.login(&fixture.origin(), ada(), "battery staple".into()).await;
    assert!(matches!(late, Err(IdentityError::InvalidCredentials)), "{late:?}");

    let live = fixture.storage.snapshot().await.sessions.iter().filter(|row| row.revoked_at.is_none()).count();
    assert_eq!(live, 0);
    assert!(login(&fixture, &ada(), PASSWORD).await.is_ok());
}

/// RELIABILITY S7, S8: known and unknown accounts are locked by the same number of guesses, in the same words.
#[tokio::test]
async fn s8_guesses_lock_an_account_whether_or_not_it_exists() {
    let fixture = Fixture::new().await;
    registered(&fixture).await;
    let mut seen = Vec::new();
    for email in [ada(), "nobody@example.com".parse().unwrap()] {
        let mut answers = Vec::new();
        for _ in 0..6 {
            answers.push(login(&fixture, &email, "wrong").await.unwrap_err().to_string());
        }
        seen.push(answers);
    }

    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0][..5], vec!["e-mail or password is wrong"; 5]);
    assert!(seen[0][5].starts_with("the account is locked until"), "{}", seen[0][5]);
    assert!(matches!(login(&fixture, &ada(), PASSWORD).await, Err(IdentityError::Locked { .. })), "even the right one");
    fixture.clock.advance(SignedDuration::from_mins(15));
    assert!(login(&fixture, &ada(), PASSWORD).await.is_ok());
    let failed = actions(&fixture).await.iter().filter(|action| *action == "login_failed").count();
    assert_eq!(failed, 4);
    assert!(actions(&fixture).await.contains(&"account_locked".to_owned()));
}

/// RELIABILITY S7: at the same moment as well no more guesses are judged than the limit.
#[tokio::test]
async fn s7_guesses_at_the_same_moment_are_counted_one_by_one() {
    let fixture = Fixture::new().await;
    registered(&fixture).await;

    let email = ada();
    let answers = futures::future::join_all((0..50).map(|_| login(&fixture, &email, "wrong"))).await;

    let judged = answers.iter().filter(|answer| matches!(answer, Err(IdentityError::InvalidCredentials))).count();
    let locked = answers.iter().filter(|answer| matches!(answer, Err(IdentityError::Locked { .. }))).count();
    assert_eq!((judged, locked), (5, 45));
}

#[tokio::test]
async fn the_right_password_takes_back_what_was_counted() {
    let fixture = Fixture::new().await;
    registered(&fixture).await;

    for _ in 0..3 {
        for _ in 0..4 {
            assert!(login(&fixture, &ada(), "wrong").await.is_err());
        }
        assert!(login(&fixture, &ada(), PASSWORD).await.is_ok());
    }
}

/// RELIABILITY S7: a stolen session is no place to guess the password at either.
#[tokio::test]
async fn s7_guesses_at_a_change_of_password_count_too() {
    let fixture = Fixture::new().await;
    let actor = actor(&fixture, &registered(&fixture).await).await;
    let guess = async |password: &str| {
        let new = SecretString::from("battery staple");
        fixture.identity.change_password(&fixture.origin(), &actor, None, password.into(), new).await
    };

    for _ in 0..5 {
        assert!(matches!(guess("wrong").await, Err(IdentityError::WrongPassword)));
    }

    assert!(matches!(guess(PASSWORD).await, Err(IdentityError::Locked { .. })));
    assert!(matches!(login(&fixture, &ada(), PASSWORD).await, Err(IdentityError::Locked { .. })));
}

/// API.md section 4: ten attempts per account and address in a quarter of an hour, right ones too.
#[tokio::test]
async fn one_address_has_ten_attempts_at_one_account() {
    let fixture = Fixture::new().await;
    registered(&fixture).await;
    let from = async |address: &str, email: Email| {
        let origin = Origin { ip_address: Some(address.to_owned()), ..fixture.origin() };
        fixture.identity.login(&origin, email, PASSWORD.into()).await
    };

    for _ in 0..10 {
        assert!(from("192.0.2.1", ada()).await.is_ok());
    }

    let refused = from("192.0.2.1", ada()).await;
    assert!(matches!(refused, Err(IdentityError::TooManyAttempts { .. })), "{refused:?}");
    assert!(from("192.0.2.2", ada()).await.is_ok(), "another address");
    let stranger = from("192.0.2.1", "nobody@example.com".parse().unwrap()).await;
    assert!(matches!(stranger, Err(IdentityError::InvalidCredentials)), "another account");
    fixture.clock.advance(SignedDuration::from_secs(90));
    assert!(from("192.0.2.1", ada()).await.is_ok(), "a tenth of the window later");
}

async fn api_token(fixture: &Fixture, actor: &Actor, scopes: &[Scope]) -> Result<SecretString, IdentityError> {
    let wanted =
        NewApiToken { name: "CI".into(), scopes: scopes.iter().copied().collect(), lifetime: Duration::from_hours(24) };
    fixture.identity.create_api_token(&fixture.origin(), actor, wanted).await.map(|(_, token)| token)
}

#[tokio::test]
async fn an_api_token_is_its_maker_until_it_is_revoked_or_expires() {
    let fixture = Fixture::new().await;
    let actor = actor(&fixture, &registered(&fixture).await).await;
    let (short, long) = (
        api_token(&fixture, &actor, &[Scope::StoresRead]).await.unwrap(),
        api_token(&fixture, &actor, &[Scope::StoresWrite]).await.unwrap(),
    );

    let who = bearer(&fixture, &short).await.unwrap();
    let rows = fixture.identity.api_tokens(&actor).await.unwrap();
    assert_eq!(who.actor, actor);
    let row = rows.iter().find(|row| row.scopes.contains(&Scope::StoresRead)).unwrap();
    assert_eq!(who.proof, Proof::ApiToken(row.id, [Scope::StoresRead].into()));
    assert!(short.expose_secret().starts_with(&row.prefix) && row.prefix.len() == 12, "{}", row.prefix);

    fixture.identity.revoke_api_token(&fixture.origin(), &actor, row.id).await.unwrap();
    assert!(matches!(bearer(&fixture, &short).await, Err(IdentityError::Unauthorized)));
    let again = fixture.identity.revoke_api_token(&fixture.origin(), &actor, row.id).await;
    assert!(matches!(again, Err(IdentityError::NoSuchApiToken)));
    assert_eq!(fixture.identity.api_tokens(&actor).await.unwrap().len(), 1);

    fixture.clock.advance(SignedDuration::from_hours(24));
    assert!(matches!(bearer(&fixture, &long).await, Err(IdentityError::Unauthorized)), "expired");
    let expected = ["registration", "api_token_created", "api_token_created", "api_token_revoked"];
    assert_eq!(actions(&fixture).await, expected);
}

#[tokio::test]
async fn the_last_use_is_written_once_a_minute() {
    let fixture = Fixture::new().await;
    let actor = actor(&fixture, &registered(&fixture).await).await;
    let token = api_token(&fixture, &actor, &[Scope::StoresRead]).await.unwrap();
    let mut written = BTreeSet::new();
    for _ in 0..130 {
        bearer(&fixture, &token).await.unwrap();
        written.extend(fixture.storage.snapshot().await.api_tokens[0].last_used_at);
        fixture.clock.advance(SignedDuration::from_secs(1));
    }

    assert_eq!(written.len(), 3, "at 0, 61 and 122 seconds");
}

#[tokio::test]
async fn an_administrators_token_has_their_powers_only_when_they_gave_them() {
    let fixture = Fixture::new().await;
    let admin: Email = "root@example.com".parse().unwrap();
    fixture.identity.ensure_administrator(admin.clone(), PASSWORD.into()).await.unwrap();
    let actor = actor(&fixture, &login(&fixture, &admin, PASSWORD).await.unwrap()).await;
    let tenant = fixture.merchant("mallory").await.actor;

    let plain = api_token(&fixture, &actor, &[Scope::StoresRead]).await.unwrap();
    let full = api_token(&fixture, &actor, &[Scope::StoresRead, Scope::PlatformAdmin]).await.unwrap();

    assert_eq!(bearer(&fixture, &plain).await.unwrap().actor.role, PlatformRole::Tenant);
    assert_eq!(bearer(&fixture, &full).await.unwrap().actor.role, PlatformRole::Admin);
    let refused = api_token(&fixture, &tenant, &[Scope::PlatformAdmin]).await;
    assert!(matches!(refused, Err(IdentityError::ScopeNotYours(Scope::PlatformAdmin))));
}

#[tokio::test]
async fn nobody_has_more_than_fifty_api_tokens() {
    let fixture = Fixture::new().await;
    let actor = actor(&fixture, &registered(&fixture).await).await;

    let made = futures::future::join_all((0..60).map(|_| api_token(&fixture, &actor, &[Scope::StoresRead]))).await;

    assert_eq!(made.iter().filter(|token| token.is_ok()).count(), 50);
    assert!(made.iter().all(|token| matches!(token, Ok(_) | Err(IdentityError::TooManyApiTokens { limit: 50 }))));
}
