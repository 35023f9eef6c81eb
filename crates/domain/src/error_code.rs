//! Every reason why an operation does not go on, who must act, and what it costs.

use std::fmt;
use std::str::FromStr;

use crate::ids::InvalidId;

/// Who can make it go away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// It may pass by itself: trying again is the answer.
    Retry,
    /// The owner of the store asked for something that cannot be.
    User,
    /// The operator of the platform has something to mend.
    Platform,
}

impl ErrorClass {
    /// The class as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::User => "user",
            Self::Platform => "platform",
        }
    }
}

/// What an error does to the operation that met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Handling {
    /// It is an error of this store: it uses up an attempt, and the last attempt fails the operation.
    Attempt,
    /// It is not the store's fault: the operation waits as long as it lasts and loses nothing (DECISIONS 13).
    Wait,
    /// Trying again cannot help.
    Fail,
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $class:ident, $handling:ident, $hint:literal;)+) => {
        /// A typed reason. The text form is part of the API: never rename one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($(#[$doc])* $name,)+ }

        impl ErrorCode {
            /// All codes, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code as it is stored and shown.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// Who must act.
            pub const fn class(self) -> ErrorClass {
                match self { $(Self::$name => ErrorClass::$class,)+ }
            }

            /// What it does to the operation.
            pub const fn handling(self) -> Handling {
                match self { $(Self::$name => Handling::$handling,)+ }
            }

            /// One sentence for whoever must act.
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)+ }
            }
        }

        impl FromStr for ErrorCode {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                match text { $($text => Ok(Self::$name),)+ _ => Err(InvalidId { kind: "error code", value: text.chars().take(80).collect() }) }
            }
        }
    };
}

error_codes! {
    /// A container's image cannot be had.
    ImagePull = "image_pull", Platform, Attempt, "Check the image's name and that the node can pull it, then retry.";
    /// A container starts and dies, again and again.
    CrashLoop = "crash_loop", Platform, Attempt, "Look at the container's last log lines, then retry.";
    /// No node has room for a pod.
    Unschedulable = "unschedulable", Platform, Attempt, "The cluster has no room for the store: add capacity or remove stores, then retry.";
    /// The namespace's quota refuses an object.
    QuotaExceeded = "quota_exceeded", Platform, Attempt, "The store's resource quota is smaller than its chart needs: raise it, then retry.";
    /// An admission policy or webhook of the cluster does not want an object of the store.
    PolicyDenied = "policy_denied", Platform, Attempt, "A policy of the cluster refuses what the store needs, for the reason given: change the policy or the chart, then retry.";
    /// A pod runs but does not become ready.
    ProbeFailing = "probe_failing", Retry, Attempt, "The store started but does not answer its health check; retry, or look at its logs.";
    /// The node that runs a pod does not answer.
    NodeLost = "node_lost", Platform, Attempt, "A node that runs the store does not answer: bring it back, or remove it so that others take its pods, then retry.";
    /// A volume is not bound.
    VolumePending = "volume_pending", Platform, Attempt, "No volume was provided: check the storage class, then retry.";
    /// The set-up Job failed.
    SetupFailed = "setup_failed", Retry, Attempt, "The store's set-up failed for the reason given; retry goes on where it stopped.";
    /// The set-up Job ended without saying how.
    SetupResultMissing = "setup_result_missing", Platform, Attempt, "The set-up ended without a result: check that the engine's image matches its chart.";
    /// The workloads did not become ready in time, and no better reason is known.
    RolloutTimeout = "rollout_timeout", Retry, Attempt, "The store's pods did not become ready in time; retry, or look at its logs.";
    /// The storefront does not answer through the ingress.
    StorefrontUnreachable = "storefront_unreachable", Platform, Attempt, "The store runs but does not answer on its host: check the ingress controller and INGRESS_ADDR.";
    /// Helm could not install the release.
    ReleaseFailed = "release_failed", Platform, Attempt, "Helm refused the release for the reason given.";
    /// The chart does not accept its values.
    ChartInvalid = "chart_invalid", Platform, Fail, "The chart refuses the values it is given: correct STORE_VALUES or the chart, then retry.";
    /// The helm binary cannot be run.
    HelmUnavailable = "helm_unavailable", Platform, Wait, "Install helm 4 or set HELM_BIN; the operation goes on by itself.";
    /// The cluster does not answer.
    ClusterUnreachable = "cluster_unreachable", Platform, Wait, "The cluster does not answer; the operation goes on by itself when it does.";
    /// The cluster answers with errors often enough that it is left alone for a while.
    BreakerOpen = "breaker_open", Platform, Wait, "The cluster is being given a rest after repeated failures; the operation goes on by itself.";
    /// The cluster would let a worker that lost its store go on changing it.
    ClusterUnfenced = "cluster_unfenced", Platform, Wait, "The cluster's admission policies are missing or open: run `shopwright clusters prepare`; the operation goes on by itself.";
    /// The cluster asks for fewer requests.
    Throttled = "throttled", Platform, Wait, "The cluster is busy; the operation goes on by itself.";
    /// The product's service account may not do something.
    PermissionDenied = "permission_denied", Platform, Wait, "Run `shopwright clusters prepare`; the operation goes on by itself.";
    /// The cluster does not know this owner's epoch yet, or knows a later one.
    StaleEpoch = "stale_epoch", Retry, Wait, "Another worker may have taken over; the operation goes on by itself.";
    /// An older namespace of the same name is still going away.
    NamespaceTerminating = "namespace_terminating", Retry, Wait, "The store's namespace is still being removed; the operation goes on by itself.";
    /// The namespace went away under a running provision.
    NamespaceLost = "namespace_lost", Platform, Attempt, "The store's namespace was removed while it was being set up; it is made again.";
    /// Something of a deleted store does not go away.
    DeleteBlocked = "delete_blocked", Platform, Wait, "Remove what holds the object named here; the deletion goes on by itself.";
    /// A deletion was given up after its deadline.
    DeleteStuck = "delete_stuck", Platform, Fail, "Remove what holds the object named here, then retry the deletion.";
    /// The sealed credentials cannot be opened with the configured key.
    CredentialsUnreadable = "credentials_unreadable", Platform, Wait, "Set SHOPWRIGHT_SECRET_KEY to the key that sealed this store's credentials; the operation goes on by itself.";
    /// The engine cannot be provisioned as the platform is configured.
    EngineUnavailable = "engine_unavailable", Platform, Fail, "The platform cannot provision this engine: see the reason.";
    /// Worker after worker ended in the middle of the same step.
    Poisoned = "poisoned", Platform, Wait, "Workers ended while they ran this step: look at their logs, then retry.";
    /// Somebody cancelled it.
    Cancelled = "cancelled", User, Fail, "The operation was cancelled; retry starts it again.";
    /// Something that should not happen, with its own words.
    Internal = "internal", Platform, Attempt, "This is a fault of Shopwright: report it with the request id.";
}

impl ErrorCode {
    /// Whether both say the same to whoever reads them: a breaker that is open is a cluster that does not answer.
    pub fn is_same_cause(self, other: Self) -> bool {
        let cause = |code| if code == Self::BreakerOpen { Self::ClusterUnreachable } else { code };
        cause(self) == cause(other)
    }

    /// Whether the platform, not the store, keeps the step from going on: such time does not count against any deadline.
    /// A blocked deletion does count: its cluster can be reached.
    pub const fn is_outage(self) -> bool {
        matches!(self.handling(), Handling::Wait) && !matches!(self, Self::DeleteBlocked | Self::Poisoned)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_from_its_text() {
        for code in ErrorCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert!(code.hint().ends_with('.'), "{code}");
        }
    }

    #[test]
    fn an_open_breaker_is_a_cluster_that_does_not_answer() {
        assert!(ErrorCode::BreakerOpen.is_same_cause(ErrorCode::ClusterUnreachable));
        assert!(ErrorCode::Throttled.is_same_cause(ErrorCode::Throttled));
        assert!(!ErrorCode::Throttled.is_same_cause(ErrorCode::ClusterUnreachable));
    }

    #[test]
    fn an_outage_never_costs_a_store_an_attempt() {
        for code in [ErrorCode::ClusterUnreachable, ErrorCode::BreakerOpen, ErrorCode::Throttled, ErrorCode::StaleEpoch]
        {
            assert_eq!(code.handling(), Handling::Wait, "{code}");
        }
    }
}
