//! The proof that a cluster's fence holds: looked at before the first call, again after a while, and at once when a call doubts it.
//!
//! A policy that was removed lets stale owners write, and no other call would show it (DECISIONS 5, RELIABILITY S51). As long as the fence
//! has not been seen to hold, the cluster takes no work: no helm process is started and no change is asked for.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shopwright_domain::ErrorCode;
use shopwright_domain::saga::StepError;

use super::ClusterGuard;

/// For so long a fence that was seen to hold is relied on.
const RELIED_ON: Duration = Duration::from_mins(1);
/// An open one is looked at again after this long, however many ask.
const LOOKED_AT_AGAIN: Duration = Duration::from_secs(10);

/// What is known of a cluster's fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FenceState {
    /// Nobody could look yet, or there is reason to look again.
    Unknown,
    /// It refused what it has to refuse.
    Holds,
    /// It does not, in these words.
    Open(String),
}

#[derive(Debug, Default)]
struct Known {
    /// The last look that told something, and when it was.
    seen: Option<(Result<(), StepError>, Duration)>,
    /// The last look that told nothing, and when it ended.
    failed: Option<(StepError, Duration)>,
}

/// What was seen of a fence, and whose turn it is to look.
#[derive(Debug, Default)]
pub(super) struct FenceWatch {
    known: Mutex<Known>,
    turn: tokio::sync::Mutex<()>,
}

impl FenceWatch {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state(&self) -> FenceState {
        match &self.known().seen {
            None => FenceState::Unknown,
            Some((Ok(()), _)) => FenceState::Holds,
            Some((Err(error), _)) => FenceState::Open(error.detail.clone()),
        }
    }

    /// From now on nothing is known: the next call looks first.
    pub(super) fn doubt(&self) {
        self.known().seen = None;
    }

    /// What was seen lately enough to rely on.
    fn recent(&self, now: Duration) -> Option<Result<(), StepError>> {
        let known = self.known();
        let (answer, at) = known.seen.as_ref()?;
        let limit = if answer.is_ok() { RELIED_ON } else { LOOKED_AT_AGAIN };
        (now.saturating_sub(*at) < limit).then(|| answer.clone())
    }

    /// The answer of a look that failed while somebody waited for its turn: it holds for all who waited.
    fn failed_since(&self, start: Duration) -> Option<StepError> {
        let known = self.known();
        known.failed.as_ref().filter(|(_, at)| *at >= start).map(|(error, _)| error.clone())
    }
}

impl ClusterGuard {
    /// Succeeds when the fence was seen to hold lately; looks, if need be. Of many who ask at once one looks.
    pub(super) async fn fenced(&self) -> Result<(), StepError> {
        let start = self.clock.monotonic();
        if let Some(answer) = self.fence.recent(start) {
            return answer;
        }
        let _turn = self.fence.turn.lock().await;
        if let Some(answer) = self.fence.recent(self.clock.monotonic()) {
            return answer;
        }
        if let Some(error) = self.fence.failed_since(start).filter(|_| self.clock.monotonic() > start) {
            return Err(error);
        }
        let looked = match self.admitted(self.cluster().verify_fence()).await {
            Ok(answer) => answer.map_err(StepError::from),
            Err(refused) => Err(refused),
        };
        let now = self.clock.monotonic();
        match &looked {
            Err(error) if error.code != ErrorCode::ClusterUnfenced => {
                self.fence.known().failed = Some((error.clone(), now));
            }
            Ok(()) | Err(_) => self.learn(&looked, now),
        }
        looked
    }

    /// Remembers what was seen, and tells operators when it is news.
    fn learn(&self, seen: &Result<(), StepError>, now: Duration) {
        let before = self.fence.known().seen.replace((seen.clone(), now)).map(|(answer, _)| answer.is_ok());
        match seen {
            Ok(()) if before != Some(true) => tracing::info!("the cluster's fence holds; it takes work"),
            Err(error) if before != Some(false) => {
                tracing::error!(detail = error.detail, "the cluster takes no work: {}", error.code.hint());
            }
            Ok(()) | Err(_) => {}
        }
    }
}
