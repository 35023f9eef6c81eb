//! The dashboard in Chromium on real parts: PostgreSQL, kube-apiserver, helm. The browser's side is `dashboard/tests/real`, which starts,
//! stops and restarts the servers itself; this side is what they need.

use std::process::Command;

use shopwright_system_tests::real::{Environment, Parts, program, workspace};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_flows_of_merchants_in_a_browser() -> anyhow::Result<()> {
    let Some(environment) = Environment::read()? else { return Ok(()) };
    let mut parts = Parts::on_kwok(&environment).await?;
    parts.set("SHOPWRIGHT_COOKIES", "plain");
    parts.set("ADMIN_EMAIL", "admin@example.com");
    parts.set("ADMIN_PASSWORD", "correct-horse");
    for limit in ["LOGIN_RATE_LIMIT_MAX", "REGISTER_RATE_LIMIT_MAX", "RATE_LIMIT_MAX", "SHOPWRIGHT_USER_RATE_LIMIT_MAX"]
    {
        parts.set(limit, "10000");
    }
    let (database, cluster, settings, remains) = parts.apart();
    let before = cluster.inventory().await?;
    let settings: serde_json::Map<String, serde_json::Value> =
        settings.into_iter().map(|(name, value)| (name, value.into())).collect();

    let status = Command::new(workspace().join("dashboard/test"))
        .arg("real")
        .env("SHOPWRIGHT_E2E_SETTINGS", serde_json::Value::from(settings).to_string())
        .env("SHOPWRIGHT_E2E_PROGRAM", program())
        .env("SHOPWRIGHT_E2E_KUBECONFIG", &environment.admin_kubeconfig)
        .status()?;

    anyhow::ensure!(status.success(), "the browser's side failed: its own words are above");
    assert_eq!(cluster.inventory().await?, before, "the flows delete what they make");
    drop((database, remains));
    Ok(())
}
