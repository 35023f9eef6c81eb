//! What became of each step so far.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

use crate::error_code::{ErrorCode, Handling};
use crate::ids::InvalidId;
use crate::operation::OperationKind;
use crate::saga::{Policy, Step};

/// Over at least this long those come back that wait for the same breaker.
const HERD: SignedDuration = SignedDuration::from_secs(5);

/// How a step is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepStatus {
    /// Not begun.
    Pending,
    /// Begun; after a crash it is begun again.
    Started,
    /// Its effect is there.
    Succeeded,
    /// Its last run failed; the plan says whether it runs again.
    Failed,
}

/// What happens to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepEvent {
    /// It begins, or begins again.
    Start,
    /// Its effect is there.
    Succeed,
    /// It did not work out.
    Fail,
    /// What it had made is gone: it must be done again.
    Reset,
}

/// An event that the status does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a step that is {status:?} cannot take {event:?}")]
pub struct IllegalStepEvent {
    /// The status that was kept.
    pub status: StepStatus,
    /// The event that was refused.
    pub event: StepEvent,
}

impl StepStatus {
    /// All statuses.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Started, Self::Succeeded, Self::Failed];

    /// The status after `event`.
    ///
    /// # Errors
    /// [`IllegalStepEvent`] for every pair that is not an edge.
    pub const fn apply(self, event: StepEvent) -> Result<Self, IllegalStepEvent> {
        match (self, event) {
            (Self::Pending | Self::Started | Self::Failed, StepEvent::Start) => Ok(Self::Started),
            (Self::Started, StepEvent::Succeed) => Ok(Self::Succeeded),
            (Self::Started, StepEvent::Fail) => Ok(Self::Failed),
            (_, StepEvent::Reset) => Ok(Self::Pending),
            (status, event) => Err(IllegalStepEvent { status, event }),
        }
    }

    /// The status as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Started => "started",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for StepStatus {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| InvalidId { kind: "step status", value: text.chars().take(80).collect() })
    }
}

/// Why a run of a step did not work out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepError {
    /// The typed reason.
    pub code: ErrorCode,
    /// The words of whoever met it. Never a secret.
    pub detail: String,
    /// Not before this long from now, when somebody said so (a 429, an open breaker).
    pub retry_after: Option<SignedDuration>,
}

impl StepError {
    /// An error that says nothing about when to come back.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retry_after: None }
    }

    /// The same, with the time that somebody asked for.
    #[must_use]
    pub fn retry_after(mut self, delay: SignedDuration) -> Self {
        self.retry_after = Some(delay);
        self
    }
}

/// One step's line in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRecord {
    /// Which step.
    pub step: Step,
    /// How it is doing.
    pub status: StepStatus,
    /// Failures that cost an attempt.
    pub attempts: u32,
    /// Failures in a row that cost none; they drive the back-off of an outage.
    pub waits: u32,
    /// Workers in a row that ended in the middle of it.
    pub crashes: u32,
    /// When it first began.
    pub first_started_at: Option<Timestamp>,
    /// When its last run began.
    pub started_at: Option<Timestamp>,
    /// When its last run ended.
    pub finished_at: Option<Timestamp>,
    /// Time that does not count against its deadline: from a failure that was not the store's to the next start.
    pub outage: SignedDuration,
    /// When it may run again.
    pub not_before: Option<Timestamp>,
    /// Why its last run failed.
    pub error: Option<StepError>,
}

impl StepRecord {
    fn pending(step: Step) -> Self {
        Self {
            step,
            status: StepStatus::Pending,
            attempts: 0,
            waits: 0,
            crashes: 0,
            first_started_at: None,
            started_at: None,
            finished_at: None,
            outage: SignedDuration::ZERO,
            not_before: None,
            error: None,
        }
    }

    /// How long the step has taken so far, outages not counted.
    pub fn spent(&self, now: Timestamp) -> SignedDuration {
        self.first_started_at.map_or(SignedDuration::ZERO, |start| now.duration_since(start) - self.outage)
    }
}

/// The whole log of one operation: one record per step, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SagaLog {
    kind: OperationKind,
    records: Vec<StepRecord>,
}

impl SagaLog {
    /// The log of an operation that has not begun.
    pub fn new(kind: OperationKind) -> Self {
        Self { kind, records: kind.steps().iter().copied().map(StepRecord::pending).collect() }
    }

    /// The log as storage gives it back: steps without a record are pending, records of other sagas are left out.
    pub fn from_records(kind: OperationKind, records: impl IntoIterator<Item = StepRecord>) -> Self {
        let mut log = Self::new(kind);
        for record in records {
            if let Some(slot) = log.records.iter_mut().find(|slot| slot.step == record.step) {
                *slot = record;
            }
        }
        log
    }

    /// The log with which a failed operation goes on: what succeeded stays done, the rest begins afresh.
    #[must_use]
    pub fn resumed(&self) -> Self {
        let keep = |record: &StepRecord| match record.status {
            StepStatus::Succeeded => record.clone(),
            StepStatus::Pending | StepStatus::Started | StepStatus::Failed => StepRecord::pending(record.step),
        };
        Self { kind: self.kind, records: self.records.iter().map(keep).collect() }
    }

    /// The saga this is the log of.
    pub const fn kind(&self) -> OperationKind {
        self.kind
    }

    /// The records in the order of the steps.
    pub fn records(&self) -> &[StepRecord] {
        &self.records
    }

    /// The record of `step`.
    pub fn record(&self, step: Step) -> Option<&StepRecord> {
        self.records.iter().find(|record| record.step == step)
    }

    /// The first step that is not done.
    pub fn current(&self) -> Option<&StepRecord> {
        self.records.iter().find(|record| record.status != StepStatus::Succeeded)
    }

    /// Writes down that `step` begins.
    ///
    /// # Errors
    /// [`IllegalStepEvent`] when the step is already done.
    pub fn start(&mut self, step: Step, now: Timestamp) -> Result<(), IllegalStepEvent> {
        let record = self.record_mut(step, StepEvent::Start)?;
        // The time since a failure that was not the store's fault is taken off its clock.
        let was_outage = record.error.as_ref().is_some_and(|error| error.code.is_outage());
        if let (StepStatus::Failed, true, Some(since)) = (record.status, was_outage, record.finished_at) {
            record.outage += now.duration_since(since);
        }
        record.status = record.status.apply(StepEvent::Start)?;
        record.first_started_at.get_or_insert(now);
        record.started_at = Some(now);
        record.finished_at = None;
        record.not_before = None;
        Ok(())
    }

    /// Writes down that the effect of `step` is there.
    ///
    /// # Errors
    /// [`IllegalStepEvent`] when the step had not begun.
    pub fn succeed(&mut self, step: Step, now: Timestamp) -> Result<(), IllegalStepEvent> {
        let record = self.record_mut(step, StepEvent::Succeed)?;
        record.status = record.status.apply(StepEvent::Succeed)?;
        record.finished_at = Some(now);
        record.error = None;
        record.waits = 0;
        record.crashes = 0;
        Ok(())
    }

    /// Writes down that `step` did not work out and when it may run again. `unit` is a random number in `0.0..1.0`.
    ///
    /// A namespace that went away takes the work of all earlier steps with it: they are pending again, their attempts are not forgotten.
    ///
    /// # Errors
    /// [`IllegalStepEvent`] when the step had not begun.
    pub fn fail(
        &mut self,
        step: Step,
        error: StepError,
        now: Timestamp,
        policy: &Policy,
        unit: f64,
    ) -> Result<(), IllegalStepEvent> {
        let record = self.record_mut(step, StepEvent::Fail)?;
        record.status = record.status.apply(StepEvent::Fail)?;
        record.finished_at = Some(now);
        record.crashes = 0;
        let failures = match error.code.handling() {
            Handling::Wait => {
                record.waits += 1;
                record.waits
            }
            Handling::Attempt | Handling::Fail => {
                record.attempts += 1;
                record.waits = 0;
                record.attempts
            }
        };
        let delay = policy.backoff.delay(failures, unit);
        // Whoever was told when to come back comes a little later, each by another bit: all at once would be the next outage (F30).
        let pause = match (error.retry_after, error.code) {
            (None, _) => delay,
            // An open breaker is a back-off of its own, and asking again costs nothing.
            (Some(asked), ErrorCode::BreakerOpen) => asked + (asked / 4).max(HERD).mul_f64(unit),
            (Some(asked), _) => asked.max(delay) + (asked / 4).mul_f64(unit),
        };
        record.not_before = Some(now + pause);
        let lost = error.code == ErrorCode::NamespaceLost;
        record.error = Some(error);
        if lost {
            for earlier in self.records.iter_mut().take_while(|record| record.step != step) {
                earlier.status = earlier.status.apply(StepEvent::Reset)?;
            }
        }
        Ok(())
    }

    /// Writes down that a worker ended in the middle of `step`. It is simply run again, and after `max_crashes` of them parked as poisoned:
    /// one operation must not take down worker after worker.
    ///
    /// # Errors
    /// [`IllegalStepEvent`] when the step had not begun.
    pub fn crash(&mut self, step: Step, now: Timestamp, policy: &Policy, unit: f64) -> Result<(), IllegalStepEvent> {
        let record = self.record_mut(step, StepEvent::Fail)?;
        record.status.apply(StepEvent::Fail)?;
        let crashes = record.crashes.saturating_add(1);
        if crashes >= policy.max_crashes {
            let detail = format!("{crashes} workers in a row ended while they ran {step}");
            let parked = StepError::new(ErrorCode::Poisoned, detail).retry_after(policy.poison_pause(crashes));
            self.fail(step, parked, now, policy, unit)?;
        }
        self.record_mut(step, StepEvent::Fail)?.crashes = crashes;
        Ok(())
    }

    /// Writes down that nobody worked on the step under way for the last `time`: no deadline runs while there is no worker.
    pub fn unattended(&mut self, time: SignedDuration) {
        let current = self.records.iter_mut().find(|record| record.status != StepStatus::Succeeded);
        if let Some(record) = current.filter(|record| record.status == StepStatus::Started) {
            record.outage += time.max(SignedDuration::ZERO);
        }
    }

    fn record_mut(&mut self, step: Step, event: StepEvent) -> Result<&mut StepRecord, IllegalStepEvent> {
        let refusal = IllegalStepEvent { status: StepStatus::Pending, event };
        self.records.iter_mut().find(|record| record.step == step).ok_or(refusal)
    }
}
