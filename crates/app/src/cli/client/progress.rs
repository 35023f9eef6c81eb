//! Progress of an operation: a spinner on a terminal, plain lines elsewhere. Each thing is said once.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::console::Console;
use super::model::{Failure, Operation, Step};

/// What was told so far.
pub(super) struct Progress {
    spinner: Option<ProgressBar>,
    /// By step: its status and why it waits.
    told: BTreeMap<String, (String, Option<Failure>)>,
    status: Option<(String, Option<Failure>)>,
    outage: bool,
}

/// What a step does, for people.
fn words(step: &str) -> &str {
    match step {
        "create_namespace" => "make the namespace",
        "create_credentials" => "write the credentials",
        "install_release" => "install the chart",
        "await_workloads" | "await_rotated" | "await_upgraded" | "await_reverted" => "start the workloads",
        "verify_storefront" | "verify_rotated" | "verify_upgraded" | "verify_reverted" => "open the storefront",
        "publish" => "publish the store",
        "uninstall_release" => "uninstall the chart",
        "delete_namespace" | "unwind_namespace" => "remove the namespace",
        "verify_gone" | "verify_unwound" => "wait until all is gone",
        "release" => "give back name and host",
        "unwind_release" => "uninstall what was made",
        "settle" => "leave the store as failed",
        "rotate_credentials" => "write the new passwords",
        "rotate_release" => "run the set-up with them",
        "upgrade_release" => "install the new release",
        "revert_credentials" => "write the old passwords",
        "revert_release" => "install the release from before",
        "clean_rotated" | "clean_reverted" => "forget the other passwords",
        "promote" => "keep the new passwords",
        "adopt" => "keep the new release",
        "settle_revert" => "go on as before",
        other => other,
    }
}

fn line(step: &Step) -> Option<String> {
    let words = words(&step.name);
    let reason = |failure: &Failure| match failure.detail.as_str() {
        "" => failure.code.clone(),
        detail => format!("{}: {detail}", failure.code),
    };
    match (step.status.as_str(), &step.error) {
        ("succeeded", _) => {
            let took =
                step.started_at.zip(step.finished_at).map(|(start, end)| end.duration_since(start).as_secs_f64());
            Some(took.map_or_else(|| format!("done  {words}"), |seconds| format!("done  {words} ({seconds:.1} s)")))
        }
        ("failed", Some(error)) => Some(format!("again {words} (attempt {}): {}", step.attempts, reason(error))),
        ("started", _) => Some(format!("now   {words}")),
        _ => None,
    }
}

impl Progress {
    /// Nothing told yet.
    pub(super) fn new(console: &Console) -> Self {
        let spinner = console.interactive.then(|| {
            let spinner = ProgressBar::new_spinner();
            let template = if console.colour { "{spinner:.cyan} {msg} {elapsed}" } else { "{spinner} {msg} {elapsed}" };
            if let Ok(style) = ProgressStyle::with_template(template) {
                spinner.set_style(style);
            }
            spinner.enable_steady_tick(Duration::from_millis(120));
            spinner
        });
        Self { spinner, told: BTreeMap::new(), status: None, outage: false }
    }

    /// Tells what is new.
    pub(super) fn show(&mut self, operation: &Operation, console: &mut Console) {
        if std::mem::take(&mut self.outage) {
            self.tell("The server answers again.", console);
        }
        for step in &operation.steps {
            let now = (step.status.clone(), step.error.clone().filter(|_| step.status == "failed"));
            if self.told.get(&step.name) == Some(&now) {
                continue;
            }
            match (&self.spinner, line(step)) {
                // The spinner itself says what runs now.
                (Some(spinner), Some(_)) if step.status == "started" => {
                    spinner.set_message(words(&step.name).to_owned());
                }
                (_, Some(line)) => self.tell(&line, console),
                (_, None) => {}
            }
            self.told.insert(step.name.clone(), now);
        }
        let now = (operation.status.clone(), operation.failure.clone());
        let waits = match operation.status.as_str() {
            status @ ("waiting" | "stuck") => Some(status),
            // Its worker holds on to it, and says what for.
            "running" if operation.failure.is_some() => Some("not yet"),
            _ => None,
        };
        if let Some(word) = waits.filter(|_| self.status.as_ref() != Some(&now)) {
            let reason = operation.failure.as_ref().map_or_else(String::new, |failure| {
                format!(": {} {}", failure.detail, failure.hint).trim_end().to_owned()
            });
            self.tell(&format!("{word}{reason}"), console);
        }
        self.status = Some(now);
    }

    /// Tells once that the server does not answer; the operation goes on without us.
    pub(super) fn outage(&mut self, reason: &str, console: &mut Console) {
        if !std::mem::replace(&mut self.outage, true) {
            self.tell(&format!("{reason}; still waiting"), console);
        }
    }

    fn tell(&self, line: &str, console: &mut Console) {
        match &self.spinner {
            Some(spinner) => spinner.println(line),
            None => console.say(line),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}
