//! Shopwright inside another program: the use cases and a worker over ports of one's own, here the fakes. One store from request to ready.
//!
//! `cargo run -p shopwright-app --no-default-features --example embed`

use std::error::Error;
use std::sync::Arc;

use shopwright_app::saga::{ClusterGuard, Executor};
use shopwright_app::stores::{PublicUrls, Sizes, StoreRules, Stores};
use shopwright_app::worker::{Worker, WorkerSettings};
use shopwright_domain::breaker::BreakerPolicy;
use shopwright_domain::identity::{Actor, PlatformRole};
use shopwright_domain::organisation::Role;
use shopwright_domain::plans::{PlanName, Plans};
use shopwright_domain::saga::Policy;
use shopwright_domain::{ClusterName, RequestId, TenantId, UserId};
use shopwright_ports::identity_api::Origin;
use shopwright_ports::storage::{Reach, RegisteredCluster, Storage, Tenant, User};
use shopwright_ports::stores_api::{CreateStore, RequestContext, StoreService};
use shopwright_ports::telemetry::Telemetry;
use shopwright_ports::testing::{
    FakeCluster, FakeReleases, FakeSealer, FakeStorage, FakeStorefront, ManualClock, SeededEntropy, engines,
};
use tokio::sync::Notify;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // The driven ports. A real program brings adapters of its own, or those of the workspace.
    let clock = Arc::new(ManualClock::default());
    let entropy = Arc::new(SeededEntropy::new(1));
    let storage = Arc::new(FakeStorage::new(clock.clone()));
    let fake = Arc::new(FakeCluster::new());
    let releases = Arc::new(FakeReleases::on(fake.clone()));
    let sealer = Arc::new(FakeSealer::default());
    let cluster = Arc::new(ClusterGuard::new(fake, clock.clone(), BreakerPolicy::default()));
    let work = Arc::new(Notify::new());

    // An organisation, its owner, and the cluster that stores are placed on. A service that signs people in uses `Identity` for the first two.
    let created_at = jiff::Timestamp::UNIX_EPOCH;
    let tenant = Tenant {
        id: TenantId::from_random(1),
        name: "ada".into(),
        personal: true,
        plan: PlanName::standard(),
        last_store_created_at: None,
        created_at,
    };
    let owner = User {
        id: UserId::from_random(1),
        tenant_id: tenant.id,
        email: "ada@example.com".parse()?,
        username: "ada".parse()?,
        password_hash: String::new(),
        role: PlatformRole::Tenant,
        active: true,
        created_at,
    };
    let mut tx = storage.begin(Reach::Identity).await?;
    tx.tenants().insert(&tenant).await?;
    tx.users().insert(&owner).await?;
    tx.commit().await?;
    let mut tx = storage.begin(Reach::Platform).await?;
    tx.clusters().upsert(&RegisteredCluster { name: ClusterName::default_cluster(), permits: 4 }).await?;
    tx.commit().await?;

    // What merchants may ask for.
    let stores = Stores {
        storage: storage.clone(),
        releases: releases.clone(),
        sealer: sealer.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
        engines: Arc::new(engines::catalogue()),
        rules: StoreRules::default(),
        sizes: Sizes::default(),
        work: work.clone(),
    };
    let actor = Actor {
        user_id: UserId::from_random(1),
        tenant_id: tenant.id,
        member_role: Role::Owner,
        email: "ada@example.com".parse()?,
        role: PlatformRole::Tenant,
    };
    let origin = Origin::unknown(RequestId::from_random(1));
    let context = RequestContext::new(actor, origin);
    let wanted = CreateStore { name: "teashop".parse()?, engine: engines::medusa(), theme: None, password: None };
    let accepted = stores.create(&context, wanted).await?;
    println!("{} {}: {}", accepted.store.id, accepted.store.name, accepted.store.state);

    // The worker that makes it true. Here it is driven by hand; a service calls `Worker::run`.
    let executor = Executor {
        storage,
        cluster,
        releases,
        storefront: Arc::new(FakeStorefront::default()),
        sealer,
        clock,
        entropy: entropy.clone(),
        policy: Policy::default(),
        urls: PublicUrls { scheme: "https".into(), port: None },
        telemetry: Telemetry::default(),
        engines: Arc::new(engines::catalogue()),
        plans: Plans::default(),
    };
    let worker = Worker::new(Arc::new(executor), entropy.as_ref(), work, WorkerSettings::default());
    worker.run_due().await?;

    let view = stores.get(&context, &accepted.store.id).await?;
    let url = view.store.urls.map(|urls| urls.storefront).ok_or("the store has no URL")?;
    println!("{} {}: {} at {url}", view.store.id, view.store.name, view.store.state);
    Ok(())
}
