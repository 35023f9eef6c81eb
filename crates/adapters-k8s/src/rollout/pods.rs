//! Pods: why a container does not run, does not stay, or does not become ready.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, Event, Pod};
use kube::ResourceExt;
use shopwright_domain::error_code::ErrorCode;

use super::assess::{Trouble, tidy, tidy_end};
use super::objects::StoreObjects;

/// After so many restarts a container is not expected to stay up without a change.
const LAST_RESTART: i32 = 5;

pub(super) fn troubles(objects: &StoreObjects) -> Vec<Trouble> {
    let alive = objects.pods.iter().filter(|pod| is_alive(pod)).flat_map(|pod| of_pod(pod, &objects.events));
    alive.chain(objects.pods.iter().filter_map(|pod| taken_from_its_node(pod))).collect()
}

/// A pod that is going away, or has ended, says nothing about its successor; the set-up's pods are read for their result elsewhere.
fn is_alive(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    pod.metadata.deletion_timestamp.is_none() && !matches!(phase, Some("Succeeded" | "Failed"))
}

fn of_pod(pod: &Pod, events: &[Event]) -> Vec<Trouble> {
    let Some(status) = &pod.status else { return Vec::new() };
    let scheduled = status.conditions.iter().flatten().find(|it| it.type_ == "PodScheduled");
    if let Some(refusal) = scheduled.filter(|it| it.status == "False") {
        return vec![unschedulable(pod, refusal.message.as_deref().unwrap_or_default())];
    }
    let init = status.init_container_statuses.iter().flatten();
    let main = status.container_statuses.iter().flatten();
    let mut troubles: Vec<_> = init.chain(main.clone()).filter_map(|container| of_container(pod, container)).collect();
    // The set-up's containers have no probes, and are not meant to be ready.
    let is_job = pod.labels().contains_key("batch.kubernetes.io/job-name");
    if troubles.is_empty() && !is_job {
        troubles.extend(main.filter_map(|container| unready(pod, container, events)));
        troubles.extend(silent_node(pod));
    }
    troubles
}

/// A pod that is taken away because its node does not answer. It stays for as long as the node cannot confirm its end, and a stateful
/// set waits for it (RELIABILITY F61).
fn taken_from_its_node(pod: &Pod) -> Option<Trouble> {
    pod.metadata.deletion_timestamp.as_ref()?;
    let status = pod.status.as_ref()?;
    let disruption =
        status.conditions.iter().flatten().find(|it| it.type_ == "DisruptionTarget" && it.status == "True");
    let by_taint = disruption.filter(|it| it.reason.as_deref() == Some("DeletionByTaintManager"));
    if by_taint.is_none() && status.reason.as_deref() != Some("NodeLost") {
        return None;
    }
    let why = by_taint.and_then(|it| it.message.as_deref()).or(status.message.as_deref()).unwrap_or_default();
    Some(Trouble::passing(ErrorCode::NodeLost, format!("{} is lost: {}", on_its_node(pod), tidy(why))))
}

fn on_its_node(pod: &Pod) -> String {
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or("none");
    format!("pod {}: its node {node}", pod.name_any())
}

/// The node's last words were that all is well, and since then it has said nothing.
fn silent_node(pod: &Pod) -> Option<Trouble> {
    let status = pod.status.as_ref()?;
    let unready = status.conditions.iter().flatten().any(|it| it.type_ == "Ready" && it.status == "False");
    let mut containers = status.container_statuses.iter().flatten().peekable();
    let all_well = containers.peek().is_some() && containers.all(|container| container.ready);
    let trouble = || Trouble::passing(ErrorCode::NodeLost, format!("{} does not answer", on_its_node(pod)));
    (unready && all_well).then(trouble)
}

fn unschedulable(pod: &Pod, message: &str) -> Trouble {
    let lowered = message.to_lowercase();
    let volumes = lowered.contains("persistentvolumeclaim") || lowered.contains("persistent volume");
    let code = if volumes { ErrorCode::VolumePending } else { ErrorCode::Unschedulable };
    Trouble::passing(code, format!("pod {}: {}", pod.name_any(), tidy(message)))
}

fn of_container(pod: &Pod, container: &ContainerStatus) -> Option<Trouble> {
    let state = container.state.as_ref()?;
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.as_deref().unwrap_or_default();
        let detail =
            || format!("{}: {reason}: {}", whose(pod, container), tidy(waiting.message.as_deref().unwrap_or_default()));
        match reason {
            "ErrImagePull" | "ImagePullBackOff" | "RegistryUnavailable" => {
                return Some(Trouble::passing(ErrorCode::ImagePull, detail()));
            }
            // Pulling again cannot help: the name is none, or pulling is not allowed and the node has no such image.
            "InvalidImageName" | "ErrImageNeverPull" => return Some(Trouble::lasting(ErrorCode::ImagePull, detail())),
            "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
                return Some(Trouble::passing(ErrorCode::CrashLoop, detail()));
            }
            _ => {}
        }
    }
    crashed(pod, container, state)
}

/// A container that has died, and does not run well again.
fn crashed(pod: &Pod, container: &ContainerStatus, state: &ContainerState) -> Option<Trouble> {
    let runs_well = container.ready || (state.running.is_some() && container.restart_count < LAST_RESTART);
    let now = state.terminated.as_ref();
    let before = container.last_state.as_ref().and_then(|last| last.terminated.as_ref());
    let end = now.or(before).filter(|end| end.exit_code != 0)?;
    // An init container that has done its work is "terminated", with 0.
    if runs_well || now.is_some_and(|now| now.exit_code == 0) {
        return None;
    }
    let times = container.restart_count;
    let detail = format!("{}: {}; restarted {times} times", whose(pod, container), how_it_ended(end));
    if times >= LAST_RESTART {
        Some(Trouble::lasting(ErrorCode::CrashLoop, detail))
    } else {
        Some(Trouble::passing(ErrorCode::CrashLoop, detail))
    }
}

/// The words of an end: `OOMKilled`, the exit code, and the container's own last message.
pub(super) fn how_it_ended(end: &ContainerStateTerminated) -> String {
    let reason = end.reason.as_deref().filter(|reason| !matches!(*reason, "" | "Error"));
    let mut text = match reason {
        Some(reason) => format!("{reason}, exit code {}", end.exit_code),
        None => format!("exit code {}", end.exit_code),
    };
    if let Some(message) = end.message.as_deref().map(tidy_end).filter(|message| !message.is_empty()) {
        text = format!("{text}: {message}");
    }
    text
}

fn unready(pod: &Pod, container: &ContainerStatus, events: &[Event]) -> Option<Trouble> {
    let running = container.state.as_ref().is_some_and(|state| state.running.is_some());
    if !running || container.ready {
        return None;
    }
    let mut detail = format!("{} runs, but is not ready", whose(pod, container));
    if let Some(words) = words_of_its_probe(pod, container, events) {
        detail = format!("{detail}: {}", tidy(words));
    }
    Some(Trouble::passing(ErrorCode::ProbeFailing, detail))
}

/// What the kubelet was answered last when it asked the container.
fn words_of_its_probe<'a>(pod: &Pod, container: &ContainerStatus, events: &'a [Event]) -> Option<&'a str> {
    let field = format!("{{{}}}", container.name);
    let of_container = events.iter().filter(|event| {
        let object = &event.involved_object;
        event.reason.as_deref() == Some("Unhealthy")
            && object.uid == pod.metadata.uid
            && object.field_path.as_deref().is_some_and(|path| path.ends_with(&field))
    });
    of_container.max_by_key(|event| event.last_timestamp.clone())?.message.as_deref()
}

fn whose(pod: &Pod, container: &ContainerStatus) -> String {
    format!("pod {}, container {}", pod.name_any(), container.name)
}
