//! Why a store does not come up, on real pods: each cause is told by its code, with the pod's own words, within a minute (issue 6). docs/ENGINES.md
//! has the table.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use shopwright_system_tests::client::id_of;
use shopwright_system_tests::real::{Real, StorePods, workspace};
use shopwright_system_tests::{Merchant, World, shop};

/// The promise.
const MINUTE: Duration = Duration::from_mins(1);

/// A cause, as an engine whose stores all have it.
struct Cause {
    name: &'static str,
    /// What its values break.
    values: &'static str,
    /// What is told of it.
    code: &'static str,
    /// Words of whoever knows best.
    words: &'static [&'static str],
}

const CAUSES: [Cause; 8] = [
    Cause {
        name: "image-missing",
        // Nobody listens there, which is told at once; a name that cannot be resolved takes the runtime most of a minute.
        values: "images: {web: {repository: 127.0.0.1:9/nowhere}}",
        code: "image_pull",
        words: &["pod web-", "container web", "127.0.0.1:9/nowhere:1"],
    },
    Cause {
        name: "quota-too-small",
        values: "plans: {small: {quota: {limits.cpu: 50m}}}",
        code: "quota_exceeded",
        words: &["pods \"web-", "exceeded quota: store", "limits.cpu=200m"],
    },
    Cause {
        name: "no-room",
        values: "scheduling: {nodeSelector: {no: such-node}}",
        code: "unschedulable",
        words: &["pod web-", "0/1 nodes are available"],
    },
    Cause {
        name: "no-volume",
        values: "uploads: true",
        code: "volume_pending",
        words: &["storageclass.storage.k8s.io \"no-such-class\" not found"],
    },
    Cause {
        name: "crash-loop",
        values: "web: [sh, -c, exit 7]",
        code: "crash_loop",
        words: &["pod web-", "container web", "exit code 7"],
    },
    Cause {
        name: "setup-fails",
        values: r#"setupCommand: [sh, -c, 'echo "{\"result\": \"failed\", \"step\": \"begin\", \"reason\": \"the till is missing\"}" >/dev/termination-log; exit 3']"#,
        code: "setup_failed",
        words: &["step begin: the till is missing"],
    },
    Cause {
        name: "probe-fails",
        values: "web: [httpd, -f, -p, '8080', -h, /tmp]",
        code: "probe_failing",
        words: &["pod web-", "container web runs, but is not ready", "statuscode: 404"],
    },
    Cause {
        name: "no-database",
        values: "db: [-c, 'echo starting; echo the disk is full >&2; exit 1']",
        code: "crash_loop",
        words: &["pod db-0", "container db", "exit code 1", "the disk is full"],
    },
];

/// One more, whose stores are well but for a set-up that takes for ever.
const ENDLESS: &str = "endless";

/// A chart of this name from the one that every cause shares.
fn engine(directory: &Path, name: &str, values: &str) -> anyhow::Result<()> {
    let (from, to) = (workspace().join("tests/engines/troubled"), directory.join(name));
    std::fs::create_dir_all(to.join("templates"))?;
    std::fs::create_dir_all(to.join("charts"))?;
    for file in
        [".helmignore", "templates/_engine.tpl", "templates/store.yaml", "values-local.yaml", "values-production.yaml"]
    {
        std::fs::copy(from.join(file), to.join(file))?;
    }
    std::fs::write(to.join("values.yaml"), std::fs::read_to_string(from.join("values.yaml"))?)?;
    let chart = std::fs::read_to_string(from.join("Chart.yaml"))?;
    std::fs::write(to.join("Chart.yaml"), chart.replace("name: troubled", &format!("name: {name}")))?;
    let mut descriptor = std::fs::read_to_string(from.join("engine.toml"))?;
    if values.starts_with("setupCommand") {
        descriptor.push_str("\n[setup]\nsteps = [\"begin\"]\n");
    }
    std::fs::write(to.join("engine.toml"), descriptor)?;
    let common = workspace().join("charts/store-common");
    if name != "no-volume" {
        return Ok(symlink(common, to.join("charts/store-common"))?);
    }
    // The platform's own setting wins over values: here the chart does not ask it.
    let copied = to.join("charts/store-common/templates");
    std::fs::create_dir_all(&copied)?;
    std::fs::copy(common.join("Chart.yaml"), to.join("charts/store-common/Chart.yaml"))?;
    for template in std::fs::read_dir(common.join("templates"))? {
        let template = template?;
        let text = std::fs::read_to_string(template.path())?;
        let text = text.replace("with .root.Values.cluster.storageClassName", "with \"no-such-class\"");
        std::fs::write(copied.join(template.file_name()), text)?;
    }
    Ok(())
}

/// What is told of the store, once that is this.
async fn told(world: &World, merchant: &Merchant, id: &str, code: &str, words: &[&str]) -> anyhow::Result<String> {
    let failure = |store: &Value| store["operation"]["failure"].clone();
    let is_it = |store: &Value| {
        let failure = failure(store);
        let detail = failure["detail"].as_str().unwrap_or_default();
        failure["code"] == code && words.iter().all(|word| detail.contains(word))
    };
    let store = world.until(merchant, id, is_it).await?;
    Ok(failure(&store)["detail"].as_str().unwrap_or_default().to_owned())
}

async fn is_told_within_a_minute(world: &World, merchant: &Merchant, cause: &Cause) -> anyhow::Result<String> {
    let id = id_of(&merchant.create(cause.name, cause.name).await?);
    // Helm runs take turns; the cause is there once it has run for this store.
    let installed = |store: &Value| store["operation"]["step"] == "await_workloads" || store["status"] == "failed";
    world.until(merchant, &id, installed).await?;
    let start = Instant::now();
    let detail = told(world, merchant, &id, cause.code, cause.words).await?;
    println!("{:>6.1?} {}: {}: {detail}", start.elapsed(), cause.name, cause.code);
    assert!(start.elapsed() < MINUTE, "{}", cause.name);
    Ok(id)
}

/// The kubelet stands still until this is dropped.
struct Silence;

impl Silence {
    fn of_the_node() -> anyhow::Result<Self> {
        anyhow::ensure!(
            std::env::var("CLUSTER_NAME").is_ok(),
            "CLUSTER_NAME and CLUSTER_INDEX are needed, to stop the kubelet: run `make e2e`"
        );
        kubelet("pause")?;
        Ok(Self)
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        if let Err(error) = kubelet("resume") {
            eprintln!("{error:#}");
        }
    }
}

fn kubelet(verb: &str) -> anyhow::Result<()> {
    let output = Command::new(workspace().join("tests/cluster/cluster")).args([verb, "kubelet"]).output()?;
    anyhow::ensure!(output.status.success(), "{verb} kubelet: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// RELIABILITY F61.
async fn a_silent_node_is_told_within_a_minute(world: &World, merchant: &Merchant) -> anyhow::Result<String> {
    let id = id_of(&merchant.create(ENDLESS, ENDLESS).await?);
    let pods = StorePods::of(&world.parts().cluster, &id);
    let node = pods.node_of_the_ready("web").await?;
    let (silence, start) = (Silence::of_the_node()?, Instant::now());
    world.parts().cluster.until_node_is(&node, false).await?;
    let noticed = Instant::now();
    let words = format!("its node {node} does not answer");
    let detail = told(world, merchant, &id, "node_lost", &["pod web-", &words]).await?;
    println!(
        "{:>6.1?} {ENDLESS}, {:.1?} of it until the cluster noticed: node_lost: {detail}",
        start.elapsed(),
        noticed - start
    );
    assert!(noticed.elapsed() < MINUTE);
    drop(silence);
    world.parts().cluster.until_node_is(&node, true).await?;
    Ok(id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_keeps_a_store_from_coming_up_is_told_within_a_minute_in_the_pods_own_words() -> anyhow::Result<()> {
    let Some((node_ip, values)) = shop::node()? else { return Ok(()) };
    let charts = tempfile::tempdir()?;
    for Cause { name, values: broken, .. } in &CAUSES {
        engine(charts.path(), name, broken)?;
        std::fs::write(values.path().join(format!("{name}.yaml")), broken)?;
    }
    let endless = "setupCommand: [sleep, '3600']";
    engine(charts.path(), ENDLESS, endless)?;
    std::fs::write(values.path().join(format!("{ENDLESS}.yaml")), endless)?;
    let extra = vec![("CHARTS_DIR".to_owned(), charts.path().display().to_string())];
    let Some(real) = Real::on_node(&node_ip, values, extra).await? else { return Ok(()) };
    let world = World::Real(Box::new(real));
    let ada = world.merchant("ada").await?;

    // RELIABILITY F41, F60.
    let told = CAUSES.iter().map(|cause| is_told_within_a_minute(&world, &ada, cause));
    let mut stores = futures::future::try_join_all(told).await?;
    // F61.
    stores.push(a_silent_node_is_told_within_a_minute(&world, &ada).await?);

    for id in &stores {
        ada.delete(&format!("/stores/{id}")).await?;
    }
    for id in &stores {
        assert_eq!(world.until(&ada, id, |store| store["status"] == "deleted").await?["status"], "deleted");
    }
    Ok(())
}
