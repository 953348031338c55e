//! Looks at a file before anything is written to it. No page is scanned: that is what backups are checked for.
//!
//! Only SQLite ever opens the file. A file that this process opens and closes by itself would take with it the POSIX
//! locks of any connection it has on that file (<https://www.sqlite.org/howtocorrupt.html>, section 2.2).

use std::{io::ErrorKind, path::Path, sync::Arc};

use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::{StoreError, connect::OpenOptions, error::Place, lock::patience::Patience, migrate};

/// `PRAGMA application_id` of every firsthand database: "FHST", set by the first migration.
const APPLICATION_ID: i64 = 0x4648_5354;

/// The smallest page, and so the smallest database that is not empty (<https://www.sqlite.org/fileformat.html>).
const SMALLEST_PAGE_BYTES: u64 = 512;

/// What stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No file, or an empty database.
    Nothing,
    /// A firsthand database whose newest applied migration is this one.
    Archive(i64),
}

/// The schema version of the database as it lies there, which is not changed; `None` if there is none yet: no file, an
/// empty one, or `:memory:`.
///
/// # Errors
/// Whatever forbids using it, with the next step; [`StoreError::Busy`] if it stayed locked past the deadline.
pub async fn schema_version(options: &OpenOptions) -> Result<Option<i64>, StoreError> {
    let Some(path) = options.location.file() else { return Ok(None) };
    let patience = Patience::new(options);
    match patience.retry("look at the database", Some(&path), || Box::pin(inspect(options, &path))).await? {
        Found::Nothing => Ok(None),
        Found::Archive(version) => Ok(Some(version)),
    }
}

/// Looks at the file, without changing it.
///
/// # Errors
/// Whatever forbids using it: missing, a folder, read-only, not a database, another program's, newer, damaged, locked.
pub(super) async fn inspect(options: &OpenOptions, path: &Arc<Path>) -> Result<Found, StoreError> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return missing(options, path),
        Err(error) => return Err(cannot_open(path, error)),
    };
    if !metadata.is_file() {
        return Err(cannot_open(path, ErrorKind::InvalidInput.into()));
    }
    // Asked of the bits, because for root every open succeeds.
    if metadata.permissions().readonly() {
        return Err(StoreError::ReadOnly { place: opening(path), source: None });
    }
    if metadata.len() == 0 {
        return Ok(Found::Nothing);
    }
    // SQLite takes whatever is shorter than its smallest page for an empty database, and would write over it.
    if metadata.len() < SMALLEST_PAGE_BYTES {
        let source = sqlx::Error::Io(ErrorKind::InvalidData.into());
        return Err(StoreError::NotADatabase { place: opening(path), source });
    }
    let mut conn = options.reader().connect().await?;
    let found = look(&mut conn, path).await;
    conn.close().await?;
    found
}

fn missing(options: &OpenOptions, path: &Arc<Path>) -> Result<Found, StoreError> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    match std::fs::metadata(directory) {
        Ok(metadata) if !metadata.is_dir() => Err(cannot_open(path, ErrorKind::NotADirectory.into())),
        Ok(metadata) if metadata.permissions().readonly() => {
            Err(StoreError::ReadOnly { place: opening(path), source: None })
        }
        Ok(_) if options.create => Ok(Found::Nothing),
        Ok(_) => Err(StoreError::NotFound { path: path.to_path_buf() }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(StoreError::NoDirectory { path: path.to_path_buf(), directory: directory.into() })
        }
        Err(error) => Err(cannot_open(path, error)),
    }
}

async fn look(conn: &mut SqliteConnection, path: &Path) -> Result<Found, StoreError> {
    let application_id = sqlx::query_scalar!(r#"SELECT application_id + 0 AS "id!: i64" FROM pragma_application_id"#)
        .fetch_one(&mut *conn)
        .await?;
    let tables = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!: i64" FROM sqlite_schema WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\'
           AND name <> '_sqlx_migrations'"#
    )
    .fetch_one(&mut *conn)
    .await?;
    match (application_id, tables) {
        // Also what `sqlx database create` leaves behind.
        (0, 0) => Ok(Found::Nothing),
        (APPLICATION_ID, _) => migrate::applied(conn, path).await.map(Found::Archive),
        _ => Err(StoreError::ForeignDatabase { path: path.into(), application_id }),
    }
}

fn cannot_open(path: &Arc<Path>, error: std::io::Error) -> StoreError {
    StoreError::CannotOpen { place: opening(path), source: Some(sqlx::Error::Io(error)) }
}

fn opening(path: &Arc<Path>) -> Place {
    Place { operation: Some("open the database"), file: Some(path.clone()) }
}
