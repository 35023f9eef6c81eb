//! How patient an operation is.

use jiff::SignedDuration;

use crate::backoff::Backoff;
use crate::saga::{ProvisionStep, RotateStep, Step, UpgradeStep};

/// The numbers that [`super::plan::next`] decides by.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Delays between attempts.
    pub backoff: Backoff,
    /// How many counted failures of one step fail an operation that [gives up](crate::operation::OperationKind::gives_up). A delete is
    /// never given up for its attempts (DECISIONS 12).
    pub max_attempts: u32,
    /// How long workloads may take to become ready.
    pub rollout_deadline: SignedDuration,
    /// How long a cause that waiting does not mend (an image that cannot be pulled) may last before it ends the attempt.
    pub cause_grace: SignedDuration,
    /// How long any other step of an operation that gives up may take.
    pub step_deadline: SignedDuration,
    /// How long a step of a delete, an unwind or a revert may take. All deadlines stand still while the cluster cannot be reached (DECISIONS 13).
    pub delete_deadline: SignedDuration,
    /// After how many counted failures an operation that does not give up is shown as stuck.
    pub stuck_after: u32,
    /// How many workers in a row may end in the middle of one step, without any progress, before the operation is parked as poisoned
    /// (RELIABILITY F11). It is high because workers also end for reasons of their own: where every second run of a step is hit by a kill
    /// that has nothing to do with it, ten in a row come once in a thousand steps, five once in thirty.
    pub max_crashes: u32,
    /// For how long a poisoned operation is left alone before another worker is risked on it; twice as long after each further one.
    pub poison_pause: SignedDuration,
    /// The longest of these pauses.
    pub poison_cap: SignedDuration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            backoff: Backoff::default(),
            max_attempts: 3,
            rollout_deadline: SignedDuration::from_mins(10),
            cause_grace: SignedDuration::from_secs(60),
            step_deadline: SignedDuration::from_mins(5),
            delete_deadline: SignedDuration::from_hours(1),
            stuck_after: 3,
            max_crashes: 10,
            poison_pause: SignedDuration::from_mins(1),
            poison_cap: SignedDuration::from_mins(30),
        }
    }
}

impl Policy {
    /// How long to leave an operation alone on which `crashes` workers in a row have ended.
    pub fn poison_pause(&self, crashes: u32) -> SignedDuration {
        let doublings = crashes.saturating_sub(self.max_crashes).min(20);
        self.poison_pause.saturating_mul(1 << doublings).min(self.poison_cap)
    }

    /// How many counted failures of `step` fail an operation that gives up. A store that a change has taken down is brought back at the
    /// first that shows, rather than kept down for a second look.
    pub const fn attempts(&self, step: Step) -> u32 {
        match step {
            Step::Rotate(RotateStep::AwaitWorkloads | RotateStep::VerifyStorefront)
            | Step::Upgrade(UpgradeStep::AwaitWorkloads | UpgradeStep::VerifyStorefront) => 1,
            _ => self.max_attempts,
        }
    }

    /// How long `step` may take, outages not counted.
    pub const fn deadline(&self, step: Step) -> SignedDuration {
        match step {
            Step::Provision(ProvisionStep::AwaitWorkloads)
            | Step::Rotate(RotateStep::AwaitWorkloads)
            | Step::Upgrade(UpgradeStep::AwaitWorkloads) => self.rollout_deadline,
            Step::Provision(_) | Step::Rotate(_) | Step::Upgrade(_) => self.step_deadline,
            Step::Delete(_) | Step::Unwind(_) | Step::Revert(_) => self.delete_deadline,
        }
    }
}
