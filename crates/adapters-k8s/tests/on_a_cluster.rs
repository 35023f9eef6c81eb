//! The adapter on a real apiserver. An administrator prepares the cluster; everything else is done as the product's service account.
//!
//! Needs `SHOPWRIGHT_TEST_ADMIN_KUBECONFIG`: the administrator's kubeconfig of a cluster with fake nodes (`tests/cluster up --fake 2`).
//! Without it these tests say so and are left out; with `SHOPWRIGHT_REQUIRE_TIERS=all` that is a failure.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what helps a test fails like one")]

#[path = "on_a_cluster/access.rs"]
mod access;
#[path = "on_a_cluster/alone.rs"]
mod alone;
#[path = "on_a_cluster/contract.rs"]
mod contract;
#[path = "on_a_cluster/editors.rs"]
mod editors;
#[path = "on_a_cluster/faults.rs"]
mod faults;
#[path = "on_a_cluster/fence.rs"]
mod fence;
#[path = "on_a_cluster/findings.rs"]
mod findings;
#[path = "on_a_cluster/matrix.rs"]
mod matrix;
#[path = "on_a_cluster/namespace.rs"]
mod namespace;
#[path = "on_a_cluster/proxy.rs"]
mod proxy;
#[path = "on_a_cluster/removal.rs"]
mod removal;
#[path = "on_a_cluster/rights.rs"]
mod rights;
#[path = "on_a_cluster/rollout.rs"]
mod rollout;
#[path = "on_a_cluster/support.rs"]
mod support;
#[path = "on_a_cluster/tokens.rs"]
mod tokens;
#[path = "on_a_cluster/workloads.rs"]
mod workloads;
