//! What the driver's errors mean to a caller. The one place that reads SQLSTATEs and names of constraints.

use shopwright_ports::storage::{StorageError, Unique};
use sqlx::error::DatabaseError;

/// The meaning of `error`, met while doing `what`. The driver's words stay in the source.
pub(crate) fn storage_error(what: &str, error: sqlx::Error) -> StorageError {
    match error {
        sqlx::Error::Database(refusal) => refused(what, refusal),
        error @ (sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed) => unavailable(what, error),
        error => StorageError::Internal { detail: what.to_owned(), source: Some(Box::new(error)) },
    }
}

/// The database did not answer, or not in time.
pub(crate) fn unavailable(what: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StorageError {
    StorageError::Unavailable { detail: what.to_owned(), source: Some(source.into()) }
}

/// A fault of ours, in words.
pub(crate) fn internal(detail: impl Into<String>) -> StorageError {
    StorageError::Internal { detail: detail.into(), source: None }
}

/// Whether the session is of no use any more: it is gone, or its server may not write. A pool that kept it would hand it out again.
pub(crate) fn ends_the_session(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(refusal) => {
            let code = refusal.code().unwrap_or_default();
            matches!(&*code, "25006" | "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04")
                || code.starts_with("08")
        }
        error => !matches!(error, sqlx::Error::RowNotFound),
    }
}

fn refused(what: &str, refusal: Box<dyn DatabaseError>) -> StorageError {
    let code = refusal.code().unwrap_or_default().into_owned();
    match code.as_str() {
        // Serialisation failure, deadlock, lock not available in time.
        "40001" | "40P01" | "55P03" => StorageError::Conflict,
        // Statement timeout, shutdown or crash of the server, a standby that took over, transactions that idled or ran too long.
        "57014" | "57P01" | "57P02" | "57P03" | "57P05" | "25006" | "25P03" | "25P04" => unavailable(what, refusal),
        // Connections, resources, the server's own disks.
        _ if ["08", "53", "58"].iter().any(|class| code.starts_with(class)) => unavailable(what, refusal),
        // A policy, or a right that the transaction's role has not.
        "42501" => StorageError::OutOfReach { detail: what.to_owned() },
        _ => match refusal.constraint().and_then(unique) {
            Some(unique) => StorageError::NotUnique(unique),
            None => StorageError::Internal { detail: what.to_owned(), source: Some(refusal) },
        },
    }
}

fn unique(constraint: &str) -> Option<Unique> {
    match constraint {
        "users_email_key" => Some(Unique::UserEmail),
        "users_username_key" => Some(Unique::Username),
        "memberships_pkey" => Some(Unique::Membership),
        "stores_pkey" | "stores_tenant_id_key" => Some(Unique::StoreId),
        "stores_live_name_key" => Some(Unique::StoreName),
        "stores_live_host_key" => Some(Unique::StoreHost),
        "operations_unfinished_key" => Some(Unique::UnfinishedOperation),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_without_a_free_connection_is_unavailable() {
        let error = storage_error("begin", sqlx::Error::PoolTimedOut);

        assert!(matches!(error, StorageError::Unavailable { .. }));
    }

    #[test]
    fn what_a_client_may_see_holds_no_word_of_the_driver() {
        let error = storage_error("read a store", sqlx::Error::Protocol("secret words".into()));

        assert_eq!(error.to_string(), "the database does not answer: read a store");
    }
}
