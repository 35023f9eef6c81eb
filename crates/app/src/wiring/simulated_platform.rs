//! The driven ports of the simulated platform: fakes with real time, real randomness and real cryptography.

use std::sync::Arc;

use shopwright_ports::clock::Clock;
use shopwright_ports::storage::Storage;
use shopwright_ports::testing::{FakeCluster, FakeReleases, FakeStorage, FakeStorefront};

use super::{Platform, StartError};
use crate::crypto::{AeadSealer, SealingKey, SystemClock, SystemEntropy};
use crate::simulated::{NOTE, SimulatedCluster};

impl Platform {
    /// Everything in memory; it is gone when the process ends.
    ///
    /// # Errors
    /// When the machine gives no usable randomness.
    pub fn simulated() -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy = Arc::new(SystemEntropy);
        let storage: Arc<dyn Storage> = Arc::new(FakeStorage::new(clock.clone()));
        let cluster = Arc::new(FakeCluster::new());
        let releases = FakeReleases::on(cluster.clone());
        let engines = Arc::new(crate::engines::shipped()?);
        for engine in engines.iter() {
            releases.annotate_engine(engine.name().clone(), NOTE);
        }
        Ok(Self {
            worker_storage: storage.clone(),
            storage,
            cluster: Arc::new(SimulatedCluster::new(cluster, engines.clone(), clock.clone())),
            releases: Arc::new(releases),
            storefront: Arc::new(FakeStorefront::default()),
            sealer: Arc::new(AeadSealer::new(&SealingKey::generate(entropy.as_ref()), &[])?),
            clock,
            entropy,
            engines,
            simulated: true,
            private_postgres: None,
        })
    }
}
