//! What the suite writes and reads: counters, by name.

use std::path::PathBuf;

use firsthand::store::{JobFuture, OpenOptions, Store, StoreError, WriteLock};
use sqlx::SqliteConnection;
use tempfile::TempDir;

/// A folder of its own, with a database's name in it.
pub(super) struct Place {
    _directory: TempDir,
    pub(super) path: PathBuf,
}

impl Place {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("archive.db");
        Self { _directory: directory, path }
    }

    pub(super) async fn open<L: WriteLock>(&self) -> Store<L> {
        Store::open(OpenOptions::new(&self.path)).await.unwrap()
    }
}

/// Counts one up, in the job's transaction.
pub(super) async fn count_up(conn: &mut SqliteConnection, name: &str) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"INSERT INTO counters (watch_id, name, hour, count) VALUES (0, ?1, -1, 1)
           ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count AS "count!: i64""#,
        name
    )
    .fetch_one(conn)
    .await?)
}

/// The job that counts one up.
pub(super) fn counting_up(
    name: impl Into<String>,
) -> impl for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, i64> + Send + Sync + 'static {
    let name = name.into();
    move |conn| {
        let name = name.clone();
        Box::pin(async move { count_up(conn, &name).await })
    }
}

/// What the counter stands at; 0 if it was never counted up.
pub(super) async fn count_of<L: WriteLock>(store: &Store<L>, name: &str) -> i64 {
    let name = name.to_owned();
    store
        .read("read a counter", move |conn| {
            let name = name.clone();
            Box::pin(async move {
                let count = sqlx::query_scalar!(
                    r#"SELECT coalesce(sum(count), 0) AS "count!: i64" FROM counters WHERE name = ?1"#,
                    name
                );
                Ok(count.fetch_one(conn).await?)
            })
        })
        .await
        .unwrap()
}
