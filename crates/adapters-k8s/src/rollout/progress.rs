//! How far the set-up has come that runs just now: its log says each step when that is done (store-common's README has the contract).
//!
//! It is told to readers and decides nothing, so whatever keeps it from being read is no error; and it is read from a kubelet, whose silence
//! says nothing about the cluster.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::core::subresource::LogParams;
use shopwright_domain::operation::SetupStep;
use shopwright_ports::cluster::Fence;

use super::objects::StoreObjects;
use super::setup;
use crate::KubeCluster;
use crate::calls::Identity;

/// How long a kubelet may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// More than a set-up says.
const MOST_BYTES: i64 = 256 * 1024;
/// More steps than any set-up has, and longer names.
const MOST_STEPS: usize = 64;
const LONGEST_NAME: usize = 64;

impl KubeCluster {
    pub(crate) async fn read_setup_progress(&self, fence: &Fence) -> Vec<SetupStep> {
        let cached = self.watches.objects(&fence.store_id);
        let Some(pod) = cached.as_ref().and_then(running_pod) else { return Vec::new() };
        self.read_steps(fence, &pod).await
    }

    async fn read_steps(&self, fence: &Fence, pod: &str) -> Vec<SetupStep> {
        let params = LogParams { limit_bytes: Some(MOST_BYTES), ..LogParams::default() };
        let log = self.calls.log(Identity::worker(fence), fence.store_id.namespace(), pod, &params);
        match tokio::time::timeout(PATIENCE, log).await {
            Ok(Ok(log)) => steps(&log),
            Ok(Err(_)) | Err(_) => Vec::new(),
        }
    }
}

/// The pod of the newest set-up, if it runs.
fn running_pod(objects: &StoreObjects) -> Option<String> {
    let job: &Arc<Job> = setup::newest(objects)?;
    let running = |pod: &&Arc<Pod>| {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        setup::belongs(pod, job) && phase == Some("Running") && pod.metadata.deletion_timestamp.is_none()
    };
    let running = objects.pods.iter().filter(running);
    running.max_by_key(|pod| pod.metadata.creation_timestamp.clone()).map(|pod| pod.name_any())
}

/// The lines `setup: NAME, N ms` of a log, with or without more in parentheses. Whatever else the engine says is passed over.
fn steps(log: &str) -> Vec<SetupStep> {
    log.lines().filter_map(step).take(MOST_STEPS).collect()
}

fn step(line: &str) -> Option<SetupStep> {
    let (name, rest) = line.strip_prefix("setup: ")?.split_once(", ")?;
    let (millis, rest) = rest.split_once(" ms")?;
    let is_name = (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let ends = rest.trim_end().is_empty() || rest.starts_with(" (");
    (is_name && ends).then_some(())?;
    Some(SetupStep { name: name.to_owned(), millis: millis.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};
    use shopwright_domain::{Epoch, StoreId};

    use super::*;
    use crate::scripted::{Answer, calls};

    fn done(name: &str, millis: u64) -> SetupStep {
        SetupStep { name: name.to_owned(), millis }
    }

    #[test]
    fn the_steps_of_a_log_are_told_in_their_order_and_nothing_else_is() {
        let log = "setup: database, 12 ms\nMySQL says hello\nsetup: record, 3 ms (new store)\r\nsetup: this store is set up already\n\
                   setup: , 1 ms\nsetup: Bad, 1 ms\nsetup: theme, -1 ms\nsetup: theme, 5 msec\nxsetup: theme, 5 ms\nsetup: wait-database, 1234 ms\nsetup: pag";

        assert_eq!(steps(log), [done("database", 12), done("record", 3), done("wait-database", 1234)]);
        assert_eq!(steps(&"setup: again, 1 ms\n".repeat(100)).len(), MOST_STEPS);
        assert_eq!(steps(&format!("setup: {}, 1 ms", "x".repeat(65))), []);
    }

    fn objects(jobs: &[Value], pods: &[Value]) -> StoreObjects {
        StoreObjects {
            store_id: StoreId::from_random(1),
            deployments: vec![],
            stateful_sets: vec![],
            jobs: jobs.iter().map(|job| Arc::new(from_value(job.clone()).unwrap())).collect(),
            pods: pods.iter().map(|pod| Arc::new(from_value(pod.clone()).unwrap())).collect(),
            claims: vec![],
            events: vec![],
        }
    }

    #[test]
    fn the_pod_of_the_newest_set_up_is_the_one_that_speaks_and_only_while_it_runs() {
        let job = |name: &str, day: u32| json!({"metadata": {"name": name, "uid": name, "creationTimestamp": format!("2026-01-0{day}T00:00:00Z")}});
        let pod = |name: &str, job: &str, phase: &str, day: u32| {
            let owner = json!({"apiVersion": "batch/v1", "kind": "Job", "name": job, "uid": job});
            json!({"metadata": {"name": name, "ownerReferences": [owner], "creationTimestamp": format!("2026-01-0{day}T00:00:00Z")}, "status": {"phase": phase}})
        };
        let jobs = [job("setup-old", 1), job("setup-new", 2)];
        let pods = [
            pod("old", "setup-old", "Running", 9),
            pod("first", "setup-new", "Failed", 3),
            pod("second", "setup-new", "Running", 4),
            pod("third", "setup-new", "Pending", 5),
        ];

        assert_eq!(running_pod(&objects(&jobs, &pods)).as_deref(), Some("second"));
        assert_eq!(running_pod(&objects(&jobs, &pods[..2])), None);
        assert_eq!(running_pod(&objects(&[], &pods)), None);
    }

    #[tokio::test]
    async fn a_log_is_read_as_the_worker_and_one_that_cannot_be_had_is_none() {
        let fence = Fence { store_id: StoreId::from_random(1), epoch: Epoch(7) };
        for (code, expected) in [(200, vec![done("database", 12)]), (404, vec![]), (500, vec![])] {
            let (calls, seen) = calls(move |_| Answer::text(code, "setup: database, 12 ms\n"));
            let cluster = KubeCluster::mocked(calls);

            assert_eq!(cluster.read_steps(&fence, "setup-1-x").await, expected);

            let asked = &seen.all()[0];
            assert_eq!(asked.path, "/api/v1/namespaces/store-00000001/pods/setup-1-x/log");
            assert_eq!(asked.headers["impersonate-user"], crate::names::WORKER_USER);
            assert_eq!(asked.parameter("limitBytes"), Some("262144"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_kubelet_that_does_not_answer_holds_nobody_up() {
        let fence = Fence { store_id: StoreId::from_random(1), epoch: Epoch(7) };
        let (calls, _) = calls(|_| Answer::events(&[]));
        let start = tokio::time::Instant::now();

        assert_eq!(KubeCluster::mocked(calls).read_steps(&fence, "setup-1-x").await, []);

        assert_eq!(start.elapsed(), PATIENCE);
    }
}
