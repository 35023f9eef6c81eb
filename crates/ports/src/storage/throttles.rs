//! What is counted about attempts to sign in and to register, and about requests. A key says nothing about whether the account exists.

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::limits::SignInFailures;

use crate::storage::StorageError;

/// The counters under one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Throttle {
    /// Failed sign-ins.
    pub failures: SignInFailures,
    /// The state of a rate ([`shopwright_domain::limits::Rate`]).
    pub rate: Option<Timestamp>,
}

/// Counters of attempts.
#[async_trait]
pub trait ThrottleRepository: Send {
    /// The counters under a key, locked until the transaction ends; zero when there are none yet.
    async fn lock(&mut self, key: &[u8; 32], now: Timestamp) -> Result<Throttle, StorageError>;

    /// The counters under a key, read without a lock; zero when there are none.
    async fn get(&mut self, key: &[u8; 32]) -> Result<Throttle, StorageError>;

    /// Writes the counters under a key that is locked.
    async fn put(&mut self, key: &[u8; 32], throttle: Throttle) -> Result<(), StorageError>;

    /// Forgets counters that nobody looked at since this time; how many there were.
    async fn purge(&mut self, before: Timestamp) -> Result<u64, StorageError>;
}
