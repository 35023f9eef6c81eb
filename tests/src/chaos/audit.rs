//! What the apiserver itself says that workers wrote, from its audit log: stale writes, and namespaces that were made.
//!
//! A write is *stale* when it was received after the barrier of a later epoch had been passed in its namespace. The barrier is passed, at
//! the latest, when the apiserver has let that later epoch through, be it a dry run or a write (DECISIONS 5). A write that was received
//! before and answered after is counted beside it: no fence can call back what has passed it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::Timestamp;
use serde::Deserialize;

const WORKER: &str = "shopwright-worker";
const EPOCH_EXTRA: &str = "shopwright-epoch";

/// The audit log from some moment on.
#[derive(Debug)]
pub(super) struct AuditLog {
    path: PathBuf,
    from: u64,
}

/// What it says.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Writes of workers that took effect.
    pub writes: usize,
    /// Writes of workers of a lower epoch that the fence refused.
    pub refused: usize,
    /// Stale writes that took effect, in words.
    pub stale: Vec<String>,
    /// Writes that were under way when a barrier was passed.
    pub crossing: usize,
    /// When each store's namespace was made.
    pub namespaces: BTreeMap<String, Vec<Timestamp>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    verb: String,
    #[serde(rename = "requestURI")]
    uri: String,
    impersonated_user: Option<User>,
    object_ref: Option<ObjectRef>,
    response_status: Option<Status>,
    request_received_timestamp: Timestamp,
    stage_timestamp: Timestamp,
}

#[derive(Debug, Deserialize)]
struct User {
    username: Option<String>,
    #[serde(default)]
    extra: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct ObjectRef {
    #[serde(default)]
    resource: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
}

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(default)]
    code: u16,
}

/// A worker's call in a store's namespace.
struct Write {
    epoch: i64,
    dry: bool,
    code: u16,
    received: Timestamp,
    answered: Timestamp,
    what: String,
}

impl AuditLog {
    /// From now on.
    ///
    /// # Errors
    /// When there is none: the cluster must be brought up with `CLUSTER_AUDIT`.
    pub(super) fn from_now(admin_kubeconfig: &Path) -> anyhow::Result<Self> {
        let path = admin_kubeconfig.parent().unwrap_or(Path::new("/")).join("log/audit.json");
        let size = std::fs::metadata(&path).with_context(|| format!("{}: no audit log", path.display()))?.len();
        Ok(Self { path, from: size })
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(&self) -> anyhow::Result<Findings> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.from))?;
        let mut findings = Findings::default();
        let mut by_namespace: BTreeMap<String, Vec<Write>> = BTreeMap::new();
        for line in BufReader::new(file).lines() {
            // An apiserver that is killed leaves half a line.
            let Ok(event) = serde_json::from_str::<Event>(&line?) else { continue };
            findings.note(event, &mut by_namespace);
        }
        for (namespace, writes) in &by_namespace {
            findings.judge(namespace, writes);
        }
        Ok(findings)
    }
}

impl Findings {
    fn note(&mut self, event: Event, by_namespace: &mut BTreeMap<String, Vec<Write>>) {
        let (Some(object), Some(status)) = (event.object_ref, event.response_status) else { return };
        let dry = event.uri.contains("dryRun=");
        let user = event.impersonated_user.filter(|user| user.username.as_deref() == Some(WORKER));
        let Some(user) = user else {
            if object.resource == "namespaces" && event.verb == "create" && status.code == 201 && !dry {
                self.namespaces.entry(object.name).or_default().push(event.request_received_timestamp);
            }
            return;
        };
        let epoch = user.extra.get(EPOCH_EXTRA).and_then(|values| values.first()?.parse().ok()).unwrap_or_default();
        let write = Write {
            epoch,
            dry,
            code: status.code,
            received: event.request_received_timestamp,
            answered: event.stage_timestamp,
            what: format!("{} {} {}", event.verb, object.resource, object.name),
        };
        by_namespace.entry(object.namespace).or_default().push(write);
    }

    fn judge(&mut self, namespace: &str, writes: &[Write]) {
        let passed = |write: &&Write| (200..300).contains(&write.code);
        // When each epoch was first seen to be let through.
        let mut barriers: BTreeMap<i64, Timestamp> = BTreeMap::new();
        for write in writes.iter().filter(passed) {
            let barrier = barriers.entry(write.epoch).or_insert(write.answered);
            *barrier = (*barrier).min(write.answered);
        }
        for write in writes.iter().filter(|write| !write.dry) {
            let barrier = barriers.range(write.epoch + 1..).map(|(_, barrier)| *barrier).min();
            if !passed(&write) {
                self.refused +=
                    usize::from(write.code == 403 && barrier.is_some_and(|barrier| write.received > barrier));
                continue;
            }
            self.writes += 1;
            let Some(barrier) = barrier else { continue };
            if write.received > barrier {
                let Write { epoch, received, what, .. } = write;
                self.stale.push(format!(
                    "{namespace}: {what} of epoch {epoch} at {received}, after the barrier at {barrier}"
                ));
            } else if write.answered > barrier {
                self.crossing += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(lines: &[(&str, i64, bool, u16, u8, u8)]) -> Findings {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.json");
        let event = |&(verb, epoch, dry, code, received, answered): &(&str, i64, bool, u16, u8, u8)| {
            let query = if dry { "?dryRun=All" } else { "" };
            format!(
                r#"{{"verb":"{verb}","requestURI":"/api/v1/namespaces/store-1/secrets{query}","impersonatedUser":{{"username":"shopwright-worker","extra":{{"shopwright-epoch":["{epoch}"]}}}},"objectRef":{{"resource":"secrets","namespace":"store-1","name":"s"}},"responseStatus":{{"code":{code}}},"requestReceivedTimestamp":"2026-01-01T00:00:{received:02}Z","stageTimestamp":"2026-01-01T00:00:{answered:02}Z"}}"#
            )
        };
        let text: Vec<String> = lines.iter().map(event).collect();
        std::fs::write(&path, text.join("\n")).unwrap();
        AuditLog { path, from: 0 }.read().unwrap()
    }

    #[test]
    fn a_write_of_an_epoch_after_a_later_one_was_let_through_is_stale() {
        let found = findings(&[
            ("create", 1, false, 201, 1, 2),
            ("create", 1, true, 403, 3, 3),
            ("create", 2, true, 201, 4, 5),
            ("update", 1, false, 200, 6, 7),
            ("update", 1, false, 403, 8, 9),
        ]);

        assert_eq!((found.writes, found.stale.len(), found.refused, found.crossing), (2, 1, 1, 0));
    }

    #[test]
    fn a_write_that_was_under_way_is_told_apart_and_a_dry_run_is_none() {
        let found = findings(&[
            ("create", 2, true, 201, 4, 5),
            ("update", 1, false, 200, 4, 6),
            ("create", 1, true, 201, 7, 8),
        ]);

        assert_eq!((found.writes, found.stale.len(), found.crossing), (1, 0, 1));
    }
}
