//! People who ask for things: they come back when they get no answer, ask the same twice, hang up, and change their minds.

use std::sync::Arc;

use futures::future::{Either, select};
use shopwright_app::stores::Stores;
use shopwright_domain::identity::{Actor, PlatformRole};
use shopwright_domain::organisation::Role;
use shopwright_domain::plans::PlanName;
use shopwright_domain::{RequestId, TenantId, UserId};
use shopwright_ports::clock::Clock as _;
use shopwright_ports::gate_api::Promise;
use shopwright_ports::identity_api::Origin;
use shopwright_ports::storage::{Reach, Storage, StorageError, Tenant, User};
use shopwright_ports::stores_api::{Accepted, CreateStore, RequestContext, StoreService, StoreServiceError};
use shopwright_ports::testing::engines;

use crate::book::Book;
use crate::clocks::TrueClock;
use crate::gate::Gate;
use crate::history::{Answer, Request};
use crate::time::{MILLI, SECOND};
use crate::trace::Who;
use crate::world::World;

/// One organisation with its people.
#[derive(Debug)]
pub struct Merchant {
    /// In whose name they ask.
    pub context: RequestContext,
    /// What they know and saw.
    pub book: Book,
}

impl Merchant {
    /// A new one.
    ///
    /// # Errors
    /// What the fake database says.
    ///
    /// # Panics
    /// Never: its address and its name are constants.
    #[expect(clippy::expect_used, reason = "constants that are an address and a name")]
    pub async fn new(world: &World, number: usize) -> Result<Arc<Self>, StorageError> {
        let bits = || world.sim.random(|rng| u128::from(rng.bits()) << 64 | u128::from(rng.bits()));
        let now = TrueClock(Arc::clone(&world.sim)).now();
        let tenant_id = TenantId::from_random(bits());
        let user_id = UserId::from_random(bits());
        let tenant = Tenant {
            id: tenant_id,
            name: format!("merchant {number}"),
            personal: true,
            plan: PlanName::standard(),
            last_store_created_at: None,
            created_at: now,
        };
        let user = User {
            id: user_id,
            tenant_id,
            email: format!("m{number}@example.com").parse().expect("an address"),
            username: format!("merchant-{number}").parse().expect("a name"),
            password_hash: "fake$password".to_owned(),
            role: PlatformRole::Tenant,
            active: true,
            created_at: now,
        };
        let mut tx = world.storage.begin(Reach::Identity).await?;
        tx.tenants().insert(&tenant).await?;
        tx.users().insert(&user).await?;
        tx.commit().await?;
        let actor =
            Actor { user_id, tenant_id, member_role: Role::Owner, email: user.email, role: PlatformRole::Tenant };
        let origin = Origin::unknown(RequestId::from_random(1));
        Ok(Arc::new(Self { context: RequestContext::new(actor, origin), book: Book::default() }))
    }
}

/// How a client behaves.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// How often, in millionths, it hangs up before the answer.
    pub hangs_up: u32,
    /// The longest that it thinks between two requests.
    pub thinks: u64,
    /// How many names its organisation uses.
    pub names: u64,
}

/// One person at work.
#[derive(Debug, Clone)]
pub struct Client {
    /// The world.
    pub world: Arc<World>,
    /// Their organisation.
    pub merchant: Arc<Merchant>,
    /// Which person.
    pub number: usize,
    /// How they behave.
    pub manner: Manner,
}

impl Client {
    /// Works until `end`.
    pub async fn work(self, end: u64) {
        let sim = Arc::clone(&self.world.sim);
        loop {
            sim.sleep(sim.random(|rng| rng.between(MILLI, self.manner.thinks))).await;
            if sim.now() >= end {
                return;
            }
            let (name, request) = self.idea();
            // Whoever gets no answer asks the same again.
            for _ in 0..4 {
                if self.ask(&name, request.clone()).await.is_some() || sim.random(|rng| rng.chance(250_000)) {
                    break;
                }
                sim.sleep(sim.random(|rng| rng.between(MILLI, 2 * SECOND))).await;
            }
        }
    }

    fn idea(&self) -> (String, Request) {
        let known = self.merchant.book.known();
        self.world.sim.random(|rng| {
            let what = rng.below(100);
            if known.is_empty() || what < 35 {
                let name = format!("shop-{}", rng.below(self.manner.names));
                let key = rng.chance(800_000).then(|| format!("key-{:x}", rng.bits()));
                return (name, Request::Create { key });
            }
            // The newest are the most interesting ones.
            let recent = &known[known.len().saturating_sub(4)..];
            let store = rng.pick(recent).clone();
            let request = match (what, store.operation) {
                (35..55, _) => Request::Delete(store.id),
                (55..70, _) => Request::Retry(store.id),
                (70..80, Some(operation)) => Request::Cancel(store.id, operation),
                _ => Request::Get(store.id),
            };
            (store.name, request)
        })
    }

    /// Any process that lives.
    fn server(&self) -> Option<(Arc<Stores>, Arc<Gate>)> {
        let replicas = self.world.replicas();
        let alive: Vec<_> =
            replicas.iter().flatten().map(|it| (Arc::clone(&it.stores), Arc::clone(&it.gate))).collect();
        drop(replicas);
        (!alive.is_empty()).then(|| self.world.sim.random(|rng| rng.pick(&alive).clone()))
    }

    /// Asks, and writes down what came of it. `None` when that is not known.
    pub async fn ask(&self, name: &str, request: Request) -> Option<Answer> {
        let sim = &self.world.sim;
        let (stores, gate) = self.server()?;
        let kind = kind_of(&request);
        let subject = subject_of(&request, name);
        sim.trace(Who::Client(self.number), kind, &subject, "asks");
        let index = self.merchant.book.asked(name, sim.now(), request.clone());
        let hangs_up =
            sim.random(|rng| rng.chance(self.manner.hangs_up).then(|| rng.below(self.world.plan().latency() * 20 + 1)));
        let gone = Box::pin(async {
            match hangs_up {
                Some(after) => drop(select(sim.sleep(after), Box::pin(gate.death())).await),
                None => drop(select(sim.sleep(30 * SECOND), Box::pin(gate.death())).await),
            }
        });
        let answer = match select(Box::pin(self.send(&stores, name, &request)), gone).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => None,
        };
        let outcome = match &answer {
            Some(Answer::Accepted { .. }) => "accepted",
            Some(Answer::Seen(_)) => "seen",
            Some(_) => "refused",
            None => "no answer",
        };
        sim.trace(Who::Client(self.number), kind, &subject, outcome);
        self.world.tally().answered(kind, outcome);
        self.merchant.book.answered(name, index, sim.now(), answer.clone());
        answer
    }

    async fn send(&self, stores: &Stores, name: &str, request: &Request) -> Option<Answer> {
        let mut context = self.merchant.context.clone();
        context.origin.request_id = RequestId::from_random(self.world.sim.random(crate::rng::Rng::bits));
        let result = match request {
            Request::Create { key } => {
                let name = name.parse().ok()?;
                context.promise = key.clone().map(|key| Promise {
                    route: "POST /stores".to_owned(),
                    fingerprint: key.clone().into_bytes(),
                    key,
                });
                let command = CreateStore { name, engine: engines::medusa(), theme: None, password: None };
                stores.create(&context, command).await
            }
            Request::Delete(id) => stores.delete(&context, id).await,
            Request::Retry(id) => stores.retry(&context, id).await,
            Request::Cancel(_, operation) => stores.cancel(&context, *operation).await,
            Request::Get(id) => {
                return match stores.get(&context, id).await {
                    Ok(view) => {
                        self.merchant.book.learn(name, id, view.operation.map(|operation| operation.id));
                        Some(Answer::Seen(view.store.state))
                    }
                    Err(error) => self.refusal(&error),
                };
            }
        };
        match result {
            Ok(Accepted { store, operation, .. }) => {
                self.merchant.book.learn(name, &store.id, operation.as_ref().map(|operation| operation.id));
                let operation = operation.map(|operation| (operation.id, operation.kind));
                Some(Answer::Accepted { store: store.id, state: store.state, operation })
            }
            Err(error) => self.refusal(&error),
        }
    }

    fn refusal(&self, error: &StoreServiceError) -> Option<Answer> {
        match error {
            StoreServiceError::NameInUse { store_id, state, .. } => Some(Answer::NameInUse(store_id.clone(), *state)),
            StoreServiceError::NotRetryable { state } => Some(Answer::WrongState(*state)),
            StoreServiceError::NotCancellable { .. } => Some(Answer::NotCancellable),
            StoreServiceError::Forbidden | StoreServiceError::NotFound(_) => Some(Answer::Unknown),
            StoreServiceError::EngineDiffers { .. }
            | StoreServiceError::QuotaUsedUp { .. }
            | StoreServiceError::Cooldown { .. }
            | StoreServiceError::RetriesUsedUp { .. }
            | StoreServiceError::EngineUnavailable(_)
            | StoreServiceError::NotReady { .. }
            | StoreServiceError::Busy { .. }
            | StoreServiceError::NotRotatable { .. }
            | StoreServiceError::NothingKept
            | StoreServiceError::RevealedTooOften { .. }
            | StoreServiceError::KeyReused
            | StoreServiceError::KeyInFlight
            | StoreServiceError::Changed
            | StoreServiceError::Conflict
            // A read that met another transaction; it can be asked again.
            | StoreServiceError::Storage(StorageError::Conflict) => Some(Answer::Refused),
            StoreServiceError::Storage(StorageError::Unavailable { .. }) => None,
            // Every merchant is the owner of an organisation of their own.
            StoreServiceError::NotAllowed { .. }
            | StoreServiceError::Storage(_)
            | StoreServiceError::Internal(_)
            | StoreServiceError::AnswerLost => {
                let text = format!("{error:?}");
                self.world.watch().violate(|| format!("a request met a fault of ours: {text}"));
                None
            }
        }
    }
}

const fn kind_of(request: &Request) -> &'static str {
    match request {
        Request::Create { .. } => "create",
        Request::Get(_) => "get",
        Request::Delete(_) => "delete",
        Request::Retry(_) => "retry",
        Request::Cancel(..) => "cancel",
    }
}

fn subject_of(request: &Request, name: &str) -> String {
    match request {
        Request::Create { .. } => name.to_owned(),
        Request::Get(id) | Request::Delete(id) | Request::Retry(id) | Request::Cancel(id, _) => id.to_string(),
    }
}
