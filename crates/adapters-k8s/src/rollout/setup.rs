//! The set-up Job: how it ended, and what it wrote as its last words.

use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, Pod};
use kube::ResourceExt;
use serde::Deserialize;
use shopwright_domain::error_code::ErrorCode;
use shopwright_domain::operation::SetupStep;
use shopwright_ports::cluster::SetupResult;

use super::assess::{Trouble, tidy};
use super::objects::StoreObjects;
use super::pods::how_it_ended;

/// Images of the test harness, whose pods only pretend to run, may end without a result (DECISIONS 37).
const FAKE_IMAGES: &str = "fake.shopwright.test/";

/// The line that a set-up writes to its termination log.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Report {
    result: String,
    version: Option<String>,
    note: Option<String>,
    steps: Vec<ReportedStep>,
    step: Option<String>,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ReportedStep {
    name: String,
    ms: u64,
}

/// The result of the set-up, or why there is none (yet).
pub(super) fn outcome(objects: &StoreObjects) -> Result<SetupResult, Trouble> {
    let Some(job) = newest(objects) else {
        return Err(Trouble::passing(ErrorCode::RolloutTimeout, "the set-up has not begun"));
    };
    let pods: Vec<_> = objects.pods.iter().filter(|pod| belongs(pod, job)).collect();
    if has(job, "Failed") {
        return Err(Trouble::lasting(ErrorCode::SetupFailed, why_it_failed(job, &pods)));
    }
    if has(job, "Complete") {
        return result(job, &pods);
    }
    match last_failure(&pods) {
        Some(words) => Err(Trouble::passing(ErrorCode::SetupFailed, format!("{words}; it is tried again"))),
        None => Err(Trouble::passing(ErrorCode::RolloutTimeout, format!("set-up {} is running", job.name_any()))),
    }
}

/// The set-up of the newest release: one of an earlier release is going away while its successor works.
pub(super) fn newest(objects: &StoreObjects) -> Option<&Arc<Job>> {
    let live = objects.jobs.iter().filter(|job| job.metadata.deletion_timestamp.is_none());
    live.max_by_key(|job| job.metadata.creation_timestamp.clone())
}

fn has(job: &Job, condition: &str) -> bool {
    let conditions = job.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|it| it.type_ == condition && it.status == "True")
}

pub(super) fn belongs(pod: &Pod, job: &Job) -> bool {
    let uid = job.metadata.uid.as_deref();
    uid.is_some() && pod.owner_references().iter().any(|owner| Some(owner.uid.as_str()) == uid)
}

/// How the pod's main container ended.
fn end(pod: &Pod) -> Option<&ContainerStateTerminated> {
    let containers = pod.status.as_ref()?.container_statuses.as_ref()?;
    containers.iter().find_map(|container| container.state.as_ref()?.terminated.as_ref())
}

fn report(end: &ContainerStateTerminated) -> Option<Report> {
    let line = end.message.as_deref()?.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    serde_json::from_str(line).ok()
}

fn result(job: &Job, pods: &[&Arc<Pod>]) -> Result<SetupResult, Trouble> {
    let ended_well = pods.iter().filter_map(|pod| end(pod)).find(|end| end.exit_code == 0);
    match ended_well.and_then(report) {
        Some(report) if report.result == "ok" => Ok(SetupResult {
            version: report.version,
            note: report.note,
            steps: report.steps.into_iter().map(|step| SetupStep { name: step.name, millis: step.ms }).collect(),
        }),
        Some(report) => Err(Trouble::lasting(ErrorCode::SetupFailed, words_of(&report))),
        None if is_fake(job) => Ok(SetupResult::default()),
        None => {
            let detail = format!(
                "Job {} is complete, but no pod of it holds a result; delete the Job, then retry",
                job.name_any()
            );
            Err(Trouble::lasting(ErrorCode::SetupResultMissing, detail))
        }
    }
}

fn is_fake(job: &Job) -> bool {
    let spec = job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    spec.is_some_and(|spec| {
        let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
        let mut images = containers.map(|container| container.image.as_deref().unwrap_or_default());
        !spec.containers.is_empty() && images.all(|image| image.starts_with(FAKE_IMAGES))
    })
}

fn why_it_failed(job: &Job, pods: &[&Arc<Pod>]) -> String {
    last_failure(pods).unwrap_or_else(|| {
        let conditions = job.status.as_ref().and_then(|status| status.conditions.as_ref());
        let failed = conditions.into_iter().flatten().find(|it| it.type_ == "Failed");
        let reason = failed.and_then(|it| it.reason.as_deref()).unwrap_or("failed");
        let message = failed.and_then(|it| it.message.as_deref()).unwrap_or_default();
        tidy(&format!("{reason}: {message}"))
    })
}

/// The words of the pod that failed last.
fn last_failure(pods: &[&Arc<Pod>]) -> Option<String> {
    let ends = pods.iter().filter_map(|pod| end(pod)).filter(|end| end.exit_code != 0);
    let last = ends.max_by_key(|end| end.finished_at.clone())?;
    Some(match report(last) {
        Some(report) => words_of(&report),
        None => how_it_ended(last),
    })
}

fn words_of(report: &Report) -> String {
    let reason = report.reason.as_deref().unwrap_or("no reason given");
    tidy(&match &report.step {
        Some(step) => format!("step {step}: {reason}"),
        None => reason.to_owned(),
    })
}
