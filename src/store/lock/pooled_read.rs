//! A read on a pooled connection, which waits a bounded time for it.

use std::time::{Duration, Instant};

use sqlx::{SqliteConnection, SqlitePool, sqlite::SqlitePoolOptions};

use super::{
    liveness::Liveness,
    patience::{Patience, elapsed_ms, place},
    transaction,
    write_lock::JobFuture,
};
use crate::store::StoreError;

/// A read on its way to a connection.
pub(super) struct Reading {
    /// The operation's name.
    pub(super) what: &'static str,
    /// When it was asked for.
    pub(super) started: Instant,
    /// How long it waits for a connection.
    pub(super) wait: Duration,
}

impl Reading {
    /// How much of the wait is left.
    pub(super) fn left(&self) -> Duration {
        self.wait.saturating_sub(self.started.elapsed())
    }

    /// The error of a read that has waited long enough.
    pub(super) fn waited(&self) -> StoreError {
        StoreError::ReadWait { place: place(self.what, None), waited_ms: elapsed_ms(self.started) }
    }
}

/// Reads once a connection is free. In WAL mode a reader meets a lock only while the WAL is recovered or removed.
pub(super) async fn read_from_pool<T, F>(
    pool: &SqlitePool,
    patience: &Patience,
    liveness: &Liveness,
    reading: &Reading,
    job: &F,
) -> Result<T, StoreError>
where
    F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Sync,
{
    let mut tries = 0;
    loop {
        tries += 1;
        let Ok(conn) = tokio::time::timeout(reading.left(), pool.acquire()).await else {
            return Err(reading.waited());
        };
        match transaction::read(&mut *conn?, liveness, job).await {
            Err(error) if error.is_locked() && reading.left().is_zero() => return Err(reading.waited()),
            Err(error) if error.is_locked() => patience.pause(tries).await,
            result => return result,
        }
    }
}

/// A pool whose connections are watched.
pub(super) fn watched(pool: SqlitePoolOptions, liveness: &Liveness) -> SqlitePoolOptions {
    let liveness = liveness.clone();
    pool.after_connect(move |conn, _| {
        let liveness = liveness.clone();
        Box::pin(async move { liveness.watch(conn).await.map(drop) })
    })
}
