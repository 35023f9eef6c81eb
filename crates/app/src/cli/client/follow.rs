//! Following what runs for a store until it has ended: poll, slower and slower, as the server says; an outage is waited out.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::api::{Answer, Api};
use super::console::Console;
use super::error::ClientError;
use super::model::{Operation, OperationAnswer, Store, StoreAnswer};
use super::progress::Progress;
use crate::cli::definition::Goal;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(2);

/// The pause before the next look.
struct Pause(Duration);

impl Pause {
    /// Longer each time; at least what the server asked for, at most until the deadline.
    async fn take(&mut self, asked: Option<Duration>, deadline: Instant) {
        let pause =
            asked.map_or(self.0, |asked| asked.max(self.0)).min(deadline.saturating_duration_since(Instant::now()));
        self.0 = (self.0 * 3 / 2).min(LONGEST);
        sleep(pause).await;
    }
}

/// Follows a store until it has reached the goal, or cannot any more. Returns the last answer.
pub(super) async fn follow(
    id: &str,
    goal: Goal,
    timeout: Duration,
    api: &Api,
    console: &mut Console,
) -> Result<Answer, ClientError> {
    let deadline = Instant::now() + timeout;
    let mut pause = Pause(FIRST);
    let mut progress = Progress::new(console);
    loop {
        let (error, asked) = match look(id, goal, api, &mut progress, console).await {
            Ok(Seen::End(answer)) => return Ok(answer),
            Ok(Seen::Running(asked)) => (None, asked),
            Err(ClientError::Refused { status, retry_after, message, .. }) if status == 429 || status >= 500 => {
                (Some(message), retry_after)
            }
            Err(error) if error.may_pass() => (Some(error.to_string()), None),
            Err(error) => return Err(error),
        };
        if let Some(error) = &error {
            progress.outage(error, console);
        }
        if Instant::now() >= deadline {
            let message = format!("{id} is not {} after {} s", word(goal), timeout.as_secs());
            let message = error.map_or(message.clone(), |error| format!("{message}: {error}"));
            let advice = format!("It goes on by itself: `shopwright stores wait {id}` follows it again.");
            return Err(ClientError::Missed { message, advice });
        }
        pause.take(asked, deadline).await;
    }
}

/// Follows one operation until it has ended, well or not. Returns it with the last answer.
pub(super) async fn follow_operation(
    id: &str,
    timeout: Duration,
    api: &Api,
    console: &mut Console,
) -> Result<(Operation, Answer), ClientError> {
    let deadline = Instant::now() + timeout;
    let mut pause = Pause(FIRST);
    let mut progress = Progress::new(console);
    loop {
        let asked = match api.get(&format!("/operations/{id}")).await {
            Ok(answer) => {
                let operation = answer.read::<OperationAnswer>()?.operation;
                progress.show(&operation, console);
                if operation.is_finished() {
                    return Ok((operation, answer));
                }
                answer.retry_after
            }
            Err(ClientError::Refused { status, retry_after, message, .. }) if status == 429 || status >= 500 => {
                progress.outage(&message, console);
                retry_after
            }
            Err(error) if error.may_pass() => {
                progress.outage(&error.to_string(), console);
                None
            }
            Err(error) => return Err(error),
        };
        if Instant::now() >= deadline {
            let message = format!("operation {id} has not ended after {} s", timeout.as_secs());
            let advice = format!("It goes on by itself: `shopwright operations get {id}` shows how.");
            return Err(ClientError::Missed { message, advice });
        }
        pause.take(asked, deadline).await;
    }
}

const fn word(goal: Goal) -> &'static str {
    match goal {
        Goal::Ready => "ready",
        Goal::Deleted => "deleted",
    }
}

enum Seen {
    End(Answer),
    Running(Option<Duration>),
}

/// One look: first at the operation, for its steps, then at the store, whose state decides.
async fn look(
    id: &str,
    goal: Goal,
    api: &Api,
    progress: &mut Progress,
    console: &mut Console,
) -> Result<Seen, ClientError> {
    let answer = api.get(&format!("/stores/{id}")).await?;
    let store = answer.read::<StoreAnswer>()?.store;
    if let Some(operation) = &store.operation {
        let detail = api.get(&format!("/operations/{}", operation.id)).await?;
        let operation = detail.read::<OperationAnswer>()?.operation;
        progress.show(&operation, console);
    }
    let running = store.operation.as_ref().is_some_and(|operation| !operation.is_finished());
    match (store.status.as_str(), goal) {
        ("ready", Goal::Ready) | ("deleted", Goal::Deleted) => Ok(Seen::End(answer)),
        // A retry was accepted, or the row was read between two transactions: what runs decides.
        ("failed", _) if !running => Err(missed(&store, goal)),
        ("deleting" | "deleted", Goal::Ready) => {
            let message = format!("{} is {}: it will not be ready", store.name, store.status);
            Err(ClientError::Missed {
                message,
                advice: format!("`shopwright stores logs {id}` says who asked for it."),
            })
        }
        ("ready", Goal::Deleted) if !running => {
            let message = format!("{} is ready, and nobody asked for its removal", store.name);
            Err(ClientError::Missed { message, advice: format!("Run `shopwright stores delete {id}`.") })
        }
        _ => Ok(Seen::Running(answer.retry_after)),
    }
}

fn missed(store: &Store, goal: Goal) -> ClientError {
    let reason = store.failure_reason.as_deref().unwrap_or("no reason was given");
    ClientError::Missed {
        message: format!("{} failed to become {}: {reason}", store.name, word(goal)),
        advice: format!(
            "Then `shopwright stores retry {0} --wait` goes on where it stopped; `shopwright stores logs {0}` shows what happened.",
            store.id
        ),
    }
}
