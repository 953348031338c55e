//! The trait that both strategies fulfil.

use std::future::Future;

use futures::future::BoxFuture;
use sqlx::SqliteConnection;

use super::metrics::LockMetrics;
use crate::store::{OpenOptions, StoreError};

/// The future that a job returns.
pub type JobFuture<'c, T> = BoxFuture<'c, Result<T, StoreError>>;

/// Serialised access to one database.
pub trait WriteLock: Clone + Send + Sync + 'static {
    /// The strategy's name, as `status` and the start-up log show it.
    const NAME: &'static str;

    /// Opens the database, which is already checked; applies missing migrations.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if it stayed locked past the deadline; whatever forbids using it.
    fn open(options: &OpenOptions) -> impl Future<Output = Result<Self, StoreError>> + Send;

    /// Runs `job` in a write transaction (BEGIN IMMEDIATE … COMMIT) and returns what it returned, once that is durable.
    ///
    /// The job may be run several times, so it must have no effect outside its transaction. Dropping the returned
    /// future does not undo or abort the job. `what` names the operation in errors and logs, as a verb phrase.
    ///
    /// # Errors
    /// The job's own error, after a rollback; [`StoreError::Busy`] if the database stayed locked past the deadline.
    fn write<T, F>(&self, what: &'static str, job: F) -> impl Future<Output = Result<T, StoreError>> + Send
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Send + Sync + 'static;

    /// Runs `job` on a connection that reads one consistent state. Whatever it writes is rolled back.
    ///
    /// # Errors
    /// The job's own error; [`StoreError::ReadWait`] if no connection became free within `read_wait_ms`.
    fn read<T, F>(&self, what: &'static str, job: F) -> impl Future<Output = Result<T, StoreError>> + Send
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Send + Sync + 'static;

    /// From now on nothing waits for the lock longer than `limit_ms` from this call: what shutdown begins with.
    fn limit_waiting(&self, limit_ms: u64);

    /// Finishes what was begun, empties the WAL and closes; later operations answer [`StoreError::Closed`]. A second
    /// call does nothing.
    ///
    /// # Errors
    /// What SQLite says to closing.
    fn close(&self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What was done so far.
    fn metrics(&self) -> LockMetrics;
}
