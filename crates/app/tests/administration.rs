//! Running the platform: accounts that are closed and opened, and how clusters are doing.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use shopwright_app::administration::{Administration, OwnCluster};
use shopwright_app::saga::ClusterGuard;
use shopwright_domain::audit::{AuditEvent, MetadataValue};
use shopwright_domain::breaker::{BreakerPolicy, BreakerState};
use shopwright_domain::identity::{Actor, PlatformRole};
use shopwright_domain::operation::OperationStatus;
use shopwright_domain::organisation::Role;
use shopwright_domain::{ClusterName, Scope, UserId};
use shopwright_ports::cluster::ClusterError;
use shopwright_ports::health_api::FenceCondition;
use shopwright_ports::identity_api::{IdentityError, IdentityService, NewApiToken, SignedIn};
use shopwright_ports::organisations_api::{OrganisationError, OrganisationService};
use shopwright_ports::platform_api::{PlatformError, PlatformService};
use shopwright_ports::storage::{Account, UserFilter};
use shopwright_ports::stores_api::RequestContext;
use shopwright_ports::testing::{Fault, engines};
use support::{Fixture, SlowHasher};

const PASSWORD: &str = "correct horse";

fn administration(fixture: &Fixture) -> (Administration, Arc<ClusterGuard>) {
    let guard = Arc::new(ClusterGuard::new(fixture.cluster.clone(), fixture.clock.clone(), BreakerPolicy::default()));
    let own = OwnCluster { name: ClusterName::default_cluster(), guard: guard.clone(), sweeper: None };
    let administration = Administration {
        storage: Arc::new(fixture.storage.clone()),
        releases: fixture.releases.clone(),
        engines: Arc::new(engines::catalogue()),
        clusters: vec![own],
        clock: fixture.clock.clone(),
    };
    (administration, guard)
}

/// Somebody who runs the platform.
async fn administrator(fixture: &Fixture, name: &str) -> RequestContext {
    let context = fixture.merchant(name).await;
    let mut rows = fixture.storage.snapshot().await;
    rows.users.iter_mut().find(|user| user.id == context.actor.user_id).unwrap().role = PlatformRole::Admin;
    fixture.storage.restore(&rows).await;
    RequestContext { actor: Actor { role: PlatformRole::Admin, ..context.actor }, ..context }
}

async fn login(fixture: &Fixture, name: &str) -> Result<SignedIn, IdentityError> {
    let email = format!("{name}@example.com").parse().unwrap();
    fixture.identity.login(&fixture.origin(), email, PASSWORD.into()).await
}

async fn api_token(fixture: &Fixture, context: &RequestContext) -> SecretString {
    let scopes = BTreeSet::from([Scope::StoresRead]);
    let wanted = NewApiToken { name: "CI".into(), scopes, lifetime: Duration::from_hours(24) };
    fixture.identity.create_api_token(&context.origin, &context.actor, wanted).await.unwrap().1
}

async fn is_let_in(fixture: &Fixture, token: &SecretString) -> bool {
    let answer = fixture.identity.authenticate(token.expose_secret(), None).await;
    assert!(matches!(answer, Ok(_) | Err(IdentityError::Unauthorized)), "{answer:?}");
    answer.is_ok()
}

/// What the trail says about access, in order.
async fn events(fixture: &Fixture) -> Vec<AuditEvent> {
    let is_about_access = |event: &AuditEvent| {
        let action = |word: &str| event.metadata.get("action") == Some(&MetadataValue::from(word));
        action("account_deactivated") || action("account_activated")
    };
    let entries = fixture.storage.snapshot().await.audit;
    entries.iter().map(|entry| entry.event.clone()).filter(is_about_access).collect()
}

#[tokio::test]
async fn closing_an_account_ends_everything_that_opens_it_at_once() {
    let fixture = Fixture::new().await;
    let (administration, _) = administration(&fixture);
    let (root, ada) = (administrator(&fixture, "root").await, fixture.merchant("ada").await);
    let (signed_in, token) = (login(&fixture, "ada").await.unwrap(), api_token(&fixture, &ada).await);
    let bobs = fixture.merchant("bob").await;
    let bobs_token = api_token(&fixture, &bobs).await;
    assert!(is_let_in(&fixture, &signed_in.token).await && is_let_in(&fixture, &token).await);

    let closed = administration.set_active(&root, ada.actor.user_id, false).await.unwrap();

    assert_eq!((closed.user.active, closed.sessions, closed.api_tokens), (false, 0, 0));
    assert!(!is_let_in(&fixture, &signed_in.token).await && !is_let_in(&fixture, &token).await);
    assert!(is_let_in(&fixture, &bobs_token).await, "nobody else's ends");
    let refreshed = fixture.identity.refresh(&fixture.origin(), &signed_in.refresh_token).await;
    assert!(matches!(refreshed, Err(IdentityError::SessionOver)), "{refreshed:?}");
    assert!(matches!(login(&fixture, "ada").await, Err(IdentityError::InvalidCredentials)));
    let wanted = NewApiToken { name: "CI".into(), scopes: BTreeSet::new(), lifetime: Duration::from_hours(1) };
    let late = fixture.identity.create_api_token(&ada.origin, &ada.actor, wanted).await;
    assert!(matches!(late, Err(IdentityError::Unauthorized)), "a request that was under way makes no token");

    let opened = administration.set_active(&root, ada.actor.user_id, true).await.unwrap();

    assert!(opened.user.active);
    assert!(!is_let_in(&fixture, &signed_in.token).await && !is_let_in(&fixture, &token).await, "over is over");
    assert!(login(&fixture, "ada").await.is_ok());
}

#[tokio::test]
async fn a_sign_in_whose_password_was_being_checked_is_refused_by_a_closed_account() {
    let mut fixture = Fixture::new().await;
    let (administration, _) = administration(&fixture);
    let (root, ada) = (administrator(&fixture, "root").await, fixture.merchant("ada").await);
    let id = ada.actor.user_id;
    let (closing, by) = (administration.clone(), root.clone());
    fixture.identity.hasher = SlowHasher::meanwhile(async move {
        closing.set_active(&by, id, false).await.unwrap();
    });

    let late = login(&fixture, "ada").await;

    assert!(matches!(late, Err(IdentityError::InvalidCredentials)), "{late:?}");
    let opened = administration.set_active(&root, id, true).await.unwrap();
    assert_eq!(opened.sessions, 0, "none that comes back to life with the account");
    assert!(login(&fixture, "ada").await.is_ok());
}

#[tokio::test]
async fn what_is_under_way_opens_nothing_of_a_closed_account() {
    let mut fixture = Fixture::new().await;
    let (administration, _) = administration(&fixture);
    let (root, ada, bob) =
        (administrator(&fixture, "root").await, fixture.merchant("ada").await, fixture.merchant("bob").await);
    let hers = fixture.organisations.create(&ada, "Tea".parse().unwrap()).await.unwrap().organisation.id;
    let (_, invitation) = fixture.organisations.invite(&ada, hers, None, Role::Admin).await.unwrap();
    let id = bob.actor.user_id;
    let (closing, by) = (administration.clone(), root.clone());
    fixture.identity.hasher = SlowHasher::meanwhile(async move {
        closing.set_active(&by, id, false).await.unwrap();
    });

    let changed =
        fixture.identity.change_password(&bob.origin, &bob.actor, None, PASSWORD.into(), "another horse".into()).await;
    let joined = fixture.organisations.accept(&bob, &invitation).await;
    let founded = fixture.organisations.create(&bob, "Coffee".parse().unwrap()).await;

    assert!(matches!(changed, Err(IdentityError::Unauthorized)), "{changed:?}");
    assert!(matches!(joined, Err(OrganisationError::NotAMember)), "{joined:?}");
    assert!(matches!(founded, Err(OrganisationError::NotAMember)), "{founded:?}");
    administration.set_active(&root, id, true).await.unwrap();
    assert!(login(&fixture, "bob").await.is_ok(), "with the password of before");
    assert_eq!(fixture.organisations.list(&bob).await.unwrap().len(), 1, "their own");
}

#[tokio::test]
async fn closing_and_opening_are_written_down_once_with_who_did_it() {
    let fixture = Fixture::new().await;
    let (administration, _) = administration(&fixture);
    let (root, ada) = (administrator(&fixture, "root").await, fixture.merchant("ada").await);
    api_token(&fixture, &ada).await;
    let set = async |active| administration.set_active(&root, ada.actor.user_id, active).await.unwrap().user.active;

    let answers = [set(true).await, set(false).await, set(false).await, set(true).await];

    assert_eq!(answers, [true, false, false, true]);
    let events = events(&fixture).await;
    let [closed, opened] = events.as_slice() else { panic!("{events:#?}") };
    for event in [closed, opened] {
        assert_eq!((event.tenant_id, event.actor), (ada.actor.tenant_id, Some(root.actor.user_id)));
        assert_eq!(event.request_id, Some(root.origin.request_id.clone()));
        assert_eq!(event.metadata.get("userId"), Some(&ada.actor.user_id.to_string().into()));
    }
    let change = |event: &AuditEvent| (event.before.get("active").cloned(), event.after.get("active").cloned());
    assert_eq!(change(closed), (Some(true.into()), Some(false.into())));
    assert_eq!(change(opened), (Some(false.into()), Some(true.into())));
    let ended = (closed.metadata.get("sessionsEnded"), closed.metadata.get("apiTokensRevoked"));
    assert_eq!(ended, (Some(&1.into()), Some(&1.into())));
}

#[tokio::test]
async fn nobody_closes_their_own_account_nor_that_of_the_last_administrator() {
    let fixture = Fixture::new().await;
    let (administration, _) = administration(&fixture);
    let root = administrator(&fixture, "root").await;
    let own = root.actor.user_id;

    let last = administration.set_active(&root, own, false).await;
    assert!(matches!(last, Err(PlatformError::LastAdministrator)), "{last:?}");
    let other = administrator(&fixture, "other").await;
    let mine = administration.set_active(&root, own, false).await;
    assert!(matches!(mine, Err(PlatformError::OwnAccount)), "{mine:?}");
    assert!(administration.set_active(&root, own, true).await.is_ok(), "nothing is left to do");

    administration.set_active(&root, other.actor.user_id, false).await.unwrap();
    let late = administration.set_active(&other, own, false).await;
    assert!(matches!(late, Err(PlatformError::NotAdministrator)), "whose request was under way: {late:?}");
    let last = administration.set_active(&root, own, false).await;
    assert!(matches!(last, Err(PlatformError::LastAdministrator)), "a closed account runs nothing: {last:?}");
    assert_eq!(events(&fixture).await.len(), 1);
}

#[tokio::test]
async fn everybody_else_and_nobody_are_told_apart() {
    let fixture = Fixture::new().await;
    let (administration, _) = administration(&fixture);
    let (root, ada) = (administrator(&fixture, "root").await, fixture.merchant("ada").await);

    let refused = |answer: Result<(), PlatformError>| matches!(answer, Err(PlatformError::NotAdministrator));
    assert!(refused(administration.users(&ada, UserFilter::default(), 1).await.map(drop)));
    assert!(refused(administration.clusters(&ada).await.map(drop)));
    assert!(refused(administration.set_active(&ada, root.actor.user_id, false).await.map(drop)));
    // A token of an administrator that does not say so.
    let modest = RequestContext { actor: Actor { role: PlatformRole::Tenant, ..root.actor.clone() }, ..root.clone() };
    assert!(refused(administration.set_active(&modest, ada.actor.user_id, false).await.map(drop)));
    let nobody = administration.set_active(&root, UserId::from_random(99), false).await;
    assert!(matches!(nobody, Err(PlatformError::NoSuchUser)), "{nobody:?}");
}

#[tokio::test]
async fn accounts_are_found_in_pages() {
    let fixture = Fixture::new().await;
    let (administration, _) = administration(&fixture);
    let root = administrator(&fixture, "root").await;
    for name in ["tea-one", "tea-two", "tea-three", "coffee"] {
        fixture.merchant(name).await;
    }
    let mut filter = UserFilter { search: Some("tea-".to_owned()), ..UserFilter::default() };
    let mut found = Vec::new();
    loop {
        let page = administration.users(&root, filter.clone(), 2).await.unwrap();
        assert!(page.accounts.len() <= 2);
        found.extend(page.accounts.iter().map(|Account { user, .. }| user.username.as_str().to_owned()));
        let Some(next) = page.next else { break };
        filter.after = Some(next);
    }

    found.sort();
    assert_eq!(found, ["tea-one", "tea-three", "tea-two"]);
}

#[tokio::test]
async fn a_cluster_shows_its_queue_and_what_this_process_knows_of_it() {
    let fixture = Fixture::new().await;
    let (administration, guard) = administration(&fixture);
    let (root, ada) = (administrator(&fixture, "root").await, fixture.merchant("ada").await);
    fixture.create(&ada, "teashop").await;
    let look = async || {
        let mut found = administration.clusters(&root).await.unwrap();
        assert_eq!(found.engines.len(), engines::catalogue().iter().count());
        let view = found.clusters.remove(0);
        let sight = view.sight.clone().unwrap();
        (view.census, sight.takes_work(), sight)
    };

    let (census, takes_work, sight) = look().await;
    assert_eq!((takes_work, sight.fence), (false, FenceCondition::Unknown), "nobody looked yet");
    assert_eq!((census.cluster.permits, census.operations(OperationStatus::Queued)), (32, 1));
    assert_eq!(census.stores_of(&engines::medusa()), 1);

    guard.check().await.unwrap();
    let (_, takes_work, sight) = look().await;
    assert_eq!((takes_work, sight.fence, sight.breaker), (true, FenceCondition::Holds, BreakerState::Closed));
    assert_eq!(sight.breaker_last_failure, None);

    for _ in 0..BreakerPolicy::default().threshold {
        let silent = ClusterError::Unreachable { detail: "refused".to_owned(), source: None };
        fixture.cluster.faults.push("check", Fault::Before(silent));
        guard.check().await.unwrap_err();
    }
    let (_, takes_work, sight) = look().await;
    assert_eq!((takes_work, sight.breaker), (false, BreakerState::Open));
    assert!(sight.breaker_last_failure.is_some());
}
