//! Tenants, users, clusters.

use shopwright_domain::identity::PlatformRole;

use shopwright_domain::UserId;
use shopwright_domain::operation::OperationStatus;
use shopwright_domain::store::StoreState;

use super::sessions::{insert_api_token, insert_session, new_api_token};
use super::world::{LONG, World, at, example_tenant, example_user, new_worker};
use crate::storage::{
    Account, ClusterCensus, Reach, RegisteredCluster, Storage, StorageError, Tenant, Unique, User, UserFilter,
};

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

/// People whose names end as nobody else's does, made one after another.
async fn crowd(world: &World<'_>, count: i64) -> (String, Vec<User>) {
    let tag = world.owner.id.as_uuid().simple().to_string();
    let mut users = Vec::new();
    let mut tx = world.within(Reach::Identity).await;
    for made in 0..count {
        let (name, user) = (format!("Crowd-{made}-{}", tag.to_uppercase()), example_user(world.tenant.id));
        let user = User { username: name.parse().expect("a name"), created_at: at(made / 2), ..user };
        tx.users().insert(&user).await.expect("insert");
        users.push(user);
    }
    tx.commit().await.expect("commit");
    users.sort_by_key(|user| (std::cmp::Reverse(user.created_at), user.id));
    (format!("-{tag}"), users)
}

async fn accounts(world: &World<'_>, filter: &UserFilter, limit: u32, now: i64) -> Vec<Account> {
    world.within(Reach::Identity).await.users().accounts(filter, limit, at(now)).await.expect("list")
}

fn ids(accounts: &[Account]) -> Vec<UserId> {
    accounts.iter().map(|account| account.user.id).collect()
}

/// Accounts of all organisations are gone through newest first, whatever is added meanwhile, and some of them are made at the same moment.
pub async fn accounts_are_listed_newest_first_in_pages(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let (tag, crowd) = crowd(&world, 7).await;
    let mut filter = UserFilter { search: Some(tag.clone()), ..UserFilter::default() };
    let mut seen = Vec::new();
    loop {
        let page = accounts(&world, &filter, 2, 0).await;
        let Some(last) = page.last() else { break };
        filter.after = Some(last.place());
        seen.extend(page);
        let mut tx = world.within(Reach::Identity).await;
        let username = format!("Later-{}{tag}", seen.len()).parse().expect("a name");
        let newer = User { username, created_at: at(1_000), ..example_user(world.tenant.id) };
        tx.users().insert(&newer).await.expect("insert");
        tx.commit().await.expect("commit");
    }

    assert_eq!(seen.iter().map(|account| account.user.clone()).collect::<Vec<_>>(), crowd);
}

/// An account is found by a part of its address or of its name, whatever the case of that, and by its id.
pub async fn accounts_are_found_by_address_name_and_id(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let owner = &world.owner;
    let search = |text: &str| UserFilter { search: Some(text.to_owned()), ..UserFilter::default() };
    let (tag, crowd) = crowd(&world, 2).await;
    let found = async |text: &str| ids(&accounts(&world, &search(text), 10, 0).await);

    assert_eq!(found(&format!("{}@exam", owner.id)).await, [owner.id]);
    assert_eq!(found(&format!("user-{}", owner.id)).await, [owner.id]);
    assert_eq!(
        found(&format!("0{tag}")).await,
        [crowd.iter().find(|user| user.username.as_str().starts_with("Crowd-0")).expect("the first").id]
    );
    assert_eq!(found("%").await, [], "no pattern");
    let by_id = UserFilter { id: Some(owner.id), ..UserFilter::default() };
    assert_eq!(ids(&accounts(&world, &by_id, 10, 0).await), [owner.id]);
    assert_eq!(accounts(&world, &UserFilter { id: Some(example_user(world.tenant.id).id), ..by_id }, 10, 0).await, []);
}

/// With an account comes how many live sessions and API tokens it has; ended and expired ones do not count.
pub async fn an_account_tells_what_is_live_of_it(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let by_id = UserFilter { id: Some(world.owner.id), ..UserFilter::default() };
    let counts = async |now| accounts(&world, &by_id, 1, now).await.first().map(|one| (one.sessions, one.api_tokens));
    assert_eq!(counts(0).await, Some((0, 0)));
    let session = insert_session(&world, 0).await;
    insert_session(&world, 1).await;
    let token = new_api_token(&world.owner, 0);
    insert_api_token(&world, &token).await;
    insert_api_token(&world, &new_api_token(&world.owner, 1)).await;
    assert_eq!(counts(5).await, Some((2, 2)));

    let mut tx = world.within(Reach::Identity).await;
    assert!(tx.sessions().revoke(world.owner.id, session.id, at(5)).await.expect("revoke"));
    assert!(tx.api_tokens().revoke(world.owner.id, token.id, at(5)).await.expect("revoke").is_some());
    tx.commit().await.expect("commit");

    assert_eq!(counts(6).await, Some((1, 1)));
    assert_eq!(counts(1_000_000_000).await, Some((0, 0)), "all of them have expired");
}

/// An account is closed and opened again; one that is not there is no success.
pub async fn an_account_is_closed_and_opened(storage: &dyn Storage) {
    let world = World::new(storage).await;
    for active in [false, false, true] {
        let mut tx = world.within(Reach::Identity).await;
        tx.users().set_active(world.owner.id, active).await.expect("write");
        tx.commit().await.expect("commit");
        let read = world.within(Reach::Identity).await.users().get(world.owner.id).await.expect("read");
        assert_eq!(read, Some(User { active, ..world.owner.clone() }));
    }

    let nobody = world.within(Reach::Identity).await.users().set_active(example_user(world.tenant.id).id, false).await;
    assert!(matches!(nobody, Err(StorageError::Stale)), "{nobody:?}");
}

/// A lock shows the account as it is, closed ones too; one that is not there has none.
pub async fn an_account_is_locked_as_it_is_now(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let locked = async |id| world.within(Reach::Identity).await.users().lock(id).await.expect("lock");
    assert_eq!(locked(world.owner.id).await, Some(world.owner.clone()));
    assert_eq!(locked(example_user(world.tenant.id).id).await, None);

    let mut tx = world.within(Reach::Identity).await;
    tx.users().set_active(world.owner.id, false).await.expect("write");
    tx.users().set_password_hash(world.owner.id, "fake$other").await.expect("write");
    tx.commit().await.expect("commit");

    let changed = User { active: false, password_hash: "fake$other".into(), ..world.owner.clone() };
    assert_eq!(locked(world.owner.id).await, Some(changed));
}

/// With an account come all administrators, whoever they belong to, each once and by id.
pub async fn an_account_is_locked_with_all_administrators(storage: &dyn Storage) {
    let (world, other) = (World::new(storage).await, World::new(storage).await);
    let administrator = User { role: PlatformRole::Admin, ..example_user(other.tenant.id) };
    let closed = User { role: PlatformRole::Admin, active: false, ..example_user(world.tenant.id) };
    let mut tx = world.within(Reach::Identity).await;
    for user in [&administrator, &closed] {
        tx.users().insert(user).await.expect("insert");
    }
    tx.commit().await.expect("commit");
    let locked =
        async |id| world.within(Reach::Identity).await.users().lock_with_administrators(id).await.expect("lock");

    let with_owner = locked(world.owner.id).await;
    let with_administrator = locked(administrator.id).await;

    for user in [&world.owner, &administrator, &closed] {
        assert_eq!(with_owner.iter().filter(|locked| *locked == user).count(), 1, "{user:?}");
    }
    assert!(with_owner.is_sorted_by_key(|user| user.id));
    assert!(!with_owner.contains(&other.owner), "somebody else's account");
    assert_eq!(with_administrator.len() + 1, with_owner.len());
}

/// Each cluster is counted by itself, over all tenants: stores that are not deleted, and operations that are not finished.
pub async fn a_census_of_clusters_counts_each_by_itself(storage: &dyn Storage) {
    let (world, elsewhere) = (World::with_permits(storage, 7).await, World::new(storage).await);
    let other = World::on_cluster(storage, world.cluster.clone()).await;
    let here = async |of: &World<'_>| {
        let census = of.within(Reach::Platform).await.clusters().census().await.expect("count");
        assert!(census.is_sorted_by(|one, other| one.cluster.name.as_str() < other.cluster.name.as_str()));
        census.into_iter().find(|census| census.cluster.name == of.cluster).expect("the cluster")
    };
    let empty = ClusterCensus::of(RegisteredCluster { name: world.cluster.clone(), permits: 7 });
    assert_eq!(here(&world).await, empty, "a cluster with nothing on it is there all the same");
    elsewhere.store(0).await;
    world.queued(-7).await;
    let running = world.claim(new_worker(), LONG).await.expect("a claim");
    let second = other.queued(-5).await;
    other.delete(&other.store(0).await.id, at(1)).await;

    let census = here(&world).await;

    let of = |status| census.operations(status);
    assert_eq!((of(OperationStatus::Queued), of(OperationStatus::Running), of(OperationStatus::Stuck)), (1, 1, 0));
    assert_eq!(census.stores_in(StoreState::Deleted), 0);
    let engine = other.read(&second.store_id).await.engine;
    assert_eq!((census.stores_of(&engine), here(&elsewhere).await.stores_of(&engine)), (2, 1));
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().finish(&running.lease, OperationStatus::Succeeded, None, at(2)).await.expect("finish");
    tx.commit().await.expect("commit");
    assert_eq!(here(&world).await.operations(OperationStatus::Running), 0);
    world.settle().await;
    other.settle().await;
}
