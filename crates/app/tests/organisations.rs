//! Organisations: who may do what in them, who comes and who goes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use shopwright_domain::Scope;
use shopwright_domain::identity::Actor;
use shopwright_domain::limits::Rate;
use shopwright_domain::organisation::{Action, OrganisationName, Role};
use shopwright_domain::store::StoreState;
use shopwright_domain::{TenantId, UserId};
use shopwright_ports::identity_api::{IdentityError, IdentityService, NewApiToken};
use shopwright_ports::organisations_api::{OrganisationError, OrganisationService};
use shopwright_ports::stores_api::{CreateStore, RequestContext, StoreService, StoreServiceError};
use shopwright_ports::testing::engines;
use support::Fixture;

fn name(text: &str) -> OrganisationName {
    text.parse().unwrap()
}

/// An organisation with one member of each role.
struct Company {
    id: TenantId,
    owner: RequestContext,
    admin: RequestContext,
    developer: RequestContext,
    viewer: RequestContext,
}

impl Company {
    async fn found(fixture: &Fixture) -> Self {
        let owner = fixture.merchant("olga").await;
        let id = fixture.organisations.create(&owner, name("Tea & Co")).await.unwrap().organisation.id;
        let company =
            |admin, developer, viewer| Self { id, owner: at(id, &owner, Role::Owner), admin, developer, viewer };
        let mut members = Vec::new();
        for (who, role) in [("adam", Role::Admin), ("dora", Role::Developer), ("vera", Role::Viewer)] {
            let person = fixture.merchant(who).await;
            join(fixture, &owner, id, &person, role).await;
            members.push(at(id, &person, role));
        }
        let [admin, developer, viewer] = <[RequestContext; 3]>::try_from(members).unwrap();
        company(admin, developer, viewer)
    }

    fn of(&self, role: Role) -> &RequestContext {
        match role {
            Role::Owner => &self.owner,
            Role::Admin => &self.admin,
            Role::Developer => &self.developer,
            Role::Viewer => &self.viewer,
        }
    }
}

/// The same person, acting in this organisation.
fn at(id: TenantId, context: &RequestContext, member_role: Role) -> RequestContext {
    RequestContext { actor: Actor { tenant_id: id, member_role, ..context.actor.clone() }, ..context.clone() }
}

async fn join(fixture: &Fixture, host: &RequestContext, id: TenantId, guest: &RequestContext, role: Role) {
    let (_, token) = fixture.organisations.invite(host, id, None, role).await.unwrap();
    fixture.organisations.accept(guest, &token).await.unwrap();
}

async fn accept(fixture: &Fixture, who: &RequestContext, token: &SecretString) -> Result<(), OrganisationError> {
    fixture.organisations.accept(who, token).await.map(|_| ())
}

fn wish(name: &str) -> CreateStore {
    CreateStore { name: name.parse().unwrap(), engine: engines::medusa(), theme: None, password: None }
}

/// What the trail of an organisation says was done, in order.
async fn actions(fixture: &Fixture, id: TenantId) -> Vec<String> {
    use shopwright_domain::audit::MetadataValue;
    let entries = fixture.storage.snapshot().await.audit;
    let of_it = entries.into_iter().filter(|entry| entry.event.tenant_id == id);
    let action = |event: &shopwright_domain::audit::AuditEvent| match event.metadata.get("action") {
        Some(MetadataValue::Text(action)) => Some(action.clone()),
        _ => None,
    };
    of_it.filter_map(|entry| action(&entry.event)).collect()
}

#[tokio::test]
async fn every_role_does_with_stores_what_the_table_says() {
    let fixture = Fixture::new().await;
    let company = Company::found(&fixture).await;
    let store = fixture.stores.create(&company.owner, wish("teashop")).await.unwrap().store;
    for role in Role::ALL {
        let context = company.of(role);
        let refused = |action| matches!(action, Err(StoreServiceError::NotAllowed { .. }));

        let made = fixture.stores.create(context, wish(&format!("shop-of-{role}"))).await;
        assert_eq!(refused(made.map(|_| ())), !role.may(Action::CreateStores), "{role} creates");
        let retried = fixture.stores.retry(context, &store.id).await;
        assert_eq!(refused(retried.map(|_| ())), !role.may(Action::ChangeStores), "{role} retries");
        let seen = fixture.stores.get(context, &store.id).await.unwrap();
        assert_eq!(seen.is_owner, role.may(Action::UseCredentials), "{role} sees credentials");
    }
    for role in [Role::Viewer, Role::Developer, Role::Admin] {
        let deleted = fixture.stores.delete(company.of(role), &store.id).await;
        assert_eq!(deleted.is_ok(), role.may(Action::DeleteStores), "{role} deletes");
    }
    let gone = fixture.stores.get(&company.viewer, &store.id).await.unwrap();
    assert_eq!(gone.store.state, StoreState::Deleting);
}

#[tokio::test]
async fn a_member_of_nothing_learns_nothing() {
    let fixture = Fixture::new().await;
    let company = Company::found(&fixture).await;
    let stranger = fixture.merchant("sam").await;
    let (organisations, none) = (&fixture.organisations, TenantId::from_random(99));

    for id in [company.id, none] {
        let answers = [
            organisations.get(&stranger, id).await.map(|_| ()),
            organisations.rename(&stranger, id, name("Mine")).await.map(|_| ()),
            organisations.dissolve(&stranger, id).await,
            organisations.members(&stranger, id).await.map(|_| ()),
            organisations.change_role(&stranger, id, stranger.actor.user_id, Role::Owner).await.map(|_| ()),
            organisations.remove_member(&stranger, id, company.owner.actor.user_id).await,
            organisations.invitations(&stranger, id).await.map(|_| ()),
            organisations.invite(&stranger, id, None, Role::Viewer).await.map(|_| ()),
        ];
        for answer in answers {
            assert!(matches!(answer, Err(OrganisationError::NotAMember)), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn roles_are_given_by_those_who_may_and_every_refusal_is_written_down() {
    let fixture = Fixture::new().await;
    let company = Company::found(&fixture).await;
    let (organisations, id) = (&fixture.organisations, company.id);
    let user = |context: &RequestContext| context.actor.user_id;
    let refused = |answer: Result<_, _>| match answer {
        Err(OrganisationError::NotAllowed { role, action }) => Some((role, action)),
        _ => None,
    };

    let by_admin = organisations.change_role(&company.admin, id, user(&company.viewer), Role::Developer).await.unwrap();
    assert_eq!(by_admin.role, Role::Developer);
    let to_owner = organisations.change_role(&company.admin, id, user(&company.admin), Role::Owner).await;
    assert_eq!(refused(to_owner), Some((Role::Admin, Action::ManageOwners)));
    let of_owner = organisations.change_role(&company.admin, id, user(&company.owner), Role::Viewer).await;
    assert_eq!(refused(of_owner), Some((Role::Admin, Action::ManageOwners)));
    let by_developer = organisations.change_role(&company.developer, id, user(&company.viewer), Role::Viewer).await;
    assert_eq!(refused(by_developer), Some((Role::Developer, Action::ManageMembers)));
    let unknown = organisations.change_role(&company.owner, id, UserId::from_random(77), Role::Viewer).await;
    assert!(matches!(unknown, Err(OrganisationError::NoSuchMember)), "{unknown:?}");
    let invites_owner = organisations.invite(&company.admin, id, None, Role::Owner).await;
    assert!(matches!(invites_owner, Err(OrganisationError::NotAllowed { action: Action::ManageOwners, .. })));

    let actions = actions(&fixture, id).await;
    assert_eq!(actions.iter().filter(|action| *action == "refused").count(), 4, "{actions:?}");
    assert_eq!(actions.iter().filter(|action| *action == "member_role_changed").count(), 1, "{actions:?}");
}

#[tokio::test]
async fn an_organisation_keeps_an_owner() {
    let fixture = Fixture::new().await;
    let company = Company::found(&fixture).await;
    let (organisations, id, owner) = (&fixture.organisations, company.id, &company.owner);
    let last = |answer: Result<(), OrganisationError>| matches!(answer, Err(OrganisationError::LastOwner));

    assert!(last(organisations.remove_member(owner, id, owner.actor.user_id).await), "leaves");
    let demoted = organisations.change_role(owner, id, owner.actor.user_id, Role::Admin).await;
    assert!(last(demoted.map(|_| ())), "becomes less");
    organisations.change_role(owner, id, company.admin.actor.user_id, Role::Owner).await.unwrap();
    organisations.remove_member(owner, id, owner.actor.user_id).await.unwrap();
    let gone = organisations.get(owner, id).await;
    assert!(matches!(gone, Err(OrganisationError::NotAMember)), "{gone:?}");
    organisations.remove_member(&company.viewer, id, company.viewer.actor.user_id).await.unwrap();

    // Whose account an organisation came with stays its owner.
    let own = company.viewer.actor.user_id;
    let personal = organisations.list(&company.viewer).await.unwrap()[0].organisation.clone();
    assert!(personal.personal);
    join(&fixture, &company.viewer, personal.id, &company.developer, Role::Owner).await;
    assert!(last(organisations.remove_member(&company.developer, personal.id, own).await));
    let less = organisations.change_role(&company.developer, personal.id, own, Role::Viewer).await;
    assert!(last(less.map(|_| ())));
    assert!(matches!(organisations.dissolve(&company.viewer, personal.id).await, Err(OrganisationError::Personal)));
}

#[tokio::test]
async fn an_invitation_is_good_for_one_person_in_time() {
    let fixture = Fixture::new().await;
    let (host, guest, other) =
        (fixture.merchant("host").await, fixture.merchant("guest").await, fixture.merchant("other").await);
    let organisations = &fixture.organisations;
    let id = organisations.create(&host, name("Tea & Co")).await.unwrap().organisation.id;
    let over = |answer: Result<_, OrganisationError>| matches!(answer, Err(OrganisationError::InvitationOver));

    let for_guest = Some(guest.actor.email.clone());
    let (invitation, token) = organisations.invite(&host, id, for_guest, Role::Viewer).await.unwrap();
    let open = organisations.inspect(&token).await.unwrap();
    assert_eq!(
        (open.organisation.as_str(), open.role, open.email),
        ("Tea & Co", Role::Viewer, invitation.email.clone())
    );
    let foreign = accept(&fixture, &other, &token).await;
    assert!(matches!(foreign, Err(OrganisationError::InvitationForAnother)), "{foreign:?}");
    accept(&fixture, &guest, &token).await.unwrap();
    assert!(over(accept(&fixture, &guest, &token).await), "used");
    assert!(over(organisations.inspect(&token).await.map(|_| ())), "used");

    let (invitation, token) = organisations.invite(&host, id, None, Role::Viewer).await.unwrap();
    let again = accept(&fixture, &guest, &token).await;
    assert!(matches!(again, Err(OrganisationError::AlreadyMember)), "{again:?}");
    organisations.revoke_invitation(&host, id, invitation.id).await.unwrap();
    assert!(over(accept(&fixture, &other, &token).await), "taken back");
    let twice = organisations.revoke_invitation(&host, id, invitation.id).await;
    assert!(matches!(twice, Err(OrganisationError::NoSuchInvitation)), "{twice:?}");

    let (_, token) = organisations.invite(&host, id, None, Role::Viewer).await.unwrap();
    fixture.clock.advance(jiff::SignedDuration::from_hours(7 * 24));
    assert!(over(accept(&fixture, &other, &token).await), "late");
    for forged in ["swi_unknown", "swr_1234", "", &"swi_".repeat(100)] {
        let token = SecretString::from(forged);
        assert!(over(accept(&fixture, &other, &token).await), "{forged}");
    }
    let rows = format!("{:?}", fixture.storage.snapshot().await);
    assert!(!rows.contains(token.expose_secret()), "the token is kept nowhere");
}

#[tokio::test]
async fn whoever_is_invited_may_register_although_registration_is_closed() {
    let mut fixture = Fixture::new().await;
    let host = fixture.merchant("host").await;
    let id = fixture.organisations.create(&host, name("Tea & Co")).await.unwrap().organisation.id;
    fixture.identity.rules.registration_open = false;
    let email: shopwright_domain::identity::Email = "guest@example.com".parse().unwrap();
    let (_, token) = fixture.organisations.invite(&host, id, Some(email.clone()), Role::Developer).await.unwrap();
    let register = async |email, name: &str, token: Option<SecretString>| {
        let (identity, origin) = (&fixture.identity, fixture.origin());
        identity.register(&origin, email, name.parse().unwrap(), "correct horse".into(), token).await
    };

    let closed = register(email.clone(), "guest", None).await;
    let foreign = register("other@example.com".parse().unwrap(), "other", Some(token.clone())).await;
    let forged = register(email.clone(), "guest", Some("swi_forged".into())).await;
    let guest = register(email.clone(), "guest", Some(token.clone())).await.unwrap();
    let again = register("second@example.com".parse().unwrap(), "second", Some(token)).await;

    assert!(matches!(closed, Err(IdentityError::RegistrationClosed)), "{closed:?}");
    assert!(matches!(foreign, Err(IdentityError::InvitationForAnother)), "{foreign:?}");
    assert!(matches!(forged, Err(IdentityError::InvitationOver)), "{forged:?}");
    assert!(matches!(again, Err(IdentityError::InvitationOver)), "{again:?}");
    let bearer = fixture.identity.authenticate(guest.token.expose_secret(), Some(id)).await.unwrap();
    assert_eq!((bearer.actor.tenant_id, bearer.actor.member_role), (id, Role::Developer));
    assert!(actions(&fixture, id).await.contains(&"member_joined".to_owned()));
}

#[tokio::test]
async fn one_acts_in_the_organisation_that_one_names_as_long_as_one_belongs_to_it() {
    let fixture = Fixture::new().await;
    let company = Company::found(&fixture).await;
    let (origin, email) = (fixture.origin(), "vera@example.com".parse().unwrap());
    let token = fixture.identity.login(&origin, email, "correct horse".into()).await.unwrap().token;
    let at = async |organisation| {
        let bearer = fixture.identity.authenticate(token.expose_secret(), organisation).await;
        bearer.map(|bearer| (bearer.actor.tenant_id, bearer.actor.member_role))
    };
    let own = fixture.organisations.list(&company.viewer).await.unwrap()[0].organisation.id;

    assert_eq!(at(None).await.unwrap(), (own, Role::Owner));
    assert_eq!(at(Some(own)).await.unwrap(), (own, Role::Owner));
    assert_eq!(at(Some(company.id)).await.unwrap(), (company.id, Role::Viewer));
    let viewer = company.viewer.actor.user_id;
    fixture.organisations.remove_member(&company.owner, company.id, viewer).await.unwrap();

    let gone = at(Some(company.id)).await;
    let foreign = at(Some(TenantId::from_random(99))).await;
    assert!(matches!(gone, Err(IdentityError::NotAMember)), "{gone:?}");
    assert!(matches!(foreign, Err(IdentityError::NotAMember)), "{foreign:?}");
}

#[tokio::test]
async fn an_api_token_acts_where_it_was_made_and_nowhere_else() {
    let fixture = Fixture::new().await;
    let company = Company::found(&fixture).await;
    let wanted = NewApiToken {
        name: "CI".into(),
        scopes: [Scope::StoresRead].into(),
        lifetime: std::time::Duration::from_hours(24),
    };
    let (row, token) =
        fixture.identity.create_api_token(&fixture.origin(), &company.developer.actor, wanted).await.unwrap();
    let authenticate = async |organisation| fixture.identity.authenticate(token.expose_secret(), organisation).await;

    let actor = authenticate(None).await.unwrap().actor;
    let elsewhere = authenticate(Some(row.tenant_id)).await;
    fixture.organisations.remove_member(&company.owner, company.id, actor.user_id).await.unwrap();
    let gone = authenticate(None).await;

    assert_eq!((row.acts_in, actor.tenant_id, actor.member_role), (company.id, company.id, Role::Developer));
    assert_ne!(row.tenant_id, company.id, "it belongs to the person");
    assert!(matches!(elsewhere, Err(IdentityError::NotAMember)), "{elsewhere:?}");
    assert!(matches!(gone, Err(IdentityError::NotAMember)), "{gone:?}");
}

#[tokio::test]
async fn an_organisation_ends_after_its_stores() {
    let fixture = Fixture::new().await;
    let company = Company::found(&fixture).await;
    let (organisations, id, owner) = (&fixture.organisations, company.id, &company.owner);
    let store = fixture.stores.create(owner, wish("teashop")).await.unwrap().store;
    let (_, token) = organisations.invite(owner, id, None, Role::Viewer).await.unwrap();
    let held = organisations.dissolve(owner, id).await;
    assert!(matches!(held, Err(OrganisationError::HasStores { held: 1 })), "{held:?}");
    fixture.stores.delete(owner, &store.id).await.unwrap();
    fixture.settle(&store.id).await;

    organisations.dissolve(owner, id).await.unwrap();

    let guest = fixture.merchant("guest").await;
    let late = organisations.accept(&guest, &token).await;
    assert!(matches!(late, Err(OrganisationError::InvitationOver)), "{late:?}");
    for role in Role::ALL {
        let seen = organisations.get(company.of(role), id).await;
        assert!(matches!(seen, Err(OrganisationError::NotAMember)), "{role}: {seen:?}");
    }
    assert_eq!(actions(&fixture, id).await.last().map(String::as_str), Some("organisation_deleted"));
}

/// Registers with two attempts an hour for everybody.
async fn register(fixture: &Fixture, name: &str, invitation: Option<&SecretString>) -> Result<(), IdentityError> {
    let mut identity = fixture.identity.clone();
    identity.rules.registration_rate = Rate { limit: 2, window: SignedDuration::from_hours(1) };
    let (email, username) = (format!("{name}@example.com").parse().unwrap(), name.parse().unwrap());
    identity.register(&fixture.origin(), email, username, "correct horse".into(), invitation.cloned()).await.map(drop)
}

#[tokio::test]
async fn an_invitation_is_not_starved_by_the_failures_of_others() {
    let fixture = Fixture::new().await;
    let host = fixture.merchant("olga").await;
    let id = fixture.organisations.create(&host, name("Tea & Co")).await.unwrap().organisation.id;
    let (_, token) = fixture.organisations.invite(&host, id, None, Role::Viewer).await.unwrap();
    // The host's own registration was the first from here.
    assert!(matches!(register(&fixture, "olga", None).await, Err(IdentityError::UserExists)));
    let starved = register(&fixture, "pia", None).await;
    assert!(matches!(starved, Err(IdentityError::TooManyRegistrations { .. })), "{starved:?}");

    assert!(matches!(register(&fixture, "olga", Some(&token)).await, Err(IdentityError::UserExists)));
    register(&fixture, "pia", Some(&token)).await.unwrap();
}

#[tokio::test]
async fn an_invitation_is_good_for_so_many_attempts() {
    let fixture = Fixture::new().await;
    let host = fixture.merchant("olga").await;
    let id = fixture.organisations.create(&host, name("Tea & Co")).await.unwrap().organisation.id;
    let (_, token) = fixture.organisations.invite(&host, id, None, Role::Viewer).await.unwrap();
    for _ in 0..2 {
        assert!(matches!(register(&fixture, "olga", Some(&token)).await, Err(IdentityError::UserExists)));
    }

    let more = register(&fixture, "pia", Some(&token)).await;
    assert!(matches!(more, Err(IdentityError::TooManyRegistrations { .. })), "each may cost a hash: {more:?}");
    fixture.clock.advance(SignedDuration::from_hours(1));
    register(&fixture, "pia", Some(&token)).await.unwrap();
}

#[tokio::test]
async fn guessing_invitations_is_limited_and_a_right_guess_too_many_is_none() {
    let fixture = Fixture::new().await;
    let host = fixture.merchant("olga").await;
    let id = fixture.organisations.create(&host, name("Tea & Co")).await.unwrap().organisation.id;
    let (_, right) = fixture.organisations.invite(&host, id, None, Role::Viewer).await.unwrap();
    let wrong = SecretString::from(format!("swi_{}", "x".repeat(40)));
    for _ in 0..2 {
        assert!(matches!(register(&fixture, "pia", Some(&wrong)).await, Err(IdentityError::InvitationOver)));
    }

    for guess in [&wrong, &right] {
        let refused = register(&fixture, "pia", Some(guess)).await;
        assert!(matches!(refused, Err(IdentityError::TooManyRegistrations { .. })), "{refused:?}");
    }
    register(&fixture, "quinn", None).await.unwrap();
}
