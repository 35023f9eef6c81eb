//! Members of organisations, and invitations.

use shopwright_domain::organisation::{InvitationTimes, Role};
use shopwright_domain::{InvitationId, TenantId};

use super::world::{World, at, example_tenant, random_bytes};
use crate::storage::{Invitation, Member, Reach, Storage, StorageError, Tenant, Unique, User};

fn as_member(user: &User, role: Role, joined: i64) -> Member {
    let (email, username) = (user.email.clone(), user.username.clone());
    Member { user_id: user.id, email, username, role, joined_at: at(joined) }
}

fn invitation(world: &World<'_>, made: i64) -> Invitation {
    Invitation {
        id: InvitationId::from_random(u128::from_be_bytes(random_bytes())),
        tenant_id: world.tenant.id,
        email: Some("ada@example.com".parse().expect("an address")),
        role: Role::Developer,
        digest: random_bytes(),
        invited_by: world.owner.id,
        created_at: at(made),
        times: InvitationTimes { expires_at: at(1_000), accepted_at: None, revoked_at: None },
    }
}

async fn join(world: &World<'_>, tenant: TenantId, user: &User, role: Role, joined: i64) {
    let mut tx = world.within(Reach::Identity).await;
    tx.memberships().insert(tenant, user.id, role, at(joined)).await.expect("insert");
    tx.commit().await.expect("commit");
}

async fn invite(world: &World<'_>, made: i64) -> Invitation {
    let invitation = invitation(world, made);
    let mut tx = world.begin().await;
    tx.invitations().insert(&invitation).await.expect("insert");
    tx.commit().await.expect("commit");
    invitation
}

async fn found(world: &World<'_>, invitation: &Invitation) -> Option<(Invitation, Tenant)> {
    world.within(Reach::Identity).await.invitations().lock_by_digest(&invitation.digest).await.expect("look")
}

/// Who has the account that an organisation came with is its owner, and nothing that is done to memberships changes that.
pub async fn a_personal_organisation_is_its_persons(storage: &dyn Storage) {
    let (world, stranger) = (World::new(storage).await, World::new(storage).await);
    let (tenant, owner) = (world.tenant.id, world.owner.id);

    let mut tx = world.begin().await;
    assert!(!tx.memberships().set_role(tenant, owner, Role::Viewer).await.expect("set"));
    assert!(!tx.memberships().remove(tenant, owner).await.expect("remove"));
    assert_eq!(tx.memberships().list(tenant).await.expect("list"), [as_member(&world.owner, Role::Owner, 0)]);
    tx.commit().await.expect("commit");

    let mut tx = world.within(Reach::Identity).await;
    assert_eq!(tx.memberships().role_of(tenant, owner).await.expect("read"), Some(Role::Owner));
    assert_eq!(tx.memberships().role_of(tenant, stranger.owner.id).await.expect("read"), None);
    let organisations = tx.memberships().of_user(owner).await.expect("read");
    assert_eq!(organisations, [(world.tenant.clone(), Role::Owner)]);
}

/// A membership gives a role in an organisation of others, once.
pub async fn a_member_has_a_role_in_an_organisation(storage: &dyn Storage) {
    let (world, member) = (World::new(storage).await, World::new(storage).await);
    let shared = Tenant { personal: false, ..example_tenant() };
    let mut tx = world.within(Reach::Identity).await;
    tx.tenants().insert(&shared).await.expect("insert");
    tx.commit().await.expect("commit");
    join(&world, shared.id, &world.owner, Role::Owner, 5).await;
    join(&world, shared.id, &member.owner, Role::Viewer, 7).await;
    join(&world, world.tenant.id, &member.owner, Role::Admin, 9).await;

    let twice =
        world.within(Reach::Identity).await.memberships().insert(shared.id, member.owner.id, Role::Admin, at(8)).await;
    let mut tx = world.within(Reach::Identity).await;
    let organisations = tx.memberships().of_user(member.owner.id).await.expect("read");

    assert!(matches!(twice, Err(StorageError::NotUnique(Unique::Membership))), "{twice:?}");
    let expected =
        [(member.tenant.clone(), Role::Owner), (shared.clone(), Role::Viewer), (world.tenant.clone(), Role::Admin)];
    assert_eq!(organisations, expected);
    assert_eq!(tx.memberships().role_of(shared.id, member.owner.id).await.expect("read"), Some(Role::Viewer));
    drop(tx);
    let mut tx = world.within(Reach::Tenant(shared.id)).await;
    let members = tx.memberships().list(shared.id).await.expect("list");
    assert_eq!(members, [as_member(&world.owner, Role::Owner, 5), as_member(&member.owner, Role::Viewer, 7)]);
}

/// A role is changed, a membership ends, and all of them do.
pub async fn memberships_are_changed_and_ended(storage: &dyn Storage) {
    let (world, one, other) = (World::new(storage).await, World::new(storage).await, World::new(storage).await);
    let tenant = world.tenant.id;
    join(&world, tenant, &one.owner, Role::Viewer, 1).await;
    join(&world, tenant, &other.owner, Role::Viewer, 2).await;
    let role =
        async |user| world.within(Reach::Identity).await.memberships().role_of(tenant, user).await.expect("read");

    let mut tx = world.begin().await;
    assert!(tx.memberships().set_role(tenant, one.owner.id, Role::Admin).await.expect("set"));
    assert!(tx.memberships().remove(tenant, other.owner.id).await.expect("remove"));
    assert!(!tx.memberships().remove(tenant, other.owner.id).await.expect("remove"), "nothing is left of it");
    tx.commit().await.expect("commit");
    assert_eq!((role(one.owner.id).await, role(other.owner.id).await), (Some(Role::Admin), None));

    let mut tx = world.begin().await;
    assert_eq!(tx.memberships().remove_all(tenant).await.expect("remove"), 1);
    tx.commit().await.expect("commit");
    assert_eq!((role(one.owner.id).await, role(world.owner.id).await), (None, Some(Role::Owner)));
}

/// Members and invitations of others are not there; nobody else has business with any.
pub async fn an_organisation_sees_its_own_members_alone(storage: &dyn Storage) {
    let (world, other, member) = (World::new(storage).await, World::new(storage).await, World::new(storage).await);
    join(&other, other.tenant.id, &member.owner, Role::Viewer, 1).await;
    let theirs = invite(&other, 0).await;
    let (tenant, user) = (other.tenant.id, member.owner.id);

    let mut tx = world.begin().await;
    assert_eq!(tx.memberships().list(tenant).await.expect("list"), []);
    assert!(!tx.memberships().set_role(tenant, user, Role::Owner).await.expect("set"));
    assert!(!tx.memberships().remove(tenant, user).await.expect("remove"));
    assert_eq!(tx.memberships().remove_all(tenant).await.expect("remove"), 0);
    assert_eq!(tx.invitations().list(tenant).await.expect("list"), []);
    assert!(!tx.invitations().revoke(tenant, theirs.id, at(1)).await.expect("revoke"));
    assert_eq!(tx.invitations().revoke_all(tenant, at(1)).await.expect("revoke"), 0);
    tx.commit().await.expect("commit");
    let forged = world.begin().await.invitations().insert(&invitation(&other, 0)).await;
    assert!(matches!(forged, Err(StorageError::OutOfReach { .. })), "{forged:?}");
    let joined = world.begin().await.memberships().insert(world.tenant.id, user, Role::Owner, at(1)).await;
    assert!(matches!(joined, Err(StorageError::OutOfReach { .. })), "only identity adds members: {joined:?}");
    for reach in [Reach::Platform, Reach::Worker] {
        let refused = world.within(reach).await.memberships().list(tenant).await;
        assert!(matches!(refused, Err(StorageError::OutOfReach { .. })), "{reach:?}: {refused:?}");
        let refused = world.within(reach).await.invitations().list(tenant).await;
        assert!(matches!(refused, Err(StorageError::OutOfReach { .. })), "{reach:?}: {refused:?}");
    }
    assert_eq!(other.begin().await.memberships().list(tenant).await.expect("list").len(), 2);
}

/// An invitation is what was written, for its organisation and by its token.
pub async fn an_invitation_reads_back(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let older = invite(&world, 1).await;
    let newer = Invitation { email: None, ..invitation(&world, 2) };
    let mut tx = world.begin().await;
    tx.invitations().insert(&newer).await.expect("insert");
    tx.commit().await.expect("commit");

    let listed = world.begin().await.invitations().list(world.tenant.id).await.expect("list");

    assert_eq!(listed, [newer, older.clone()]);
    assert_eq!(found(&world, &older).await, Some((older, world.tenant.clone())));
    assert_eq!(found(&world, &invitation(&world, 3)).await, None);
}

/// What was accepted or taken back cannot be accepted, and is listed no more.
pub async fn an_invitation_is_accepted_once(storage: &dyn Storage) {
    let (world, guest) = (World::new(storage).await, World::new(storage).await);
    let (accepted, revoked, expired) = (invite(&world, 1).await, invite(&world, 2).await, invite(&world, 3).await);
    let accept = async |invitation: &Invitation, now| {
        let mut tx = world.within(Reach::Identity).await;
        tx.invitations().accept(invitation.id, guest.owner.id, at(now)).await?;
        tx.commit().await
    };
    let mut tx = world.begin().await;
    assert!(tx.invitations().revoke(world.tenant.id, revoked.id, at(5)).await.expect("revoke"));
    assert!(!tx.invitations().revoke(world.tenant.id, revoked.id, at(5)).await.expect("revoke"));
    tx.commit().await.expect("commit");

    accept(&accepted, 6).await.expect("accepted");
    for (over, now) in [(&accepted, 7), (&revoked, 7), (&expired, 1_000)] {
        let refused = accept(over, now).await;
        assert!(matches!(refused, Err(StorageError::Stale)), "{refused:?}");
    }

    let (kept, _) = found(&world, &accepted).await.expect("the invitation");
    assert_eq!(kept.times.accepted_at, Some(at(6)));
    let listed = world.begin().await.invitations().list(world.tenant.id).await.expect("list");
    assert_eq!(listed, std::slice::from_ref(&expired));
    let mut tx = world.begin().await;
    assert_eq!(tx.invitations().revoke_all(world.tenant.id, at(8)).await.expect("revoke"), 1);
    tx.commit().await.expect("commit");
    assert_eq!(found(&world, &expired).await.expect("the invitation").0.times.revoked_at, Some(at(8)));
}

/// Invitations of long ago are forgotten.
pub async fn invitations_that_are_over_are_forgotten(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let long_ago = |seconds: i64| at(seconds - 100_000_000);
    let of = |expires_at| Invitation {
        times: InvitationTimes { expires_at, accepted_at: None, revoked_at: None },
        ..invitation(&world, 0)
    };
    let (old, young) = (of(long_ago(10)), of(long_ago(30)));
    let mut tx = world.begin().await;
    for invitation in [&old, &young] {
        tx.invitations().insert(invitation).await.expect("insert");
    }
    tx.commit().await.expect("commit");

    let mut tx = world.within(Reach::Identity).await;
    assert_eq!(tx.invitations().purge(long_ago(20)).await.expect("purge"), 1);
    tx.commit().await.expect("commit");

    assert_eq!((found(&world, &old).await, found(&world, &young).await.is_some()), (None, true));
}

/// An organisation gets another name, and ends; its trail goes on to say what was.
pub async fn an_organisation_is_renamed_and_dissolved(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let nobody = example_tenant().id;
    let mut tx = world.begin().await;
    tx.tenants().rename(world.tenant.id, "Another name").await.expect("rename");
    tx.tenants().dissolve(world.tenant.id, at(9)).await.expect("dissolve");
    for refused in [tx.tenants().rename(nobody, "x").await, tx.tenants().dissolve(nobody, at(9)).await] {
        assert!(matches!(refused, Err(StorageError::Stale)), "{refused:?}");
    }
    tx.audit().append(&world.event("dissolved", 9)).await.expect("append");
    tx.commit().await.expect("commit");

    let read = world.begin().await.tenants().lock(world.tenant.id).await.expect("lock").expect("the row");
    assert_eq!(read.name, "Another name");
    assert_eq!(world.messages().await, [(1, "dissolved".to_owned())]);
}
