//! Omicron's questions to a saga, asked of all of them: does it succeed, does it survive a failure at every step, can it be taken back at
//! every step, is every action harmless twice, does a crash between an effect and its record lose or double anything?

use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::saga::{
    DeleteStep, Policy, ProvisionStep, RevertStep, RotateStep, Step, StepStatus, UnwindStep, UpgradeStep,
};
use shopwright_domain::store::StoreState;
use shopwright_ports::testing::Snapshot;
use shopwright_simulation::exhaustive;
use shopwright_simulation::fault::{Class, Fault, Trouble};
use shopwright_simulation::history::Request;
use shopwright_simulation::plan::Rule;
use shopwright_simulation::replica::Settings;
use shopwright_simulation::run::TAIL;
use shopwright_simulation::stage::{Stage, expect, play};

/// Longer than any saga takes.
const FOR_EVER: usize = 100_000;

/// The call by which a step has its effect or learns of it; the last steps are transactions and nothing else.
const fn call_of(step: Step) -> Option<&'static str> {
    match step {
        Step::Provision(ProvisionStep::CreateNamespace) => Some("ensure_namespace"),
        Step::Delete(DeleteStep::UninstallRelease) | Step::Unwind(UnwindStep::UninstallRelease) => Some("uninstall"),
        Step::Delete(DeleteStep::DeleteNamespace) | Step::Unwind(UnwindStep::DeleteNamespace) => {
            Some("delete_namespace")
        }
        Step::Delete(DeleteStep::VerifyGone) | Step::Unwind(UnwindStep::VerifyGone) => Some("await_gone"),
        Step::Provision(ProvisionStep::CreateCredentials)
        | Step::Rotate(RotateStep::WriteCredentials | RotateStep::CleanCredentials)
        | Step::Revert(RevertStep::WriteCredentials | RevertStep::CleanCredentials) => Some("put_credentials"),
        Step::Provision(ProvisionStep::InstallRelease)
        | Step::Rotate(RotateStep::ApplyRelease)
        | Step::Upgrade(UpgradeStep::ApplyRelease)
        | Step::Revert(RevertStep::ApplyRelease) => Some("install"),
        Step::Provision(ProvisionStep::AwaitWorkloads)
        | Step::Rotate(RotateStep::AwaitWorkloads)
        | Step::Upgrade(UpgradeStep::AwaitWorkloads)
        | Step::Revert(RevertStep::AwaitWorkloads) => Some("await_workloads"),
        Step::Provision(ProvisionStep::VerifyStorefront)
        | Step::Rotate(RotateStep::VerifyStorefront)
        | Step::Upgrade(UpgradeStep::VerifyStorefront)
        | Step::Revert(RevertStep::VerifyStorefront) => Some("probe"),
        Step::Provision(ProvisionStep::Publish)
        | Step::Delete(DeleteStep::Release)
        | Step::Unwind(UnwindStep::Settle)
        | Step::Rotate(RotateStep::Promote)
        | Step::Upgrade(UpgradeStep::Adopt)
        | Step::Revert(RevertStep::Settle) => None,
    }
}

/// Where a saga that succeeds leaves its store.
const fn end_of(kind: OperationKind) -> StoreState {
    match kind {
        OperationKind::Provision | OperationKind::Rotate | OperationKind::Upgrade | OperationKind::Revert => {
            StoreState::Ready
        }
        OperationKind::Delete => StoreState::Deleted,
        OperationKind::Unwind => StoreState::Failed,
    }
}

fn every_step() -> impl Iterator<Item = (OperationKind, Step, &'static str)> {
    OperationKind::ALL
        .into_iter()
        .flat_map(|kind| kind.steps().iter().filter_map(move |step| Some((kind, *step, call_of(*step)?))))
}

fn one_replica() -> Settings {
    Settings { replicas: 1, ..Settings::default() }
}

#[test]
fn every_saga_succeeds_and_records_every_step() {
    for kind in OperationKind::ALL {
        play(Settings::default(), |stage| async move {
            let id = stage.begin(kind, |_| {}).await?;

            let operation = stage.ends(&id).await?;

            expect(operation.status == OperationStatus::Succeeded, || format!("{kind}: {operation:?}"))?;
            expect(stage.store(&id)?.state == end_of(kind), || format!("{kind}: {:?}", stage.store(&id)))?;
            let steps = stage.rows().steps_of(operation.id);
            let done = steps.iter().filter(|record| record.status == StepStatus::Succeeded).map(|record| record.step);
            expect(done.eq(kind.steps().iter().copied()), || format!("{kind}: {steps:?}"))?;
            stage.curtain(TAIL).await.map(drop)
        })
        .holds();
    }
}

#[test]
fn every_saga_survives_a_failure_of_every_step_that_passes() {
    // A store that a change took down is not kept down for a second look at it.
    let repeated = |step: &Step| !step.kind().is_reverted() || Policy::default().attempts(*step) > 2;
    for (kind, step, call) in every_step().filter(|(_, step, _)| repeated(step)) {
        play(Settings::default(), |stage| async move {
            let plan = |stage: &Stage| stage.world.plan().rule(Rule::new(call, Fault::Before(Trouble::Refused), 2));
            let id = stage.begin(kind, |_| plan(&stage)).await?;

            let operation = stage.ends(&id).await?;

            expect(operation.status == OperationStatus::Succeeded, || format!("{step}: {operation:?}"))?;
            stage.curtain(TAIL).await.map(drop)
        })
        .holds();
    }
}

/// RELIABILITY F62: and with a set-up of its own, for one that failed for good is not run again.
#[test]
fn a_provision_that_fails_at_any_step_is_retried_from_there() {
    for (kind, step, call) in every_step().filter(|(kind, ..)| *kind == OperationKind::Provision) {
        play(one_replica(), |stage| async move {
            stage.world.plan().rule(Rule::new(call, Fault::Before(Trouble::Refused), FOR_EVER));
            let (id, _) = stage.create("shop").await?;
            stage.world.watch().doom(&id);
            stage.becomes(&id, StoreState::Failed).await?;
            let failed = stage.operation(&id)?;
            expect(failed.status == OperationStatus::Failed, || format!("{step}: {failed:?}"))?;
            expect(failed.step == Some(step), || format!("{step}: failed at {:?}", failed.step))?;

            stage.world.plan().lift_rules();
            stage.insist("shop", Request::Retry(id.clone())).await?;
            let retried = stage.operation(&id)?;
            let kept = stage.rows().steps_of(retried.id);
            stage.becomes(&id, StoreState::Ready).await?;

            // Installing again is cheap, and only that replaces a set-up that failed for good; what comes before it stays done.
            let install = Step::Provision(ProvisionStep::InstallRelease);
            let wanted = kind.steps().iter().take_while(|it| **it != step && **it != install).count();
            expect(kept.len() == wanted, || format!("{step}: kept {kept:?}"))?;
            expect(stage.world.cluster.creations() == 1, || format!("{step}: a second namespace"))?;
            let set_up = stage.world.releases.installed().get(&id).map(|release| release.spec.setup_revision);
            expect(set_up == Some(1), || format!("{step}: the set-up of the first try: {set_up:?}"))?;
            stage.curtain(TAIL).await.map(drop)
        })
        .holds();
    }
}

#[test]
fn a_removal_that_cannot_go_on_at_any_step_is_shown_and_goes_on_when_the_cause_is_gone() {
    for (kind, step, call) in every_step().filter(|(kind, ..)| !kind.gives_up()) {
        play(one_replica(), |stage| async move {
            let plan = |stage: &Stage| stage.world.plan().rule(Rule::new(call, Fault::Before(Trouble::Refused), 40));
            let id = stage.begin(kind, |_| plan(&stage)).await?;

            let operation = stage.ends(&id).await?;

            expect(operation.status == OperationStatus::Succeeded, || format!("{step}: {operation:?}"))?;
            stage.curtain(TAIL).await.map(drop)
        })
        .holds();
    }
}

/// Every step of a provision is interrupted, once before its effect and once after it, and the store is deleted or cancelled then.
#[test]
fn a_provision_that_is_deleted_or_cancelled_at_any_step_leaves_nothing_behind() {
    for (_, step, call) in every_step().filter(|(kind, ..)| *kind == OperationKind::Provision) {
        for fault in [Fault::Before(Trouble::Denied), Fault::After(Trouble::Throttled)] {
            for cancel in [false, true] {
                if !fault.fits(if call.starts_with("await") || call == "probe" { Class::Read } else { Class::Write }) {
                    continue;
                }
                play(Settings::default(), |stage| async move {
                    stage.world.plan().rule(Rule::new(call, fault, FOR_EVER));
                    let (id, operation) = stage.create("shop").await?;
                    let there = |rows: &Snapshot| rows.operation(operation).is_some_and(|it| it.step == Some(step));
                    stage.until(&format!("it is at {step}"), there).await?;
                    stage.seconds(1).await;

                    let request =
                        if cancel { Request::Cancel(id.clone(), operation) } else { Request::Delete(id.clone()) };
                    stage.insist("shop", request).await?;
                    let ended = stage.ends(&id).await?;

                    stage.world.plan().lift_rules();
                    expect(ended.status == OperationStatus::Succeeded, || format!("{step}: {ended:?}"))?;
                    expect(stage.world.cluster.namespaces().is_empty(), || format!("{step}: a namespace is left"))?;
                    expect(stage.world.releases.installed().is_empty(), || format!("{step}: a release is left"))?;
                    let state = stage.store(&id)?.state;
                    let wanted = if cancel { StoreState::Failed } else { StoreState::Deleted };
                    expect(state == wanted, || format!("{step}: {state}"))?;
                    stage.curtain(TAIL).await.map(drop)
                })
                .holds();
            }
        }
    }
}

/// RELIABILITY F4: the effect is there, the answer is lost, so every action is done again.
#[test]
fn every_action_and_every_undo_is_harmless_twice() {
    for (kind, step, call) in every_step() {
        let class = if call.starts_with("await") || call == "probe" { Class::Read } else { Class::Write };
        if !Fault::After(Trouble::Lost).fits(class) {
            continue;
        }
        play(Settings::default(), |stage| async move {
            let plan = |stage: &Stage| stage.world.plan().rule(Rule::new(call, Fault::After(Trouble::Lost), 1));
            let id = stage.begin(kind, |_| plan(&stage)).await?;

            let operation = stage.ends(&id).await?;

            expect(operation.status == OperationStatus::Succeeded, || format!("{step}: {operation:?}"))?;
            let most = if kind == OperationKind::Unwind { 2 } else { 1 };
            expect(stage.world.cluster.creations() <= most, || format!("{step}: made twice"))?;
            stage.curtain(TAIL).await.map(drop)
        })
        .holds();
    }
}

/// RELIABILITY F4, F5: the worker dies when the effect is there and before it is written down.
#[test]
fn a_crash_between_effect_and_record_of_every_step_loses_and_doubles_nothing() {
    for (kind, step, call) in every_step() {
        play(Settings::default(), |stage| async move {
            let plan = |stage: &Stage| stage.world.plan().rule(Rule::new(call, Fault::CrashAfter, 1));
            let id = stage.begin(kind, |_| plan(&stage)).await?;

            let operation = stage.ends(&id).await?;

            expect(operation.status == OperationStatus::Succeeded, || format!("{step}: {operation:?}"))?;
            let deaths = stage.world.tally().deaths;
            expect(deaths == 1, || format!("{step}: {deaths} died"))?;
            stage.curtain(TAIL).await.map(drop)
        })
        .holds();
    }
}

/// RELIABILITY F1, F4, F5: whatever the worker calls, it may die before and after it. (All faults: `sim exhaustive`.)
#[test]
fn a_death_at_any_call_of_any_saga_is_resumed_within_two_leases() {
    for kind in OperationKind::ALL {
        let sites = exhaustive::run(kind, &[], false).sites;
        let deaths = exhaustive::deaths(&sites, 0);
        assert!(deaths.len() >= if kind.is_reverted() { 20 } else { 30 }, "{kind}: {} points", deaths.len());
        for death in deaths {
            let hit = exhaustive::run(kind, &[death], false);
            assert_eq!(hit.outcome.result, Ok(()), "{kind}: {death:?} at {:?}", sites[death.0]);
        }
    }
}
