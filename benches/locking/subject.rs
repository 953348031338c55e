//! What a worker holds in its hands, whichever strategy is behind it.

use std::{error::Error, fmt, sync::Arc};

use firsthand::store::StoreError;
use futures::future::BoxFuture;

use super::verification::Row;

/// Does one write.
pub(crate) type Write = Arc<dyn Fn(Row) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;
/// Does one read.
pub(crate) type Read = Arc<dyn Fn() -> BoxFuture<'static, Result<i64, Failure>> + Send + Sync>;

/// A strategy, opened on a file.
pub(crate) struct Subject {
    /// The write of the workload.
    pub(crate) write: Write,
    /// Reads the counter.
    pub(crate) read: Read,
    /// How many transactions were begun again so far.
    pub(crate) retries: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// Closes everything; nothing is running any more.
    pub(crate) close: Box<dyn FnOnce() -> BoxFuture<'static, anyhow::Result<()>>>,
}

/// An operation that failed: SQLite's extended result code, or what else it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy { .. } => return Self("deadline".to_owned()),
            StoreError::ReadWait { .. } => return Self("read wait".to_owned()),
            _ => {}
        }
        let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(one) = cause {
            if let Some(sqlx::Error::Database(database)) = one.downcast_ref()
                && let Some(code) = database.code()
            {
                return Self(code.into_owned());
            }
            cause = one.source();
        }
        Self(error.to_string())
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error() {
            Some(ffi) => Self(ffi.extended_code.to_string()),
            None => Self(error.to_string()),
        }
    }
}

impl From<async_sqlite::Error> for Failure {
    fn from(error: async_sqlite::Error) -> Self {
        match error {
            async_sqlite::Error::Rusqlite(error) => error.into(),
            other => Self(other.to_string()),
        }
    }
}
