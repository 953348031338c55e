//! What a program does that leaves waiting to SQLite: a pool, and its own transactions. No retry, no politeness.

use std::{marker::PhantomData, time::Duration};

use firsthand::store::{JobFuture, LockMetrics, OpenOptions, StoreError, Synchronous, WriteLock, lock::Latency};
use sqlx::{
    Connection, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous},
};

use super::tables::WAL_AUTOCHECKPOINT_PAGES;

/// How such a program goes about it.
pub(crate) trait Manner: Clone + Send + Sync + 'static {
    const NAME: &'static str;
    /// Connections, each of which reads and writes.
    const CONNECTIONS: u32;
    /// How a write transaction begins.
    const BEGIN: &'static str;
    /// How long SQLite waits for a lock.
    const BUSY_TIMEOUT: Duration;
}

/// Eight threads on one file, as they come.
#[derive(Clone, Debug)]
pub(crate) struct Naive;

impl Manner for Naive {
    const NAME: &'static str = "naive";
    const CONNECTIONS: u32 = 8;
    const BEGIN: &'static str = "BEGIN DEFERRED";
    const BUSY_TIMEOUT: Duration = Duration::ZERO;
}

/// One connection that waits.
#[derive(Clone, Debug)]
pub(crate) struct OneWaits;

impl Manner for OneWaits {
    const NAME: &'static str = "busy-timeout";
    const CONNECTIONS: u32 = 1;
    const BEGIN: &'static str = "BEGIN IMMEDIATE";
    const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
}

/// Eight connections that wait.
#[derive(Clone, Debug)]
pub(crate) struct EightWait;

impl Manner for EightWait {
    const NAME: &'static str = "busy-timeout-pool";
    const CONNECTIONS: u32 = 8;
    const BEGIN: &'static str = "BEGIN IMMEDIATE";
    const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
}

/// A pool that is used in one of these manners. The journal mode is the file's own.
#[derive(Clone, Debug)]
pub(crate) struct PlainPool<M> {
    pool: SqlitePool,
    manner: PhantomData<M>,
}

impl<M: Manner> WriteLock for PlainPool<M> {
    const NAME: &'static str = M::NAME;

    async fn open(options: &OpenOptions) -> Result<Self, StoreError> {
        let synchronous = match options.synchronous {
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Normal => SqliteSynchronous::Normal,
        };
        let mut connect = SqliteConnectOptions::new()
            .busy_timeout(M::BUSY_TIMEOUT)
            .foreign_keys(true)
            .synchronous(synchronous)
            .pragma("wal_autocheckpoint", WAL_AUTOCHECKPOINT_PAGES);
        if let Some(path) = options.location.file() {
            connect = connect.filename(path);
        }
        let pool = SqlitePoolOptions::new()
            .min_connections(M::CONNECTIONS)
            .max_connections(M::CONNECTIONS)
            .max_lifetime(None)
            .idle_timeout(None)
            .test_before_acquire(false)
            // Whoever waits for a connection waits behind others who wait for the lock.
            .acquire_timeout(Duration::from_secs(60))
            .connect_with(connect)
            .await?;
        Ok(Self { pool, manner: PhantomData })
    }

    async fn write<T, F>(&self, _what: &'static str, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Send + Sync + 'static,
    {
        let mut conn = self.pool.acquire().await?;
        let mut transaction = conn.begin_with(M::BEGIN).await?;
        let value = job(&mut transaction).await?;
        transaction.commit().await?;
        Ok(value)
    }

    async fn read<T, F>(&self, _what: &'static str, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Send + Sync + 'static,
    {
        let mut conn = self.pool.acquire().await?;
        let mut transaction = conn.begin().await?;
        let value = job(&mut transaction).await?;
        transaction.rollback().await?;
        Ok(value)
    }

    fn limit_waiting(&self, _limit_ms: u64) {}

    async fn close(&self) -> Result<(), StoreError> {
        self.pool.close().await;
        Ok(())
    }

    /// Nothing is counted here: the comparison measures from outside.
    fn metrics(&self) -> LockMetrics {
        LockMetrics {
            strategy: M::NAME.to_owned(),
            writes: 0,
            reads: 0,
            commits: 0,
            retries: 0,
            busy: 0,
            failures: 0,
            write_latency: Latency::default(),
            read_latency: Latency::default(),
        }
    }
}
