//! One world, mocked or real.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::{Merchant, id_of};
use crate::mocked::Mocked;
use crate::real::Real;

/// Longer than any store takes here; a test that waits for more is stuck.
const PATIENCE: Duration = Duration::from_mins(4);

/// The whole product.
#[derive(Debug)]
pub enum World {
    /// Over the fakes, in this process.
    Mocked(Box<Mocked>),
    /// On real parts.
    Real(Box<Real>),
}

impl World {
    /// The real API, use cases and worker over the fakes with a manual clock.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn mocked() -> anyhow::Result<Self> {
        Ok(Self::Mocked(Box::new(Mocked::start().await?)))
    }

    /// The program itself on a real PostgreSQL and a cluster of kwok nodes. `None`, said loudly, where the environment has none.
    ///
    /// # Errors
    /// When the parts are there and do not start.
    pub async fn real() -> anyhow::Result<Option<Self>> {
        Ok(Real::start().await?.map(|real| Self::Real(Box::new(real))))
    }

    /// Where the API is, without `/api/v1`.
    pub fn base(&self) -> &str {
        match self {
            Self::Mocked(mocked) => &mocked.base,
            Self::Real(real) => real.base(),
        }
    }

    /// Somebody new.
    ///
    /// # Errors
    /// As [`Merchant::register`].
    pub async fn merchant(&self, name: &str) -> anyhow::Result<Merchant> {
        Merchant::register(self.base(), name).await
    }

    /// The parts of a real world.
    ///
    /// # Panics
    /// When this is a mocked one.
    pub fn parts(&self) -> &Real {
        match self {
            Self::Real(real) => real,
            Self::Mocked(_) => unreachable!("asked for a real world"),
        }
    }

    /// Asks for something of a store that is an operation, waits for its end, and returns it.
    ///
    /// # Errors
    /// When it is not accepted, or does not end in time.
    pub async fn change(&self, merchant: &Merchant, path: &str, body: &Value) -> anyhow::Result<Value> {
        let answer = merchant.post(path, body).await?;
        anyhow::ensure!(answer.status == 202, "{path}: {answer:?}");
        self.ended(merchant, &answer.body["store"]).await
    }

    /// Waits for the end of the operation that a store was answered with, and returns it.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn ended(&self, merchant: &Merchant, store: &Value) -> anyhow::Result<Value> {
        let operation = store["operation"]["id"].as_str().unwrap_or_default();
        let is_over = |it: &Value| matches!(it["status"].as_str(), Some("succeeded" | "failed" | "cancelled"));
        let ours_is_over = |store: &Value| store["operation"]["id"] != operation || is_over(&store["operation"]);
        self.until(merchant, &id_of(store), ours_is_over).await?;
        Ok(merchant.get(&format!("/operations/{operation}")).await?.body["operation"].clone())
    }

    fn log_tail(&self) -> String {
        match self {
            Self::Mocked(_) => String::new(),
            Self::Real(real) => real.server.log_tail(),
        }
    }

    /// Waits until the store is ready, failed or deleted.
    ///
    /// # Errors
    /// When it is not in time, with the store as it was last seen.
    pub async fn settled(&self, merchant: &Merchant, id: &str) -> anyhow::Result<Value> {
        self.until(merchant, id, |store| matches!(store["status"].as_str(), Some("ready" | "failed" | "deleted"))).await
    }

    /// Waits until the store is as wanted. In the mocked world time moves on whenever everybody waits.
    ///
    /// # Errors
    /// When it is not in time, with the store as it was last seen.
    pub async fn until(&self, merchant: &Merchant, id: &str, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let start = Instant::now();
        loop {
            let store = merchant.store(id).await?;
            if wanted(&store) {
                return Ok(store);
            }
            anyhow::ensure!(start.elapsed() < PATIENCE, "{id} is still {store:#}\n{}", self.log_tail());
            match self {
                Self::Mocked(mocked) => mocked.let_time_pass().await,
                Self::Real(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }
}
