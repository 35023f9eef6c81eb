//! The driven ports of a running program: real ones from the configuration.

use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;
use shopwright_adapters_helm::{ClusterValues, ExecMode, HelmReleases, HelmSettings, Profile as HelmProfile};
use shopwright_adapters_k8s::{FENCE_REFUSAL, KubeCluster, KubeSettings, KubeSource};
use shopwright_adapters_postgres::{PgSettings, PgStorage, Route};
use shopwright_domain::TenantId;
use shopwright_domain::engine::EngineCatalogue;
use shopwright_ports::clock::{Clock, Entropy};
use shopwright_ports::cluster::Cluster;
use shopwright_ports::releases::{ReleaseAccess, Releases};
use shopwright_ports::secrets::Sealer;
use shopwright_ports::storage::{Reach, Storage};
use shopwright_ports::storefront::Storefront;

use super::StartError;
use crate::config::{ClusterAccess, ClusterConfig, Config, DatabaseConfig, ExternalDatabase, Profile, StoresConfig};
use crate::crypto::{AeadSealer, SealingKey, SystemClock, SystemEntropy};
use crate::http_storefront::HttpStorefront;
use crate::private_postgres::{PrivatePostgres, load_or_generate};

/// The caveat in an engine's descriptor that `SHOPWRIGHT_ALLOW_BARE_WORDPRESS` accepts.
const BARE_WORDPRESS: &str = "bare-wordpress";
/// A storefront that takes longer than this to answer is not ready.
const STOREFRONT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// The driven ports.
pub struct Platform {
    /// The database, as the API uses it.
    pub storage: Arc<dyn Storage>,
    /// The database, as the worker uses it.
    pub worker_storage: Arc<dyn Storage>,
    /// The cluster.
    pub cluster: Arc<dyn Cluster>,
    /// Helm.
    pub releases: Arc<dyn Releases>,
    /// The shopper's view.
    pub storefront: Arc<dyn Storefront>,
    /// Seals and opens secrets at rest.
    pub sealer: Arc<dyn Sealer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What stores can be made of.
    pub engines: Arc<EngineCatalogue>,
    /// Whether nothing of it is real.
    pub simulated: bool,
    /// The database server that this process started, if it did.
    pub private_postgres: Option<PrivatePostgres>,
}

impl std::fmt::Debug for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Platform").field("simulated", &self.simulated).finish_non_exhaustive()
    }
}

impl Platform {
    /// Connects everything that the configuration names. The database must answer; a cluster that does not, or that is not prepared, is
    /// waited for while serving.
    ///
    /// # Errors
    /// [`StartError`], which says what to do.
    pub async fn connect(
        config: &Config,
        database: &DatabaseConfig,
        cluster: &ClusterConfig,
    ) -> Result<Self, StartError> {
        // Before anything is started: what is wrong with the charts is told at once.
        let engines = Arc::new(crate::engines::load(&cluster.charts_dir)?);
        let entropy = Arc::new(SystemEntropy);
        let Database { url, worker_url, migrate_url, direct, keys, data_dir, private_postgres } =
            open_database(database, entropy.as_ref()).await?;
        migrate_at(&migrate_url, &url, &worker_url).await?;
        let storage = connect_storage(&url, direct, "shopwright-api").await?;
        let worker_storage = connect_storage(&worker_url, direct, "shopwright-worker").await?.stirring_with(&storage);
        storage.check().await.map_err(StartError::Database)?;
        // A login that cannot become the roles of its transactions is told now, not by the first request.
        for reach in [Reach::Identity, Reach::Tenant(TenantId::from_random(0)), Reach::Platform] {
            drop(storage.begin(reach).await.map_err(StartError::Database)?);
        }
        drop(worker_storage.begin(Reach::Worker).await.map_err(StartError::Database)?);
        // The private server's only role is its superuser; nobody else can reach it (DECISIONS 22).
        if private_postgres.is_none() {
            for (storage, setting) in [(&storage, "DATABASE_URL"), (&worker_storage, "SHOPWRIGHT_WORKER_DATABASE_URL")]
            {
                if storage.is_superuser().await.map_err(StartError::Database)? {
                    return Err(StartError::Superuser { setting });
                }
            }
        }

        let kube = KubeCluster::connect(KubeSettings::new(source(&cluster.access))).await?;
        let access: Arc<dyn ReleaseAccess> = Arc::new(kube.clone());
        let releases = HelmReleases::new(helm_settings(config, cluster, data_dir), access)?;
        let helm = releases.helm().await?;
        tracing::info!(helm = ?helm, cluster = kube.server(), "connected");

        let stores = &config.stores;
        let storefront =
            HttpStorefront::new(cluster.ingress_addr.clone(), stores.scheme, stores.public_port, STOREFRONT_TIMEOUT)
                .map_err(StartError::Storefront)?;
        Ok(Self {
            storage: Arc::new(storage),
            worker_storage: Arc::new(worker_storage),
            cluster: Arc::new(kube),
            releases: Arc::new(releases),
            storefront: Arc::new(storefront),
            sealer: Arc::new(sealer(&keys)?),
            clock: Arc::new(SystemClock),
            entropy,
            engines,
            simulated: false,
            private_postgres,
        })
    }
}

/// The database as the configuration has it: URLs, keys, where scratch files go.
pub(super) struct Database {
    pub(super) url: SecretString,
    pub(super) worker_url: SecretString,
    pub(super) migrate_url: SecretString,
    pub(super) direct: bool,
    pub(super) keys: Vec<SealingKey>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) private_postgres: Option<PrivatePostgres>,
}

pub(super) async fn open_database(database: &DatabaseConfig, entropy: &dyn Entropy) -> Result<Database, StartError> {
    match database {
        DatabaseConfig::Private { data_dir, keys } => {
            let (server, url) = PrivatePostgres::start(data_dir).await?;
            let keys = if keys.is_empty() { vec![load_or_generate(data_dir, entropy)?] } else { keys.clone() };
            Ok(Database {
                worker_url: url.clone(),
                migrate_url: url.clone(),
                url,
                direct: true,
                keys,
                data_dir: Some(data_dir.clone()),
                private_postgres: Some(server),
            })
        }
        DatabaseConfig::External { database, keys } => {
            let ExternalDatabase { url, worker_url, migrate_url, direct } = database.clone();
            Ok(Database {
                worker_url: worker_url.unwrap_or_else(|| url.clone()),
                migrate_url: migrate_url.unwrap_or_else(|| url.clone()),
                url,
                direct,
                keys: keys.clone(),
                data_dir: None,
                private_postgres: None,
            })
        }
    }
}

/// Makes the roles and applies what migrations are missing, under a lock: replicas that start together do it once. `api` and `worker` are how
/// those connect.
pub(super) async fn migrate_at(
    url: &SecretString,
    api: &SecretString,
    worker: &SecretString,
) -> Result<(), StartError> {
    let storage = connect_storage(url, false, "shopwright-migrate").await?;
    let result = storage.migrate_for(api, worker).await.map_err(StartError::Database);
    storage.close().await;
    result
}

/// `direct`: the URL leads to the server itself.
pub(super) async fn connect_storage(
    url: &SecretString,
    direct: bool,
    application_name: &str,
) -> Result<PgStorage, StartError> {
    let route = if direct { Route::Direct } else { Route::Pooled };
    let settings = PgSettings { application_name: application_name.to_owned(), route, ..PgSettings::default() };
    PgStorage::connect(url, settings).await.map_err(StartError::Database)
}

/// The first key seals; the others only open.
pub(super) fn sealer(keys: &[SealingKey]) -> Result<AeadSealer, StartError> {
    let (current, older) = keys.split_first().ok_or(crate::crypto::UnusableKey)?;
    Ok(AeadSealer::new(current, older)?)
}

fn source(access: &ClusterAccess) -> KubeSource {
    match access {
        ClusterAccess::InCluster => KubeSource::InCluster,
        ClusterAccess::Kubeconfig { path, context } => {
            KubeSource::Kubeconfig { path: path.clone(), context: context.clone() }
        }
    }
}

fn helm_settings(config: &Config, cluster: &ClusterConfig, data_dir: Option<PathBuf>) -> HelmSettings {
    let StoresConfig { profile, values, allow_bare_wordpress, .. } = &config.stores;
    let scratch = data_dir
        .unwrap_or_else(|| std::env::temp_dir().join(format!("shopwright-{}", std::process::id())))
        .join("helm");
    let mut settings = HelmSettings::new(&cluster.helm_bin, &cluster.charts_dir, scratch, FENCE_REFUSAL);
    settings.profile = match profile {
        Profile::Local => HelmProfile::Local,
        Profile::Production => HelmProfile::Production,
    };
    settings.extra_values = values.iter().cloned().collect();
    settings.cluster = ClusterValues {
        ingress_class: Some(cluster.ingress_class.clone()),
        ingress_namespace: Some(cluster.ingress_namespace.clone()),
        storage_class: Some(cluster.storage_class.clone()),
    };
    settings.deadline = config.worker.helm_deadline;
    settings.permits = config.worker.helm_permits;
    settings.accepted_caveats = allow_bare_wordpress.then(|| BARE_WORDPRESS.to_owned()).into_iter().collect();
    if let Ok(program) = std::env::current_exe() {
        settings.exec = ExecMode::Via(program);
    }
    settings
}
