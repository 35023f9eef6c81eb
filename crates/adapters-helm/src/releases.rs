//! The adapter itself: what all runs share.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use shopwright_domain::engine::EngineDescriptor;
use shopwright_domain::operation::ReleaseDigests;
use shopwright_domain::store::EngineName;
use shopwright_ports::cluster::{ClusterError, Fence};
use shopwright_ports::releases::{
    Installed, Manifest, ReleaseAccess, ReleaseError, ReleaseOrigin, ReleaseSpec, Releases, Uninstalled,
};
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};

use crate::bundle::{Bundle, Written};
use crate::charts::{self, Chart};
use crate::command::{self, Ended, RunError, Setup};
use crate::failure::{self, Context};
use crate::redact::filtered;
use crate::scratch::Scratch;
use crate::settings::{ExecMode, HelmSettings};
use crate::version::HelmVersion;
use crate::{caveat, install, render, uninstall};

/// [`Releases`] by helm 4.
pub struct HelmReleases {
    pub(crate) settings: HelmSettings,
    pub(crate) access: Arc<dyn ReleaseAccess>,
    pub(crate) scratch: Scratch,
    permits: Semaphore,
    helm: OnceCell<HelmVersion>,
}

impl fmt::Debug for HelmReleases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HelmReleases").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl HelmReleases {
    /// Takes a part of the scratch directory and removes what dead processes left there. Does not look for helm yet: see
    /// [`HelmReleases::helm`].
    ///
    /// # Errors
    /// [`ReleaseError::Io`] if the scratch directory cannot be used.
    pub fn new(settings: HelmSettings, access: Arc<dyn ReleaseAccess>) -> Result<Self, ReleaseError> {
        let settings = absolute(settings).map_err(|error| io_error("find the working directory", error))?;
        let scratch = Scratch::open(&settings.scratch_dir)
            .map_err(|error| io_error(&format!("use {}", settings.scratch_dir.display()), error))?;
        let permits = Semaphore::new(settings.permits.max(1));
        Ok(Self { settings, access, scratch, permits, helm: OnceCell::new() })
    }

    /// Which helm is used. Finds out on the first call; a failure is not remembered.
    ///
    /// # Errors
    /// [`ReleaseError::Unavailable`] if there is no helm, or not helm 4, or another one than before.
    pub async fn helm(&self) -> Result<&HelmVersion, ReleaseError> {
        let helm = self
            .helm
            .get_or_try_init(|| async {
                let _permit = self.permit().await?;
                let run_dir = self.scratch.run_dir().map_err(|error| io_error("make a directory", error))?;
                HelmVersion::detect(Setup {
                    helm: &self.settings.helm_bin,
                    exec: &self.settings.exec,
                    run_dir: &run_dir,
                    kubeconfig: None,
                    deadline: self.settings.deadline,
                    grace: self.settings.grace,
                })
                .await
            })
            .await?;
        helm.ensure_unchanged()?;
        Ok(helm)
    }

    pub(crate) fn chart(&self, engine: &EngineName) -> Result<Chart, ReleaseError> {
        let HelmSettings { charts_dir, profile, extra_values, .. } = &self.settings;
        charts::locate(charts_dir, engine, *profile, extra_values)
    }

    pub(crate) async fn permit(&self) -> Result<SemaphorePermit<'_>, ReleaseError> {
        let permit = self.permits.acquire().await;
        // It is never closed.
        permit.map_err(|error| io_error("wait for a permit", io::Error::other(error)))
    }

    /// Runs helm against the cluster, as the worker under this fence, on a copy of the bundle. `Ok` means exit code 0, and no more than
    /// that; it holds what helm said on the side, unfiltered.
    pub(crate) async fn run(
        &self,
        fence: &Fence,
        bundle: Option<&Bundle>,
        arguments: impl FnOnce(Option<&Written>) -> Vec<OsString>,
    ) -> Result<String, ReleaseError> {
        let helm = self.helm().await?;
        // Before the kubeconfig: its credentials need not live as long as the queue is.
        let _permit = self.permit().await?;
        let kubeconfig = self.access.kubeconfig(fence).await?;
        let run_dir = self.scratch.run_dir().map_err(|error| io_error("make a directory", error))?;
        let written = bundle.map(|bundle| bundle.write(&run_dir)).transpose();
        let written = written.map_err(|error| io_error("copy the chart", error))?;
        let file = run_dir.write("kubeconfig", kubeconfig.expose_secret());
        let file = file.map_err(|error| io_error("write the kubeconfig", error))?;
        let (args, input) = (arguments(written.as_ref()), bundle.map(Bundle::document).unwrap_or_default());
        let setup = Setup {
            helm: &helm.path,
            exec: &self.settings.exec,
            run_dir: &run_dir,
            kubeconfig: Some(&file),
            deadline: self.settings.deadline,
            grace: self.settings.grace,
        };
        match command::run(&setup, &args, input).await {
            // Of a record that it could not write helm says so and no more (RELIABILITY F46). The fence is never to be overlooked.
            Ok(ended) if ended.status.success() && failure::is_stale(&ended.stderr, &self.settings.fence_denial) => {
                Err(ClusterError::StaleEpoch { known: None }.into())
            }
            Ok(ended) if ended.status.success() => Ok(ended.stderr),
            Ok(ended) => Err(self.failure(fence, &ended, &kubeconfig).await),
            Err(RunError::Deadline) => {
                tracing::warn!(store = %fence.store_id, deadline = ?self.settings.deadline, "helm was stopped");
                // An API server that hangs is why, more often than not.
                self.access.records(fence).await?;
                Err(ReleaseError::Deadline(self.settings.deadline))
            }
            Err(RunError::Io(error)) => Err(io_error(&helm.path.display().to_string(), error)),
        }
    }

    pub(crate) fn context<'a>(&'a self, fence: &'a Fence, secrets: &'a str) -> Context<'a> {
        Context { namespace: fence.store_id.namespace(), fence_denial: &self.settings.fence_denial, secrets }
    }

    async fn failure(&self, fence: &Fence, ended: &Ended, kubeconfig: &SecretString) -> ReleaseError {
        let context = self.context(fence, kubeconfig.expose_secret());
        if let Some(reason) = failure::death(ended.status, &ended.stderr) {
            return ReleaseError::Died(reason);
        }
        let read = failure::classify(&ended.stderr, &context);
        match read {
            // A worker has no rights in a namespace that is gone or going: that it was denied something may be no more than that.
            None | Some(ReleaseError::Cluster(ClusterError::Denied(_))) => {}
            Some(error) => return error,
        }
        // Helm may have failed for want of a cluster, and its words for that are many. The cluster port knows.
        if let Err(error) = self.access.records(fence).await {
            return error.into();
        }
        if let Some(error) = read {
            return error;
        }
        let said = filtered(&ended.stderr, context.secrets);
        let said = if said.is_empty() { "without a word" } else { &said };
        ReleaseError::Failed(format!("{said} ({})", ended.status))
    }
}

#[async_trait]
impl Releases for HelmReleases {
    #[tracing::instrument(skip_all, fields(store = %fence.store_id, epoch = %fence.epoch))]
    async fn install(&self, fence: &Fence, spec: &ReleaseSpec) -> Result<Installed, ReleaseError> {
        if fence.store_id != spec.store_id {
            let detail = format!("the fence of {} and the release of {} were mixed up", fence.store_id, spec.store_id);
            return Err(ClusterError::Foreign(detail).into());
        }
        install::install(self, fence, spec).await
    }

    #[tracing::instrument(skip_all, fields(store = %fence.store_id, epoch = %fence.epoch))]
    async fn uninstall(&self, fence: &Fence) -> Result<Uninstalled, ReleaseError> {
        uninstall::uninstall(self, fence).await
    }

    async fn digests(&self, spec: &ReleaseSpec) -> Result<ReleaseDigests, ReleaseError> {
        let helm = self.helm().await?;
        Ok(self.bundle(spec).await?.digests(helm))
    }

    async fn origin(&self, engine: &EngineName) -> Result<ReleaseOrigin, ReleaseError> {
        self.platform(engine).await?.pack().map_err(|error| io_error("pack the chart", error))
    }

    async fn render(&self, spec: &ReleaseSpec) -> Result<Manifest, ReleaseError> {
        render::render(self, spec).await
    }

    async fn engine_note(&self, engine: &EngineDescriptor) -> Result<Option<String>, ReleaseError> {
        caveat::note(engine.caveats(), &self.chart(engine.name())?, &self.settings.accepted_caveats)
    }
}

pub(crate) fn io_error(detail: &str, error: io::Error) -> ReleaseError {
    ReleaseError::Io { detail: detail.to_owned(), source: error.into() }
}

/// Helm runs in another directory and with another PATH.
fn absolute(mut settings: HelmSettings) -> io::Result<HelmSettings> {
    if settings.helm_bin.components().count() == 1 && !settings.helm_bin.has_root() {
        settings.helm_bin = in_path(&settings.helm_bin);
    }
    for path in [&mut settings.helm_bin, &mut settings.charts_dir, &mut settings.scratch_dir] {
        *path = std::path::absolute(&*path)?;
    }
    for path in &mut settings.extra_values {
        *path = std::path::absolute(&*path)?;
    }
    if let ExecMode::Via(program) = &mut settings.exec {
        *program = std::path::absolute(&*program)?;
    }
    Ok(settings)
}

/// Where PATH has the program; where it has none, its name, which will not be found either.
fn in_path(name: &Path) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file()).unwrap_or_else(|| name.to_owned())
}
