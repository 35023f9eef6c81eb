//! A cluster whose admission policies are gone takes no work, says so, and goes on by itself once it is prepared. RELIABILITY S51.

use std::process::Command;
use std::time::{Duration, Instant};

use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicyBinding;
use kube::Api;
use kube::api::DeleteParams;
use shopwright_adapters_k8s::{FenceError, KubeCluster, KubeSettings, KubeSource};
use shopwright_system_tests::World;
use shopwright_system_tests::client::id_of;
use shopwright_system_tests::real::{Environment, Real, program};

fn prepare(environment: &Environment) -> anyhow::Result<()> {
    let output = Command::new(program())
        .args(["clusters", "prepare", "--admin-kubeconfig"])
        .arg(&environment.admin_kubeconfig)
        .env_remove("KUBECONFIG")
        .output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Takes the fence away. An apiserver goes by what it knew for a moment longer: returns once it lets through what it has to refuse.
async fn open(real: &Real) -> anyhow::Result<()> {
    let bindings = Api::<ValidatingAdmissionPolicyBinding>::all(real.cluster.client());
    bindings.delete("shopwright-fence", &DeleteParams::default()).await?;

    let path = real.settings.iter().find_map(|(name, value)| (name == "KUBECONFIG").then(|| value.into()));
    let path = path.ok_or_else(|| anyhow::anyhow!("servers are started without a kubeconfig"))?;
    let source = KubeSource::Kubeconfig { path, context: "shopwright".to_owned() };
    let cluster = KubeCluster::connect(KubeSettings::new(source)).await?;
    let start = Instant::now();
    loop {
        match cluster.verify().await {
            Err(FenceError::Open(_)) => return Ok(()),
            verdict => anyhow::ensure!(start.elapsed() < Duration::from_mins(1), "still not open: {verdict:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_starts_without_the_fence_takes_no_work_and_goes_on_when_the_cluster_is_prepared() -> anyhow::Result<()>
{
    let Some(mut world) = World::real().await? else { return Ok(()) };
    let Some(environment) = Environment::read()? else { return Ok(()) };
    let ada = world.merchant("ada").await?;
    let World::Real(real) = &mut world else { unreachable!("asked for a real world") };
    real.server.kill()?;
    open(real).await?;

    // It starts all the same: the API serves, and heals without a restart.
    real.server = real.another_server().await?;
    let ada = ada.at(real.base());
    let store = ada.create("teashop", "medusa").await?;
    let id = id_of(&store);
    let start = Instant::now();
    while ada.store(&id).await?["operation"]["failure"]["code"] != "cluster_unfenced" {
        anyhow::ensure!(start.elapsed() < Duration::from_mins(1), "{:#}", ada.store(&id).await?);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let health = ada.get("/health").await?.body;
    assert_eq!(health["checks"]["kubernetes"]["fence"], "open", "{health:#}");
    assert!(health["checks"]["kubernetes"]["message"].as_str().is_some_and(|text| text.contains("clusters prepare")));
    assert_eq!(real.cluster.namespace_uid(&id).await?, None, "nothing was made");

    prepare(&environment)?;

    assert_eq!(world.settled(&ada, &id).await?["status"], "ready");
    Ok(())
}
