//! What a call's error says about the cluster behind it (DECISIONS 33).

use std::time::Duration;

use shopwright_domain::breaker::Outcome;
use shopwright_domain::saga::StepError;
use shopwright_ports::cluster::ClusterError;
use shopwright_ports::releases::ReleaseError;

/// The error of a call to a cluster.
pub trait Verdict: Into<StepError> {
    /// Whether the cluster answered.
    fn outcome(&self) -> Outcome;

    /// For how long the cluster asked to be left alone.
    fn rest(&self) -> Option<Duration>;

    /// Whether it says that the cluster's fence is open.
    fn opens_the_fence(&self) -> bool;
}

impl Verdict for ClusterError {
    /// A refusal is an answer: 4xx, a stale epoch, also a throttle.
    fn outcome(&self) -> Outcome {
        if self.is_outage() { Outcome::Silent } else { Outcome::Answered }
    }

    fn rest(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } => *retry_after,
            _ => None,
        }
    }

    fn opens_the_fence(&self) -> bool {
        matches!(self, Self::Unfenced(_))
    }
}

impl Verdict for ReleaseError {
    /// Helm's own failures say nothing about the cluster: a chart that does not fit neither counts against it nor for it.
    fn outcome(&self) -> Outcome {
        match self {
            Self::Cluster(error) => error.outcome(),
            _ => Outcome::Unknown,
        }
    }

    fn rest(&self) -> Option<Duration> {
        match self {
            Self::Cluster(error) => error.rest(),
            _ => None,
        }
    }

    fn opens_the_fence(&self) -> bool {
        matches!(self, Self::Cluster(error) if error.opens_the_fence())
    }
}
