//! Whose account a token of the configured issuer stands for (ADR 12), over the fakes.

mod support;

use std::sync::Arc;

use shopwright_domain::identity::{Email, PlatformRole};
use shopwright_ports::external_issuer::{ExternalIdentity, ExternalTokenError, MockExternalIssuer};
use shopwright_ports::identity_api::{Bearer, IdentityError, IdentityService, Proof};
use support::Fixture;

/// An issuer whose tokens are `issuer:<subject>:<verified address>`.
fn issuer() -> MockExternalIssuer {
    let mut issuer = MockExternalIssuer::new();
    issuer.expect_is_named_by().returning(|token| token.starts_with("issuer:"));
    issuer.expect_verify().returning(|token| {
        let parts: Vec<&str> = token.split(':').collect();
        match parts[1] {
            "forged" => Err(ExternalTokenError::Invalid),
            "away" => Err(ExternalTokenError::Unavailable),
            subject => Ok(ExternalIdentity {
                issuer: "https://id.example.com".to_owned(),
                subject: subject.to_owned(),
                email: parts[2].parse::<Email>().ok(),
            }),
        }
    });
    issuer
}

async fn fixture() -> Fixture {
    let mut fixture = Fixture::new().await;
    fixture.identity.issuer = Some(Arc::new(issuer()));
    fixture
}

async fn bearer(fixture: &Fixture, token: &str) -> Result<Bearer, IdentityError> {
    fixture.identity.authenticate(token, None).await
}

#[tokio::test]
async fn the_first_token_makes_the_account_and_the_next_ones_stand_for_it() {
    let fixture = fixture().await;

    let first = bearer(&fixture, "issuer:1:ada@example.com").await.unwrap();
    let again = bearer(&fixture, "issuer:1:ada@elsewhere.com").await.unwrap();

    assert_eq!(first.user.email.as_str(), "ada@example.com");
    assert_eq!((first.proof, first.actor.role), (Proof::External, PlatformRole::Tenant));
    assert_eq!(again.user, first.user, "a person is issuer and subject, whatever their address is now");
    let rows = fixture.storage.snapshot().await;
    assert_eq!((rows.users.len(), rows.tenants.len()), (1, 1));
}

#[tokio::test]
async fn a_verified_address_stands_for_the_account_that_is_there_where_registration_is_closed() {
    let mut fixture = fixture().await;
    let (email, name) = ("ada@example.com".parse().unwrap(), "ada".parse().unwrap());
    let registered =
        fixture.identity.register(&fixture.origin(), email, name, "correct horse".into(), None).await.unwrap();
    fixture.identity.rules.registration_open = false;

    let linked = bearer(&fixture, "issuer:1:ada@example.com").await.unwrap();

    assert_eq!(linked.user.id, registered.user.id);
    assert_eq!(fixture.storage.snapshot().await.users.len(), 1);
}

#[tokio::test]
async fn an_account_that_anybody_may_have_registered_is_not_handed_to_the_owner_of_its_address() {
    let fixture = fixture().await;
    let (email, name) = ("ada@example.com".parse().unwrap(), "mallory".parse().unwrap());
    fixture.identity.register(&fixture.origin(), email, name, "correct horse".into(), None).await.unwrap();

    let refused = bearer(&fixture, "issuer:1:ada@example.com").await;

    assert!(matches!(refused, Err(IdentityError::UserExists)), "{refused:?}");
}

#[tokio::test]
async fn another_subject_is_another_person() {
    let fixture = fixture().await;
    let ada = bearer(&fixture, "issuer:1:ada@example.com").await.unwrap();

    let bob = bearer(&fixture, "issuer:2:bob@example.com").await.unwrap();

    assert_ne!((bob.user.id, bob.user.tenant_id), (ada.user.id, ada.user.tenant_id));
}

#[tokio::test]
async fn without_a_verified_address_there_is_no_account() {
    let fixture = fixture().await;

    assert!(matches!(bearer(&fixture, "issuer:1:").await, Err(IdentityError::Unauthorized)));
    assert!(fixture.storage.snapshot().await.users.is_empty());
}

#[tokio::test]
async fn a_forged_token_is_refused_and_an_issuer_that_is_away_is_told() {
    let fixture = fixture().await;

    assert!(matches!(bearer(&fixture, "issuer:forged:").await, Err(IdentityError::Unauthorized)));
    assert!(matches!(bearer(&fixture, "issuer:away:").await, Err(IdentityError::IssuerUnavailable)));
}

#[tokio::test]
async fn the_password_of_such_an_account_is_nobodys() {
    let fixture = fixture().await;
    bearer(&fixture, "issuer:1:ada@example.com").await.unwrap();

    let email: Email = "ada@example.com".parse().unwrap();
    let guessed = fixture.identity.login(&fixture.origin(), email, "!".into()).await;

    assert!(matches!(guessed, Err(IdentityError::InvalidCredentials)), "{guessed:?}");
}
