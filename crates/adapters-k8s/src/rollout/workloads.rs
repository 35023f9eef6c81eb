//! Deployments, stateful sets and volume claims: what they wait for, and what their controllers complain about.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Event;
use shopwright_domain::error_code::ErrorCode;

use super::assess::{Trouble, tidy};
use super::objects::StoreObjects;

pub(super) fn troubles(objects: &StoreObjects) -> Vec<Trouble> {
    let deployments = objects.deployments.iter().flat_map(|deployment| of_deployment(deployment));
    let stateful_sets = objects.stateful_sets.iter().filter_map(|stateful_set| of_stateful_set(stateful_set));
    let claims = objects.claims.iter().filter_map(|claim| {
        let phase = claim.status.as_ref()?.phase.as_deref()?;
        let name = claim.metadata.name.as_deref().unwrap_or_default();
        match phase {
            "Bound" => None,
            _ => Some(Trouble::passing(ErrorCode::VolumePending, format!("volume claim {name} is {phase}"))),
        }
    });
    let mut troubles: Vec<_> = deployments.chain(stateful_sets).collect();
    // A pod that runs has its volumes, whatever the claim's status says; one that does not may wait for them.
    if !troubles.is_empty() {
        // A provisioner's own words come before the mere state of the claim.
        troubles.extend(objects.events.iter().filter_map(of_event));
        troubles.extend(claims);
    }
    troubles
}

fn waiting(kind: &str, name: Option<&String>, ready: i32, wanted: i32) -> Trouble {
    let name = name.map(String::as_str).unwrap_or_default();
    Trouble::passing(ErrorCode::RolloutTimeout, format!("{kind} {name}: {ready} of {wanted} pods are ready"))
}

fn of_deployment(deployment: &Deployment) -> Vec<Trouble> {
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let status = deployment.status.clone().unwrap_or_default();
    let ready = status.ready_replicas.unwrap_or_default();
    let seen = status.observed_generation >= deployment.metadata.generation;
    let updated = status.updated_replicas.unwrap_or_default();
    if seen && ready >= wanted && updated >= wanted && status.replicas.unwrap_or_default() == updated {
        return Vec::new();
    }
    let refused = status.conditions.iter().flatten().find(|it| it.type_ == "ReplicaFailure" && it.status == "True");
    let refused = refused.map(|it| refused_pod(it.message.as_deref().unwrap_or_default()));
    let waiting = waiting("deployment", deployment.metadata.name.as_ref(), ready, wanted);
    refused.into_iter().chain([waiting]).collect()
}

fn of_stateful_set(stateful_set: &StatefulSet) -> Option<Trouble> {
    let wanted = stateful_set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let status = stateful_set.status.clone().unwrap_or_default();
    let ready = status.ready_replicas.unwrap_or_default();
    let seen = status.observed_generation >= stateful_set.metadata.generation;
    let updated = status.update_revision.is_none()
        || status.update_revision == status.current_revision
        || status.updated_replicas.unwrap_or_default() >= wanted;
    if seen && updated && ready >= wanted {
        None
    } else {
        Some(waiting("stateful set", stateful_set.metadata.name.as_ref(), ready, wanted))
    }
}

/// Stateful sets and Jobs tell of refused pods, and provisioners of refused volumes, by events alone.
fn of_event(event: &Event) -> Option<Trouble> {
    let message = event.message.as_deref().unwrap_or_default();
    match event.reason.as_deref()? {
        "FailedCreate" => Some(refused_pod(message)),
        "ProvisioningFailed" => Some(Trouble::passing(ErrorCode::VolumePending, tidy(message))),
        _ => None,
    }
}

/// Admission said no to a pod or claim that a controller wanted to make. The controller goes on trying.
fn refused_pod(message: &str) -> Trouble {
    let code = if message.contains("exceeded quota") { ErrorCode::QuotaExceeded } else { ErrorCode::ReleaseFailed };
    Trouble::passing(code, tidy(message))
}
