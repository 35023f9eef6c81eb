//! Everybody at once on a few stores: the order of locks, tenant, store, operation, lets no circle close.
//!
//! Claims, renewals, records, pauses, ends, deletions, cancellations and retries run side by side, in the very order of statements of the
//! use cases and of the executor. A deadlock would be a [`StorageError::Conflict`] here, and a number in the server's statistics.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use futures::future::join_all;
use shopwright_adapters_postgres::{MIGRATOR, PgSettings, PgStorage};
use shopwright_domain::audit::{AuditEvent, AuditEventType};
use shopwright_domain::operation::{Operation, OperationKind, OperationStatus};
use shopwright_domain::saga::{StepRecord, StepStatus};
use shopwright_domain::{Epoch, OperationId, StoreId};
use shopwright_ports::storage::{AuditFilter, Lease, Page, Reach, Storage as _, StorageError};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Row as _};

use crate::shop::{Dice, Shop, now, patient, storage_with, until, worker};

const STORES: usize = 3;
const ROUNDS: u32 = 60;

struct Storm {
    storage: PgStorage,
    shop: Shop,
    stores: Vec<StoreId>,
    /// Who had which epoch of which store: no two ever the same.
    epochs: Mutex<BTreeSet<(StoreId, Epoch)>>,
    held: Mutex<Vec<Lease>>,
    ids: AtomicU32,
    /// Writes that were made under a lease.
    written: AtomicU32,
    /// How many of those who make work are still at it.
    raging: AtomicU32,
    over: AtomicBool,
}

impl Storm {
    fn operation(&self, store: &StoreId, kind: OperationKind) -> Operation {
        let number = self.ids.fetch_add(1, Ordering::Relaxed);
        let id = OperationId::from_random(1_000_000 + u128::from(number));
        Operation::queued(id, self.shop.tenant, store.clone(), kind, now())
    }

    fn event(&self, store: &StoreId, message: &str) -> AuditEvent {
        let mut event = AuditEvent::new(self.shop.tenant, AuditEventType::Info, message, now());
        event.store_id = Some(store.clone());
        event
    }

    /// A worker looks for work; its leases are short, so that others take over all the time, but longer than the way through the
    /// tenant's lock.
    async fn claim(&self, number: u128, dice: &mut Dice) -> Result<(), StorageError> {
        let lease = Duration::from_millis(dice.roll(4) * 150);
        let mut tx = self.storage.begin(Reach::Worker).await?;
        let claim = tx.operations().claim(worker(number), lease).await?;
        tx.commit().await?;
        if let Some(claim) = claim {
            let epoch = (claim.lease.store_id.clone(), claim.lease.epoch);
            let fresh = self.epochs.lock().expect("no holder panics").insert(epoch.clone());
            assert!(fresh, "two claims of {epoch:?}");
            self.held.lock().expect("no holder panics").push(claim.lease);
        }
        Ok(())
    }

    async fn renew(&self) -> Result<(), StorageError> {
        self.somebody_holds_something().await;
        let held = self.held.lock().expect("no holder panics").clone();
        let ours = self.storage.renew(&held, Duration::from_millis(600)).await?;
        self.held.lock().expect("no holder panics").retain(|lease| ours.contains(lease) || !held.contains(lease));
        Ok(())
    }

    /// Without it those who work would be through before the first claim.
    async fn somebody_holds_something(&self) {
        let holds = || !self.held.lock().expect("no holder panics").is_empty();
        until("a lease is held", async || holds() || self.over.load(Ordering::Relaxed)).await;
    }

    /// What the executor records: with the tenant first where the trail or the store is written too.
    async fn work(&self, dice: &mut Dice) -> Result<(), StorageError> {
        self.somebody_holds_something().await;
        let lease = {
            let held = self.held.lock().expect("no holder panics");
            let Some(at) = held.len().checked_sub(1) else { return Ok(()) };
            held[usize::try_from(dice.roll(u64::try_from(at).expect("small") + 1)).expect("small")].clone()
        };
        let mut tx = self.storage.begin(Reach::Worker).await?;
        match dice.roll(5) {
            0 => {
                let step = StepRecord {
                    step: OperationKind::Provision.steps()[0],
                    status: StepStatus::Started,
                    attempts: 0,
                    waits: 0,
                    crashes: 0,
                    first_started_at: None,
                    started_at: None,
                    finished_at: None,
                    outage: jiff::SignedDuration::ZERO,
                    not_before: None,
                    error: None,
                };
                tx.operations().record_step(&lease, &step).await?;
                tx.operations().record_progress(&lease, step.step, 1).await?;
            }
            1 => tx.operations().park(&lease, OperationStatus::Waiting, None, None).await?,
            2 => {
                tx.tenants().lock(lease.tenant_id).await?;
                tx.audit().append(&self.event(&lease.store_id, "a note")).await?;
                tx.operations().note_waiting(&lease, None).await?;
            }
            3 => {
                tx.tenants().lock(lease.tenant_id).await?;
                let mut store = tx.stores().lock(&lease.store_id).await?.expect("the store");
                if store.epoch != lease.epoch {
                    return Err(StorageError::LeaseLost);
                }
                tx.stores().save(&mut store).await?;
                tx.audit().append(&self.event(&lease.store_id, "changed")).await?;
                tx.operations().finish(&lease, OperationStatus::Succeeded, None, now()).await?;
            }
            _ => {
                tx.operations().lift_epoch(&lease, lease.epoch).await?;
            }
        }
        tx.commit().await
    }

    /// Delete, cancel and retry: one takes the place of another.
    async fn take_over(&self, dice: &mut Dice) -> Result<(), StorageError> {
        let id = &self.stores[usize::try_from(dice.roll(STORES as u64)).expect("small")];
        let kind = OperationKind::ALL[usize::try_from(dice.roll(3)).expect("small")];
        let mut tx = self.storage.begin(Reach::Platform).await?;
        tx.tenants().lock(self.shop.tenant).await?;
        let mut store = tx.stores().lock(id).await?.expect("the store");
        if let Some(latest) = tx.operations().latest_of(id).await? {
            tx.operations().supersede(latest.id, now()).await?;
        }
        tx.stores().raise_epoch(id).await?;
        tx.stores().save(&mut store).await?;
        tx.operations().enqueue(&self.operation(id, kind), &[]).await?;
        tx.audit().append(&self.event(id, "taken over")).await?;
        tx.commit().await
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn everybody_at_once_on_a_few_stores_meets_no_deadlock(_: PgPoolOptions, options: PgConnectOptions) {
    let limits = PgSettings { max_connections: 14, lock_timeout: Duration::from_secs(9), ..patient() };
    let storage = storage_with(options.clone(), PgSettings { renew_timeout: Duration::from_secs(9), ..limits }).await;
    let shop = Shop::open(&storage, 2).await;
    let stores: Vec<_> = (0..STORES).map(|_| shop.draft()).collect();
    let mut tx = storage.begin(Reach::Platform).await.expect("begin");
    for store in &stores {
        tx.stores().insert(store).await.expect("insert");
    }
    tx.commit().await.expect("commit");
    let storm = Storm {
        storage,
        shop,
        stores: stores.into_iter().map(|store| store.id).collect(),
        epochs: Mutex::default(),
        held: Mutex::default(),
        ids: 0.into(),
        written: 0.into(),
        raging: 3.into(),
        over: false.into(),
    };

    let parties = (0..12_u64).map(async |party| {
        let mut dice = Dice(party * 7919 + 1);
        let (mut done, mut lost) = (0_u32, 0_u32);
        // Those who make work end the storm; the others go on as long as it lasts.
        let rounds = if party % 4 == 3 { ROUNDS } else { u32::MAX };
        for _ in 0..rounds {
            if storm.over.load(Ordering::Relaxed) {
                break;
            }
            let result = match party % 4 {
                0 => storm.claim(u128::from(party), &mut dice).await,
                1 if party == 1 => storm.renew().await,
                1 | 2 => storm.work(&mut dice).await,
                _ => storm.take_over(&mut dice).await,
            };
            // Everything of one tenant goes through its lock: whoever takes over lets somebody write before the next time.
            if party % 4 == 3 {
                let before = storm.written.load(Ordering::Relaxed);
                let written = async {
                    while storm.written.load(Ordering::Relaxed) == before {
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                };
                // Nobody may hold a lease just now: then there is nothing to wait for.
                let _ = tokio::time::timeout(Duration::from_millis(200), written).await;
            }
            match result {
                Ok(()) => {
                    done += 1;
                    if matches!(party % 4, 1 | 2) {
                        storm.written.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Err(StorageError::LeaseLost) => lost += 1,
                Err(other) => panic!("party {party}: {other:?}"),
            }
        }
        // Whoever claims stops last: nobody waits for a lease that nobody will get.
        if party % 4 == 3 && storm.raging.fetch_sub(1, Ordering::Relaxed) == 1 {
            storm.over.store(true, Ordering::Relaxed);
        }
        (party % 4, done, lost)
    });
    let ends = join_all(parties).await;
    let claims = storm.epochs.lock().expect("no holder panics").len();
    println!("{claims} claims; kind of party, done, lost: {ends:?}");

    let mut observer = options.connect().await.expect("connect");
    let counts = "select (select count(*) from operations),
        (select count(*) from operations o join stores s on s.id = o.store_id where o.epoch > s.epoch),
        (select count(*) from (select store_id from operations where status in ('queued', 'running', 'waiting', 'stuck')
            group by store_id having count(*) > 1) several),
        (select deadlocks from pg_stat_database where datname = current_database())";
    sqlx::query("select pg_stat_force_next_flush()").execute(&mut observer).await.expect("flush");
    let row = sqlx::query(counts).fetch_one(&mut observer).await.expect("count");
    let [operations, ahead, several, deadlocks]: [i64; 4] = [0, 1, 2, 3].map(|column| row.get(column));
    assert_eq!((ahead, several, deadlocks), (0, 0, 0), "{ends:?}");
    assert!(operations > 100, "{operations} operations");
    // Of each kind together: one tenant's lock is between all of them.
    let done_by = |kind| ends.iter().filter(|(of, ..)| *of == kind).map(|(_, done, _)| done).sum::<u32>();
    assert!((0..4).all(|kind| done_by(kind) > 10), "{ends:?}");
    assert!(ends.iter().any(|(_, _, lost)| *lost > 10), "{ends:?}");
    assert!(claims > 50, "{claims} claims");
    // The chain has no gaps: its number is taken under the tenant's lock.
    let filter = AuditFilter { tenant_id: Some(storm.shop.tenant), ..AuditFilter::default() };
    let mut tx = storm.storage.begin(Reach::Worker).await.expect("begin");
    let (entries, total) = tx.audit().list(&filter, Page { limit: 1, offset: 0 }).await.expect("list");
    assert_eq!(entries.first().map(|entry| entry.sequence), Some(total));
    drop(tx);
    storm.storage.close().await;
}
