//! The verdict on a store's objects. Pure: the same objects always give the same verdict.

use shopwright_domain::engine::Readiness;
use shopwright_domain::error_code::ErrorCode;
use shopwright_domain::store::Failure;
use shopwright_ports::cluster::{Rollout, SetupResult};

use super::objects::StoreObjects;
use super::{pods, setup, workloads};
use crate::names::INSTANCE;

/// Something that is wrong, and whether waiting can mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) failure: Failure,
    pub(super) is_final: bool,
}

impl Trouble {
    pub(super) fn passing(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { failure: Failure::new(code, detail), is_final: false }
    }

    pub(super) fn lasting(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { failure: Failure::new(code, detail), is_final: true }
    }

    /// Which of several troubles is told: a final one first, then the one that most likely causes the others.
    fn rank(&self) -> (bool, u8) {
        let rank = match self.failure.code {
            ErrorCode::NodeLost => 0,
            ErrorCode::ImagePull => 1,
            ErrorCode::QuotaExceeded => 2,
            ErrorCode::VolumePending => 3,
            ErrorCode::Unschedulable => 4,
            ErrorCode::CrashLoop => 5,
            ErrorCode::SetupFailed => 6,
            ErrorCode::ProbeFailing => 8,
            ErrorCode::RolloutTimeout => 9,
            _ => 7,
        };
        (!self.is_final, rank)
    }
}

/// How the store is doing.
pub(super) fn assess(objects: &StoreObjects, wanted: &Readiness) -> Rollout {
    let instance = Some(objects.store_id.as_str());
    let of_release = |labels: &Option<std::collections::BTreeMap<String, String>>| {
        labels.as_ref().and_then(|labels| labels.get(INSTANCE)).map(String::as_str) == instance
    };
    // An incomplete list (of a cache that lags, or of a helm that is still at it) must never look like a store that is ready.
    let is_there = |name: &String| {
        let mut deployments = objects.deployments.iter().map(|object| &object.metadata);
        deployments.any(|object| object.name.as_ref() == Some(name) && of_release(&object.labels))
    };
    let installed = wanted.deployments.iter().all(is_there)
        && (!wanted.setup || objects.jobs.iter().any(|object| of_release(&object.metadata.labels)));
    if !installed {
        return Rollout::Pending(Failure::new(ErrorCode::RolloutTimeout, "the release's objects are not there yet"));
    }
    let outcome = if wanted.setup { setup::outcome(objects) } else { Ok(SetupResult::default()) };
    let troubles =
        workloads::troubles(objects).into_iter().chain(pods::troubles(objects)).chain(outcome.as_ref().err().cloned());
    match (troubles.min_by_key(Trouble::rank), outcome) {
        (None, Ok(result)) => Rollout::Ready(result),
        (Some(Trouble { failure, is_final: true }), _) | (None, Err(Trouble { failure, is_final: true })) => {
            Rollout::Failed(failure)
        }
        (Some(Trouble { failure, .. }), _) | (None, Err(Trouble { failure, .. })) => Rollout::Pending(failure),
    }
}

/// The longest that others' words may be.
const LONGEST: usize = 300;

/// Words of others, fit for one line of a log and a table cell.
pub(super) fn tidy(text: &str) -> String {
    let line = one_line(text);
    if line.chars().count() <= LONGEST { line } else { line.chars().take(LONGEST - 1).chain(['…']).collect() }
}

/// The same of a log, whose end says why it ends.
pub(super) fn tidy_end(text: &str) -> String {
    let line = one_line(text);
    let surplus = line.chars().count().saturating_sub(LONGEST);
    if surplus == 0 { line } else { ['…'].into_iter().chain(line.chars().skip(surplus + 1)).collect() }
}

fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
