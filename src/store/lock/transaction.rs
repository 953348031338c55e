//! One try of one transaction on a connection that is held.

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use futures::FutureExt;
use sqlx::{Connection, Executor, Sqlite, SqliteConnection, Transaction};

use super::{liveness::Liveness, write_lock::JobFuture};
use crate::store::{Place, StoreError};

/// No job runs this long: past it, the connection counts as dead. Jobs work on a page of posts, which takes
/// milliseconds; a sick disk may stretch that a hundredfold.
const LONGEST_JOB: Duration = Duration::from_secs(600);

/// When the lock was taken and when it was given back.
pub(super) type Held = Option<(Instant, Instant)>;

/// Tries a write once: BEGIN IMMEDIATE, the job, COMMIT.
///
/// An error that [`is_locked`](StoreError::is_locked) asks for another try of the whole; it may come from any of the
/// three.
pub(super) async fn write<T, F>(
    conn: &mut SqliteConnection,
    liveness: &Liveness,
    job: &F,
) -> (Result<T, StoreError>, Held)
where
    F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Sync,
{
    let mut transaction = match begin_immediate(conn, liveness).await {
        Ok(transaction) => transaction,
        Err(error) => return (Err(error), None),
    };
    let taken = Instant::now();
    let result = match run_job(&mut transaction, liveness, job).await {
        Ok(value) => commit(transaction, liveness).await.map(|()| value),
        Err(error) => {
            // If the rollback fails as well, `clear` sees to it; the job's error is the one to report.
            let _ = liveness.answered(transaction.rollback()).await;
            Err(error)
        }
    };
    let result = match result {
        Err(error) => Err(clear(conn, liveness).await.err().unwrap_or(error)),
        done => done,
    };
    (result, Some((taken, Instant::now())))
}

/// Runs a job that reads one state of the database; nothing that it writes stays.
pub(super) async fn read<T, F>(conn: &mut SqliteConnection, liveness: &Liveness, job: &F) -> Result<T, StoreError>
where
    F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Sync,
{
    let mut transaction = liveness.answered(conn.begin()).await?;
    let result = run_job(&mut transaction, liveness, job).await;
    // A thread that panics answers its query with no rows and no error: only the next command tells.
    let ended = liveness.answered(transaction.rollback()).await;
    if ended.is_err() {
        clear(conn, liveness).await?;
    }
    result.and_then(|value| ended.map(|()| value))
}

/// Begins the only kind of transaction that may write. A deferred one that reads first can't be saved by waiting.
pub(super) async fn begin_immediate<'c>(
    conn: &'c mut SqliteConnection,
    liveness: &Liveness,
) -> Result<Transaction<'c, Sqlite>, StoreError> {
    liveness.answered(conn.begin_with("BEGIN IMMEDIATE")).await
}

/// Commits. Even here SQLite may answer that it is busy.
pub(super) async fn commit(transaction: Transaction<'_, Sqlite>, liveness: &Liveness) -> Result<(), StoreError> {
    liveness.answered(transaction.commit()).await
}

/// Brings a connection back to "no transaction" after a failure.
///
/// On some errors (a full disk, for one) SQLite rolls back by itself; the ROLLBACK that follows then fails, and sqlx
/// goes on believing that a transaction is open.
pub(super) async fn clear(conn: &mut SqliteConnection, liveness: &Liveness) -> Result<(), StoreError> {
    // A dropped transaction's rollback is still queued; the ping stands behind it.
    liveness.answered(conn.ping()).await?;
    if !conn.is_in_transaction() {
        return Ok(());
    }
    // Makes true what sqlx believes, so that it can roll back. What exists already does no harm: a BEGIN inside a
    // transaction is refused, and ROLLBACK ends savepoints of any number.
    for statement in ["BEGIN", "SAVEPOINT _sqlx_savepoint_1", "SAVEPOINT _sqlx_savepoint_2"] {
        let _ = liveness.answered(conn.execute(statement)).await;
    }
    // At most a transaction, a savepoint and one of the job's own are open.
    for _ in 0..3 {
        // sqlx refuses this while it believes a transaction to be open, and then rolls back the innermost.
        if let Ok(transaction) = liveness.answered(conn.begin_with("BEGIN IMMEDIATE")).await {
            liveness.answered(transaction.rollback()).await?;
        }
        liveness.answered(conn.ping()).await?;
        if !conn.is_in_transaction() {
            return Ok(());
        }
    }
    Err(StoreError::Wedged { place: Place::default() })
}

/// Runs a job; a panic becomes an error, so that it ends this job alone.
pub(super) async fn run_job<'c, T, F>(
    conn: &'c mut SqliteConnection,
    liveness: &Liveness,
    job: &F,
) -> Result<T, StoreError>
where
    F: Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Sync,
{
    let caught = AssertUnwindSafe(async move { job(conn).await }).catch_unwind();
    let panicked = |_| Err(StoreError::Panicked { place: Place::default() });
    liveness.unless_lost(LONGEST_JOB, caught.map(|result| result.unwrap_or_else(panicked))).await
}
