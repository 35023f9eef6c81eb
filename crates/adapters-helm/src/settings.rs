//! What an operator can say about helm and charts.

use std::path::PathBuf;
use std::time::Duration;

/// Which of a chart's profiles the stores get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// One machine: plain http, small volumes.
    #[default]
    Local,
    /// A production cluster.
    Production,
}

impl Profile {
    /// The chart's file with the profile's values.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Local => "values-local.yaml",
            Self::Production => "values-production.yaml",
        }
    }
}

/// What the charts must know of the cluster. What is not set stays as the profile has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClusterValues {
    /// The class of the stores' ingresses.
    pub ingress_class: Option<String>,
    /// Where the ingress controller runs: its pods are let in.
    pub ingress_namespace: Option<String>,
    /// The class of the stores' volumes; empty is the cluster's default class.
    pub storage_class: Option<String>,
}

/// How helm is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecMode {
    /// As a child. A helm whose parent is killed runs on: for tests, and where nothing else can be done.
    Direct,
    /// By this program, whose hidden subcommand [`exec_helm::SUBCOMMAND`](crate::exec_helm::SUBCOMMAND) calls
    /// [`exec_helm::run`](crate::exec_helm::run): helm dies with its parent.
    Via(PathBuf),
}

/// Everything that [`HelmReleases`](crate::HelmReleases) is told.
#[derive(Debug, Clone)]
pub struct HelmSettings {
    /// The helm binary; a bare name is looked up in this process's PATH, once.
    pub helm_bin: PathBuf,
    /// Holds one chart per engine, in a directory of the engine's name.
    pub charts_dir: PathBuf,
    /// Which values file of the chart applies.
    pub profile: Profile,
    /// Values over the profile's, later ones over earlier ones. A file is for all engines; in a directory `values-<engine>.yaml` (as
    /// images/build writes it) and then `<engine>.yaml` are for that engine, and both may be missing.
    pub extra_values: Vec<PathBuf>,
    /// What the charts must know of the cluster.
    pub cluster: ClusterValues,
    /// For the files of running helms, kubeconfigs among them; made with mode 0700. Processes may share it.
    pub scratch_dir: PathBuf,
    /// How long a run may take.
    pub deadline: Duration,
    /// How long helm has to end by itself after SIGTERM, before SIGKILL.
    pub grace: Duration,
    /// How many helms run at once; each takes some 70 MB.
    pub permits: usize,
    /// How helm is started.
    pub exec: ExecMode,
    /// How the admission policy that fences stale epochs opens its refusals.
    pub fence_denial: String,
    /// The names of the caveats in engines' descriptors with which stores may be made all the same.
    pub accepted_caveats: Vec<String>,
}

impl HelmSettings {
    /// The local profile, a deadline of two minutes, four helms at once, started directly.
    ///
    /// `fence_denial` is how the fence's policy opens its refusals: an empty text would match every failure.
    pub fn new(
        helm_bin: impl Into<PathBuf>,
        charts_dir: impl Into<PathBuf>,
        scratch_dir: impl Into<PathBuf>,
        fence_denial: impl Into<String>,
    ) -> Self {
        Self {
            helm_bin: helm_bin.into(),
            charts_dir: charts_dir.into(),
            profile: Profile::Local,
            extra_values: Vec::new(),
            cluster: ClusterValues::default(),
            scratch_dir: scratch_dir.into(),
            deadline: Duration::from_mins(2),
            grace: Duration::from_secs(5),
            permits: 4,
            exec: ExecMode::Direct,
            fence_denial: fence_denial.into(),
            accepted_caveats: Vec::new(),
        }
    }
}
