//! What can go wrong with the database, told so that its operator can act.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use sqlx::migrate::MigrateError;

/// Why the store could not do what it was asked.
///
/// Each message completes "failed to …" and names the next step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// One try found the database locked. The locking strategies rerun the whole transaction on it, so callers of a
    /// [`Store`](super::Store) meet [`StoreError::Busy`] instead.
    #[error("{place}: the database is locked; repeat the whole transaction")]
    Locked {
        /// Where it happened.
        place: Place,
        /// What SQLite said; absent where a job asks for a rerun by itself.
        source: Option<sqlx::Error>,
    },
    /// The database stayed locked until the deadline.
    #[error(
        "{place}: the database stayed locked for {waited_ms} ms ({tries} tries); nothing was written: repeat it when the \
         other program (a backup, a sqlite3 shell, another firsthand) has let go"
    )]
    Busy {
        /// Which operation waited, and for which file.
        place: Place,
        /// How long it waited, in milliseconds.
        waited_ms: u64,
        /// How often its transaction was begun.
        tries: u64,
    },
    /// No connection became free for a read within `read_wait_ms`.
    #[error(
        "{place}: no connection became free to read within {waited_ms} ms; repeat it when the current write is done"
    )]
    ReadWait {
        /// Which operation waited, and for which file.
        place: Place,
        /// How long it waited, in milliseconds.
        waited_ms: u64,
    },
    /// The connection's worker is gone for good.
    #[error("{place}: the connection no longer answers; restart firsthand (committed work is safe)")]
    Wedged {
        /// Which operation found it, and for which file.
        place: Place,
    },
    /// The store was closed before the operation began.
    #[error("{place}: the store is closed; open it again")]
    Closed {
        /// Which operation came too late.
        place: Place,
    },
    /// A job panicked; its transaction was rolled back.
    #[error("{place}: the operation panicked and was rolled back; please report it")]
    Panicked {
        /// Which operation panicked.
        place: Place,
    },
    /// A job's transaction ended before the job did, so what it did was rolled back.
    #[error("{place}: its transaction was rolled back before its end; nothing was written: repeat it")]
    TransactionLost {
        /// Which operation.
        place: Place,
    },
    /// There is no such file, and none was to be created.
    #[error("open {}: there is no such database; `firsthand run` or `firsthand migrate` creates it", path.display())]
    NotFound {
        /// The file looked for.
        path: PathBuf,
    },
    /// The folder that is to hold the database does not exist.
    #[error("open {}: its folder {} does not exist; create it first", path.display(), directory.display())]
    NoDirectory {
        /// The database's file.
        path: PathBuf,
        /// The missing folder.
        directory: PathBuf,
    },
    /// The file cannot be opened.
    #[error("{place}: the file can't be opened; check that it is a file, and its owner, permissions and folder")]
    CannotOpen {
        /// Which file.
        place: Place,
        /// What SQLite or the operating system said.
        source: Option<sqlx::Error>,
    },
    /// The file is something else than a SQLite database.
    #[error("{place}: the file is not a SQLite database; name another file (this one is left as it is)")]
    NotADatabase {
        /// Which file.
        place: Place,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// The file is another program's database.
    #[error(
        "open {}: it is another program's database (application id {application_id}, not firsthand's); name another file",
        path.display()
    )]
    ForeignDatabase {
        /// The file.
        path: PathBuf,
        /// The application id found in its header; 0 if it has none.
        application_id: i64,
    },
    /// The database was written by a newer firsthand.
    #[error(
        "open {}: its schema is version {found}, this firsthand knows up to {known}; install the newer firsthand (the file \
         is left as it is)",
        path.display()
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The newest schema version applied to the file.
        found: i64,
        /// The newest schema version this build knows.
        known: i64,
    },
    /// The database was written by an older firsthand, and was to be read only.
    #[error(
        "open {}: its schema is version {found}, this firsthand's is {known}; `firsthand migrate` brings it up to date",
        path.display()
    )]
    OlderSchema {
        /// The file.
        path: PathBuf,
        /// The newest schema version applied to the file.
        found: i64,
        /// The newest schema version this build knows.
        known: i64,
    },
    /// The database is damaged. firsthand never repairs or deletes it by itself.
    #[error(
        "{place}: the database is damaged; keep the file, stop firsthand and restore the latest backup (`sqlite3 FILE \
         .recover` may save more)"
    )]
    Corrupt {
        /// Which operation found it, and in which file.
        place: Place,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// The file or its folder can't be written.
    #[error(
        "{place}: the file or its folder is read-only; give this user write permission on both (the WAL stands beside it)"
    )]
    ReadOnly {
        /// Which operation found it, and for which file.
        place: Place,
        /// What SQLite said; absent where the permission bits said it.
        source: Option<sqlx::Error>,
    },
    /// The disk, a quota or a size limit is full.
    #[error("{place}: the disk is full; nothing was written: free some space, then repeat it")]
    DiskFull {
        /// Which operation found it, and for which file.
        place: Place,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// The operating system failed to read or write.
    #[error("{place}: reading or writing the file failed; check the disk and the system's log")]
    Io {
        /// Which operation found it, and for which file.
        place: Place,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// Write-ahead logging could not be switched on.
    #[error(
        "open {}: it can't keep a write-ahead log here (journal mode `{mode}`); move it to a local disk",
        path.display()
    )]
    NoWriteAheadLog {
        /// The file.
        path: PathBuf,
        /// The journal mode that it stayed in.
        mode: String,
    },
    /// The SQLite library has known faults.
    #[error(
        "open the database: SQLite {found} is too old, {needed} is needed; build firsthand with its bundled SQLite"
    )]
    OldSqlite {
        /// The version found.
        found: String,
        /// The oldest version that will do.
        needed: &'static str,
    },
    /// The schema could not be brought up to date; the transaction was rolled back.
    #[error(
        "{place}: migrating its schema failed; it stays as it was (a backup from before stands beside it, if it held posts)"
    )]
    Migration {
        /// Which file.
        place: Place,
        /// Which migration, and why.
        source: Box<MigrateError>,
    },
    /// Another firsthand runs on this database.
    #[error("lock {}: another firsthand (process {holder}) runs on this database; stop it first", path.display())]
    InUse {
        /// The lock file.
        path: PathBuf,
        /// The holder's process id as it wrote it, or "unknown".
        holder: String,
    },
    /// The lock file beside the database can't be used.
    #[error("lock {}: the lock file can't be created; check its folder and permissions", path.display())]
    LockFile {
        /// The lock file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A stored value is not what this build knows how to read.
    #[error("read {column}: the stored value is not understood; was it written by a newer firsthand?")]
    BadValue {
        /// Table and column, as `table.column`.
        column: &'static str,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The archive knows an account of this name on another network.
    #[error("account {name:?} is known on the network {network:?}; give the new account another name")]
    AccountNetwork {
        /// The configured name.
        name: String,
        /// The network that the archive knows it on.
        network: String,
    },
    /// The network knows the account by another id than before.
    #[error(
        "account {name:?} was @{before} and is @{now} now; the archive holds the reposts of @{before}: give the other \
         account a name of its own"
    )]
    AccountChanged {
        /// The configured name.
        name: String,
        /// The handle that the archive knows.
        before: String,
        /// The handle that the network tells.
        now: String,
    },
    /// Anything else that SQLite or sqlx reports.
    #[error("{place}: the database refused it")]
    Sqlx {
        /// Which operation, and for which file.
        place: Place,
        /// What sqlx said.
        source: sqlx::Error,
    },
}

/// Where an error happened: which operation, on which file. Displays as "archive a page in /var/lib/firsthand.db".
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The operation, as a verb phrase.
    pub operation: Option<&'static str>,
    /// The database's file; absent for `:memory:`.
    pub file: Option<Arc<Path>>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.operation, &self.file) {
            (Some(operation), Some(file)) => write!(f, "{operation} in {}", file.display()),
            (Some(operation), None) => f.write_str(operation),
            (None, Some(file)) => write!(f, "use {}", file.display()),
            (None, None) => f.write_str("use the database"),
        }
    }
}

impl StoreError {
    /// The error with which a job asks for its whole transaction to be run again.
    pub fn rerun() -> Self {
        Self::Locked { place: Place::default(), source: None }
    }

    /// Whether the whole transaction may succeed if it is run again at once.
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Locked { .. })
    }

    /// Whether the lock was not to be had in time, so that the operation is to be repeated later; nothing is lost.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Locked { .. } | Self::Busy { .. } | Self::ReadWait { .. })
    }

    /// Whether only a restart of the process helps.
    pub fn is_wedged(&self) -> bool {
        matches!(self, Self::Wedged { .. })
    }

    /// Whether the database's storage is at fault (full, read-only, failing), which may pass without a restart.
    pub fn is_storage(&self) -> bool {
        matches!(self, Self::DiskFull { .. } | Self::ReadOnly { .. } | Self::Io { .. } | Self::CannotOpen { .. })
    }

    /// Whether waiting may mend it without a restart, so that the operation is to be repeated later.
    pub fn is_passing(&self) -> bool {
        self.is_busy() || self.is_storage()
    }

    /// A stored value that is not understood; `column` is `table.column`.
    pub fn bad_value(column: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::BadValue { column, source: source.into() }
    }

    /// Whether the connection's worker thread has died under the operation.
    pub(super) fn is_worker_crash(&self) -> bool {
        matches!(self, Self::Sqlx { source: sqlx::Error::WorkerCrashed, .. })
    }

    /// The same error, naming the operation and the file, where it does not name them yet.
    #[must_use]
    pub fn at(mut self, operation: &'static str, file: Option<&Arc<Path>>) -> Self {
        if let Some(place) = self.place_mut() {
            place.operation.get_or_insert(operation);
            if place.file.is_none() {
                place.file = file.cloned();
            }
        }
        self
    }

    fn place_mut(&mut self) -> Option<&mut Place> {
        match self {
            Self::Locked { place, .. }
            | Self::Busy { place, .. }
            | Self::ReadWait { place, .. }
            | Self::Wedged { place }
            | Self::Closed { place }
            | Self::Panicked { place }
            | Self::TransactionLost { place }
            | Self::CannotOpen { place, .. }
            | Self::NotADatabase { place, .. }
            | Self::Corrupt { place, .. }
            | Self::ReadOnly { place, .. }
            | Self::DiskFull { place, .. }
            | Self::Io { place, .. }
            | Self::Migration { place, .. }
            | Self::Sqlx { place, .. } => Some(place),
            _ => None,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    /// Sorts by the primary result code (<https://www.sqlite.org/rescode.html>): the low byte of the extended code.
    fn from(source: sqlx::Error) -> Self {
        let place = Place::default();
        if matches!(source, sqlx::Error::PoolClosed) {
            return Self::Closed { place };
        }
        let code = source.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
        match code.map(|code| code & 0xff) {
            Some(5 | 6) => Self::Locked { place, source: Some(source) },
            Some(8) => Self::ReadOnly { place, source: Some(source) },
            Some(10) => Self::Io { place, source },
            Some(11) => Self::Corrupt { place, source },
            Some(13) => Self::DiskFull { place, source },
            Some(14) => Self::CannotOpen { place, source: Some(source) },
            Some(26) => Self::NotADatabase { place, source },
            _ => Self::Sqlx { place, source },
        }
    }
}

impl From<MigrateError> for StoreError {
    /// A migration that met a lock, a full disk or the like is that error; the rest is the migration's own fault.
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) if names_a_cause(&source) => {
                source.into()
            }
            error => Self::Migration { place: Place::default(), source: Box::new(error) },
        }
    }
}

fn names_a_cause(source: &sqlx::Error) -> bool {
    let code = source.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 11 | 13 | 14 | 26))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_operation_the_file_and_the_next_step() {
        let file: Arc<Path> = Path::new("/var/lib/firsthand/archive.db").into();
        let error = StoreError::Busy { place: Place::default(), waited_ms: 30_000, tries: 9_876 };
        assert_eq!(
            error.at("archive a page", Some(&file)).to_string(),
            "archive a page in /var/lib/firsthand/archive.db: the database stayed locked for 30000 ms (9876 tries); nothing \
             was written: repeat it when the other program (a backup, a sqlite3 shell, another firsthand) has let go"
        );
    }

    #[test]
    fn the_first_operation_named_stays() {
        let error = StoreError::rerun().at("claim a repost", None).at("write", None);
        assert!(error.to_string().starts_with("claim a repost: "));
        assert!(error.is_locked() && error.is_busy() && !error.is_wedged());
    }
}
