//! The security events of the audit trail: every one that there is, with who did it, from where and by which request.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::SecretString;
use shopwright_app::administration::Administration;
use shopwright_domain::audit::{AuditEvent, AuditEventType, MetadataValue, SecurityAction};
use shopwright_domain::engine::RotationTarget;
use shopwright_domain::identity::{Actor, PlatformRole};
use shopwright_domain::organisation::Role;
use shopwright_domain::{Scope, TenantId};
use shopwright_ports::identity_api::{IdentityService, NewApiToken, Origin, SignedIn};
use shopwright_ports::organisations_api::OrganisationService;
use shopwright_ports::platform_api::PlatformService;
use shopwright_ports::stores_api::{RequestContext, StoreService};
use shopwright_ports::testing::engines;
use support::Fixture;

const ADDRESS: &str = "192.0.2.7";
const PASSWORD: &str = "correct horse";

/// Somebody at an address.
fn origin(fixture: &Fixture) -> Origin {
    Origin { ip_address: Some(ADDRESS.to_owned()), ..fixture.origin() }
}

async fn sign_in(fixture: &Fixture, name: &str, password: &str) -> Option<SignedIn> {
    let email = format!("{name}@example.com").parse().unwrap();
    fixture.identity.login(&origin(fixture), email, password.into()).await.ok()
}

/// Somebody who registered from that address.
async fn merchant(fixture: &Fixture, name: &str) -> RequestContext {
    let email = format!("{name}@example.com").parse().unwrap();
    let (from, name) = (origin(fixture), name.parse().unwrap());
    let signed_in = fixture.identity.register(&from, email, name, PASSWORD.into(), None).await.unwrap();
    let user = signed_in.user;
    let actor = Actor {
        user_id: user.id,
        tenant_id: user.tenant_id,
        member_role: Role::Owner,
        email: user.email,
        role: PlatformRole::Tenant,
    };
    RequestContext::new(actor, origin(fixture))
}

/// Everything that a person can do to their account.
async fn live_a_persons_life(fixture: &Fixture, ada: &RequestContext) {
    let (identity, from) = (&fixture.identity, origin(fixture));
    for _ in 0..5 {
        assert!(sign_in(fixture, "ada", "wrong horse").await.is_none());
    }
    fixture.clock.advance(SignedDuration::from_hours(1));
    let first = sign_in(fixture, "ada", PASSWORD).await.unwrap();
    let second = sign_in(fixture, "ada", PASSWORD).await.unwrap();
    identity.refresh(&from, &first.refresh_token).await.unwrap();
    fixture.clock.advance(SignedDuration::from_secs(11));
    identity.refresh(&from, &first.refresh_token).await.unwrap_err();
    identity.logout(&from, &second.refresh_token).await.unwrap();
    sign_in(fixture, "ada", PASSWORD).await.unwrap();
    let session = identity.sessions(&ada.actor).await.unwrap()[0].id;
    identity.revoke_session(&from, &ada.actor, session).await.unwrap();
    identity.revoke_sessions(&from, &ada.actor, None).await.unwrap();
    let wanted = NewApiToken {
        name: "CI".into(),
        scopes: BTreeSet::from([Scope::StoresRead]),
        lifetime: Duration::from_hours(1),
    };
    let (token, _) = identity.create_api_token(&from, &ada.actor, wanted).await.unwrap();
    identity.revoke_api_token(&from, &ada.actor, token.id).await.unwrap();
    let new = SecretString::from("battery staple");
    identity.change_password(&from, &ada.actor, None, PASSWORD.into(), new).await.unwrap();
}

/// Everything that can happen to an organisation.
async fn live_an_organisations_life(fixture: &Fixture, ada: &RequestContext, bob: &RequestContext) {
    let organisations = &fixture.organisations;
    let id: TenantId = organisations.create(ada, "Tea".parse().unwrap()).await.unwrap().organisation.id;
    organisations.rename(ada, id, "Tea & Co".parse().unwrap()).await.unwrap();
    // One is removed, the next time they leave.
    for who in [ada, bob] {
        let (_, token) = organisations.invite(ada, id, None, Role::Viewer).await.unwrap();
        organisations.accept(bob, &token).await.unwrap();
        organisations.change_role(ada, id, bob.actor.user_id, Role::Developer).await.unwrap();
        organisations.rename(bob, id, "Bob's".parse().unwrap()).await.unwrap_err();
        organisations.remove_member(who, id, bob.actor.user_id).await.unwrap();
    }
    let (invitation, _) = organisations.invite(ada, id, None, Role::Viewer).await.unwrap();
    organisations.revoke_invitation(ada, id, invitation.id).await.unwrap();
    organisations.dissolve(ada, id).await.unwrap();
}

/// Everything that can happen to credentials.
async fn live_a_stores_life(fixture: &Fixture, ada: &RequestContext) {
    let store = fixture.ready_store(ada, "teashop").await;
    fixture.stores.reveal_credentials(ada, &store.id).await.unwrap();
    let targets = vec![RotationTarget::Administrator];
    let rotation = fixture.stores.rotate_credentials(ada, &store.id, targets).await.unwrap();
    fixture.ended(rotation.operation.unwrap().id).await;
}

/// Somebody who runs the platform ends and gives back the access of `user`.
async fn run_the_platform(fixture: &Fixture, user: &RequestContext) {
    let root = merchant(fixture, "root").await;
    let mut rows = fixture.storage.snapshot().await;
    rows.users.iter_mut().find(|user| user.id == root.actor.user_id).unwrap().role = PlatformRole::Admin;
    fixture.storage.restore(&rows).await;
    let root = RequestContext { actor: Actor { role: PlatformRole::Admin, ..root.actor }, ..root };
    let administration = Administration {
        storage: Arc::new(fixture.storage.clone()),
        releases: fixture.releases.clone(),
        engines: Arc::new(engines::catalogue()),
        clusters: vec![],
        clock: fixture.clock.clone(),
    };
    for active in [false, true] {
        administration.set_active(&root, user.actor.user_id, active).await.unwrap();
    }
}

fn action_of(event: &AuditEvent) -> String {
    match event.metadata.get("action") {
        Some(MetadataValue::Text(action)) => action.clone(),
        other => panic!("{other:?} of {event:?}"),
    }
}

#[tokio::test]
async fn every_security_event_is_written_down_with_who_did_it_and_from_where() {
    let fixture = Fixture::new().await;
    let (ada, bob) = (merchant(&fixture, "ada").await, merchant(&fixture, "bob").await);

    live_a_persons_life(&fixture, &ada).await;
    live_an_organisations_life(&fixture, &ada, &bob).await;
    live_a_stores_life(&fixture, &ada).await;
    run_the_platform(&fixture, &bob).await;

    let entries = fixture.storage.snapshot().await.audit;
    let security = entries.iter().map(|entry| &entry.event).filter(|it| it.event_type == AuditEventType::Security);
    let mut seen: BTreeMap<String, Vec<&AuditEvent>> = BTreeMap::new();
    for event in security {
        seen.entry(action_of(event)).or_default().push(event);
    }
    let every: BTreeSet<String> = SecurityAction::ALL.iter().map(|action| action.as_str().to_owned()).collect();
    assert_eq!(seen.keys().cloned().collect::<BTreeSet<_>>(), every);
    for (action, events) in seen {
        // What a worker does long after is told with the request that asked for it.
        let by_a_worker = action == SecurityAction::CredentialsRotated.as_str();
        for event in events {
            assert!(event.request_id.is_some(), "{event:?}");
            let who = (event.actor.is_some(), event.actor_email.is_some(), event.ip_address.as_deref());
            let expected = if by_a_worker { (false, false, None) } else { (true, true, Some(ADDRESS)) };
            assert_eq!(who, expected, "{event:?}");
        }
    }
}
