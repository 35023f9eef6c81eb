//! Installing a store's release: the platform's chart as it is now, or the one with which the store was last seen to work.

use shopwright_domain::ErrorCode;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::operation::ReleaseDigests;
use shopwright_domain::plans::SizeName;
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
        let (origin, size) = match apply.from {
            From::Platform => {
                (self.releases.origin(&run.store.engine).await.map_err(StepError::from)?, self.planned_size(run).await?)
            }
            From::Kept => self.kept_release(run).await?,
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
            size,
            setup_revision: apply.setup_revision,
            credentials_version: version,
            origin: Some(origin.clone()),
        };
        let announced = self.releases.digests(&spec).await.map_err(StepError::from)?;
        self.keep_origin(run, &origin).await?;
        self.record_release(run, &announced).await?;
        let installed = self.cluster.call(self.releases.install(&run.fence(), &spec)).await?;
        self.record_release(run, &installed.digests).await?;
        Ok(Effect::noting(installed_note(run, installed.revision, installed.digests, &installed.healed)))
    }

    /// As large as the organisation's plan says by now.
    async fn planned_size(&self, run: &Run<'_>) -> Result<Option<SizeName>, StorageError> {
        let mut tx = self.storage.begin(Reach::Worker).await?;
        let tenant = tx.tenants().get(run.lease.tenant_id).await?;
        Ok(self.plans.size(&tenant.map(|tenant| tenant.plan).unwrap_or_default()).cloned())
    }

    async fn kept_release(&self, run: &Run<'_>) -> Result<(ReleaseOrigin, Option<SizeName>), Halt> {
        let mut tx = self.storage.begin(Reach::Worker).await?;
        let kept = tx.releases().kept(&run.store.id).await?;
        let kept = kept.and_then(|kept| Some((kept.origin?, kept.size)));
        let (digest, size) = kept.ok_or_else(|| internal("no release of the store was kept"))?;
        let origin = tx.releases().origin(&digest).await?;
        Ok((origin.ok_or_else(|| internal("what was kept of the store's release is gone"))?, size))
    }

    /// Kept before helm runs: what is in the cluster can always be made again.
    async fn keep_origin(&self, run: &Run<'_>, origin: &ReleaseOrigin) -> Result<(), StorageError> {
        let now = self.now(run);
        let mut tx = self.storage.begin(Reach::Worker).await?;
        // One that counts as used is not forgotten before the operation has noted that it installs from it.
        if !tx.releases().use_origin(&origin.digest, now).await? {
            tx.releases().put_origin(origin, now).await?;
        }
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
