//! The application: what may be asked for stores, and the worker that makes it true.
//!
//! Without default features this is a library on `shopwright-domain`, `shopwright-ports` and tokio: the use cases ([`stores`],
//! [`identity`], [`administration`], [`gate`], [`audit`], [`events`]), the saga executor ([`saga`]), the [`worker`] and the [`sweeper`]. Another service can run them over its own adapters; see
//! `examples/embed.rs`. With feature `binary` it also holds what only the program `shopwright` needs: configuration, wiring, adapters
//! for cryptography, the command line.

pub mod administration;
pub mod audit;
pub mod events;
pub mod gate;
pub mod health;
pub mod identity;
pub mod organisations;
mod paging;
pub mod saga;
pub mod stores;
pub mod sweeper;
pub mod worker;

#[cfg(feature = "binary")]
pub mod cli;
#[cfg(feature = "binary")]
pub mod config;
#[cfg(feature = "binary")]
pub mod crypto;
#[cfg(feature = "binary")]
pub mod dashboard;
#[cfg(feature = "binary")]
pub mod engines;
#[cfg(feature = "binary")]
pub mod forward;
#[cfg(feature = "binary")]
pub mod http_storefront;
#[cfg(feature = "binary")]
pub mod memory;
#[cfg(feature = "binary")]
pub mod metrics;
#[cfg(feature = "binary")]
pub mod oidc;
#[cfg(feature = "binary")]
pub mod private_postgres;
#[cfg(feature = "binary")]
pub mod simulated;
#[cfg(feature = "binary")]
pub mod telemetry;
#[cfg(feature = "binary")]
pub mod wiring;
