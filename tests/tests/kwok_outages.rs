//! What people see while the database or the cluster is away, and that it heals by itself. RELIABILITY F26, F32.

use std::process::Command;

use reqwest::StatusCode;
use shopwright_system_tests::World;
use shopwright_system_tests::client::id_of;
use shopwright_system_tests::real::program;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_is_a_503_with_a_time_and_comes_back() -> anyhow::Result<()> {
    let Some(world) = World::real().await? else { return Ok(()) };
    let ada = world.merchant("ada").await?;
    let real = world.parts();

    real.database.refuse_connections(true).await?;
    let answer = ada.get("/stores").await?;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "not a 401: {answer:?}");
    assert_eq!(answer.body["error"]["retryable"], true);
    real.database.refuse_connections(false).await?;

    let store = ada.create("teashop", "medusa").await?;
    assert_eq!(world.settled(&ada, &id_of(&store)).await?["status"], "ready");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_does_not_answer_makes_stores_wait_and_says_so() -> anyhow::Result<()> {
    let Some(world) = World::real().await? else { return Ok(()) };
    let real = world.parts();
    let directory = tempfile::tempdir()?;
    let kubeconfig = directory.path().join("nowhere");
    std::fs::write(
        &kubeconfig,
        "{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1', insecure-skip-tls-verify: true}}], users: [{name: u, user: {token: t}}], contexts: [{name: shopwright, context: {cluster: c, user: u}}]}",
    )?;
    let mut settings = real.settings.clone();
    settings.retain(|(name, _)| name != "KUBECONFIG");
    settings.push(("KUBECONFIG".to_owned(), kubeconfig.display().to_string()));
    let ada = world.merchant("ada").await?;
    let mut lost = shopwright_system_tests::real::Server::start(&settings, directory.path()).await?;
    // Only the server that cannot reach its cluster is there to take the work up.
    let World::Real(mut real) = world else { unreachable!("asked for a real world") };
    real.server.kill()?;
    let ada_there = ada.at(&lost.base);

    let id = id_of(&ada_there.create("teashop", "medusa").await?);
    let start = std::time::Instant::now();
    let store = loop {
        let store = ada_there.store(&id).await?;
        if store["operation"]["status"] == "waiting" {
            break store;
        }
        assert!(start.elapsed().as_secs() < 60, "{store:#}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    };
    let code = store["operation"]["failure"]["code"].as_str().unwrap_or_default().to_owned();
    assert!(code == "cluster_unreachable" || code == "breaker_open", "{store:#}");
    assert_eq!(store["status"], "provisioning");

    lost.kill()?;
    real.server = real.another_server().await?;
    let ada = ada.at(real.base());
    let world = World::Real(real);
    assert_eq!(world.settled(&ada, &id).await?["status"], "ready");
    Ok(())
}

fn serve(settings: &[(String, String)], changes: &[(&str, &str)]) -> anyhow::Result<(Option<i32>, String)> {
    let mut command = Command::new(program());
    command.arg("serve").env_clear().env("PATH", std::env::var("PATH")?).envs(settings.iter().cloned());
    for (name, value) in changes {
        command.env(name, value);
    }
    let output = command.output()?;
    Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_cannot_work_says_what_to_do() -> anyhow::Result<()> {
    let Some(world) = World::real().await? else { return Ok(()) };
    let real = world.parts();
    let in_use = real.base().trim_start_matches("http://").to_owned();
    let secret = "a-password-that-must-not-be-shown";
    let database_down = format!("postgresql://nobody:{secret}@127.0.0.1:1/none");

    // The change, what the message names, what it says to do.
    let superuser = real.database.url.replacen("//shopwright@", "//root_of_tests@", 1);
    let cases: [(&str, &str, &str, &str); 7] = [
        ("HTTP_ADDR", &in_use, &in_use, "HTTP_ADDR"),
        ("DATABASE_URL", &database_down, "database", "DATABASE_URL"),
        ("DATABASE_URL", &superuser, "superuser", "DATABASE_URL"),
        ("KUBECONFIG", "/nowhere/kubeconfig", "/nowhere/kubeconfig", "KUBECONFIG"),
        ("KUBE_CONTEXT", "nonsense", "nonsense", "KUBE_CONTEXT"),
        ("HELM_BIN", "/nowhere/helm", "/nowhere/helm", "HELM_BIN"),
        ("CHARTS_DIR", "/nowhere/charts", "/nowhere/charts", "CHARTS_DIR"),
    ];
    for (name, value, names, remedy) in cases {
        let (code, message) = serve(&real.settings, &[(name, value)])?;
        assert!(code.is_some_and(|code| code != 0), "{name}: {message}");
        assert!(message.contains(names) && message.contains(remedy), "{name}: {message}");
        assert!(!message.contains("panicked") && !message.contains(secret), "{name}: {message}");
    }

    // All mistakes at once.
    let (_, message) =
        serve(&real.settings, &[("HTTP_ADDR", "here"), ("STORE_SCHEME", "gopher"), ("MAX_STORES_PER_USER", "many")])?;
    for name in ["HTTP_ADDR", "STORE_SCHEME", "MAX_STORES_PER_USER"] {
        assert!(message.contains(name), "{message}");
    }
    Ok(())
}
