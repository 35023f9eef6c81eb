//! What is wrong with the configuration is told all at once, with what to do, and never with a secret in it.

#![cfg(feature = "binary")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::fs;
use std::path::Path;

use shopwright_app::config::{Config, ConfigError, Environment, Flags, MigrateConfig};

/// Where a test's kubeconfig, helm and charts lie.
struct Machine {
    dir: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let kubeconfig = "apiVersion: v1\nkind: Config\nclusters: []\nusers: []\ncontexts:\n- {name: lab, context: {cluster: lab, user: lab}}\n";
        fs::write(dir.path().join("kubeconfig"), kubeconfig).unwrap();
        fs::create_dir_all(dir.path().join("charts/medusa")).unwrap();
        fs::write(dir.path().join("charts/medusa/Chart.yaml"), "name: medusa\n").unwrap();
        fs::write(dir.path().join("charts/medusa/engine.toml"), "").unwrap();
        fs::write(dir.path().join("helm"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(dir.path().join("helm"), fs::Permissions::from_mode(0o755)).unwrap();
        Self { dir }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn text(&self, file: &str) -> String {
        self.path().join(file).display().to_string()
    }

    /// Everything that must be set, and `more`.
    fn environment(&self, more: &[(&str, &str)]) -> Environment {
        let (kubeconfig, path) = (self.text("kubeconfig"), self.path().display().to_string());
        let base = [("HOME", path.as_str()), ("PATH", &path), ("KUBECONFIG", &kubeconfig), ("KUBE_CONTEXT", "lab")];
        let mut environment = Environment::of_variables(base.into_iter().chain(more.iter().copied()));
        environment.working_dir = self.path().to_path_buf();
        environment
    }

    fn load(&self, more: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::load(&Flags::default(), &self.environment(more))
    }

    fn mistakes(&self, more: &[(&str, &str)]) -> String {
        self.load(more).unwrap_err().to_string()
    }
}

#[test]
fn the_least_configuration_is_enough() {
    let machine = Machine::new();

    let config = machine.load(&[]).unwrap();

    assert_eq!(config.http_addr.to_string(), "127.0.0.1:3001");
    assert_eq!(config.stores.public_port, 80);
    assert!(config.identity.rules.registration_open);
    assert!(config.worker.enabled && config.worker.helm_permits >= 2);
}

#[test]
fn all_mistakes_come_at_once_and_none_shows_a_secret() {
    let machine = Machine::new();

    let text = machine.mistakes(&[
        ("HTTP_ADDR", "localhost"),
        ("DATABASE_URL", "mysql://root:hunter2@db/x"),
        ("SHOPWRIGHT_SECRET_KEY", "hunter3hunter3"),
        ("ADMIN_EMAIL", "nobody"),
        ("ADMIN_PASSWORD", "hunter4"),
        ("STORE_SCHEME", "gopher"),
        ("STORE_PUBLIC_PORT", "80000"),
        ("SHOPWRIGHT_LEASE", "1s"),
        ("SHOPWRIGHT_WORKER", "maybe"),
        ("HELM_BIN", "/nonexistent/helm"),
        ("CHARTS_DIR", "/nonexistent/charts"),
        ("INGRESS_ADDR", "http://node"),
    ]);

    for name in [
        "HTTP_ADDR (environment): `localhost` is not an IP address with a port",
        "DATABASE_URL (environment): its value is not a URL of PostgreSQL",
        "SHOPWRIGHT_SECRET_KEY (environment): its value is not 32 bytes in base64 or hexadecimal",
        "ADMIN_EMAIL (environment): `nobody` is not an e-mail address",
        "ADMIN_PASSWORD (environment): its value is refused: password must have at least 8 characters",
        "STORE_SCHEME (environment): `gopher` is not one of: http, https",
        "STORE_PUBLIC_PORT (environment): `80000` is not a whole number from 1 to 65535",
        "SHOPWRIGHT_LEASE (environment): `1s` is not between 5 and 300 seconds",
        "SHOPWRIGHT_WORKER (environment): `maybe` is neither true nor false",
        "HELM_BIN: /nonexistent/helm is not a program",
        "CHARTS_DIR: /nonexistent/charts holds no chart of an engine",
        "INGRESS_ADDR (environment): `http://node` ",
    ] {
        assert!(text.contains(name), "{name}\nis not in\n{text}");
    }
    assert!(text.starts_with("the configuration has 12 mistakes:"), "{text}");
    assert!(!text.contains("hunter"), "{text}");
    assert_eq!(text.matches("\n    -> ").count(), 12, "each says what to do: {text}");
}

#[test]
fn neither_debug_nor_a_message_shows_a_secret() {
    let machine = Machine::new();
    let environment = machine.environment(&[
        ("DATABASE_URL", "postgresql://app:hunter2@db/x"),
        ("SHOPWRIGHT_SECRET_KEY", &"ab".repeat(32)),
        ("ADMIN_EMAIL", "ada@example.com"),
        ("ADMIN_PASSWORD", "hunter2hunter2"),
    ]);

    let config = Config::load(&Flags::default(), &environment).unwrap();

    for text in [format!("{config:?}"), format!("{environment:?}")] {
        assert!(!text.contains("hunter2") && !text.contains("abab"), "{text}");
    }
}

#[test]
fn a_bare_kubeconfig_is_refused_and_its_contexts_are_named() {
    let machine = Machine::new();

    let text = machine.mistakes(&[("KUBE_CONTEXT", "")]);

    assert!(text.contains("KUBE_CONTEXT: a kubeconfig alone is not consent"), "{text}");
    assert!(text.contains("the file has: lab."), "{text}");
}

#[test]
fn a_wrong_cluster_is_told_at_start() {
    let machine = Machine::new();

    let unknown = machine.mistakes(&[("KUBE_CONTEXT", "prod")]);
    assert!(unknown.contains("there is no context `prod`\n    -> Choose one of: lab."), "{unknown}");

    let missing = machine.mistakes(&[("KUBECONFIG", "/nonexistent/kubeconfig")]);
    assert!(missing.contains("KUBECONFIG: /nonexistent/kubeconfig cannot be read"), "{missing}");

    fs::write(machine.path().join("broken"), "token: hunter2\n\t: [").unwrap();
    let broken = machine.mistakes(&[("KUBECONFIG", &machine.text("broken"))]);
    assert!(broken.contains("is not a kubeconfig") && !broken.contains("hunter2"), "{broken}");

    let none = machine.mistakes(&[("KUBECONFIG", ""), ("KUBE_CONTEXT", "")]);
    assert!(none.contains("no cluster is named\n    -> Set KUBE_CONTEXT"), "{none}");
}

#[test]
fn inside_a_cluster_nothing_needs_to_be_named() {
    let machine = Machine::new();

    let inside = [("KUBECONFIG", ""), ("KUBE_CONTEXT", ""), ("KUBERNETES_SERVICE_HOST", "10.0.0.1")];

    assert!(machine.load(&inside).is_ok());
}

#[test]
fn a_missing_helm_is_told_with_what_to_install() {
    let machine = Machine::new();

    let text = machine.mistakes(&[("PATH", "/nonexistent")]);

    assert!(text.contains("HELM_BIN: there is no `helm` on PATH\n    -> Install helm 4"), "{text}");
}

#[test]
fn simulation_needs_no_cluster_no_helm_and_no_database() {
    let environment = Environment::of_variables([("SHOPWRIGHT_SIMULATED", "true")]);

    assert!(Config::load(&Flags::default(), &environment).is_ok());
}

#[test]
fn a_database_of_somebody_elses_needs_our_key() {
    let machine = Machine::new();

    let text = machine.mistakes(&[("DATABASE_URL", "postgresql://db/x")]);

    assert!(text.contains("SHOPWRIGHT_SECRET_KEY: it is required together with DATABASE_URL"), "{text}");
}

#[test]
fn half_an_administrator_is_a_mistake() {
    let machine = Machine::new();

    let text = machine.mistakes(&[("ADMIN_EMAIL", "ada@example.com")]);

    assert!(text.contains("ADMIN_PASSWORD: it is required together with ADMIN_EMAIL"), "{text}");
}

#[test]
fn an_unknown_key_of_the_file_is_refused_by_name_and_no_line_is_quoted() {
    let machine = Machine::new();
    fs::write(machine.path().join("a.toml"), "htpp_addr = \"127.0.0.1:1\"\nlease = [1]\n").unwrap();
    fs::write(machine.path().join("b.toml"), "lease = \"10s\"\nadmin_password = hunter2\n").unwrap();

    let unknown = machine.mistakes(&[("SHOPWRIGHT_CONFIG", "a.toml")]);
    assert!(unknown.contains("`htpp_addr` is not a setting"), "{unknown}");
    assert!(unknown.contains("`lease` must be a text, a whole number, true or false"), "{unknown}");

    let broken = machine.mistakes(&[("SHOPWRIGHT_CONFIG", "b.toml")]);
    assert!(broken.contains("line 2 is not TOML") && !broken.contains("hunter2"), "{broken}");

    let missing = machine.mistakes(&[("SHOPWRIGHT_CONFIG", "c.toml")]);
    assert!(missing.contains("the configuration file cannot be read"), "{missing}");
}

#[test]
fn migrate_asks_for_the_database_alone() {
    let environment = Environment::of_variables([("DATABASE_URL", "postgresql://db/x"), ("HOME", "/home/ada")]);

    let config = MigrateConfig::load(&Flags::default(), &environment).unwrap();

    assert!(config.database.is_some());
}

/// The least that production asks for.
const PRODUCTION: [(&str, &str); 5] = [
    ("STORE_PROFILE", "production"),
    ("STORE_SCHEME", "https"),
    ("STORE_DOMAIN_SUFFIX", ".shops.example.com"),
    ("HTTP_ADDR", "127.0.0.1:3001"),
    ("SHOPWRIGHT_SECRET_KEY", "5vBq0y2mG7bD8cKX1nZr4tWu9sPfLhJ3aEoQiR6TMkY="),
];

#[test]
fn production_is_served_when_nothing_of_it_is_for_development() {
    let machine = Machine::new();
    let reached = [
        ("HTTP_ADDR", "0.0.0.0:3001"),
        ("SHOPWRIGHT_TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8"),
        ("CORS_ORIGIN", "https://shop.example.com, https://admin.example.com:8443"),
        ("DATABASE_URL", "postgresql://shopwright:tY8v-4mPq-Lw2z@db.example.com/shopwright"),
        ("ADMIN_EMAIL", "ada@example.com"),
        ("ADMIN_PASSWORD", "tY8v-4mPq-Lw2z"),
    ];

    let least = machine.load(&PRODUCTION).unwrap();
    let all: Vec<_> = PRODUCTION.into_iter().chain(reached).collect();
    let config = machine.load(&all).unwrap();

    assert_eq!(least.requests.address.limit, 60);
    let common_allowed = |more: &[(&str, &str)]| machine.load(more).unwrap().identity.rules.common_passwords_allowed;
    assert!(!least.identity.rules.common_passwords_allowed && common_allowed(&[]));
    assert!(!common_allowed(&[("SHOPWRIGHT_COMMON_PASSWORDS", "refused")]));
    assert_eq!(config.requests.proxies.0.len(), 2);
    assert_eq!(machine.load(&[]).unwrap().requests.address.limit, 200);
}

#[test]
fn production_refuses_all_that_is_for_development_at_once_and_shows_no_secret() {
    let machine = Machine::new();

    let text = machine.mistakes(&[
        ("STORE_PROFILE", "production"),
        ("HTTP_ADDR", "0.0.0.0:3001"),
        ("DATABASE_URL", "postgresql://shopwright:shopwright@db.example.com/shopwright"),
        ("SHOPWRIGHT_SECRET_KEY", &"ab".repeat(32)),
        ("SHOPWRIGHT_PASSWORD_PEPPER", &"ab".repeat(32)),
        ("SHOPWRIGHT_COOKIES", "plain"),
        ("SHOPWRIGHT_BOOTSTRAP_FIRST_USER", "true"),
        ("REGISTER_RATE_LIMIT_MAX", "100000"),
        ("ACCOUNT_LOCKOUT_MAX_ATTEMPTS", "1000"),
        ("LEGACY_TOKEN_TTL", "48h"),
        ("ADMIN_EMAIL", "ada@example.com"),
        ("ADMIN_PASSWORD", "Password123!"),
        ("SHOPWRIGHT_ALLOW_BARE_WORDPRESS", "true"),
        ("CORS_ORIGIN", "*"),
    ]);

    for (name, problem) in [
        ("HTTP_ADDR", "nothing in front of it is known to speak TLS"),
        ("DATABASE_URL", "its password is weak: it is one that everybody tries first"),
        ("SHOPWRIGHT_SECRET_KEY", "its value was not drawn at random"),
        ("SHOPWRIGHT_PASSWORD_PEPPER", "its value was not drawn at random"),
        ("SHOPWRIGHT_COOKIES", "over plain HTTP"),
        ("SHOPWRIGHT_BOOTSTRAP_FIRST_USER", "whoever comes first"),
        ("REGISTER_RATE_LIMIT_MAX", "registration is open and has no limit worth the name"),
        ("ACCOUNT_LOCKOUT_MAX_ATTEMPTS", "passwords could be guessed"),
        ("LEGACY_TOKEN_TTL", "whoever finds a token"),
        ("ADMIN_PASSWORD", "its value is weak: it is one that everybody tries first"),
        ("STORE_SCHEME", "over plain HTTP"),
        ("STORE_DOMAIN_SUFFIX", "no shopper can reach"),
        ("SHOPWRIGHT_ALLOW_BARE_WORDPRESS", "cannot take orders"),
        ("CORS_ORIGIN", "pages of anybody"),
    ] {
        assert!(
            text.contains(&format!("{name}: {problem}")) || text.contains(problem),
            "{name}: {problem}\nis not in\n{text}"
        );
    }
    assert!(text.starts_with("the configuration has 14 mistakes:"), "{text}");
    assert_eq!(text.matches("\n    -> ").count(), 14, "each says what to do: {text}");
    assert!(!text.contains("Password123") && !text.contains("abab"), "{text}");
}

#[test]
fn production_believes_no_proxy_that_could_be_anybody_and_makes_no_simulated_stores() {
    let machine = Machine::new();
    let with = |more: (&'static str, &'static str)| {
        let all: Vec<_> = PRODUCTION.into_iter().filter(|(name, _)| *name != more.0).chain([more]).collect();
        machine.mistakes(&all)
    };

    assert!(with(("SHOPWRIGHT_TRUSTED_PROXIES", "0.0.0.0/0")).contains("anybody could choose the address"));
    assert!(with(("SHOPWRIGHT_SIMULATED", "true")).contains("a simulation makes no stores"));
    assert!(with(("CORS_ORIGIN", "http://shop.example.com")).contains("can be changed on its way"));
    assert!(with(("HTTP_ADDR", "[::]:3001")).contains("speak TLS"));
}

#[test]
fn lists_of_the_settings_for_requests_are_checked() {
    let machine = Machine::new();

    let text = machine.mistakes(&[
        ("SHOPWRIGHT_TRUSTED_PROXIES", "10.0.0.0/8,proxy"),
        ("CORS_ORIGIN", "https://shop.example.com/path"),
        ("SHOPWRIGHT_PLANS", "free: stores=many"),
        ("RATE_LIMIT_MAX", "0"),
        ("RATE_LIMIT_WINDOW_MS", "5"),
    ]);

    assert!(text.starts_with("the configuration has 5 mistakes:"), "{text}");
    assert!(text.contains("says of the plan free what cannot be read: `stores=many`"), "{text}");
}

#[test]
fn plans_stand_on_the_settings_that_they_do_not_mention() {
    let machine = Machine::new();
    let settings = [("MAX_STORES_PER_USER", "7"), ("SHOPWRIGHT_PLANS", "team: requests=6000/1m; free: stores=1")];

    let plans = machine.load(&settings).unwrap().requests.plans;

    let team = plans.get(&"team".parse().unwrap());
    assert_eq!((team.stores.0, team.requests.limit), (7, 6000));
    assert_eq!(plans.get(&"free".parse().unwrap()).stores.0, 1);
    assert_eq!(plans.standard.stores.0, 7);
}
