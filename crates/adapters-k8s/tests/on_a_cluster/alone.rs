//! Faults of a whole cluster: policies and rights that are gone, an apiserver or an etcd that is frozen or full, a dead aggregated API.
//! Each test has the cluster to itself (`.config/nextest.toml`) and leaves it as it was.

#[path = "alone/discovery.rs"]
mod discovery;
#[path = "alone/fence.rs"]
mod fence;
#[path = "alone/frozen.rs"]
mod frozen;
#[path = "alone/policies.rs"]
mod policies;
#[path = "alone/processes.rs"]
mod processes;
#[path = "alone/rights.rs"]
mod rights;
