//! A fake ingress: it answers for the hosts that it was told about.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use shopwright_domain::store::StoreHost;

use crate::storefront::{Storefront, StorefrontError};
use crate::testing::Faults;

/// Answers 200 for every host unless told otherwise.
#[derive(Debug, Default)]
pub struct FakeStorefront {
    /// What the next probes meet instead.
    pub faults: Faults<StorefrontError>,
    statuses: Mutex<BTreeMap<StoreHost, u16>>,
}

impl FakeStorefront {
    /// From now on `host` answers with `status`.
    pub fn answer(&self, host: &StoreHost, status: u16) {
        self.statuses.lock().unwrap_or_else(PoisonError::into_inner).insert(host.clone(), status);
    }
}

#[async_trait]
impl Storefront for FakeStorefront {
    async fn probe(&self, host: &StoreHost, path: &str) -> Result<(), StorefrontError> {
        self.faults
            .around("probe", || {
                let status =
                    self.statuses.lock().unwrap_or_else(PoisonError::into_inner).get(host).copied().unwrap_or(200);
                if (200..300).contains(&status) {
                    Ok(())
                } else {
                    Err(StorefrontError::Status { host: host.clone(), path: path.to_owned(), status })
                }
            })
            .await
    }
}
