//! Tenants, users, clusters.

use shopwright_domain::identity::PlatformRole;

use super::world::{World, at, example_tenant, example_user};
use crate::storage::{Reach, RegisteredCluster, Storage, StorageError, Tenant, Unique, User};

/// A tenant is what was written, with the time of its last store.
pub async fn a_tenant_reads_back(storage: &dyn Storage) {
    let tenant = example_tenant();
    let mut tx = storage.begin(Reach::Identity).await.expect("begin");
    tx.tenants().insert(&tenant).await.expect("insert");
    tx.tenants().set_last_store_created_at(tenant.id, at(7)).await.expect("write");
    tx.commit().await.expect("commit");

    let mut tx = storage.begin(Reach::Identity).await.expect("begin");
    let read = tx.tenants().lock(tenant.id).await.expect("lock");

    assert_eq!(read, Some(Tenant { last_store_created_at: Some(at(7)), ..tenant }));
}

/// A tenant has the plan that it was given last; one that is not there has none.
pub async fn a_tenant_changes_its_plan(storage: &dyn Storage) {
    let tenant = example_tenant();
    let team = "team".parse().expect("a plan");
    let mut tx = storage.begin(Reach::Identity).await.expect("begin");
    tx.tenants().insert(&tenant).await.expect("insert");

    assert!(tx.tenants().set_plan(tenant.id, &team).await.expect("write"));
    assert!(!tx.tenants().set_plan(example_tenant().id, &team).await.expect("write"));

    assert_eq!(tx.tenants().get(tenant.id).await.expect("read"), Some(Tenant { plan: team, ..tenant }));
    assert_eq!(tx.tenants().get(example_tenant().id).await.expect("read"), None);
}

/// A user is what was written, by id and by address.
pub async fn a_user_reads_back(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let user = example_user(world.tenant.id);
    let mut tx = world.within(Reach::Identity).await;
    tx.users().insert(&user).await.expect("insert");
    tx.commit().await.expect("commit");

    let mut tx = world.within(Reach::Identity).await;

    assert_eq!(tx.users().get(user.id).await.expect("read"), Some(user.clone()));
    assert_eq!(tx.users().by_email(&user.email).await.expect("read"), Some(user));
}

/// A hash is written over the one that is there; a user who is not there is no success.
pub async fn a_users_password_changes(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let mut tx = world.within(Reach::Identity).await;
    tx.users().set_password_hash(world.owner.id, "fake$other").await.expect("write");
    let nobody = tx.users().set_password_hash(example_user(world.tenant.id).id, "fake$other").await;
    tx.commit().await.expect("commit");

    let read = world.within(Reach::Identity).await.users().get(world.owner.id).await.expect("read").expect("the user");

    assert!(matches!(nobody, Err(StorageError::Stale)), "{nobody:?}");
    assert_eq!(read.password_hash, "fake$other");
}

/// Two accounts never share an address or a name.
pub async fn users_are_unique_by_address_and_by_name(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let fresh = || example_user(world.tenant.id);
    let same_email = User { email: world.owner.email.clone(), ..fresh() };
    let same_name = User { username: world.owner.username.clone(), ..fresh() };

    let refused_email = world.within(Reach::Identity).await.users().insert(&same_email).await;
    let refused_name = world.within(Reach::Identity).await.users().insert(&same_name).await;

    assert!(matches!(refused_email, Err(StorageError::NotUnique(Unique::UserEmail))), "{refused_email:?}");
    assert!(matches!(refused_name, Err(StorageError::NotUnique(Unique::Username))), "{refused_name:?}");
}

/// The first administrator is seen by the next transaction.
pub async fn an_administrator_is_seen(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let admin = User { role: PlatformRole::Admin, ..example_user(world.tenant.id) };
    let before = world.within(Reach::Identity).await.users().has_admin().await.expect("look");
    let mut tx = world.within(Reach::Identity).await;
    tx.users().insert(&admin).await.expect("insert");
    tx.commit().await.expect("commit");

    let after = world.within(Reach::Identity).await.users().has_admin().await.expect("look");

    assert!(!before && after);
}

/// A cluster's row follows what is registered last.
pub async fn a_cluster_is_brought_up_to_date(storage: &dyn Storage) {
    let world = World::with_permits(storage, 3).await;
    let row = RegisteredCluster { name: world.cluster.clone(), permits: 5 };
    let mut tx = world.within(Reach::Platform).await;
    tx.clusters().upsert(&row).await.expect("upsert");
    tx.commit().await.expect("commit");

    assert_eq!(world.begin().await.clusters().get(&world.cluster).await.expect("read"), Some(row));
}
