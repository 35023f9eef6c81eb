//! The adapter over a real helm and a real API server: the contract, and what helm leaves behind when it is killed or lied to.
//!
//! Needs `SHOPWRIGHT_TEST_ADMIN_KUBECONFIG` (a cluster that may be used up) and `HELM_BIN`, and `kubectl` in PATH. Without them the tests
//! say so and do nothing, unless `SHOPWRIGHT_REQUIRE_TIERS=all`. The cluster is reached by the Kubernetes adapter, behind the policies that
//! `shopwright clusters prepare` installs.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test's helpers fail the test")]

mod contract;
mod hold;
mod killed;
mod kubectl;
mod lies;
mod limits;
mod proxy;
mod refusals;
mod taken_over;
mod world;
