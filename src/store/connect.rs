//! Where the database lies, and how every connection to it is set up.

use std::{
    convert::Infallible,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use sqlx::{
    SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::StoreError;

/// The oldest SQLite that will do: 3.51.3 mends the WAL-reset fault that could lose committed pages
/// (<https://www.sqlite.org/wal.html#walresetbug>).
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);
const OLDEST_SQLITE_TEXT: &str = "3.51.3";

/// Pages in the WAL after which a commit copies them into the database: 2,000 pages are 8 MB.
const WAL_AUTOCHECKPOINT_PAGES: &str = "2000";

/// What a WAL that a long reader let grow is cut back to, in bytes (64 MiB).
const JOURNAL_SIZE_LIMIT_BYTES: &str = "67108864";

/// Prepared statements kept a connection; more than the store has, so that none is prepared twice.
const STATEMENT_CACHE: usize = 256;

/// Rows that a statement hands over without waiting for its reader: more than a page's candidates in most cases, since
/// each wait costs two changes of threads.
const ROWS_IN_ADVANCE: usize = 4096;

/// Where the database lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file on a local disk.
    File(PathBuf),
    /// `:memory:`: gone when the store is closed.
    Memory,
}

impl Location {
    /// The file, as an absolute path; `None` for `:memory:`.
    pub fn file(&self) -> Option<Arc<Path>> {
        match self {
            // Absolute, so that the path never starts with `file:`, which SQLite would read as a URI.
            Self::File(path) => Some(std::path::absolute(path).unwrap_or_else(|_| path.clone()).into()),
            Self::Memory => None,
        }
    }
}

impl FromStr for Location {
    type Err = Infallible;

    /// `:memory:`, or a path.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == ":memory:" { Self::Memory } else { Self::File(text.into()) })
    }
}

impl<P: AsRef<Path>> From<P> for Location {
    /// `:memory:`, or a path.
    fn from(path: P) -> Self {
        let path = path.as_ref();
        if path == Path::new(":memory:") { Self::Memory } else { Self::File(path.into()) }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Memory => f.write_str(":memory:"),
        }
    }
}

/// How much a commit waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronous {
    /// Every commit reaches the disk: survives power loss.
    Full,
    /// Commits reach the disk at checkpoints: the latest may be lost on power loss, never the database's integrity.
    Normal,
}

/// How to open a store.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Where the database lies.
    pub location: Location,
    /// Whether a missing file is created.
    pub create: bool,
    /// How much a commit waits for the disk.
    pub synchronous: Synchronous,
    /// How long a write waits for the lock before it answers [`StoreError::Busy`], in milliseconds.
    pub deadline_ms: u64,
    /// How long a read waits for a connection before it answers [`StoreError::ReadWait`], in milliseconds.
    pub read_wait_ms: u64,
    /// How long SQLite itself waits for a lock before a try fails, in milliseconds. Short, because it sleeps on the
    /// connection's worker, where everything else waits behind it.
    pub busy_timeout_ms: u64,
    /// How much longer than `deadline_ms` a connection may stay silent before it counts as dead, in milliseconds.
    pub silence_ms: u64,
    /// Seed of the jitter between tries. Processes that share a database should differ in it.
    pub jitter_seed: u64,
}

impl OpenOptions {
    /// The options that the bot runs with, for the database at `location`.
    pub fn new(location: impl Into<Location>) -> Self {
        Self {
            location: location.into(),
            create: true,
            synchronous: Synchronous::Full,
            deadline_ms: 30_000,
            read_wait_ms: 1_000,
            busy_timeout_ms: 5,
            silence_ms: 10_000,
            jitter_seed: u64::from(std::process::id()),
        }
    }

    /// How long a connection may stay silent before it counts as dead.
    pub(super) fn silence(&self) -> Duration {
        Duration::from_millis(self.deadline_ms.saturating_add(self.silence_ms))
    }

    /// How to connect for writing.
    pub(super) fn writer(&self) -> SqliteConnectOptions {
        let options = self.any().create_if_missing(self.create);
        match self.location {
            Location::File(_) => options.journal_mode(SqliteJournalMode::Wal),
            Location::Memory => options.in_memory(true),
        }
    }

    /// How to connect for reading only. The file is not created, and its journal mode is left as it is.
    pub(super) fn reader(&self) -> SqliteConnectOptions {
        self.any().read_only(true)
    }

    /// A pool whose connections live as long as it does.
    pub(super) fn pool(&self, connections: u32) -> SqlitePoolOptions {
        SqlitePoolOptions::new()
            .max_connections(connections)
            // A recycled connection would take `:memory:` with it.
            .max_lifetime(None)
            .idle_timeout(None)
            .test_before_acquire(false)
            // The strategies give up earlier by themselves; this is only the net below them.
            .acquire_timeout(self.silence() + Duration::from_secs(1))
    }

    fn any(&self) -> SqliteConnectOptions {
        let options = SqliteConnectOptions::new()
            .busy_timeout(Duration::from_millis(self.busy_timeout_ms.min(60_000)))
            .foreign_keys(true)
            .synchronous(match self.synchronous {
                Synchronous::Full => SqliteSynchronous::Full,
                Synchronous::Normal => SqliteSynchronous::Normal,
            })
            .pragma("wal_autocheckpoint", WAL_AUTOCHECKPOINT_PAGES)
            .pragma("journal_size_limit", JOURNAL_SIZE_LIMIT_BYTES)
            .row_buffer_size(ROWS_IN_ADVANCE)
            .statement_cache_capacity(STATEMENT_CACHE);
        match self.location.file() {
            Some(path) => options.filename(path),
            None => options.filename(":memory:"),
        }
    }
}

/// Checks what only an open connection can tell: the library's version, and that the WAL is on.
///
/// # Errors
/// [`StoreError::OldSqlite`], [`StoreError::NoWriteAheadLog`], or what SQLite says.
pub(super) async fn check_connection(conn: &mut SqliteConnection, file: Option<&Arc<Path>>) -> Result<(), StoreError> {
    let found = sqlx::query_scalar!(r#"SELECT sqlite_version() AS "version!: String""#).fetch_one(&mut *conn).await?;
    if !is_new_enough(&found) {
        return Err(StoreError::OldSqlite { found, needed: OLDEST_SQLITE_TEXT });
    }
    if let Some(path) = file {
        let mode = sqlx::query_scalar!(r#"SELECT journal_mode || '' AS "mode!: String" FROM pragma_journal_mode"#)
            .fetch_one(conn)
            .await?;
        if mode != "wal" {
            return Err(StoreError::NoWriteAheadLog { path: path.to_path_buf(), mode });
        }
    }
    Ok(())
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next()) >= OLDEST_SQLITE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_told_from_a_path() {
        assert_eq!(Location::from(":memory:"), Location::Memory);
        assert_eq!("archive.db".parse(), Ok(Location::File("archive.db".into())));
        assert!(Location::from("file:archive.db").file().unwrap().is_absolute());
    }

    #[test]
    fn sqlite_versions_compare_as_numbers() {
        assert!(is_new_enough("3.51.3") && is_new_enough("3.51.10") && is_new_enough("3.60.0") && is_new_enough("4.0"));
        assert!(!is_new_enough("3.51.2") && !is_new_enough("3.9.99") && !is_new_enough("?"));
    }
}
