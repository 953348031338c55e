//! The store: what everything above the database holds in its hands.

use std::time::Duration;

use sqlx::SqliteConnection;
use tokio::task::JoinHandle;

use super::{
    DefaultLock, JobFuture, Location, LockMetrics, OpenOptions, SeenKeys, StoreError, WriteLock, backup,
    inspect::{Found, inspect},
    lock::patience::Patience,
    migrate,
};

/// How long filling the filter of keys rests when the database is busy.
const SEEN_KEYS_PAUSE: Duration = Duration::from_millis(100);

/// One open database. Cheap to clone; all clones share it.
///
/// ```
/// use firsthand::store::{OpenOptions, Store, StoreError};
///
/// # #[tokio::main] async fn main() -> Result<(), StoreError> {
/// let store: Store = Store::open(OpenOptions::new(":memory:")).await?;
/// let answer = store.write("find the answer", |_conn| Box::pin(async { Ok(42) })).await?;
/// assert_eq!(answer, 42);
/// store.close().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Store<L: WriteLock = DefaultLock> {
    lock: L,
    location: Location,
    seen_keys: SeenKeys,
}

impl<L: WriteLock> Store<L> {
    /// Opens the database, after checking that it is one of ours; an older schema is migrated, with a copy kept beside
    /// it.
    ///
    /// # Errors
    /// Whatever forbids using it, with the next step; a file that is refused stays as it is.
    pub async fn open(options: OpenOptions) -> Result<Self, StoreError> {
        if let Some(path) = options.location.file() {
            let patience = Patience::new(&options);
            let what = "open the database";
            let found = patience.retry(what, Some(&path), || Box::pin(inspect(&options, &path))).await?;
            if let Found::Archive(version) = found
                && version < migrate::newest_version()
            {
                let newest = migrate::newest_version();
                tracing::info!(from = version, to = newest, "copying the database before its schema changes");
                let what = "keep a copy before migrating";
                let kept =
                    patience.retry(what, Some(&path), || Box::pin(backup::before_migration(&path, version))).await?;
                tracing::info!(copy = ?kept, "the database as it was is kept");
            }
        }
        Ok(Self { lock: L::open(&options).await?, location: options.location, seen_keys: SeenKeys::default() })
    }

    /// Runs `job` in a write transaction; see [`WriteLock::write`].
    ///
    /// # Errors
    /// The job's own error, after a rollback; [`StoreError::Busy`] if the database stayed locked past the deadline.
    pub async fn write<T, F>(&self, what: &'static str, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Send + Sync + 'static,
    {
        self.lock.write(what, job).await
    }

    /// Runs `job` on one consistent state of the database; see [`WriteLock::read`].
    ///
    /// # Errors
    /// The job's own error; [`StoreError::ReadWait`] if no connection became free within `read_wait_ms`.
    pub async fn read<T, F>(&self, what: &'static str, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Send + Sync + 'static,
    {
        self.lock.read(what, job).await
    }

    /// From now on nothing waits for the lock longer than `limit_ms` from this call: what shutdown begins with.
    pub fn limit_waiting(&self, limit_ms: u64) {
        self.lock.limit_waiting(limit_ms);
    }

    /// Finishes what was begun, empties the WAL and closes, for all clones.
    ///
    /// # Errors
    /// What SQLite says to closing.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.seen_keys.end();
        self.lock.close().await
    }

    /// What was done so far.
    pub fn metrics(&self) -> LockMetrics {
        self.lock.metrics()
    }

    /// The locking strategy's name.
    pub fn strategy_name(&self) -> &'static str {
        L::NAME
    }

    /// What is known of keys that no archived variant bears.
    pub fn seen_keys(&self) -> &SeenKeys {
        &self.seen_keys
    }

    /// Fills [`Store::seen_keys`] beside the other work: from an archive that is there already, and again whenever another
    /// process has written much. Without it every verdict is the same, only dearer. The task ends when the store is
    /// closed.
    pub fn spare_look_ups(&self) -> JoinHandle<()> {
        let store = self.clone();
        tokio::spawn(async move {
            if let Err(error) = store.keep_seen_keys().await {
                tracing::warn!(%error, "look-ups cost more from now on: the archive's keys could not be read");
            }
        })
    }

    async fn keep_seen_keys(&self) -> Result<(), StoreError> {
        while !self.seen_keys.has_ended() {
            let seen_keys = self.seen_keys.clone();
            let slice = self.read("read the archive's keys", move |conn| {
                let seen_keys = seen_keys.clone();
                Box::pin(async move { seen_keys.fill(conn).await })
            });
            match slice.await {
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => self.seen_keys.fell_behind().await,
                // Others come first.
                Err(error) if error.is_busy() => tokio::time::sleep(SEEN_KEYS_PAUSE).await,
                Err(StoreError::Closed { .. }) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Where the database lies.
    pub fn location(&self) -> &Location {
        &self.location
    }
}
