//! What can go wrong with one call, and how each port says so.

use std::time::Duration;

use shopwright_ports::cluster::ClusterError;
use shopwright_ports::releases::ReleaseError;
use shopwright_ports::storage::StorageError;
use shopwright_ports::storefront::StorefrontError;

/// How a call is sent, which decides what can go wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Asks; an earlier answer is possible.
    Read,
    /// Changes something outside; it may take effect long after its caller is gone.
    Write,
    /// A run of helm: a change that has a middle.
    Run,
    /// Inside a transaction, which goes with its connection.
    Statement,
    /// The end of a transaction: after a lost answer nobody knows.
    Commit,
}

/// Why a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// No answer, or the connection broke.
    Lost,
    /// 429.
    Throttled,
    /// The fence does not know this epoch yet (DECISIONS 5).
    Unknown,
    /// 403.
    Denied,
    /// An error of the store, which uses up an attempt.
    Refused,
    /// Two transactions met.
    Conflict,
}

impl Trouble {
    /// Whether it uses up an attempt of the store that meets it.
    pub const fn counts(self) -> bool {
        matches!(self, Self::Refused)
    }
}

/// What one call meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails without an effect.
    Before(Trouble),
    /// It has its effect, and the answer is lost.
    After(Trouble),
    /// Nothing comes back until the caller's own deadline; no effect.
    Hang,
    /// As `Hang`, but after so many microseconds it has its effect all the same.
    Late(u64),
    /// The answer is the one that was right a while ago.
    Stale,
    /// The caller's process dies before the call is sent.
    CrashBefore,
    /// The caller's process dies when the call has had its effect, before the answer.
    CrashAfter,
    /// The caller's process dies, and so many microseconds later the call has its effect all the same.
    Orphan(u64),
    /// Helm is killed in the middle, at its deadline.
    Half,
    /// The caller's process dies, and helm with it, in the middle.
    HalfCrash,
    /// The caller's process is stopped for so many microseconds, with the call sent.
    Stop(u64),
}

impl Fault {
    /// Its name in the trace and the tally.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Before(Trouble::Lost) => "lost",
            Self::Before(Trouble::Throttled) => "throttled",
            Self::Before(Trouble::Unknown) => "epoch unknown",
            Self::Before(Trouble::Denied) => "denied",
            Self::Before(Trouble::Refused) => "refused",
            Self::Before(Trouble::Conflict) => "conflict",
            Self::After(_) => "answer lost",
            Self::Hang => "hang",
            Self::Late(_) => "late effect",
            Self::Stale => "stale answer",
            Self::CrashBefore => "crash before",
            Self::CrashAfter => "crash after",
            Self::Orphan(_) => "orphan",
            Self::Half => "helm killed",
            Self::HalfCrash => "crash inside helm",
            Self::Stop(_) => "stopped inside",
        }
    }

    /// Whether it makes sense for a call of this class.
    pub const fn fits(self, class: Class) -> bool {
        match self {
            Self::Before(Trouble::Conflict) => matches!(class, Class::Statement | Class::Commit),
            Self::Before(_) | Self::Hang | Self::CrashBefore | Self::CrashAfter | Self::Stop(_) => true,
            Self::After(_) => !matches!(class, Class::Read),
            Self::Late(_) | Self::Orphan(_) => matches!(class, Class::Write | Class::Run | Class::Commit),
            Self::Half | Self::HalfCrash => matches!(class, Class::Run),
            Self::Stale => matches!(class, Class::Read),
        }
    }
}

/// An error that a port can give for trouble.
pub trait Failing: Send + 'static {
    /// The port's words for it. What a port has no word for becomes a lost connection.
    fn of(trouble: Trouble) -> Self;

    /// How long a caller waits for an answer before it gives up: the adapters' own deadlines.
    fn patience() -> u64;

    /// What the caller says then.
    fn gave_up() -> Self
    where
        Self: Sized,
    {
        Self::of(Trouble::Lost)
    }

    /// Whether that uses up an attempt of the store.
    const GIVING_UP_COUNTS: bool = false;
}

const NOBODY: &str = "no answer (simulated)";

impl Failing for ClusterError {
    fn of(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Lost | Trouble::Conflict => Self::Unreachable { detail: NOBODY.to_owned(), source: None },
            Trouble::Throttled => Self::Throttled { retry_after: Some(Duration::from_secs(2)) },
            Trouble::Unknown => Self::StaleEpoch { known: None },
            Trouble::Denied => Self::Denied("forbidden (simulated)".to_owned()),
            Trouble::Refused => Self::Rejected("refused (simulated)".to_owned()),
        }
    }

    fn patience() -> u64 {
        10 * crate::time::SECOND
    }
}

impl Failing for ReleaseError {
    fn of(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused => Self::Failed("refused (simulated)".to_owned()),
            other => Self::Cluster(ClusterError::of(other)),
        }
    }

    fn patience() -> u64 {
        120 * crate::time::SECOND
    }

    fn gave_up() -> Self {
        Self::Deadline(Duration::from_mins(2))
    }

    const GIVING_UP_COUNTS: bool = true;
}

impl Failing for StorageError {
    fn of(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Conflict => Self::Conflict,
            _ => Self::Unavailable { detail: NOBODY.to_owned(), source: None },
        }
    }

    fn patience() -> u64 {
        5 * crate::time::SECOND
    }
}

impl Failing for StorefrontError {
    fn of(_: Trouble) -> Self {
        #[expect(clippy::expect_used, reason = "a constant that is a host")]
        let host = "nowhere.example.com".parse().expect("a host");
        Self::Unreachable { host, detail: NOBODY.to_owned(), source: None }
    }

    fn patience() -> u64 {
        5 * crate::time::SECOND
    }
}
