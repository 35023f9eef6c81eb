//! Reading rows: every value by the name of its column, and an error that says where a value is that this version cannot read.

use std::fmt::Display;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use shopwright_domain::store::Failure;
use shopwright_ports::storage::StorageError;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

/// One row of a table.
pub(crate) struct Row<'r> {
    columns: &'r PgRow,
    table: &'static str,
    key: &'static str,
}

impl<'r> Row<'r> {
    /// A row of `table`, known by the column `key`.
    pub(crate) const fn new(columns: &'r PgRow, table: &'static str, key: &'static str) -> Self {
        Self { columns, table, key }
    }

    /// The error for a value that makes no sense.
    pub(crate) fn corrupt(&self, column: &'static str, detail: impl Display) -> StorageError {
        let by_uuid = self.columns.try_get::<uuid::Uuid, _>(self.key).map(|id| id.to_string());
        let row =
            by_uuid.or_else(|_| self.columns.try_get::<String, _>(self.key)).unwrap_or_else(|_| "unknown".to_owned());
        StorageError::Corrupt { table: self.table, column, row, detail: detail.to_string() }
    }

    pub(crate) fn get<T>(&self, column: &'static str) -> Result<T, StorageError>
    where
        T: sqlx::Type<sqlx::Postgres> + sqlx::Decode<'r, sqlx::Postgres>,
    {
        self.columns.try_get(column).map_err(|error| self.corrupt(column, error))
    }

    /// A text that is the stored form of something.
    pub(crate) fn parse<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<T, StorageError> {
        self.get::<&str>(column)?.parse().map_err(|error| self.corrupt(column, error))
    }

    pub(crate) fn parse_optional<T: FromStr<Err: Display>>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StorageError> {
        let text = self.get::<Option<&str>>(column)?;
        text.map(|text| text.parse().map_err(|error| self.corrupt(column, error))).transpose()
    }

    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp, StorageError> {
        self.get::<jiff_sqlx::Timestamp>(column).map(jiff_sqlx::Timestamp::to_jiff)
    }

    pub(crate) fn time_optional(&self, column: &'static str) -> Result<Option<Timestamp>, StorageError> {
        Ok(self.get::<Option<jiff_sqlx::Timestamp>>(column)?.map(jiff_sqlx::Timestamp::to_jiff))
    }

    pub(crate) fn micros_optional(&self, column: &'static str) -> Result<Option<SignedDuration>, StorageError> {
        Ok(self.get::<Option<i64>>(column)?.map(SignedDuration::from_micros))
    }

    /// How many `count(*)` found: PostgreSQL counts in signed numbers, from zero.
    pub(crate) fn number(&self, column: &'static str) -> Result<u64, StorageError> {
        Ok(self.get::<i64>(column)?.unsigned_abs())
    }

    /// A number that is never negative.
    pub(crate) fn count(&self, column: &'static str) -> Result<u32, StorageError> {
        u32::try_from(self.get::<i32>(column)?).map_err(|error| self.corrupt(column, error))
    }

    /// The failure in the columns `failure_code` and `failure_detail`.
    pub(crate) fn failure(&self) -> Result<Option<Failure>, StorageError> {
        let code = self.parse_optional("failure_code")?;
        let detail = self.get::<Option<String>>("failure_detail")?;
        Ok(code.zip(detail).map(|(code, detail)| Failure { code, detail }))
    }
}

/// A count for an integer column. What does not fit is a fault of ours: nothing is counted that far.
pub(crate) fn integer(count: u32) -> Result<i32, StorageError> {
    i32::try_from(count).map_err(|error| StorageError::Internal {
        detail: format!("{count} is too large to be stored"),
        source: Some(Box::new(error)),
    })
}

/// A duration for a column of microseconds.
pub(crate) fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(if duration.is_negative() { i64::MIN } else { i64::MAX })
}
