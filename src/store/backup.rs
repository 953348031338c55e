//! Whole, consistent copies of a database, taken while others use it.

use std::path::{Path, PathBuf};

use sqlx::{ConnectOptions, Connection};

use super::{
    StoreError,
    connect::{Location, OpenOptions},
};

/// Copies the database at `from`, as of now, into the new file `to`. Writers are not held up.
///
/// # Errors
/// What SQLite says: `from` can't be read, or `to` exists already or can't be written.
pub async fn copy_database(from: &Path, to: &Path) -> Result<(), StoreError> {
    let options =
        OpenOptions { create: false, busy_timeout_ms: 1_000, ..OpenOptions::new(Location::File(from.into())) };
    let source = options.location.file();
    let target = std::path::absolute(to).unwrap_or_else(|_| to.into());
    let target = target.to_string_lossy();
    let copy = async {
        let mut conn = options.reader().connect().await?;
        let copied = sqlx::query!("VACUUM INTO ?1", target).execute(&mut conn).await;
        conn.close().await?;
        copied
    };
    copy.await.map(drop).map_err(|error| StoreError::from(error).at("copy the database", source.as_ref()))
}

/// Keeps a copy beside the database before its schema changes, under the first free name; returns that name.
///
/// # Errors
/// As [`copy_database`].
pub(super) async fn before_migration(database: &Path, version: i64) -> Result<PathBuf, StoreError> {
    let mut number = 1_u32;
    let target = loop {
        let mut name = database.as_os_str().to_owned();
        name.push(if number == 1 {
            format!(".schema-{version}.backup")
        } else {
            format!(".schema-{version}-{number}.backup")
        });
        let candidate = PathBuf::from(name);
        if !candidate.exists() {
            break candidate;
        }
        number += 1;
    };
    copy_database(database, &target).await?;
    Ok(target)
}
