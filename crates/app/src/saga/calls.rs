//! Every call to a cluster, by Kubernetes or by Helm, passes here: its circuit breaker, its own word on when to come back, and the proof
//! that its fence holds. An open breaker means no process and no request; so does a fence that nobody has seen hold.

mod fence;
mod verdict;

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shopwright_domain::breaker::{Breaker, BreakerPolicy, BreakerSnapshot, BreakerState, Outcome, Ticket};
use shopwright_domain::limits::Rate;
use shopwright_domain::retry_budget::RetryBudget;
use shopwright_domain::saga::StepError;
use shopwright_domain::{ErrorCode, OperationId};
use shopwright_ports::clock::Clock;
use shopwright_ports::cluster::Cluster;

pub use fence::FenceState;
use fence::FenceWatch;
pub use verdict::Verdict;

/// How fast operations that had to wait are begun again, by one process on one cluster.
const RETRIES: Rate = Rate { limit: 20, window: SignedDuration::from_secs(1) };
/// A cluster that asks for a longer rest than this is asked again after it.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// A cluster that goes on asking is left alone longer each time, up to this: "again in a second" is said for hours.
const LONGEST_GROWN: Duration = Duration::from_secs(10);
/// How long the first call after a rest has for itself, before another one is tried.
const SCOUT: Duration = Duration::from_secs(1);

/// One cluster as this process may use it, shared by all its operations.
pub struct ClusterGuard {
    cluster: Arc<dyn Cluster>,
    clock: Arc<dyn Clock>,
    breaker: Mutex<Breaker>,
    rest: Mutex<Rest>,
    fence: FenceWatch,
    retries: Mutex<RetryBudget<OperationId>>,
}

impl std::fmt::Debug for ClusterGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterGuard").field("state", &self.state()).finish_non_exhaustive()
    }
}

/// What the cluster said about when to come back (RELIABILITY F31).
#[derive(Debug, Clone, Copy)]
struct Rest {
    until: Timestamp,
    /// How often in a row.
    asked: u32,
    /// Whether the first call after it is on its way.
    scouted: bool,
}

impl Rest {
    const NONE: Self = Self { until: Timestamp::UNIX_EPOCH, asked: 0, scouted: false };

    fn asked_for(self, rest: Duration, now: Timestamp) -> Self {
        let grown = SCOUT.saturating_mul(1 << self.asked.min(10)).min(LONGEST_GROWN);
        let until = now.checked_add(rest.min(LONGEST_REST).max(grown)).unwrap_or(Timestamp::MAX);
        // Calls that were under way together are told together: that is once.
        let again = self.scouted || self.asked == 0;
        Self { until: until.max(self.until), asked: self.asked.saturating_add(u32::from(again)), scouted: false }
    }
}

/// A call that was let pass. Dropped without a word it says that nothing is known: a probe is handed back.
struct Pass<'a> {
    guard: &'a ClusterGuard,
    ticket: Ticket,
    outcome: Outcome,
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        lock(&self.guard.breaker).report(self.ticket, self.outcome, self.guard.now());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ClusterGuard {
    /// A closed breaker for `cluster`, whose fence nobody has seen yet.
    pub fn new(cluster: Arc<dyn Cluster>, clock: Arc<dyn Clock>, policy: BreakerPolicy) -> Self {
        Self {
            cluster,
            clock,
            breaker: Mutex::new(Breaker::new(policy)),
            rest: Mutex::new(Rest::NONE),
            fence: FenceWatch::default(),
            retries: Mutex::new(RetryBudget::new(RETRIES)),
        }
    }

    /// The same with another rate at which operations that had to wait are begun again.
    #[must_use]
    pub fn with_retry_rate(mut self, rate: Rate) -> Self {
        self.retries = Mutex::new(RetryBudget::new(rate));
        self
    }

    /// The cluster behind it. For calls of a step use [`ClusterGuard::call`].
    pub fn cluster(&self) -> &dyn Cluster {
        self.cluster.as_ref()
    }

    /// How its breaker stands.
    pub fn state(&self) -> BreakerState {
        lock(&self.breaker).state()
    }

    /// What there is to tell about its breaker. Its times are the monotonic clock's, since the epoch.
    pub fn breaker(&self) -> BreakerSnapshot {
        lock(&self.breaker).snapshot()
    }

    /// When its breaker last met a failure, by the wall clock of now.
    pub fn last_failure(&self) -> Option<Timestamp> {
        let ago = self.now().duration_since(self.breaker().failed_at?);
        self.clock.now().checked_sub(ago).ok()
    }

    /// What is known of its fence.
    pub fn fence(&self) -> FenceState {
        self.fence.state()
    }

    /// Whether it answers and its fence holds. Asks the cluster, if its breaker lets it.
    ///
    /// # Errors
    /// Why no operation would get through now.
    pub async fn check(&self) -> Result<(), StepError> {
        self.admitted(self.cluster.check()).await??;
        self.fenced().await
    }

    /// Makes a call, if the breaker lets it pass and the fence holds.
    ///
    /// # Errors
    /// Why it was not made, or what came of it.
    pub async fn call<T, E: Verdict>(&self, call: impl Future<Output = Result<T, E>>) -> Result<T, StepError> {
        self.ask(call).await?.map_err(Into::into)
    }

    /// The same, for callers that look at the call's own error: the outer one says that it was not made.
    pub(super) async fn ask<T, E: Verdict>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<Result<T, E>, StepError> {
        self.fenced().await?;
        self.admitted(call).await
    }

    /// Whether an operation that had to wait may go on, or in how long it may. What is begun for the first time does not ask.
    pub(super) fn begin_again(&self, operation: OperationId) -> Result<(), SignedDuration> {
        let now = self.now();
        lock(&self.retries).begin(operation, now).map_err(|refusal| refusal.until.duration_since(now))
    }

    /// Time for everything here: since some fixed moment, and deaf to a wall clock that jumps (RELIABILITY F7).
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH.checked_add(self.clock.monotonic()).unwrap_or(Timestamp::MAX)
    }

    /// Makes a call behind the breaker alone. After a pause the first one through sends a cheap probe ahead.
    async fn admitted<T, E: Verdict>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<Result<T, E>, StepError> {
        let mut pass = self.pass()?;
        if pass.ticket.is_probe() {
            self.measured(pass, self.cluster.check()).await?;
            pass = self.pass()?;
        }
        Ok(self.measured(pass, call).await)
    }

    fn pass(&self) -> Result<Pass<'_>, StepError> {
        let now = self.now();
        self.rested(now)?;
        match lock(&self.breaker).pass(now) {
            Ok(ticket) => Ok(Pass { guard: self, ticket, outcome: Outcome::Unknown }),
            Err(refused) => {
                let error = StepError::new(ErrorCode::BreakerOpen, "the cluster did not answer several times in a row");
                Err(error.retry_after(refused.until.duration_since(now)))
            }
        }
    }

    /// After a rest one call goes ahead; the others follow when it was answered.
    fn rested(&self, now: Timestamp) -> Result<(), StepError> {
        let mut rest = lock(&self.rest);
        let left = rest.until.duration_since(now);
        if left > SignedDuration::ZERO {
            return Err(StepError::new(ErrorCode::Throttled, "the cluster asks for fewer requests").retry_after(left));
        }
        if rest.asked > 0 {
            rest.until = now.checked_add(SCOUT).unwrap_or(Timestamp::MAX);
            rest.scouted = true;
        }
        Ok(())
    }

    async fn measured<T, E: Verdict>(
        &self,
        mut pass: Pass<'_>,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let result = call.await;
        pass.outcome = match &result {
            Ok(_) => {
                *lock(&self.rest) = Rest::NONE;
                Outcome::Answered
            }
            Err(error) => {
                if let Some(asked) = error.rest() {
                    let mut rest = lock(&self.rest);
                    *rest = rest.asked_for(asked, self.now());
                } else if error.outcome() == Outcome::Answered {
                    *lock(&self.rest) = Rest::NONE;
                }
                if error.opens_the_fence() {
                    self.fence.doubt();
                }
                error.outcome()
            }
        };
        result
    }
}
