//! A rollout under load: every replica is told to end and is replaced, then all of them at once (RELIABILITY F9).

use std::time::Duration;

use futures::future::try_join_all;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::ResourceExt;
use kube::api::ListParams;
use sqlx::{Connection, PgConnection};

use super::Stage;
use super::plan::REPLICAS;

/// What Kubernetes gives a pod by default before it kills it.
const GRACE: Duration = Duration::from_secs(30);

/// What was measured.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rolled {
    /// How many replicas were replaced.
    pub terminations: usize,
    /// The longest that one took to end.
    pub longest: Duration,
}

/// Replaces one after another, then all at once.
///
/// # Errors
/// When the harness cannot do it.
pub(super) async fn roll(stage: &Stage) -> anyhow::Result<Rolled> {
    let mut longest = Duration::ZERO;
    for slot in 0..REPLICAS {
        tokio::time::sleep(Duration::from_secs(1)).await;
        longest = longest.max(terminate(stage, slot).await?);
        stage.fleet.start(slot).await?;
    }
    for took in try_join_all((0..REPLICAS).map(|slot| terminate(stage, slot))).await? {
        longest = longest.max(took);
    }
    // Now nobody is there who could have begun anything since.
    let half_done = "owner=helm,status in (pending-install,pending-upgrade,pending-rollback,uninstalling)";
    for secret in Api::<Secret>::all(stage.cluster.client()).list(&ListParams::default().labels(half_done)).await? {
        let namespace = secret.namespace().unwrap_or_default();
        stage
            .violations
            .add(format!("{namespace}: a replica ended and left a record half done: {}", secret.name_any()));
    }
    try_join_all((0..REPLICAS).map(|slot| stage.fleet.start(slot))).await?;
    Ok(Rolled { terminations: 2 * REPLICAS, longest })
}

async fn terminate(stage: &Stage, slot: usize) -> anyhow::Result<Duration> {
    let worker = stage.fleet.working().into_iter().find(|(number, _)| *number == slot).map(|(_, worker)| worker);
    let (took, well) = stage.fleet.terminate(slot).await?;
    if !well || took > GRACE {
        stage.violations.add(format!(
            "replica {slot} was told to end and did so {} after {took:?}",
            if well { "well" } else { "badly" }
        ));
    }
    let mut connection = PgConnection::connect(&stage.database.url).await?;
    let (left,): (i64,) = sqlx::query_as("select count(*) from operations where status = 'running' and worker = $1")
        .bind(worker)
        .fetch_one(&mut connection)
        .await?;
    if left > 0 {
        stage.violations.add(format!("replica {slot} ended and gave {left} operations not back"));
    }
    Ok(took)
}
