//! Every single point at which one saga can be hit, and every pair of points at which its worker can die (RELIABILITY P1).
//!
//! A saga is run undisturbed, which lists the calls of the workers; then once more for every call and every fault that fits it.

use std::sync::{Arc, Mutex, PoisonError};

use shopwright_domain::operation::OperationKind;
use shopwright_domain::store::StoreState;

use crate::fault::{Class, Fault, Trouble};
use crate::plan::Site;
use crate::replica::{LEASE, Settings};
use crate::run::{Outcome, TAIL, finish, rest, simulate};
use crate::stage::Stage;
use crate::tally::Tally;
use crate::time::{MILLI, SECOND, Sim};

/// Long enough for another worker to have taken over; shorter than a deletion's way to its end.
const TAKEN_OVER: u64 = 12 * SECOND;
/// Long enough for everything to have ended.
const LONG_OVER: u64 = 50 * SECOND;

/// What a call can meet alone.
pub const FAULTS: [Fault; 17] = [
    Fault::Before(Trouble::Lost),
    Fault::Before(Trouble::Throttled),
    Fault::Before(Trouble::Unknown),
    Fault::Before(Trouble::Denied),
    Fault::Before(Trouble::Refused),
    Fault::Before(Trouble::Conflict),
    Fault::After(Trouble::Lost),
    Fault::Hang,
    Fault::Late(LONG_OVER),
    Fault::Stale,
    Fault::CrashBefore,
    Fault::CrashAfter,
    Fault::Orphan(TAKEN_OVER),
    Fault::Orphan(LONG_OVER),
    Fault::Stop(2 * LEASE),
    Fault::Half,
    Fault::HalfCrash,
];

/// One run of one saga.
#[derive(Debug)]
pub struct Hit {
    /// What it came to.
    pub outcome: Outcome,
    /// The calls of workers while the saga ran.
    pub sites: Vec<Site>,
}

/// Runs one saga with these faults at these calls.
pub fn run(kind: OperationKind, faults: &[(usize, Fault)], keep_trace: bool) -> Hit {
    let sites = Arc::new(Mutex::new(Vec::new()));
    let (out, faults) = (Arc::clone(&sites), faults.to_vec());
    let outcome = simulate(1, keep_trace, |sim| saga(sim, kind, faults, out));
    let sites = std::mem::take(&mut *sites.lock().unwrap_or_else(PoisonError::into_inner));
    Hit { outcome, sites }
}

async fn saga(
    sim: Arc<Sim>,
    kind: OperationKind,
    faults: Vec<(usize, Fault)>,
    sites: Arc<Mutex<Vec<Site>>>,
) -> Result<Tally, String> {
    let settings = Settings { replicas: 2, pods_take: SECOND, ..Settings::default() };
    let stage = Stage::new(sim, settings, 2 * MILLI).await?;
    stage.start();
    let world = &stage.world;
    let late = faults.iter().any(|(_, fault)| matches!(fault, Fault::Late(_) | Fault::Orphan(_)));
    let arm = || world.plan().arm(faults);
    let wanted = match kind {
        OperationKind::Provision => {
            arm();
            stage.create("shop").await?;
            StoreState::Ready
        }
        OperationKind::Delete => {
            stage.begin(kind, |_| arm()).await?;
            StoreState::Deleted
        }
        OperationKind::Unwind => {
            stage.begin(kind, |_| arm()).await?;
            StoreState::Failed
        }
        OperationKind::Rotate | OperationKind::Upgrade | OperationKind::Revert => {
            stage.begin(kind, |_| arm()).await?;
            StoreState::Ready
        }
    };
    // The faults are over with the saga; what it has set in motion is not.
    rest(world, 0).await?;
    sites.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(world.plan().sites());
    world.plan().disarm();
    let tail = if late { TAIL } else { 0 };
    world.sim.sleep(tail).await;
    let states: Vec<StoreState> = stage.rows().stores.iter().map(|store| store.state).collect();
    if states != [wanted] {
        return Err(format!("{kind} ended with {states:?}"));
    }
    let tally = finish(world, &[Arc::clone(&stage.merchant)], tail).await?;
    let alone = stage.world.tally().faults.values().sum::<u64>() <= 1;
    match tally.recoveries.iter().max() {
        // F1: whoever dies, another goes on within two leases.
        Some(slowest) if alone && *slowest > 2 * LEASE => Err(format!("resumed after {} s only", slowest / SECOND)),
        _ => Ok(tally),
    }
}

/// Every call and every fault that fits it.
pub fn singles(kind: OperationKind) -> Vec<(usize, Fault)> {
    let undisturbed = run(kind, &[], false);
    let sites = undisturbed.sites.iter().enumerate();
    sites
        .flat_map(|(at, site)| FAULTS.into_iter().filter(|fault| fault.fits(site.class)).map(move |fault| (at, fault)))
        .collect()
}

/// The points at which a death makes a difference: before and after what takes effect outside the process. A death inside a transaction
/// is one before it.
pub fn deaths(sites: &[Site], from: usize) -> Vec<(usize, Fault)> {
    let effects =
        sites.iter().enumerate().skip(from).filter(|(_, site)| site.class != Class::Statement || site.call == "begin");
    effects
        .flat_map(|(at, site)| {
            let after =
                matches!(site.class, Class::Commit | Class::Write | Class::Run).then_some((at, Fault::CrashAfter));
            [Some((at, Fault::CrashBefore)), after].into_iter().flatten()
        })
        .collect()
}

/// Every pair of deaths that begins with this one.
pub fn pairs(kind: OperationKind, first: (usize, Fault)) -> Vec<[(usize, Fault); 2]> {
    let sites = run(kind, &[first], false).sites;
    deaths(&sites, first.0 + 1).into_iter().map(|second| [first, second]).collect()
}
