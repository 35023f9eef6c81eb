//! The engine when things go wrong: deaths, panics, waits, budgets, restored databases, shutdowns.

#![expect(clippy::unwrap_used, reason = "what helps a test fails like one")]

#[path = "../support/mod.rs"]
mod support;

mod databases;
mod deaths;
mod fence;
mod shutdowns;
mod told;

use jiff::SignedDuration;
use shopwright_domain::ErrorCode;
use shopwright_domain::audit::{AuditEvent, MetadataValue};
use shopwright_domain::operation::Operation;
use shopwright_domain::saga::StepRecord;
use support::Fixture;
use tokio_util::sync::CancellationToken;

const LEASE: i64 = 10;
/// More turns of a fifth of a second than anything here needs.
const TURNS: usize = 1_000;

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// Lets everybody go on as far as they come, and then time by a fifth of a second.
async fn tick(world: &Fixture) {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    world.clock.advance(SignedDuration::from_millis(200));
}

/// Runs the worker, and lets time pass, until a look finds what it is for.
async fn run_until<T>(world: &Fixture, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looks = async {
        for _ in 0..TURNS {
            tick(world).await;
            if let Some(found) = look().await {
                return found;
            }
        }
        panic!("it never comes");
    };
    tokio::select! {
        biased;
        () = world.worker.run(CancellationToken::new()) => unreachable!("nobody stops the worker"),
        found = looks => found,
    }
}

async fn events(world: &Fixture, wanted: impl Fn(&AuditEvent) -> bool) -> Vec<AuditEvent> {
    let snapshot = world.storage.snapshot().await;
    snapshot.audit.iter().map(|entry| entry.event.clone()).filter(wanted).collect()
}

fn with_code(code: ErrorCode) -> impl Fn(&AuditEvent) -> bool {
    move |event| event.metadata.get("errorCode") == Some(&MetadataValue::from(code.as_str()))
}

fn text(event: &AuditEvent, key: &str) -> String {
    match event.metadata.get(key) {
        Some(MetadataValue::Text(text)) => text.clone(),
        Some(MetadataValue::Number(number)) => number.to_string(),
        Some(MetadataValue::Flag(flag)) => flag.to_string(),
        None => String::new(),
    }
}

async fn step_of(world: &Fixture, operation: &Operation) -> StepRecord {
    let snapshot = world.storage.snapshot().await;
    let steps = snapshot.steps_of(operation.id);
    steps.into_iter().find(|record| Some(record.step) == operation.step).unwrap()
}
