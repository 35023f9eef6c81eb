//! The [`Releases`] port on the helm command line (helm 4).
//!
//! What always holds:
//! - helm's exit code is not the truth. Success means that the record in the cluster was read back as deployed and that
//!   every object which it names was found.
//! - helm never waits for workloads and runs no hooks; it applies, others watch.
//! - a run has a deadline of its own, a process group of its own and a directory of its own, and leaves none of them behind: not when it
//!   ends, not when its future is dropped, and, with [`ExecMode::Via`], not when this process is killed.
//! - no secret is in argv, in the values or in an error text. Credentials of the cluster are in a file of mode 0600 while helm runs.
//!
//! It does not decide whether a run may happen: the fence is the cluster's (DECISIONS 1 to 7). It learns of a stale epoch from the
//! refusal.

mod bundle;
mod caveat;
mod charts;
mod command;
mod digest;
pub mod exec_helm;
mod failure;
mod heal;
mod install;
mod objects;
mod origin;
mod process;
mod record;
mod redact;
mod releases;
mod render;
mod scratch;
mod settings;
mod uninstall;
mod values;
mod version;

pub use releases::HelmReleases;
pub use settings::{ClusterValues, ExecMode, HelmSettings, Profile};
pub use version::HelmVersion;

#[cfg(doc)]
use shopwright_ports::releases::Releases;
