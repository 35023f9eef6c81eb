//! The pods of a store whose node is this machine: how far a set-up has come, how a process of theirs is killed, what they may use.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use futures::{AsyncBufReadExt, StreamExt, TryStreamExt};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod};
use kube::api::{DeleteParams, ListParams, LogParams, ObjectMeta, PostParams};
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Resource, ResourceExt};

use super::TestCluster;
use super::cgroups::{self, Limits};

/// Longer than any pod needs to start here.
const PATIENCE: Duration = Duration::from_mins(3);
const SETUPS: &str = "app.kubernetes.io/component=setup";

/// One store's pods, seen by an administrator of cluster and node.
#[derive(Debug)]
pub struct StorePods {
    pods: Api<Pod>,
    jobs: Api<Job>,
    schedules: Api<CronJob>,
    /// The set-up's pods that were shown already.
    shown: BTreeSet<String>,
}

impl StorePods {
    /// Of the store with this id.
    pub fn of(cluster: &TestCluster, id: &str) -> Self {
        let client = || cluster.client();
        let (pods, jobs) = (Api::namespaced(client(), id), Api::namespaced(client(), id));
        Self { pods, jobs, schedules: Api::namespaced(client(), id), shown: BTreeSet::new() }
    }

    /// The name of the set-up's Job.
    ///
    /// # Errors
    /// When there is not exactly one.
    pub async fn setup(&self) -> anyhow::Result<String> {
        Ok(self.job().await?.name_any())
    }

    async fn job(&self) -> anyhow::Result<Job> {
        let jobs = self.jobs.list(&ListParams::default().labels(SETUPS)).await?.items;
        let live = jobs.into_iter().filter(|job| job.metadata.deletion_timestamp.is_none());
        let [job] = <[Job; 1]>::try_from(live.collect::<Vec<_>>())
            .map_err(|all| anyhow::anyhow!("{} Jobs of the set-up", all.len()))?;
        Ok(job)
    }

    /// Passes over every pod of the set-up that there is now.
    ///
    /// # Errors
    /// The cluster's own.
    pub async fn skip_setups(&mut self) -> anyhow::Result<()> {
        let pods = self.pods.list(&ListParams::default().labels(SETUPS)).await?;
        self.shown.extend(pods.iter().filter_map(ResourceExt::uid));
        Ok(())
    }

    /// Waits until a pod of the set-up that was not shown before has begun.
    ///
    /// # Errors
    /// When none does in time.
    pub async fn next_setup(&mut self) -> anyhow::Result<String> {
        let pods = watcher(self.pods.clone(), watcher::Config::default().labels(SETUPS)).applied_objects();
        let shown = &self.shown;
        let is_new = |pod: &Pod| pod.uid().is_some_and(|uid| !shown.contains(&uid)) && has_begun(pod);
        let mut new = Box::pin(pods.try_filter(|pod| std::future::ready(is_new(pod))));
        let pod = tokio::time::timeout(PATIENCE, new.next()).await.context("no pod of the set-up has begun")?;
        let pod = pod.context("the watch has ended")??;
        drop(new);
        self.shown.extend(pod.uid());
        Ok(pod.name_any())
    }

    /// Waits until a component's pod is ready, and says on which node.
    ///
    /// # Errors
    /// When none is in time.
    pub async fn node_of_the_ready(&self, component: &str) -> anyhow::Result<String> {
        let labels = format!("app.kubernetes.io/component={component}");
        let pods = watcher(self.pods.clone(), watcher::Config::default().labels(&labels)).applied_objects();
        let is_ready = |pod: &Pod| states(pod).any(|container| container.ready);
        let mut ready = Box::pin(pods.try_filter(|pod| std::future::ready(is_ready(pod))));
        let pod =
            tokio::time::timeout(PATIENCE, ready.next()).await.with_context(|| format!("{component} is not ready"))?;
        let spec = pod.context("the watch has ended")??.spec;
        spec.and_then(|spec| spec.node_name).context("a pod that is ready and on no node")
    }

    /// Follows the log of a set-up's pod until its marker of this number, from 1, is behind it, and returns that marker's name. `None` when the
    /// pod ended before.
    ///
    /// # Errors
    /// When the log cannot be read, or says nothing for too long.
    pub async fn marker(&self, pod: &str, number: usize) -> anyhow::Result<Option<String>> {
        let all = LogParams { follow: true, ..LogParams::default() };
        let lines = self.pods.log_stream(pod, &all).await?.lines();
        let mut markers =
            Box::pin(lines.try_filter_map(|line| std::future::ready(Ok(marker_of(&line)))).skip(number - 1));
        let next = tokio::time::timeout(PATIENCE, markers.next()).await;
        Ok(next.with_context(|| format!("{pod} never came to its marker {number}"))?.transpose()?)
    }

    /// SIGKILL to every process of a pod's container. False when it had ended before.
    ///
    /// # Errors
    /// When the pod cannot be read.
    pub async fn kill(&self, pod: &str, container: &str) -> anyhow::Result<bool> {
        cgroups::kill(&container_id(&self.pods.get(pod).await?, container)?)
    }

    /// What an administrator does whom the Job's back-off is too long for: the same Job once more, from its first attempt.
    ///
    /// # Errors
    /// The cluster's own.
    pub async fn set_up_anew(&self) -> anyhow::Result<()> {
        let old = self.job().await?;
        self.jobs.delete(&old.name_any(), &DeleteParams::background()).await?;
        let Some(mut spec) = old.spec else { anyhow::bail!("a Job without a spec") };
        spec.selector = None;
        let ours = |name: &String| !name.ends_with("controller-uid") && !name.ends_with("job-name");
        for labels in spec.template.metadata.iter_mut().filter_map(|template| template.labels.as_mut()) {
            labels.retain(|name, _| ours(name));
        }
        let ObjectMeta { name, labels, annotations, .. } = old.metadata;
        let metadata = ObjectMeta { name, labels, annotations, ..ObjectMeta::default() };
        self.jobs.create(&PostParams::default(), &Job { metadata, spec: Some(spec), status: None }).await?;
        Ok(())
    }

    /// Runs what a schedule does as if its time had come, and waits until that has ended well.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn run_schedule(&self, name: &str) -> anyhow::Result<()> {
        let schedule = self.schedules.get(name).await?;
        let job = format!("{name}-now");
        let owner = schedule.controller_owner_ref(&());
        let metadata = ObjectMeta {
            name: Some(job.clone()),
            owner_references: owner.map(|owner| vec![owner]),
            ..ObjectMeta::default()
        };
        let spec = schedule.spec.job_template.spec;
        self.jobs.create(&PostParams::default(), &Job { metadata, spec, status: None }).await?;
        let done = await_condition(self.jobs.clone(), &job, conditions::is_job_completed());
        tokio::time::timeout(PATIENCE, done).await.with_context(|| format!("{job} has not ended well"))??;
        self.jobs.delete(&job, &DeleteParams::background()).await?;
        Ok(())
    }

    /// What the kernel lets the container of a component use.
    ///
    /// # Errors
    /// When it does not run, or this machine is not its node.
    pub async fn limits(&self, component: &str) -> anyhow::Result<Limits> {
        let labels = format!("app.kubernetes.io/component={component}");
        let pods = self.pods.list(&ListParams::default().labels(&labels)).await?;
        let runs = |container: &ContainerStatus| container.state.as_ref().is_some_and(|state| state.running.is_some());
        let pod = pods.items.into_iter().find(|pod| states(pod).any(runs));
        cgroups::limits(&container_id(&pod.with_context(|| format!("no pod of {component} runs"))?, component)?)
    }
}

fn states(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status.iter().filter_map(|status| status.container_statuses.as_ref()).flatten()
}

fn has_begun(pod: &Pod) -> bool {
    states(pod).any(|container| {
        matches!(&container.state, Some(ContainerState { running, terminated, .. }) if running.is_some() || terminated.is_some())
    })
}

fn container_id(pod: &Pod, container: &str) -> anyhow::Result<String> {
    let status = states(pod).find(|status| status.name == container);
    let id = status.and_then(|status| status.container_id.as_deref()).and_then(|id| id.split_once("://"));
    Ok(id.with_context(|| format!("{}: container {container} was never there", pod.name_any()))?.1.to_owned())
}

/// `setup: NAME, 12 ms` and perhaps more: how every set-up says that a step is done (store-common's README).
fn marker_of(line: &str) -> Option<String> {
    let (name, rest) = line.strip_prefix("setup: ")?.split_once(", ")?;
    let (millis, unit) = rest.split_once(' ')?;
    (millis.parse::<u64>().is_ok() && unit.starts_with("ms")).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_a_step_that_is_done_and_nothing_else_that_a_set_up_says() {
        assert_eq!(marker_of("setup: migrate-data, 3210 ms").as_deref(), Some("migrate-data"));
        assert_eq!(marker_of("setup: record, 4 ms (new store)").as_deref(), Some("record"));
        assert_eq!(marker_of("setup: waiting for the database: connect ECONNREFUSED, again"), None);
        assert_eq!(marker_of("setup: this store is set up already"), None);
    }
}
