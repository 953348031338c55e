//! The strategy of waiting: one pooled connection, and a retry of the whole transaction while the database is locked.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{Connection, Executor, Sqlite, SqliteConnection, SqlitePool, pool::PoolConnection};
use tokio::sync::{Mutex, RwLock};

use super::{
    liveness::Liveness,
    metrics::{LockMetrics, Meter},
    patience::{self, Patience, place},
    politeness::Politeness,
    pooled_read::{Reading, read_from_pool, watched},
    transaction,
    write_lock::{JobFuture, WriteLock},
};
use crate::store::{OpenOptions, StoreError, connect::check_connection, migrate};

/// Everything on one connection. A write that finds the database locked gives the connection back, waits at most 3 ms and
/// runs again as a whole, until the deadline.
#[derive(Clone, Debug)]
pub struct TimeoutRetry {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// One connection. Reads and the writer whose turn it is compete for it, first come, first served.
    pool: SqlitePool,
    /// Whose turn it is to try a write. One at a time, so that the others' tries neither crowd the connection nor keep
    /// reads from it while another process holds the lock.
    turn: Mutex<Politeness>,
    /// Whether the store is closed. Held for reading by each operation from its call on, so closing waits for them all.
    closed: Arc<RwLock<bool>>,
    /// Reads that hold the connection or wait for it.
    readers: AtomicUsize,
    patience: Patience,
    meter: Meter,
    file: Option<Arc<Path>>,
    read_wait: Duration,
    liveness: Liveness,
    /// How long the pool may take to hand out a connection that nobody holds.
    handover: Duration,
}

impl WriteLock for TimeoutRetry {
    const NAME: &'static str = "timeout-retry";

    async fn open(options: &OpenOptions) -> Result<Self, StoreError> {
        let file = options.location.file();
        let patience = Patience::new(options);
        let (pool, liveness) =
            patience.retry("open the database", file.as_ref(), || Box::pin(connect(options))).await?;
        Ok(Self {
            shared: Arc::new(Shared {
                pool,
                turn: Mutex::new(Politeness::new(Instant::now())),
                closed: Arc::new(RwLock::new(false)),
                readers: AtomicUsize::new(0),
                patience,
                meter: Meter::new(Self::NAME),
                file,
                read_wait: Duration::from_millis(options.read_wait_ms),
                liveness,
                handover: Duration::from_millis(options.silence_ms),
            }),
        })
    }

    async fn write<T, F>(&self, what: &'static str, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Send + Sync + 'static,
    {
        let shared = self.shared.clone();
        let started = Instant::now();
        let closed = shared.closed.clone().read_owned().await;
        run_to_its_end(what, async move {
            shared.check_usable(what, *closed)?;
            let result = shared.write(what, &job, started).await;
            shared.meter.write_ended(started, result.as_ref().err());
            result.map_err(|error| error.at(what, shared.file.as_ref()))
        })
        .await
    }

    async fn read<T, F>(&self, what: &'static str, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Send + Sync + 'static,
    {
        let shared = self.shared.clone();
        let started = Instant::now();
        let closed = shared.closed.clone().read_owned().await;
        run_to_its_end(what, async move {
            shared.check_usable(what, *closed)?;
            shared.readers.fetch_add(1, Ordering::SeqCst);
            let result = shared.read(what, &job, started).await;
            shared.readers.fetch_sub(1, Ordering::SeqCst);
            shared.meter.read_ended(started, result.as_ref().err());
            result.map_err(|error| error.at(what, shared.file.as_ref()))
        })
        .await
    }

    fn limit_waiting(&self, limit_ms: u64) {
        self.shared.patience.limit(limit_ms);
    }

    async fn close(&self) -> Result<(), StoreError> {
        let shared = self.shared.clone();
        run_to_its_end("close the database", async move { shared.close().await }).await
    }

    fn metrics(&self) -> LockMetrics {
        self.shared.meter.read_out()
    }
}

impl Shared {
    async fn write<T, F>(&self, what: &'static str, job: &F, started: Instant) -> Result<T, StoreError>
    where
        F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Sync,
    {
        let mut tries = 0;
        let mut politeness = tokio::select! {
            biased;
            turn = self.turn.lock() => turn,
            () = self.patience.over(started) => return Err(self.busy(what, started, tries)),
        };
        loop {
            politeness.leave_gap().await;
            tries += 1;
            let mut conn = self.connection_for_a_write(what, started, tries).await?;
            let (result, held) = transaction::write(&mut conn, &self.liveness, job).await;
            drop(conn);
            if let Some((taken, released)) = held {
                politeness.worked(taken, released);
            }
            match result {
                Err(error) if error.is_locked() => {
                    politeness.saw_busy(Instant::now());
                    if self.patience.is_over(started) {
                        return Err(self.busy(what, started, tries));
                    }
                    self.meter.retried();
                    self.patience.pause(tries).await;
                }
                Err(error) if error.is_wedged() => return Err(self.wedge(what)),
                Err(error) => return Err(error),
                Ok(value) => {
                    self.meter.committed();
                    return Ok(value);
                }
            }
        }
    }

    async fn read<T, F>(&self, what: &'static str, job: &F, started: Instant) -> Result<T, StoreError>
    where
        F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Sync,
    {
        let reading = Reading { what, started, wait: self.read_wait };
        read_from_pool(&self.pool, &self.patience, &self.liveness, &reading, job).await
    }

    /// The connection, for the writer whose turn it is; only reads can hold it now.
    async fn connection_for_a_write(
        &self,
        what: &'static str,
        started: Instant,
        tries: u64,
    ) -> Result<PoolConnection<Sqlite>, StoreError> {
        tokio::select! {
            biased;
            conn = self.pool.acquire() => return Ok(conn?),
            () = self.patience.over(started) => {}
        }
        // The time is over. A connection that no read holds is on its way back to the pool, or it never comes.
        if self.readers.load(Ordering::SeqCst) == 0
            && let Ok(conn) = tokio::time::timeout(self.handover, self.pool.acquire()).await
        {
            return Ok(conn?);
        }
        if self.readers.load(Ordering::SeqCst) > 0 {
            return Err(self.busy(what, started, tries));
        }
        Err(self.wedge(what))
    }

    async fn close(&self) -> Result<(), StoreError> {
        let mut closed = self.closed.write().await;
        if std::mem::replace(&mut *closed, true) {
            return Ok(());
        }
        if self.liveness.is_lost() {
            // The pool would wait for its dead connection for ever; it is marked as closed, and that must do.
            drop(self.pool.close());
            return Ok(());
        }
        let mut conn = self.pool.acquire().await?;
        empty_the_wal(&mut conn).await;
        // Closed here, not by the pool, whose closing swallows the error.
        conn.detach().close().await?;
        self.pool.close().await;
        Ok(())
    }

    fn check_usable(&self, what: &'static str, closed: bool) -> Result<(), StoreError> {
        if closed {
            Err(StoreError::Closed { place: place(what, self.file.as_ref()) })
        } else if self.liveness.is_lost() {
            Err(self.wedge(what))
        } else {
            Ok(())
        }
    }

    fn wedge(&self, what: &'static str) -> StoreError {
        self.liveness.give_up();
        StoreError::Wedged { place: place(what, self.file.as_ref()) }
    }

    fn busy(&self, what: &'static str, started: Instant, tries: u64) -> StoreError {
        patience::busy(what, self.file.as_ref(), started, tries)
    }
}

async fn connect(options: &OpenOptions) -> Result<(SqlitePool, Liveness), StoreError> {
    // New for each attempt: a failed one ends its thread.
    let liveness = Liveness::new(options.silence());
    let pool = watched(options.pool(1), &liveness).connect_with(options.writer()).await?;
    let mut conn = pool.acquire().await?;
    check_connection(&mut conn, options.location.file().as_ref()).await?;
    migrate::bring_up_to_date(&mut conn, &options.location).await?;
    drop(conn);
    Ok((pool, liveness))
}

/// Runs an operation in a task of its own, since a database future must not be cancelled: a statement that was sent
/// runs all the same, and the caller would not know.
pub(super) async fn run_to_its_end<T: Send + 'static>(
    what: &'static str,
    operation: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::spawn(operation).await {
        Ok(result) => result,
        // Jobs' panics are caught inside; what is left is the runtime going down.
        Err(_) => Err(StoreError::Closed { place: place(what, None) }),
    }
}

/// Leaves the database tidy before its last connection closes. Best effort: another process may be at work, and then
/// it will do the same.
pub(super) async fn empty_the_wal(conn: &mut SqliteConnection) {
    for pragma in ["PRAGMA optimize", "PRAGMA wal_checkpoint(TRUNCATE)"] {
        if let Err(error) = conn.execute(pragma).await {
            tracing::debug!(%error, pragma, "the database was not tidied before closing");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn open(deadline_ms: u64, silence_ms: u64) -> TimeoutRetry {
        let options = OpenOptions { deadline_ms, silence_ms, read_wait_ms: 10, ..OpenOptions::new(":memory:") };
        TimeoutRetry::open(&options).await.unwrap()
    }

    fn nothing(_: &mut SqliteConnection) -> JobFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    #[tokio::test]
    async fn a_connection_that_nobody_gives_back_is_told_as_wedged_and_stays_so() {
        let lock = open(10, 10).await;
        std::mem::forget(lock.shared.pool.acquire().await.unwrap());
        let error = lock.write("count", nothing).await.unwrap_err();
        assert!(error.is_wedged(), "{error}");
        let error = lock.read("read", nothing).await.unwrap_err();
        assert!(error.is_wedged(), "{error}");
        lock.close().await.unwrap();
    }

    #[tokio::test]
    async fn a_connection_that_a_read_holds_is_busy_not_wedged() {
        let lock = open(10, 10).await;
        let (began, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
        let end = Arc::new(tokio::sync::Notify::new());
        let ended = end.clone();
        let read = lock.read("read for long", move |_| {
            began.send(()).unwrap();
            let ended = ended.clone();
            Box::pin(async move {
                ended.notified().await;
                Ok(())
            })
        });
        let write = async {
            has_begun.recv().await.unwrap();
            let error = lock.write("count", nothing).await.unwrap_err();
            assert!(error.is_busy(), "{error}");
            end.notify_one();
        };
        tokio::join!(async { read.await.unwrap() }, write);
        lock.write("count", nothing).await.unwrap();
        lock.close().await.unwrap();
    }
}
