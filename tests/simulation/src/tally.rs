//! What happened in a run, in numbers.

use std::collections::BTreeMap;

use crate::fault::Fault;
use crate::plan::{Place, Site};
use crate::time::SECOND;

/// Numbers of one run, or of many.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Calls by port.
    pub calls: u64,
    /// Faults by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Requests of clients by kind and outcome.
    pub requests: BTreeMap<(&'static str, &'static str), u64>,
    /// Operations by kind and end.
    pub operations: BTreeMap<(&'static str, &'static str), u64>,
    /// Processes killed.
    pub deaths: u64,
    /// Processes stopped and continued.
    pub stops: u64,
    /// Simulated microseconds.
    pub time: u64,
    /// Events.
    pub events: u64,
    /// Namespaces that appeared after their store's removal and were swept.
    pub swept: u64,
    /// Microseconds from a death to the resumption of each operation that the dead had.
    pub recoveries: Vec<u64>,
    /// Beginnings of provisions in each second: their first call.
    pub begun: BTreeMap<u64, u64>,
    /// Calls to the cluster in each second.
    pub per_second: BTreeMap<u64, u64>,
}

impl Tally {
    /// A call was made.
    pub fn called(&mut self, site: Site, now: u64) {
        self.calls += 1;
        if matches!(site.place, Place::Cluster | Place::Helm) {
            *self.per_second.entry(now / SECOND).or_default() += 1;
            if site.call == "ensure_namespace" {
                *self.begun.entry(now / SECOND).or_default() += 1;
            }
        }
    }

    /// A call met a fault.
    pub fn met(&mut self, fault: Fault) {
        *self.faults.entry(fault.name()).or_default() += 1;
    }

    /// A request ended.
    pub fn answered(&mut self, request: &'static str, outcome: &'static str) {
        *self.requests.entry((request, outcome)).or_default() += 1;
    }

    /// Whether enough succeeded: a run in which everything fails breaks no promise (RELIABILITY P8).
    pub fn got_somewhere(&self) -> bool {
        let requests = |wanted: fn(&str) -> bool| {
            self.requests.iter().filter(|((_, end), _)| wanted(end)).map(|(_, count)| count).sum::<u64>()
        };
        let of = |kind, end| self.operations.get(&(kind, end)).copied().unwrap_or(0);
        let (answered, all) = (requests(|end| end != "no answer"), requests(|_| true));
        let provisions: u64 =
            self.operations.iter().filter(|((kind, _), _)| *kind == "provision").map(|(_, count)| count).sum();
        answered * 10 >= all * 6 && of("provision", "succeeded") * 3 >= provisions && of("delete", "succeeded") > 0
    }

    /// Adds another run's numbers.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.deaths += other.deaths;
        self.stops += other.stops;
        self.time += other.time;
        self.events += other.events;
        self.swept += other.swept;
        self.recoveries.extend_from_slice(&other.recoveries);
        for (name, count) in &other.faults {
            *self.faults.entry(name).or_default() += count;
        }
        for (name, count) in &other.requests {
            *self.requests.entry(*name).or_default() += count;
        }
        for (name, count) in &other.operations {
            *self.operations.entry(*name).or_default() += count;
        }
    }
}
