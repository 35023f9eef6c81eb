//! Counters of attempts to sign in.

use async_trait::async_trait;
use jiff::Timestamp;

use super::transaction::FakeTransaction;
use crate::storage::{StorageError, Throttle, ThrottleRepository};

#[async_trait]
impl ThrottleRepository for FakeTransaction {
    async fn lock(&mut self, key: &[u8; 32], now: Timestamp) -> Result<Throttle, StorageError> {
        let row = self.identity_rows()?.throttles.entry(*key).or_insert((Throttle::default(), now));
        row.1 = now;
        Ok(row.0)
    }

    async fn get(&mut self, key: &[u8; 32]) -> Result<Throttle, StorageError> {
        Ok(self.identity_rows()?.throttles.get(key).map_or_else(Throttle::default, |(throttle, _)| *throttle))
    }

    async fn put(&mut self, key: &[u8; 32], throttle: Throttle) -> Result<(), StorageError> {
        self.identity_rows()?.throttles.get_mut(key).ok_or(StorageError::Stale)?.0 = throttle;
        Ok(())
    }

    async fn purge(&mut self, before: Timestamp) -> Result<u64, StorageError> {
        let rows = &mut self.identity_rows()?.throttles;
        let held = rows.len();
        rows.retain(|_, (_, touched_at)| *touched_at >= before);
        Ok((held - rows.len()) as u64)
    }
}
