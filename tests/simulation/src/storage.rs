//! The database behind a wire: every statement is a call of its own that can fail, hang, or be the last thing that its process did.
//!
//! A transaction goes with its connection: what breaks the connection, or stops its process for long, rolls it back.

mod repositories;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use shopwright_ports::storage::{Lease, Reach, Storage, StorageError, Transaction};
use shopwright_ports::testing::FakeStorage;

use crate::fault::{Class, Failing, Fault, Trouble};
use crate::plan::{Passage, Place, Site};
use crate::time::SECOND;
use crate::wire::Wire;

/// A transaction that is open at the server; `None` once the server has ended it.
pub type Slot = Arc<Mutex<Option<Box<dyn Transaction>>>>;

/// For how long at most the server keeps what nobody goes on with (statement timeout, idle timeout). The fake lets one transaction in at
/// a time, so this is shorter than in the product's settings.
pub const SERVER_PATIENCE: u64 = 2 * SECOND;

const fn site(call: &'static str, class: Class) -> Site {
    Site { place: Place::Storage, call, class }
}

/// [`Storage`] as one process reaches it.
#[derive(Debug, Clone)]
pub struct SimStorage {
    /// The wire.
    pub wire: Wire,
    /// The database.
    pub inner: FakeStorage,
}

#[async_trait]
impl Storage for SimStorage {
    async fn begin(&self, reach: Reach) -> Result<Box<dyn Transaction>, StorageError> {
        let passage = self.wire.enter(site("begin", Class::Statement), "").await;
        if let Some(fault) = passage.fault {
            self.wire.trace("begin", "", fault.name());
            match fault {
                Fault::CrashBefore | Fault::CrashAfter | Fault::Orphan(_) | Fault::Half | Fault::HalfCrash => {
                    return self.wire.die().await;
                }
                Fault::Hang | Fault::Late(_) => return Err(self.wire.lose().await),
                Fault::Before(_) | Fault::After(_) => return Err(StorageError::of(Trouble::Lost)),
                Fault::Stop(duration) => self.wire.world.stop(self.wire.replica, self.wire.life, duration),
                Fault::Stale => {}
            }
        }
        loop {
            let tx = self.inner.begin(reach).await?;
            if self.wire.gate.is_running() {
                let slot: Slot = Arc::new(Mutex::new(Some(tx)));
                self.wire.world.opened(&self.wire, &slot);
                return Ok(Box::new(SimTransaction { wire: self.wire.clone(), slot }));
            }
            // A stopped process must not keep everybody else out.
            drop(tx);
            self.wire.gate.pass().await;
        }
    }

    async fn check(&self) -> Result<(), StorageError> {
        self.wire.read(site("check", Class::Read), "", self.inner.check(), || None).await
    }

    async fn renew(&self, held: &[Lease], lease: Duration) -> Result<Vec<Lease>, StorageError> {
        let (inner, leases) = (self.inner.clone(), held.to_vec());
        let site = site("renew", Class::Write);
        let passage = bounded(self.wire.enter(site, "").await);
        self.wire.send(passage, site, "", async move { inner.renew(&leases, lease).await }).await
    }
}

/// The server does not keep a statement for longer than its patience.
fn bounded(mut passage: Passage) -> Passage {
    passage.fault = passage.fault.map(|fault| match fault {
        Fault::Late(delay) => Fault::Late(delay % SERVER_PATIENCE),
        Fault::Orphan(delay) => Fault::Orphan(delay % SERVER_PATIENCE),
        other => other,
    });
    passage
}

/// A transaction as its process sees it.
pub struct SimTransaction {
    wire: Wire,
    slot: Slot,
}

fn ended() -> StorageError {
    StorageError::Unavailable { detail: "the server ended the transaction (simulated)".to_owned(), source: None }
}

impl std::fmt::Debug for SimTransaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimTransaction").field("wire", &self.wire).finish_non_exhaustive()
    }
}

impl SimTransaction {
    fn take(&self) -> Result<Box<dyn Transaction>, StorageError> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(ended)
    }

    /// Before a statement: the transaction to run it in, and what happens after it.
    async fn before(&self, call: &'static str) -> Result<(Passage, Box<dyn Transaction>), StorageError> {
        let passage = self.wire.enter(site(call, Class::Statement), "").await;
        if let Some(fault) = passage.fault {
            self.wire.trace(call, "", fault.name());
            match fault {
                Fault::CrashBefore => return self.wire.die().await,
                Fault::Before(trouble) => {
                    drop(self.take());
                    return Err(StorageError::of(trouble));
                }
                Fault::Hang => {
                    let (sim, tx) = (Arc::clone(&self.wire.world.sim), self.take());
                    tokio::spawn(async move {
                        sim.sleep(SERVER_PATIENCE).await;
                        drop(tx);
                    });
                    return Err(self.wire.lose().await);
                }
                Fault::Stop(duration) => self.wire.world.stop(self.wire.replica, self.wire.life, duration),
                Fault::After(_)
                | Fault::CrashAfter
                | Fault::Late(_)
                | Fault::Orphan(_)
                | Fault::Stale
                | Fault::Half
                | Fault::HalfCrash => {}
            }
        }
        if passage.before > 0 {
            self.wire.world.sim.sleep(passage.before).await;
        }
        self.wire.gate.pass().await;
        Ok((passage, self.take()?))
    }

    /// After a statement: the answer, unless it is lost.
    async fn after<T>(
        &self,
        passage: Passage,
        tx: Box<dyn Transaction>,
        call: &'static str,
        result: Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        match passage.fault {
            Some(Fault::After(trouble)) => return Err(StorageError::of(trouble)),
            Some(Fault::CrashAfter | Fault::Orphan(_)) => return self.wire.die().await,
            _ => {}
        }
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(tx);
        match &result {
            Ok(_) => self.wire.trace(call, "", "ok"),
            Err(error) => self.wire.trace(call, "", &crate::wire::short(error)),
        }
        result
    }

    async fn end(self) -> Result<(), StorageError> {
        let site = site("commit", Class::Commit);
        let passage = bounded(self.wire.enter(site, "").await);
        let tx = self.take()?;
        if let Some(Fault::Before(_) | Fault::Hang | Fault::CrashBefore) = passage.fault {
            drop(tx);
            return self.wire.send(passage, site, "", async { Ok(()) }).await;
        }
        self.wire.send(passage, site, "", tx.commit()).await
    }
}
