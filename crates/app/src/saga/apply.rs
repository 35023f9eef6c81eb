//! Installing a store's release: the platform's chart as it is now, or the one with which the store was last seen to work.

use shopwright_domain::ErrorCode;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::operation::ReleaseDigests;
use shopwright_domain::saga::StepError;
use shopwright_ports::cluster::NamespaceState;
use shopwright_ports::releases::{ReleaseOrigin, ReleaseSpec};
use shopwright_ports::secrets::{Sealed, StoreCredentials};
use shopwright_ports::storage::{Reach, StorageError};

use super::effects::{Effect, Note};
use super::executor::Executor;
use super::run::{Halt, Run};

/// Where chart and values files come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// The platform, as it is now.
    Platform,
    /// What was kept of the release with which the store was last seen to work.
    Kept,
}

/// Which of the store's two sets of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    /// The one that is the store's.
    Current,
    /// The one that is being tried.
    Pending,
}

/// What is installed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Apply {
    pub(super) from: From,
    pub(super) setup_revision: u64,
    pub(super) credentials: Set,
}

/// Both sets, opened.
pub(super) struct Sets {
    pub(super) current: StoreCredentials,
    pub(super) pending: Option<StoreCredentials>,
}

impl Executor {
    /// A namespace that is not there any more has to be made again, with everything in it.
    pub(super) async fn raise_present(&self, run: &mut Run<'_>) -> Result<(), Halt> {
        match self.raise(run).await? {
            NamespaceState::Present => Ok(()),
            NamespaceState::Absent => Err(StepError::new(ErrorCode::NamespaceLost, "the namespace is gone").into()),
            NamespaceState::Terminating => {
                Err(StepError::new(ErrorCode::NamespaceTerminating, "the namespace is terminating").into())
            }
        }
    }

    /// Opens what was sealed with the create, and what is being tried; nothing is ever minted here (DECISIONS 15).
    pub(super) async fn credential_sets(&self, run: &Run<'_>) -> Result<Sets, Halt> {
        let (current, pending) = {
            let mut tx = self.storage.begin(Reach::Worker).await?;
            (tx.credentials().get(&run.store.id).await?, tx.credentials().pending(&run.store.id).await?)
        };
        let current = current.ok_or_else(|| internal("the store has no sealed credentials"))?;
        let pending = pending.map(|pending| self.opened(run, &pending)).transpose()?;
        Ok(Sets { current: self.opened(run, &current)?, pending })
    }

    fn opened(&self, run: &Run<'_>, sealed: &Sealed) -> Result<StoreCredentials, StepError> {
        let unreadable = |detail: String| StepError::new(ErrorCode::CredentialsUnreadable, detail);
        let plain = self.sealer.open(run.store.id.as_str(), sealed).map_err(|error| unreadable(error.to_string()))?;
        StoreCredentials::decode(&plain).map_err(|error| unreadable(error.to_string()))
    }

    /// Writes down what it is made of, keeps that, and has helm apply it.
    pub(super) async fn apply_release(&self, run: &mut Run<'_>, apply: Apply) -> Result<Effect, Halt> {
        self.raise_present(run).await?;
        let origin = match apply.from {
            From::Platform => self.releases.origin(&run.store.engine).await.map_err(StepError::from)?,
            From::Kept => self.kept_origin(run).await?,
        };
        let version = self.credentials_version(run, apply.credentials).await?;
        let store = &run.store;
        let spec = ReleaseSpec {
            store_id: store.id.clone(),
            engine: store.engine.clone(),
            name: store.name.clone(),
            host: store.host.clone(),
            public_url: self.urls.storefront(&store.host),
            theme: store.theme.clone(),
            setup_revision: apply.setup_revision,
            credentials_version: version,
            origin: Some(origin.clone()),
        };
        let announced = self.releases.digests(&spec).await.map_err(StepError::from)?;
        self.keep_origin(&origin).await?;
        self.record_release(run, &announced).await?;
        let installed = self.cluster.call(self.releases.install(&run.fence(), &spec)).await?;
        self.record_release(run, &installed.digests).await?;
        Ok(Effect::noting(installed_note(run, installed.revision, installed.digests, &installed.healed)))
    }

    async fn kept_origin(&self, run: &Run<'_>) -> Result<ReleaseOrigin, Halt> {
        let mut tx = self.storage.begin(Reach::Worker).await?;
        let kept = tx.releases().kept(&run.store.id).await?.and_then(|kept| kept.origin);
        let kept = kept.ok_or_else(|| internal("no release of the store was kept"))?;
        let origin = tx.releases().origin(&kept).await?;
        Ok(origin.ok_or_else(|| internal("what was kept of the store's release is gone"))?)
    }

    /// Kept before helm runs: what is in the cluster can always be made again.
    async fn keep_origin(&self, origin: &ReleaseOrigin) -> Result<(), StorageError> {
        let mut tx = self.storage.begin(Reach::Worker).await?;
        if tx.releases().has_origin(&origin.digest).await? {
            return Ok(());
        }
        tx.releases().put_origin(origin).await?;
        tx.commit().await
    }

    async fn credentials_version(&self, run: &Run<'_>, set: Set) -> Result<u32, StorageError> {
        let mut tx = self.storage.begin(Reach::Worker).await?;
        let version = tx.credentials().version(&run.store.id).await?;
        Ok(match set {
            Set::Current => version,
            Set::Pending => version.saturating_add(1),
        })
    }
}

pub(super) fn internal(detail: &str) -> StepError {
    StepError::new(ErrorCode::Internal, detail)
}

fn installed_note(run: &Run<'_>, revision: u32, digests: ReleaseDigests, healed: &[String]) -> Note {
    let store = &run.store;
    let mut note = Note::new(AuditEventType::HelmInstall, format!("release {} is installed", store.id.release()))
        .with("engine", store.engine.as_str())
        .with("namespace", store.id.namespace())
        .with("revision", i64::from(revision))
        .with("chartDigest", digests.chart)
        .with("valuesDigest", digests.values)
        .with("helmDigest", digests.helm);
    if !healed.is_empty() {
        note = note.with("healed", healed.join("; "));
    }
    note
}
