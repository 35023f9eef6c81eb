//! What Shopwright needs from the world, and what the world may ask of it, as traits with contracts.
//!
//! *Driving* ports ([`stores_api`], [`audit_api`], [`events_api`], [`identity_api`], [`organisations_api`], [`platform_api`],
//! [`gate_api`], [`health_api`], [`metrics_api`]) are what HTTP handlers and embedders call. *Driven* ports
//! ([`storage`], [`cluster`], [`releases`], [`storefront`], [`secrets`], [`external_issuer`], [`clock`], [`telemetry`]) are what the use
//! cases and the worker call.
//!
//! Every port has one error enum that tells the caller what to do; the driver's own error rides along as its source. Absence is an
//! `Option`, not an error. With feature `testing` each driven port has a stateful fake with failure injection beside it, and a contract
//! suite that the fake and the real adapter both pass.

pub mod audit_api;
pub mod clock;
pub mod cluster;
pub mod events_api;
pub mod external_issuer;
pub mod gate_api;
pub mod health_api;
pub mod identity_api;
pub mod metrics_api;
pub mod organisations_api;
pub mod platform_api;
pub mod releases;
pub mod secrets;
pub mod storage;
pub mod storefront;
pub mod stores_api;
pub mod telemetry;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

/// The error that a driver gave, kept as a source and never shown to a client.
pub type Source = Box<dyn std::error::Error + Send + Sync>;
