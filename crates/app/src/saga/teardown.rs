//! The effects of a delete's and an unwind's steps. Each tolerates that what it removes is not there.

use std::time::Duration;

use jiff::SignedDuration;
use shopwright_domain::ErrorCode;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::error_code::Handling;
use shopwright_domain::saga::StepError;
use shopwright_domain::store::Failure;
use shopwright_ports::cluster::{NamespaceState, Removal};

use super::effects::{Effect, Note};
use super::executor::Executor;
use super::run::{Halt, Run};

/// How long one look at a namespace that goes away lasts.
const LOOK: Duration = Duration::from_secs(5);
/// A removal that takes longer than this is told to readers even when nothing holds it.
const SLOW: SignedDuration = SignedDuration::from_secs(15);
/// After this long a namespace that still goes away is worth a word to people; the deletion goes on.
const PATIENCE: SignedDuration = SignedDuration::from_secs(50);
const PAUSE: Duration = Duration::from_millis(500);

impl Executor {
    /// Best effort: the namespace goes anyway, and the release with it. Only an outage is waited out, because then nothing else would
    /// work either.
    pub(super) async fn uninstall_release(&self, run: &mut Run<'_>) -> Result<Effect, Halt> {
        if self.raise(run).await? != NamespaceState::Present {
            return Ok(Effect::noting(Note::new(
                AuditEventType::HelmUninstall,
                "there was no namespace to uninstall from",
            )));
        }
        match self.cluster.call(self.releases.uninstall(&run.fence())).await {
            Ok(uninstalled) => {
                let note = Note::new(AuditEventType::HelmUninstall, "the release is uninstalled");
                let left = uninstalled.left.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                Ok(Effect::noting(if left.is_empty() { note } else { note.with("left", left) }))
            }
            Err(error) if error.code.handling() == Handling::Wait && error.code != ErrorCode::NamespaceTerminating => {
                Err(error.into())
            }
            Err(error) => {
                let note = Note::new(
                    AuditEventType::Warning,
                    "helm could not uninstall the release; its namespace is removed all the same",
                );
                Ok(Effect::noting(note.with("errorCode", error.code.as_str()).with("detail", error.detail)))
            }
        }
    }

    pub(super) async fn delete_namespace(&self, run: &mut Run<'_>) -> Result<Effect, Halt> {
        if self.raise(run).await? == NamespaceState::Present {
            self.cluster.call(self.cluster.cluster().delete_namespace(&run.fence())).await?;
        }
        Ok(Effect::default())
    }

    pub(super) async fn verify_gone(&self, run: &mut Run<'_>) -> Result<Effect, Halt> {
        let start = self.now(run);
        loop {
            match self.cluster.call(self.cluster.cluster().await_gone(&run.store.id, LOOK)).await? {
                Removal::Gone { retained } if retained.is_empty() => return Ok(Effect::default()),
                Removal::Gone { retained } => {
                    let note =
                        Note::new(AuditEventType::Warning, "volumes stay because their reclaim policy keeps them");
                    return Ok(Effect::noting(note.with("retained", retained.join(", "))));
                }
                Removal::Blocked(reason) => return Err(StepError::new(ErrorCode::DeleteBlocked, reason).into()),
                Removal::InProgress if self.now(run).duration_since(start) >= PATIENCE => {
                    // A namespace that a sleeper made after ours was gone is going nowhere unless it is asked to (DECISIONS 7).
                    self.delete_namespace(run).await?;
                    return Err(StepError::new(ErrorCode::DeleteBlocked, "the namespace is still terminating").into());
                }
                Removal::InProgress => {
                    if self.now(run).duration_since(start) >= SLOW {
                        let failure =
                            Failure::new(ErrorCode::NamespaceTerminating, "the namespace is still terminating");
                        self.note(run, Some(failure)).await?;
                    }
                    self.clock.sleep(PAUSE).await;
                }
            }
        }
    }
}
