//! The strategy of one writer: a task owns the only writing connection, everybody else sends it jobs.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions, SqliteConnection, SqlitePool};
use tokio::{
    sync::{Mutex as AsyncMutex, mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    job::{Job, TypedJob},
    liveness::Liveness,
    metrics::{LockMetrics, Meter},
    patience::{Patience, busy, place},
    pooled_read::{Reading, read_from_pool, watched},
    timeout_retry::run_to_its_end,
    transaction,
    write_lock::{JobFuture, WriteLock},
    writer_task::WriterTask,
};
use crate::store::{OpenOptions, StoreError, connect::check_connection, migrate};

/// Jobs that may wait for the writer; more callers wait for a place, which bounds the memory.
const QUEUE: usize = 1024;

/// Connections that only read.
const READERS: u32 = 2;

/// One task writes, many waiting writes share one transaction, and reads have connections of their own.
#[derive(Clone, Debug)]
pub struct SingleWriter {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Where jobs are handed in; `None` once closing has begun. Guards the taking of it; held for one clone.
    jobs: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    /// The writer, until somebody has awaited its end.
    writer: AsyncMutex<Option<JoinHandle<Result<(), StoreError>>>>,
    readers: Readers,
    patience: Arc<Patience>,
    meter: Arc<Meter>,
    file: Option<Arc<Path>>,
    read_wait: Duration,
    liveness: Liveness,
}

/// Where reads go.
#[derive(Clone, Debug)]
enum Readers {
    /// Connections of their own, which can't write.
    Pool(SqlitePool),
    /// The writer's own connection, between two groups: `:memory:` has no other.
    Writer(Arc<AsyncMutex<Option<SqliteConnection>>>),
}

impl WriteLock for SingleWriter {
    const NAME: &'static str = "single-writer";

    async fn open(options: &OpenOptions) -> Result<Self, StoreError> {
        let file = options.location.file();
        let patience = Arc::new(Patience::new(options));
        let (conn, pool, liveness, rolled_back) =
            patience.retry("open the database", file.as_ref(), || Box::pin(connect(options))).await?;
        let conn = Arc::new(AsyncMutex::new(Some(conn)));
        let readers = pool.clone().map_or_else(|| Readers::Writer(conn.clone()), Readers::Pool);
        let meter = Arc::new(Meter::new(Self::NAME));
        let (sender, jobs) = mpsc::channel(QUEUE);
        let writer = WriterTask {
            jobs,
            conn,
            readers: pool,
            patience: patience.clone(),
            meter: meter.clone(),
            file: file.clone(),
            liveness: liveness.clone(),
            rolled_back,
        };
        Ok(Self {
            shared: Arc::new(Shared {
                jobs: Mutex::new(Some(sender)),
                writer: AsyncMutex::new(Some(tokio::spawn(writer.run()))),
                readers,
                patience,
                meter,
                file,
                read_wait: Duration::from_millis(options.read_wait_ms),
                liveness,
            }),
        })
    }

    async fn write<T, F>(&self, what: &'static str, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Send + Sync + 'static,
    {
        let shared = &self.shared;
        let started = Instant::now();
        let closed = || StoreError::Closed { place: place(what, shared.file.as_ref()) };
        let Some(jobs) = shared.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone() else {
            return Err(closed());
        };
        let (reply, answer) = oneshot::channel();
        let job = Box::new(TypedJob {
            what,
            started,
            job,
            value: None,
            reply,
            meter: shared.meter.clone(),
            file: shared.file.clone(),
        });
        tokio::select! {
            biased;
            sent = jobs.send(job) => sent.map_err(|_| closed())?,
            () = shared.patience.over(started) => {
                let error = busy(what, shared.file.as_ref(), started, 0);
                shared.meter.write_ended(started, Some(&error));
                return Err(error);
            }
        }
        // The writer ends when the last sender is gone, so it must not be kept over the wait.
        drop(jobs);
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    async fn read<T, F>(&self, what: &'static str, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Send + Sync + 'static,
    {
        let shared = self.shared.clone();
        let reading = Reading { what, started: Instant::now(), wait: shared.read_wait };
        run_to_its_end(what, async move {
            let result = shared.read(&reading, &job).await;
            shared.meter.read_ended(reading.started, result.as_ref().err());
            result.map_err(|error| error.at(what, shared.file.as_ref()))
        })
        .await
    }

    fn limit_waiting(&self, limit_ms: u64) {
        self.shared.patience.limit(limit_ms);
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.shared.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut writer = self.shared.writer.lock().await;
        let Some(running) = writer.as_mut() else { return Ok(()) };
        let ended = running.await;
        *writer = None;
        let what = "close the database";
        ended
            .unwrap_or_else(|_| Err(StoreError::Closed { place: place(what, None) }))
            .map_err(|error| error.at(what, self.shared.file.as_ref()))
    }

    fn metrics(&self) -> LockMetrics {
        self.shared.meter.read_out()
    }
}

impl Shared {
    fn is_closed(&self) -> bool {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    async fn read<T, F>(&self, reading: &Reading, job: &F) -> Result<T, StoreError>
    where
        F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Sync,
    {
        if self.liveness.is_lost() && !self.is_closed() {
            return Err(StoreError::Wedged { place: place(reading.what, None) });
        }
        match &self.readers {
            Readers::Pool(pool) => read_from_pool(pool, &self.patience, &self.liveness, reading, job).await,
            Readers::Writer(conn) => {
                let Ok(mut slot) = tokio::time::timeout(reading.left(), conn.lock()).await else {
                    return Err(reading.waited());
                };
                match slot.as_mut() {
                    Some(conn) => transaction::read(conn, &self.liveness, job).await,
                    None => Err(StoreError::Closed { place: place(reading.what, None) }),
                }
            }
        }
    }
}

/// The writing connection, the readers' pool if there can be one, and what watches over them.
type Connected = (SqliteConnection, Option<SqlitePool>, Liveness, Arc<AtomicBool>);

async fn connect(options: &OpenOptions) -> Result<Connected, StoreError> {
    // New for each attempt: a failed one ends its thread.
    let liveness = Liveness::new(options.silence());
    let mut conn = options.writer().connect().await?;
    let file = options.location.file();
    check_connection(&mut conn, file.as_ref()).await?;
    migrate::bring_up_to_date(&mut conn, &options.location).await?;
    let rolled_back = liveness.watch(&mut conn).await?;
    // Connected when they are first needed.
    let readers = file.map(|_| watched(options.pool(READERS), &liveness).connect_lazy_with(options.reader()));
    Ok((conn, readers, liveness, rolled_back))
}
