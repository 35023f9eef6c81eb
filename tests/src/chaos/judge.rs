//! Whether what the clients were told could have come from a store that does one thing at a time (RELIABILITY P8, F65).

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use shopwright_domain::operation::OperationKind;
use shopwright_domain::store::StoreState;
use shopwright_domain::{OperationId, StoreId};
use shopwright_simulation::history::{Answer, Event, Request, Verdict, check};

use super::record::{Call, Outcome, Record, Told};
use super::violations::Violations;

/// How many histories there were, and how many of them nobody could decide.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Judged {
    /// Stores with a history.
    pub histories: usize,
    /// Histories with too many orders to try.
    pub undecided: usize,
}

/// Judges every store by itself.
///
/// # Errors
/// When an answer cannot be understood.
pub(super) fn judge(records: &[Record], violations: &Violations) -> anyhow::Result<Judged> {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for record in records {
        if let (Call::Create { name, .. }, Some(store)) = (&record.call, &record.store) {
            names.insert(store, name);
        }
    }
    let mut histories: BTreeMap<&str, Vec<(&Record, Event)>> = BTreeMap::new();
    for record in records {
        let name = match (&record.call, &record.store) {
            (Call::Create { name, .. }, _) => Some(name.as_str()),
            (_, Some(store)) => names.get(store.as_str()).copied(),
            (_, None) => None,
        };
        let event = event(record).with_context(|| format!("{record:?}"))?;
        histories.entry(name.context("a call for a store that nobody created")?).or_default().push((record, event));
    }
    let mut judged = Judged { histories: histories.len(), undecided: 0 };
    for (name, history) in &histories {
        let events: Vec<Event> = history.iter().map(|(_, event)| event.clone()).collect();
        match check(&events) {
            Verdict::Sequential => {}
            Verdict::Undecided => judged.undecided += 1,
            Verdict::Impossible { stuck } => {
                let mut told: Vec<String> = history
                    .iter()
                    .enumerate()
                    .map(|(index, (record, _))| line(record, stuck.contains(&index)))
                    .collect();
                told.sort();
                violations.add(format!(
                    "{name}: no order explains these answers (* could not come next):\n{}",
                    told.join("\n")
                ));
            }
        }
    }
    Ok(judged)
}

fn line(record: &Record, stuck: bool) -> String {
    let Record { client, store, call, began, ended, outcome } = record;
    let mark = if stuck { "*" } else { " " };
    let ended = ended.map_or("      ?".to_owned(), |ended| format!("{:>7.3}", ended.as_secs_f64()));
    format!("{:>9.3} to {ended} {mark} client {client} {store:?} {call:?} -> {outcome:?}", began.as_secs_f64())
}

fn event(record: &Record) -> anyhow::Result<Event> {
    let store = || -> anyhow::Result<StoreId> { Ok(record.store.as_deref().context("without a store")?.parse()?) };
    let request = match &record.call {
        Call::Create { key, .. } => Request::Create { key: Some(key.clone()) },
        Call::Delete => Request::Delete(store()?),
        Call::Retry => Request::Retry(store()?),
        Call::Cancel { operation } => Request::Cancel(store()?, operation.parse::<OperationId>()?),
        Call::Read => Request::Get(store()?),
    };
    let answer = match (&record.call, &record.outcome) {
        (_, Outcome::Unknown) => None,
        (Call::Read, Outcome::Done { state, .. }) => Some(Answer::Seen(state.parse::<StoreState>()?)),
        (_, Outcome::Done { state, operation }) => {
            let operation = operation.as_ref().map(told).transpose()?;
            Some(Answer::Accepted { store: store()?, state: state.parse::<StoreState>()?, operation })
        }
        (Call::Retry, Outcome::Refused { state: Some(state), .. }) => {
            Some(Answer::WrongState(state.parse::<StoreState>()?))
        }
        (Call::Cancel { .. }, Outcome::Refused { state: Some(_), .. }) => Some(Answer::NotCancellable),
        // Nobody may be told that an own store is not there, or is somebody else's.
        (_, Outcome::Refused { code, .. })
            if ["FORBIDDEN", "STORE_NOT_FOUND", "OPERATION_NOT_FOUND"].contains(&code.as_str()) =>
        {
            Some(Answer::Unknown)
        }
        (_, Outcome::Refused { .. }) => Some(Answer::Refused),
    };
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Ok(Event { asked: micros(record.began), answered: record.ended.map(micros), request, answer })
}

fn told(told: &Told) -> anyhow::Result<(OperationId, OperationKind)> {
    Ok((told.id.parse()?, told.kind.parse()?))
}
