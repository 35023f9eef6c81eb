//! The sections of the configuration and how each is read.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use shopwright_domain::identity::{Email, check_password};
use shopwright_domain::store::HostSuffix;

use super::cluster::{self, ClusterAccess};
use super::ingress::IngressAddr;
use super::reader::Reader;
use super::settings::{
    ADMIN_EMAIL, ADMIN_PASSWORD, DATABASE_URL, INGRESS_ADDR, INGRESS_CLASS, INGRESS_NAMESPACE, LEGACY_TOKEN_TTL,
    MAX_STORES_PER_USER, PROVISIONING_MAX_RETRIES, SHOPWRIGHT_ALLOW_BARE_WORDPRESS, SHOPWRIGHT_BOOTSTRAP_FIRST_USER,
    SHOPWRIGHT_CLUSTER_PERMITS, SHOPWRIGHT_HELM_DEADLINE, SHOPWRIGHT_HELM_PERMITS, SHOPWRIGHT_LEASE,
    SHOPWRIGHT_MIGRATE_DATABASE_URL, SHOPWRIGHT_REGISTRATION, SHOPWRIGHT_ROLLOUT_DEADLINE, SHOPWRIGHT_SECRET_KEY,
    SHOPWRIGHT_WORKER, SHOPWRIGHT_WORKER_DATABASE_URL, STORAGE_CLASS, STORE_CREATION_COOLDOWN_MS, STORE_DOMAIN_SUFFIX,
    STORE_PROFILE, STORE_PUBLIC_PORT, STORE_SCHEME,
};
use super::{paths, values};
use crate::crypto::SealingKey;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For people.
    Text,
}

impl LogFormat {
    pub(super) const WORDS: [(&'static str, Self); 2] = [("json", Self::Json), ("text", Self::Text)];
}

/// The database that somebody else runs.
#[derive(Debug, Clone)]
pub struct ExternalDatabase {
    /// As the API's role.
    pub url: SecretString,
    /// As the worker's role, if it has a URL of its own.
    pub worker_url: Option<SecretString>,
    /// As the owner's role, if it has a URL of its own.
    pub migrate_url: Option<SecretString>,
}

/// Where the rows are, and what seals the secrets among them.
#[derive(Debug, Clone)]
pub enum DatabaseConfig {
    /// A private PostgreSQL in this directory, with a generated key beside it unless one is given.
    Private {
        /// The directory.
        data_dir: PathBuf,
        /// Keys; the first seals. Empty: the generated one.
        keys: Vec<SealingKey>,
    },
    /// A database that somebody else runs.
    External {
        /// Its URLs.
        database: ExternalDatabase,
        /// Keys, at least one; the first seals.
        keys: Vec<SealingKey>,
    },
}

pub(super) fn external_database(reader: &mut Reader<'_>) -> Option<ExternalDatabase> {
    let url = reader.read(&DATABASE_URL, values::database_url);
    let worker_url = reader.read(&SHOPWRIGHT_WORKER_DATABASE_URL, values::database_url);
    let migrate_url = reader.read(&SHOPWRIGHT_MIGRATE_DATABASE_URL, values::database_url);
    if url.is_none() && (worker_url.is_some() || migrate_url.is_some()) {
        let problem = "it is not set (or wrong), but the URL of another role is";
        reader.refuse(&DATABASE_URL, problem, "Set DATABASE_URL too, or none of them for the private PostgreSQL.");
    }
    url.map(|url| ExternalDatabase { url, worker_url, migrate_url })
}

pub(super) fn database(reader: &mut Reader<'_>) -> Option<DatabaseConfig> {
    let keys = reader.read(&SHOPWRIGHT_SECRET_KEY, SealingKey::parse_list);
    let key_is_set = reader.is_set(&SHOPWRIGHT_SECRET_KEY);
    let data_dir = paths::data_dir(reader);
    let url_is_set = reader.is_set(&DATABASE_URL);
    match external_database(reader) {
        Some(database) => {
            if !key_is_set {
                let remedy = "Set it to 32 random bytes, for instance from `openssl rand -base64 32`, keep it, and give all replicas the same.";
                reader.refuse(&SHOPWRIGHT_SECRET_KEY, "it is required together with DATABASE_URL", remedy);
            }
            keys.map(|keys| DatabaseConfig::External { database, keys })
        }
        None if url_is_set => None,
        None => data_dir.map(|data_dir| DatabaseConfig::Private { data_dir, keys: keys.unwrap_or_default() }),
    }
}

/// The cluster and what it takes to make stores on it.
#[derive(Debug, Clone)]
pub struct ClusterConfig {
    /// How it is reached.
    pub access: ClusterAccess,
    /// Where storefront checks connect.
    pub ingress_addr: Option<IngressAddr>,
    /// The ingress class of stores.
    pub ingress_class: String,
    /// The namespace of the ingress controller.
    pub ingress_namespace: String,
    /// The storage class of stores.
    pub storage_class: String,
    /// The helm binary.
    pub helm_bin: PathBuf,
    /// The directory of the charts.
    pub charts_dir: PathBuf,
}

pub(super) fn cluster(reader: &mut Reader<'_>) -> Option<ClusterConfig> {
    let access = cluster::read(reader);
    let ingress_addr = reader.read(&INGRESS_ADDR, IngressAddr::parse);
    let ingress_class = reader.read(&INGRESS_CLASS, values::object_name);
    let ingress_namespace = reader.read(&INGRESS_NAMESPACE, values::object_name);
    let storage_class = reader.read(&STORAGE_CLASS, values::object_name);
    let helm_bin = paths::helm_bin(reader);
    let charts_dir = paths::charts_dir(reader);
    Some(ClusterConfig {
        access: access?,
        ingress_addr,
        ingress_class: ingress_class?,
        ingress_namespace: ingress_namespace?,
        storage_class: storage_class?,
        helm_bin: helm_bin?,
        charts_dir: charts_dir?,
    })
}

/// The scheme of stores' URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    const WORDS: [(&'static str, Self); 2] = [("http", Self::Http), ("https", Self::Https)];

    /// As it stands in URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that URLs need not name.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Which values file of the chart stores are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// One machine.
    Local,
    /// A cluster for customers.
    Production,
}

impl Profile {
    const WORDS: [(&'static str, Self); 2] = [("local", Self::Local), ("production", Self::Production)];

    /// The values file in the chart's directory.
    pub const fn values_file(self) -> &'static str {
        match self {
            Self::Local => "values-local.yaml",
            Self::Production => "values-production.yaml",
        }
    }
}

/// URLs and values of stores.
#[derive(Debug, Clone)]
pub struct StoresConfig {
    /// What follows a store's name in its host.
    pub domain_suffix: HostSuffix,
    /// The scheme of URLs.
    pub scheme: Scheme,
    /// The port of URLs.
    pub public_port: u16,
    /// The values file of the chart.
    pub profile: Profile,
    /// Values instead of the profile's: a file, or a directory with `<engine>.yaml`.
    pub values: Option<PathBuf>,
    /// Whether WordPress without its plugin counts as a store.
    pub allow_bare_wordpress: bool,
}

pub(super) fn stores(reader: &mut Reader<'_>) -> Option<StoresConfig> {
    let domain_suffix =
        reader.read(&STORE_DOMAIN_SUFFIX, |text| text.parse().map_err(|_| "is not the end of a host name".to_owned()));
    let scheme = reader.read(&STORE_SCHEME, values::word(&Scheme::WORDS));
    let public_port = reader.read(&STORE_PUBLIC_PORT, values::number(1..=u16::MAX));
    let profile = reader.read(&STORE_PROFILE, values::word(&Profile::WORDS));
    let values = paths::store_values(reader);
    let allow_bare_wordpress = reader.read(&SHOPWRIGHT_ALLOW_BARE_WORDPRESS, values::switch);
    Some(StoresConfig {
        domain_suffix: domain_suffix?,
        scheme: scheme?,
        public_port: public_port.unwrap_or(scheme?.default_port()),
        profile: profile?,
        values,
        allow_bare_wordpress: allow_bare_wordpress?,
    })
}

/// The first administrator.
#[derive(Debug, Clone)]
pub struct AdminAccount {
    /// Their address.
    pub email: Email,
    /// Their password.
    pub password: SecretString,
}

/// Accounts and tokens.
#[derive(Debug, Clone)]
pub struct IdentityConfig {
    /// The administrator to make at start if there is none.
    pub admin: Option<AdminAccount>,
    /// Whether strangers may make an account.
    pub registration_open: bool,
    /// Whether the first account becomes administrator by arriving first.
    pub bootstrap_first_user: bool,
    /// Life of access tokens.
    pub access_token_ttl: Duration,
}

pub(super) fn identity(reader: &mut Reader<'_>) -> Option<IdentityConfig> {
    let email = reader.read(&ADMIN_EMAIL, |text| text.parse::<Email>().map_err(|_| "is not an e-mail address".into()));
    let password = reader.read(&ADMIN_PASSWORD, |text| {
        let problem = |error: shopwright_domain::identity::InvalidPassword| format!("is refused: {error}");
        check_password(text).map_err(problem).map(|()| SecretString::from(text))
    });
    match (reader.is_set(&ADMIN_EMAIL), reader.is_set(&ADMIN_PASSWORD)) {
        (true, false) => {
            reader.refuse(&ADMIN_PASSWORD, "it is required together with ADMIN_EMAIL", "Set both or none.");
        }
        (false, true) => {
            reader.refuse(&ADMIN_EMAIL, "it is required together with ADMIN_PASSWORD", "Set both or none.");
        }
        _ => {}
    }
    let registration_open = reader.read(&SHOPWRIGHT_REGISTRATION, values::word(&[("open", true), ("closed", false)]));
    let bootstrap_first_user = reader.read(&SHOPWRIGHT_BOOTSTRAP_FIRST_USER, values::switch);
    let legacy = Duration::from_mins(1)..=Duration::from_hours(24 * 30);
    let access_token_ttl = reader.read(&LEGACY_TOKEN_TTL, values::duration_within(legacy));
    Some(IdentityConfig {
        admin: email.zip(password).map(|(email, password)| AdminAccount { email, password }),
        registration_open: registration_open?,
        bootstrap_first_user: bootstrap_first_user?,
        access_token_ttl: access_token_ttl.unwrap_or(Duration::from_mins(10)),
    })
}

/// Guardrails.
#[derive(Debug, Clone, Copy)]
pub struct LimitsConfig {
    /// Stores per organisation.
    pub max_stores_per_user: u32,
    /// Pause between two creations; zero is none.
    pub creation_cooldown: Duration,
    /// Retries by hand of a failed store.
    pub max_retries: u32,
}

pub(super) fn limits(reader: &mut Reader<'_>) -> Option<LimitsConfig> {
    let max_stores_per_user = reader.read(&MAX_STORES_PER_USER, values::number(1..=100));
    let creation_cooldown = reader.read(&STORE_CREATION_COOLDOWN_MS, values::number(0..=86_400_000));
    let max_retries = reader.read(&PROVISIONING_MAX_RETRIES, values::number(0..=100));
    Some(LimitsConfig {
        max_stores_per_user: max_stores_per_user?,
        creation_cooldown: creation_cooldown.map(Duration::from_millis)?,
        max_retries: max_retries?,
    })
}

/// The worker.
#[derive(Debug, Clone, Copy)]
pub struct WorkerConfig {
    /// Whether it runs inside `serve`.
    pub enabled: bool,
    /// Operations at once per cluster.
    pub cluster_permits: usize,
    /// Helm processes at once.
    pub helm_permits: usize,
    /// Life of one helm process.
    pub helm_deadline: Duration,
    /// Patience for workloads.
    pub rollout_deadline: Duration,
    /// Life of a lease that is not renewed.
    pub lease: Duration,
}

pub(super) fn worker(reader: &mut Reader<'_>) -> Option<WorkerConfig> {
    let enabled = reader.read(&SHOPWRIGHT_WORKER, values::switch);
    let cluster_permits = reader.read(&SHOPWRIGHT_CLUSTER_PERMITS, values::number(1..=1000));
    let helm_permits = reader.read(&SHOPWRIGHT_HELM_PERMITS, values::number(1..=1000));
    let deadlines = || values::duration_within(Duration::from_secs(1)..=Duration::from_hours(2));
    let helm_deadline = reader.read(&SHOPWRIGHT_HELM_DEADLINE, deadlines());
    let rollout_deadline = reader.read(&SHOPWRIGHT_ROLLOUT_DEADLINE, deadlines());
    // Below 5 s nothing would be left of the lease: its owner stops 3 s before its end (DECISIONS 6).
    let leases = values::duration_within(Duration::from_secs(5)..=Duration::from_mins(5));
    let lease = reader.read(&SHOPWRIGHT_LEASE, leases);
    let cores = || std::thread::available_parallelism().map_or(2, NonZeroUsize::get).max(2);
    Some(WorkerConfig {
        enabled: enabled?,
        cluster_permits: cluster_permits?,
        helm_permits: helm_permits.unwrap_or_else(cores),
        helm_deadline: helm_deadline?,
        rollout_deadline: rollout_deadline?,
        lease: lease?,
    })
}
