//! The schema, embedded in the binary: the very files that `sqlx migrate run` applies, in the same table of versions.

use std::path::Path;

use sqlx::{
    Connection, SqliteConnection,
    migrate::{MigrateError, Migrator},
};

use super::{StoreError, connect::Location};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// The newest schema version that this build knows.
pub fn newest_version() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// The newest version applied to a firsthand database; refuses a history that is not this build's.
///
/// # Errors
/// [`StoreError::NewerSchema`]; [`StoreError::Migration`] if an applied migration is unknown, altered or half done.
pub(super) async fn applied(conn: &mut SqliteConnection, path: &Path) -> Result<i64, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT version AS "version!: i64", checksum AS "checksum!: Vec<u8>", success AS "success!: bool"
           FROM _sqlx_migrations ORDER BY version"#
    )
    .fetch_all(conn)
    .await?;
    let newest = rows.last().map_or(0, |row| row.version);
    if newest > newest_version() {
        return Err(StoreError::NewerSchema { path: path.into(), found: newest, known: newest_version() });
    }
    for row in rows {
        let known = MIGRATIONS.iter().find(|migration| migration.version == row.version);
        match known {
            None => return Err(MigrateError::VersionMissing(row.version).into()),
            Some(_) if !row.success => return Err(MigrateError::Dirty(row.version).into()),
            Some(known) if *known.checksum != *row.checksum => {
                return Err(MigrateError::VersionMismatch(row.version).into());
            }
            Some(_) => {}
        }
    }
    Ok(newest)
}

/// Applies what is missing. A database that is up to date is only read, so that opening it never waits for a writer.
///
/// # Errors
/// As [`applied`] and [`apply`].
pub(super) async fn bring_up_to_date(conn: &mut SqliteConnection, location: &Location) -> Result<(), StoreError> {
    let has_history = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!: i64" FROM sqlite_schema WHERE type = 'table' AND name = '_sqlx_migrations'"#
    )
    .fetch_one(&mut *conn)
    .await?;
    let path = location.file().unwrap_or_else(|| Path::new(":memory:").into());
    if has_history > 0 && applied(conn, &path).await? == newest_version() {
        return Ok(());
    }
    apply(conn).await
}

/// Applies what is missing, all of it in one transaction: a process killed in the middle leaves the old schema, and of
/// two processes that start together the second finds nothing left to do.
///
/// # Errors
/// [`StoreError::Locked`] if another connection holds the lock; [`StoreError::Migration`].
async fn apply(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut transaction = conn.begin_with("BEGIN IMMEDIATE").await?;
    MIGRATIONS.run_direct(None, &mut *transaction, false).await?;
    transaction.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::Executor;

    use super::*;

    #[tokio::test]
    async fn a_migration_that_fails_takes_those_before_it_along() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        // In the way of a later migration, so that the first has already made its tables.
        conn.execute("CREATE TABLE spending (a INTEGER)").await.unwrap();
        let error = bring_up_to_date(&mut conn, &Location::Memory).await.unwrap_err();
        assert!(matches!(error, StoreError::Migration { .. }), "{error}");
        let tables = sqlx::query_scalar!("SELECT name FROM sqlite_schema WHERE type = 'table'");
        assert_eq!(tables.fetch_all(&mut conn).await.unwrap(), [Some("spending".to_owned())]);
    }
}
