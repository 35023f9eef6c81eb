//! Results for people: tables without lines, so that they can be copied and cut.

use comfy_table::{ContentArrangement, Table};
use serde_json::Value;

use super::console::Console;
use super::model::{Cluster, Log, Operation, Queue, Store, User};

/// The API's own answer.
pub(super) fn json(body: &Value, console: &mut Console) {
    console.result(&format!("{body:#}"));
}

/// A text of somebody else, safe for a terminal: what could move the cursor or change its colours is left out.
fn plain(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).collect()
}

fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>, console: &mut Console) {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head);
    for row in rows {
        table.add_row(row.iter().map(|cell| plain(cell)));
    }
    for line in table.lines() {
        console.result(line.trim());
    }
}

fn or_dash(text: Option<&str>) -> String {
    text.unwrap_or("-").to_owned()
}

/// Stores, one per line.
pub(super) fn stores(stores: &[Store], console: &mut Console) {
    let row = |store: &Store| {
        let (name, engine, status) = (store.name.clone(), store.engine.clone(), store.status.clone());
        vec![
            name,
            engine,
            status,
            or_dash(store.urls.storefront.as_deref()),
            store.created_at.clone(),
            store.id.clone(),
        ]
    };
    table(&["NAME", "ENGINE", "STATUS", "URL", "CREATED", "ID"], stores.iter().map(row), console);
}

/// Everything about one store.
pub(super) fn store(store: &Store, console: &mut Console) {
    let took = store.provisioning_duration_ms.map(|ms| format!("{}.{} s", ms / 1000, ms % 1000 / 100));
    let credentials = &store.admin_credentials;
    let facts = [
        ("name", Some(store.name.clone())),
        ("id", Some(store.id.clone())),
        ("status", Some(store.status.clone())),
        ("engine", Some(store.engine.clone())),
        ("theme", store.theme.clone()),
        ("host", store.host.clone()),
        ("url", store.urls.storefront.clone()),
        ("admin", store.urls.admin.clone()),
        ("username", credentials.username.clone()),
        ("email", credentials.email.clone()),
        ("password", credentials.password.clone()),
        ("set up in", took),
        ("created", Some(store.created_at.clone())),
        ("failure", store.failure_reason.clone()),
        ("note", store.engine_note.clone()),
    ];
    for (name, value) in facts.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        console.result(&format!("{name:<10} {}", plain(&value)));
    }
}

/// What happened to a store, oldest first: it reads like a story.
pub(super) fn logs(logs: &[Log], console: &mut Console) {
    let row = |log: &Log| {
        let change = log.new_status.as_ref().map(|new| match &log.previous_status {
            Some(previous) => format!("{previous} -> {new}"),
            None => new.clone(),
        });
        vec![log.created_at.clone(), log.event_type.clone(), or_dash(change.as_deref()), log.message.clone()]
    };
    table(&["TIME", "EVENT", "STATUS", "MESSAGE"], logs.iter().rev().map(row), console);
}

/// An operation with its steps.
pub(super) fn operation(operation: &Operation, console: &mut Console) {
    console.result(&format!("{} of {}: {}", operation.kind, operation.store_id, operation.status));
    if let Some(failure) = &operation.failure {
        console.result(&plain(&format!("{}: {} {}", failure.code, failure.detail, failure.hint)));
    }
    let row = |step: &super::model::Step| {
        let took = step.started_at.zip(step.finished_at);
        let took = took.map(|(start, end)| format!("{:.1} s", end.duration_since(start).as_secs_f64()));
        let error = step.error.as_ref().map(|error| format!("{}: {}", error.code, error.detail));
        vec![
            step.name.clone(),
            step.status.clone(),
            step.attempts.to_string(),
            or_dash(took.as_deref()),
            or_dash(error.as_deref()),
        ]
    };
    table(&["STEP", "STATUS", "FAILURES", "TOOK", "ERROR"], operation.steps.iter().map(row), console);
    if !operation.setup.is_empty() {
        console.result("");
        let row = |step: &super::model::SetupStep| vec![plain(&step.name), format!("{} ms", step.duration_ms)];
        table(&["SET-UP STEP", "TOOK"], operation.setup.iter().map(row), console);
    }
}

/// Accounts, one per line.
pub(super) fn users(users: &[User], console: &mut Console) {
    let row = |user: &User| {
        let access = if user.active { "active" } else { "deactivated" };
        vec![
            user.username.clone(),
            user.email.clone(),
            user.role.clone(),
            access.to_owned(),
            user.sessions.to_string(),
            user.api_tokens.to_string(),
            user.created_at.clone(),
            user.id.clone(),
        ]
    };
    table(
        &["USERNAME", "EMAIL", "ROLE", "ACCESS", "SESSIONS", "TOKENS", "CREATED", "ID"],
        users.iter().map(row),
        console,
    );
}

/// Clusters, one per line.
pub(super) fn clusters(clusters: &[Cluster], console: &mut Console) {
    let row = |cluster: &Cluster| {
        let takes_work = cluster.takes_work.map(|takes| if takes { "yes" } else { "no" });
        let Queue { queued, waiting, stuck } = &cluster.operations;
        let engines: Vec<String> =
            cluster.engines.iter().map(|engine| format!("{} {}", engine.stores, engine.name)).collect();
        vec![
            cluster.name.clone(),
            or_dash(takes_work),
            or_dash(cluster.breakers.as_ref().map(|breakers| breakers.kubernetes.as_str())),
            cluster.fence.clone(),
            format!("{}/{}", cluster.capacity.running, cluster.capacity.permits),
            queued.to_string(),
            waiting.to_string(),
            stuck.to_string(),
            engines.join(", "),
        ]
    };
    table(
        &["NAME", "TAKES WORK", "BREAKER", "FENCE", "RUNNING", "QUEUED", "WAITING", "STUCK", "STORES"],
        clusters.iter().map(row),
        console,
    );
}
