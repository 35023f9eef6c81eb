//! Every method of every repository, behind the wire.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::audit::{AuditEvent, ChainHead};
use shopwright_domain::identity::Email;
use shopwright_domain::operation::{Operation, OperationStatus, ReleaseDigests, SetupStep};
use shopwright_domain::organisation::Role;
use shopwright_domain::plans::PlanName;
use shopwright_domain::saga::{Step, StepRecord};
use shopwright_domain::store::{Failure, Store, StoreHost, StoreName};
use shopwright_domain::{
    ApiTokenId, ClusterName, Epoch, InvitationId, OperationId, SessionId, StoreId, TenantId, UserId, WorkerId,
};
use shopwright_ports::releases::ReleaseOrigin;
use shopwright_ports::secrets::Sealed;
use shopwright_ports::storage::{
    Account, ApiToken, ApiTokenRepository, AuditEntry, AuditFilter, AuditRepository, Census, Claim, ClusterCensus,
    ClusterRepository, CredentialRepository, Event, EventRepository, IdempotencyRecord, IdempotencyRepository,
    Invitation, InvitationRepository, Lease, Mark, Member, MembershipRepository, OperationFilter, OperationRepository,
    Page, RefreshToken, RegisteredCluster, ReleaseRepository, SealedKey, Session, SessionRepository,
    SigningKeyRepository, StorageError, StoreFilter, StoreRepository, StreamBounds, Tenant, TenantRepository, Throttle,
    ThrottleRepository, Transaction, User, UserFilter, UserRepository,
};

use super::SimTransaction;

macro_rules! repository {
    ($port:ident, $accessor:ident, { $($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)+ }) => {
        #[async_trait]
        impl $port for SimTransaction {
            $(async fn $name(&mut self, $($arg: $type),*) -> Result<$answer, StorageError> {
                const CALL: &str = concat!(stringify!($accessor), ".", stringify!($name));
                let (passage, mut tx) = self.before(CALL).await?;
                let result = tx.$accessor().$name($($arg),*).await;
                self.after(passage, tx, CALL, result).await
            })+
        }
    };
}

repository!(TenantRepository, tenants, {
    insert(tenant: &Tenant) -> ();
    lock(id: TenantId) -> Option<Tenant>;
    rename(id: TenantId, name: &str) -> ();
    dissolve(id: TenantId, at: Timestamp) -> ();
    get(id: TenantId) -> Option<Tenant>;
    set_plan(id: TenantId, plan: &PlanName) -> bool;
    set_last_store_created_at(id: TenantId, at: Timestamp) -> ();
});

repository!(MembershipRepository, memberships, {
    role_of(tenant_id: TenantId, user_id: UserId) -> Option<Role>;
    of_user(user_id: UserId) -> Vec<(Tenant, Role)>;
    list(tenant_id: TenantId) -> Vec<Member>;
    insert(tenant_id: TenantId, user_id: UserId, role: Role, at: Timestamp) -> ();
    set_role(tenant_id: TenantId, user_id: UserId, role: Role) -> bool;
    remove(tenant_id: TenantId, user_id: UserId) -> bool;
    remove_all(tenant_id: TenantId) -> u64;
});

repository!(InvitationRepository, invitations, {
    insert(invitation: &Invitation) -> ();
    list(tenant_id: TenantId) -> Vec<Invitation>;
    lock_by_digest(digest: &[u8; 32]) -> Option<(Invitation, Tenant)>;
    accept(id: InvitationId, by: UserId, now: Timestamp) -> ();
    revoke(tenant_id: TenantId, id: InvitationId, now: Timestamp) -> bool;
    revoke_all(tenant_id: TenantId, now: Timestamp) -> u64;
    purge(before: Timestamp) -> u64;
});

repository!(UserRepository, users, {
    insert(user: &User) -> ();
    get(id: UserId) -> Option<User>;
    lock(id: UserId) -> Option<User>;
    by_email(email: &Email) -> Option<User>;
    has_admin() -> bool;
    set_password_hash(id: UserId, hash: &str) -> ();
    accounts(filter: &UserFilter, limit: u32, now: Timestamp) -> Vec<Account>;
    lock_with_administrators(id: UserId) -> Vec<User>;
    set_active(id: UserId, active: bool) -> ();
});

repository!(ClusterRepository, clusters, {
    upsert(cluster: &RegisteredCluster) -> ();
    get(name: &ClusterName) -> Option<RegisteredCluster>;
    census() -> Vec<ClusterCensus>;
});

repository!(StoreRepository, stores, {
    insert(store: &Store) -> ();
    get(id: &StoreId) -> Option<Store>;
    lock(id: &StoreId) -> Option<Store>;
    live_by_name(tenant_id: TenantId, name: &StoreName) -> Option<Store>;
    host_is_free(host: &StoreHost, released_before: Timestamp) -> bool;
    count_live(tenant_id: TenantId) -> u32;
    save(store: &mut Store) -> ();
    raise_epoch(id: &StoreId) -> Epoch;
    list(filter: &StoreFilter, page: Page) -> (Vec<Store>, u64);
});

repository!(CredentialRepository, credentials, {
    put(tenant_id: TenantId, store_id: &StoreId, sealed: &Sealed) -> ();
    get(store_id: &StoreId) -> Option<Sealed>;
    version(store_id: &StoreId) -> u32;
    pending(store_id: &StoreId) -> Option<Sealed>;
    put_pending(store_id: &StoreId, pending: Option<&Sealed>) -> ();
    promote(store_id: &StoreId) -> ();
    remove(store_id: &StoreId) -> ();
});

repository!(ReleaseRepository, releases, {
    use_origin(digest: &str, at: Timestamp) -> bool;
    put_origin(origin: &ReleaseOrigin, at: Timestamp) -> ();
    purge_origins(before: Timestamp, limit: u32) -> u64;
    origin(digest: &str) -> Option<ReleaseOrigin>;
    keep(tenant_id: TenantId, store_id: &StoreId, release: &ReleaseDigests) -> ();
    kept(store_id: &StoreId) -> Option<ReleaseDigests>;
    forget(store_id: &StoreId) -> ();
});

repository!(OperationRepository, operations, {
    enqueue(operation: &Operation, done: &[StepRecord]) -> ();
    get(id: OperationId) -> Option<Operation>;
    latest_of(store_id: &StoreId) -> Option<Operation>;
    list(filter: &OperationFilter, limit: u32) -> Vec<Operation>;
    steps(id: OperationId) -> Vec<StepRecord>;
    claim(worker: WorkerId, lease: Duration) -> Option<Claim>;
    next_due() -> Option<Timestamp>;
    census() -> Census;
    record_step(lease: &Lease, record: &StepRecord) -> ();
    record_progress(lease: &Lease, step: Step, attempt: u32) -> ();
    note_waiting(lease: &Lease, failure: Option<&Failure>) -> ();
    record_setup(lease: &Lease, steps: &[SetupStep]) -> ();
    record_release(lease: &Lease, release: &ReleaseDigests) -> ();
    lift_epoch(lease: &Lease, known: Epoch) -> Lease;
    park(lease: &Lease, status: OperationStatus, wake_at: Option<Timestamp>, failure: Option<&Failure>) -> ();
    finish(lease: &Lease, status: OperationStatus, failure: Option<&Failure>, at: Timestamp) -> ();
    supersede(id: OperationId, at: Timestamp) -> ();
});

repository!(AuditRepository, audit, {
    append(event: &AuditEvent) -> ();
    list(filter: &AuditFilter, page: Page) -> (Vec<AuditEntry>, u64);
    entries(filter: &AuditFilter, page: Page) -> Vec<AuditEntry>;
    heads(after: Option<TenantId>, limit: u32) -> Vec<ChainHead>;
    head(tenant_id: TenantId) -> Option<ChainHead>;
    chain(tenant_id: TenantId, after: u64, limit: u32) -> Vec<AuditEntry>;
    beyond(tenant_id: TenantId) -> Option<u64>;
});

repository!(EventRepository, events, {
    bounds(tenant_id: TenantId) -> Option<StreamBounds>;
    behind(places: &[(TenantId, u64)], limit: u32) -> Vec<Event>;
    mark() -> Mark;
    between(from: &Mark, to: &Mark, limit: u32) -> Vec<Event>;
    purge(before: Timestamp, limit: u32) -> u64;
});

repository!(IdempotencyRepository, idempotency, {
    try_lock(tenant_id: TenantId, route: &str, key: &str) -> bool;
    get(tenant_id: TenantId, route: &str, key: &str, since: Timestamp) -> Option<IdempotencyRecord>;
    put(record: &IdempotencyRecord) -> ();
    answer(record: &IdempotencyRecord, since: Timestamp) -> IdempotencyRecord;
    purge(before: Timestamp) -> u64;
});

repository!(SigningKeyRepository, signing_keys, {
    lock_all() -> Vec<SealedKey>;
    all() -> Vec<SealedKey>;
    insert(key: &SealedKey) -> ();
    remove(id: &str) -> ();
});

repository!(SessionRepository, sessions, {
    insert(session: &Session, token: &RefreshToken) -> ();
    get(id: SessionId) -> Option<(Session, User)>;
    lock_by_token(digest: &[u8; 32]) -> Option<(Session, RefreshToken)>;
    rotate(replaced: &[u8; 32], nonce: &[u8; 16], successor: &RefreshToken, ip_address: Option<&str>) -> ();
    list(user_id: UserId, now: Timestamp) -> Vec<Session>;
    revoke(user_id: UserId, id: SessionId, now: Timestamp) -> bool;
    revoke_all(user_id: UserId, keep: Option<SessionId>, now: Timestamp) -> u32;
    purge(before: Timestamp) -> u64;
});

repository!(ApiTokenRepository, api_tokens, {
    insert(token: &ApiToken) -> ();
    by_digest(digest: &[u8; 32]) -> Option<(ApiToken, User)>;
    note_use(id: ApiTokenId, now: Timestamp, unless_since: Timestamp) -> ();
    lock_of(user_id: UserId) -> Vec<ApiToken>;
    list(user_id: UserId) -> Vec<ApiToken>;
    revoke(user_id: UserId, id: ApiTokenId, now: Timestamp) -> Option<ApiToken>;
    revoke_all(user_id: UserId, now: Timestamp) -> u32;
    purge(before: Timestamp) -> u64;
});

repository!(ThrottleRepository, throttles, {
    lock(key: &[u8; 32], now: Timestamp) -> Throttle;
    get(key: &[u8; 32]) -> Throttle;
    put(key: &[u8; 32], throttle: Throttle) -> ();
    purge(before: Timestamp) -> u64;
});

#[async_trait]
impl Transaction for SimTransaction {
    fn tenants(&mut self) -> &mut dyn TenantRepository {
        self
    }

    fn memberships(&mut self) -> &mut dyn MembershipRepository {
        self
    }

    fn invitations(&mut self) -> &mut dyn InvitationRepository {
        self
    }

    fn users(&mut self) -> &mut dyn UserRepository {
        self
    }

    fn clusters(&mut self) -> &mut dyn ClusterRepository {
        self
    }

    fn stores(&mut self) -> &mut dyn StoreRepository {
        self
    }

    fn credentials(&mut self) -> &mut dyn CredentialRepository {
        self
    }

    fn releases(&mut self) -> &mut dyn ReleaseRepository {
        self
    }

    fn operations(&mut self) -> &mut dyn OperationRepository {
        self
    }

    fn audit(&mut self) -> &mut dyn AuditRepository {
        self
    }

    fn events(&mut self) -> &mut dyn EventRepository {
        self
    }

    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository {
        self
    }

    fn signing_keys(&mut self) -> &mut dyn SigningKeyRepository {
        self
    }

    fn sessions(&mut self) -> &mut dyn SessionRepository {
        self
    }

    fn api_tokens(&mut self) -> &mut dyn ApiTokenRepository {
        self
    }

    fn throttles(&mut self) -> &mut dyn ThrottleRepository {
        self
    }

    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        self.end().await
    }
}
