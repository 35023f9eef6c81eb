//! Every setting, once: its environment variable, flag, TOML key, default and help all come from this table.
//!
//! The flag is the environment variable's name in lower case with hyphens, without the prefix `SHOPWRIGHT_`; the TOML key is the same
//! with underscores. A secret has no flag of its own, for anybody may read a command line; it has `--name-file`, like `NAME_FILE`.

/// What may be shown of a value, and where it may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Anybody may see it.
    Plain,
    /// The same, and its flag may stand without a value.
    Switch,
    /// A URL that may hold a password: never shown, and the flag takes it only without one.
    Url,
    /// Never shown, and has no flag.
    Secret,
}

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// The environment variable.
    pub env: &'static str,
    /// The flag without its two hyphens.
    pub flag: &'static str,
    /// What may be shown of it.
    pub kind: Kind,
    /// What stands for the value in the help.
    pub value_name: &'static str,
    /// What it does.
    pub help: &'static str,
    /// What holds when nobody says otherwise.
    pub default: Option<&'static str>,
    /// A value that would do, for messages.
    pub example: &'static str,
}

impl Setting {
    const fn new(
        kind: Kind,
        (env, flag): (&'static str, &'static str),
        (value_name, example): (&'static str, &'static str),
        default: Option<&'static str>,
        help: &'static str,
    ) -> Self {
        Self { env, flag, kind, value_name, help, default, example }
    }

    /// The key in the TOML file.
    pub fn key(&self) -> String {
        self.flag.replace('-', "_")
    }

    /// Whether the value may also be the content of a file that is named instead.
    pub const fn has_file(&self) -> bool {
        matches!(self.kind, Kind::Url | Kind::Secret)
    }

    /// Whether the value itself may be given on the command line.
    pub const fn has_flag(&self) -> bool {
        !matches!(self.kind, Kind::Secret)
    }
}

macro_rules! settings {
    ($($name:ident = $kind:ident, $flag:literal, $value:literal, $example:literal, $default:expr, $help:literal;)+) => {
        $(#[doc = concat!("The setting `", stringify!($name), "`.")] pub const $name: Setting = Setting::new(Kind::$kind, (stringify!($name), $flag), ($value, $example), $default, $help);)+

        /// All settings, in the order of the help.
        pub const ALL: &[&Setting] = &[$(&$name,)+];
    };
}

settings! {
    DATABASE_URL = Url, "database-url", "URL", "postgresql://shopwright@db.example.com/shopwright", None,
        "The database. Without it `serve` starts a private PostgreSQL in DATA_DIR";
    SHOPWRIGHT_WORKER_DATABASE_URL = Url, "worker-database-url", "URL", "postgresql://shopwright_worker@db.example.com/shopwright", None,
        "The database as the worker's role; DATABASE_URL otherwise";
    SHOPWRIGHT_MIGRATE_DATABASE_URL = Url, "migrate-database-url", "URL", "postgresql://shopwright_owner@db.example.com/shopwright", None,
        "The database as the owner's role, for migrations; DATABASE_URL otherwise";
    SHOPWRIGHT_DATABASE_DIRECT = Switch, "database-direct", "true|false", "true", Some("false"),
        "Whether DATABASE_URL leads to the server itself. Statements are then prepared once per connection, which saves a round trip each; a pooler in transaction mode would mix them up";
    SHOPWRIGHT_SECRET_KEY = Secret, "secret-key", "KEY", "$(openssl rand -base64 32)", None,
        "Seals what must rest in PostgreSQL: 32 bytes in base64 or hexadecimal. Older keys may follow, separated by commas, and only open. Generated in DATA_DIR for the private PostgreSQL, required otherwise";
    DATA_DIR = Plain, "data-dir", "DIR", "/var/lib/shopwright", None,
        "Where the private PostgreSQL and the generated key live. Default: /var/lib/shopwright for root, else $XDG_DATA_HOME/shopwright";

    HTTP_ADDR = Plain, "http-addr", "IP:PORT", "127.0.0.1:3001", Some("127.0.0.1:3001"),
        "Where the API listens";
    SHOPWRIGHT_METRICS_ADDR = Plain, "metrics-addr", "IP:PORT", "127.0.0.1:9464", None,
        "Where /metrics is served to anybody who can reach it. Without it only administrators get it, at /api/v1/metrics";
    SHOPWRIGHT_PUBLIC_URL = Plain, "public-url", "URL", "https://shops.example.com", None,
        "Where people reach this server, for the links of invitations. Default: http:// and HTTP_ADDR";
    LOG_FORMAT = Plain, "log-format", "json|text", "text", None,
        "How log lines look. Default: text on a terminal, json elsewhere";

    KUBECONFIG = Plain, "kubeconfig", "FILE", "/etc/shopwright/kubeconfig", None,
        "The kubeconfig that KUBE_CONTEXT is looked up in. Alone it is refused: it may be set for something else. Default: ~/.kube/config";
    KUBE_CONTEXT = Plain, "kube-context", "NAME", "kind-kind", None,
        "The context of the cluster that stores are made on. Not needed inside a cluster";
    INGRESS_ADDR = Plain, "ingress-addr", "HOST[:PORT]", "10.0.0.7:80", None,
        "Where storefront checks connect. Default: the store's host by DNS, on the public port";
    INGRESS_CLASS = Plain, "ingress-class", "NAME", "traefik", Some("traefik"),
        "The ingress class of stores";
    INGRESS_NAMESPACE = Plain, "ingress-namespace", "NAME", "ingress", Some("ingress"),
        "The namespace of the ingress controller, which alone may reach stores";
    STORAGE_CLASS = Plain, "storage-class", "NAME", "standard", Some("standard"),
        "The storage class of stores' volumes";
    HELM_BIN = Plain, "helm-bin", "FILE", "/usr/local/bin/helm", None,
        "The helm 4 binary. Default: the first `helm` on PATH";
    CHARTS_DIR = Plain, "charts-dir", "DIR", "/usr/share/shopwright/charts", None,
        "The directory of the engines' charts. Default: beside the program or in the working directory";

    STORE_DOMAIN_SUFFIX = Plain, "store-domain-suffix", "SUFFIX", ".shops.example.com", Some(".localhost"),
        "What follows a store's name in its host";
    STORE_SCHEME = Plain, "store-scheme", "http|https", "https", Some("http"),
        "The scheme of stores' URLs";
    STORE_PUBLIC_PORT = Plain, "store-public-port", "PORT", "8080", None,
        "The port of stores' URLs. Default: that of the scheme";
    STORE_PROFILE = Plain, "store-profile", "local|production", "production", Some("local"),
        "Which values file of the chart stores are made with. `production` also refuses settings that are for development alone";
    STORE_VALUES = Plain, "store-values", "FILE|DIR", "/etc/shopwright/values.yaml", None,
        "A values file instead of the profile's, or a directory with <engine>.yaml";
    SHOPWRIGHT_ALLOW_BARE_WORDPRESS = Switch, "allow-bare-wordpress", "true|false", "true", Some("false"),
        "Make WooCommerce stores although the image holds no plugin: they cannot take orders";
    SHOPWRIGHT_SIMULATED = Switch, "simulated", "true|false", "true", Some("false"),
        "Serve the API over a simulated cluster, in memory";

    ADMIN_EMAIL = Plain, "admin-email", "EMAIL", "admin@example.com", None,
        "The first administrator, made at start if there is none";
    ADMIN_PASSWORD = Secret, "admin-password", "PASSWORD", "a password of 8 to 128 characters", None,
        "The first administrator's password";
    SHOPWRIGHT_REGISTRATION = Plain, "registration", "open|closed", "closed", Some("open"),
        "Whether strangers may make an account";
    SHOPWRIGHT_BOOTSTRAP_FIRST_USER = Switch, "bootstrap-first-user", "true|false", "true", Some("false"),
        "Make the first account to register the platform's administrator";
    LEGACY_TOKEN_TTL = Plain, "legacy-token-ttl", "DURATION", "12h", None,
        "Life of access tokens, for clients that cannot refresh. Default: 10 minutes";
    SHOPWRIGHT_SESSION_TTL = Plain, "session-ttl", "DURATION", "720h", Some("720h"),
        "How long somebody stays signed in, however often they refresh";
    SHOPWRIGHT_SESSION_IDLE = Plain, "session-idle", "DURATION", "168h", Some("168h"),
        "How long somebody stays signed in without refreshing";
    SHOPWRIGHT_COOKIES = Plain, "cookies", "secure|plain", "secure", Some("secure"),
        "Whether browsers may send the refresh token over plain HTTP: plain is for development alone";
    SHOPWRIGHT_SIGNING_KEYS_DIR = Plain, "signing-keys-dir", "DIR", "/etc/shopwright/signing-keys", None,
        "Ed25519 keys in PKCS#8 that sign access tokens: `signing.pem` signs, other *.pem only check; read again when they change. Default: made by the server and kept sealed in the database";
    SHOPWRIGHT_OIDC_ISSUER = Plain, "oidc-issuer", "URL", "https://id.example.com/realms/shops", None,
        "An OpenID provider whose access tokens are taken as well, exactly as its tokens spell it";
    SHOPWRIGHT_OIDC_AUDIENCE = Plain, "oidc-audience", "NAME", "shopwright-api", None,
        "For whom the issuer's tokens must be; required together with SHOPWRIGHT_OIDC_ISSUER";
    SHOPWRIGHT_PASSWORD_PEPPER = Secret, "password-pepper", "KEY,...", "$(openssl rand -base64 32)", None,
        "A secret that goes into the hashes of accounts' passwords: who has the database alone cannot guess at them. Keys separated by commas: the first for new hashes, all to check; who signs in gets a new hash. Set it once all servers know this setting; without its key nobody can sign in";
    SHOPWRIGHT_COMMON_PASSWORDS = Plain, "common-passwords", "refused|allowed", "refused", None,
        "Whether accounts may have passwords that everybody tries first. Default: refused in the production profile, allowed in the local one";
    ACCOUNT_LOCKOUT_MAX_ATTEMPTS = Plain, "account-lockout-max-attempts", "1..1000", "5", Some("5"),
        "Wrong passwords that lock an account";
    ACCOUNT_LOCKOUT_DURATION_MS = Plain, "account-lockout-duration-ms", "MS", "900000", Some("900000"),
        "How long an account stays locked, in milliseconds";
    LOGIN_RATE_LIMIT_MAX = Plain, "login-rate-limit-max", "1..100000", "10", Some("10"),
        "Attempts to sign in to one account from one address, per window";
    LOGIN_RATE_LIMIT_WINDOW_MS = Plain, "login-rate-limit-window-ms", "MS", "900000", Some("900000"),
        "The window of LOGIN_RATE_LIMIT_MAX, in milliseconds";
    REGISTER_RATE_LIMIT_MAX = Plain, "register-rate-limit-max", "1..100000", "5", Some("5"),
        "Registrations from one address, per window";
    REGISTER_RATE_LIMIT_WINDOW_MS = Plain, "register-rate-limit-window-ms", "MS", "3600000", Some("3600000"),
        "The window of REGISTER_RATE_LIMIT_MAX, in milliseconds";

    RATE_LIMIT_MAX = Plain, "rate-limit-max", "1..1000000000", "60", None,
        "Requests without a good token from one address, per window. Default: 60 in the production profile, 200 in the local one";
    SHOPWRIGHT_USER_RATE_LIMIT_MAX = Plain, "user-rate-limit-max", "1..1000000000", "600", Some("600"),
        "Requests of one user, per window, unless the organisation's plan says otherwise";
    SHOPWRIGHT_GLOBAL_RATE_LIMIT_MAX = Plain, "global-rate-limit-max", "1..1000000000", "60000", Some("60000"),
        "Requests of all together, over all replicas, per window";
    RATE_LIMIT_WINDOW_MS = Plain, "rate-limit-window-ms", "MS", "60000", Some("60000"),
        "The window of these three, in milliseconds";
    SHOPWRIGHT_TRUSTED_PROXIES = Plain, "trusted-proxies", "CIDR,...", "10.0.0.0/8,fd00::/8", None,
        "The proxies whose Forwarded or X-Forwarded-For headers are believed; without any, a client is who is connected";
    CORS_ORIGIN = Plain, "cors-origin", "ORIGIN,...|*", "https://shop.example.com", None,
        "Origins whose pages may read answers; * for everybody's, without credentials. Default: none but our own";

    MAX_STORES_PER_USER = Plain, "max-stores-per-user", "1..100", "5", Some("5"),
        "How many stores an organisation may hold";
    STORE_CREATION_COOLDOWN_MS = Plain, "store-creation-cooldown-ms", "MS", "30000", Some("30000"),
        "The pause between two creations, in milliseconds; 0 is none";
    PROVISIONING_MAX_RETRIES = Plain, "provisioning-max-retries", "0..100", "3", Some("3"),
        "How often a failed store may be retried by hand";
    SHOPWRIGHT_PLANS = Plain, "plans", "PLANS", "free: stores=1 cooldown=5m; team: stores=50 cooldown=0s requests=6000/1m retries=10 size=large", None,
        "What organisations of other plans than `standard` may take, and which of the charts' sizes their stores have; what a plan does not say is as in the settings above";

    SHOPWRIGHT_WORKER = Switch, "worker", "true|false", "false", Some("true"),
        "Run the worker inside `serve`";
    SHOPWRIGHT_CLUSTER_PERMITS = Plain, "cluster-permits", "1..1000", "32", Some("32"),
        "How many operations may run on the cluster at once";
    SHOPWRIGHT_HELM_PERMITS = Plain, "helm-permits", "1..1000", "4", None,
        "How many helm processes may run at once. Default: as many as there are cores, at least 2";
    SHOPWRIGHT_HELM_DEADLINE = Plain, "helm-deadline", "DURATION", "5m", Some("5m"),
        "How long one helm process may take";
    SHOPWRIGHT_ROLLOUT_DEADLINE = Plain, "rollout-deadline", "DURATION", "10m", Some("10m"),
        "How long a store's workloads may take to become ready";
    SHOPWRIGHT_RETRIES_PER_SECOND = Plain, "retries-per-second", "1..1000", "20", Some("20"),
        "How many operations that had to wait may go on per second: all at once would be the cluster's next outage";
    SHOPWRIGHT_LEASE = Plain, "lease", "DURATION", "10s", Some("10s"),
        "How long a worker owns an operation without renewing it, 5s to 5m";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_follow_from_the_variables() {
        for setting in ALL {
            let expected = setting.env.trim_start_matches("SHOPWRIGHT_").to_lowercase().replace('_', "-");
            assert_eq!(setting.flag, expected);
        }
    }
}
