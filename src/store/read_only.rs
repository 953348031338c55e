//! An archive that is only read, also while a bot runs on it: nothing is migrated, checkpointed or locked.

use std::{path::Path, sync::Arc};

use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::{
    StoreError,
    connect::OpenOptions,
    inspect::{Found, inspect},
    lock::patience::Patience,
    migrate,
};
use crate::model::{Author, Post, PostId, RemoteId, TimeMs};

/// An archive, open for reading alone. Each call sees what is committed by then, so that no long reader keeps the
/// write-ahead log of a bot from being emptied.
#[derive(Debug)]
pub struct ReadOnlyArchive {
    conn: SqliteConnection,
    file: Arc<Path>,
}

impl ReadOnlyArchive {
    /// Opens the archive that `options` name; it must be there, and of this version's schema.
    ///
    /// # Errors
    /// Whatever forbids using it, with the next step; [`StoreError::OlderSchema`] if it has to be migrated first.
    pub async fn open(options: &OpenOptions) -> Result<Self, StoreError> {
        // A read waits only for a process that recovers the log; SQLite itself may do that.
        let options = OpenOptions { create: false, busy_timeout_ms: options.read_wait_ms, ..options.clone() };
        let Some(file) = options.location.file() else {
            return Err(StoreError::NotFound { path: options.location.to_string().into() });
        };
        let what = "open the database";
        let found = Patience::new(&options).retry(what, Some(&file), || Box::pin(inspect(&options, &file))).await?;
        match found {
            Found::Nothing => return Err(StoreError::NotFound { path: file.to_path_buf() }),
            Found::Archive(found) if found < migrate::newest_version() => {
                let path = file.to_path_buf();
                return Err(StoreError::OlderSchema { path, found, known: migrate::newest_version() });
            }
            Found::Archive(_) => {}
        }
        let conn = options.reader().connect().await.map_err(|error| StoreError::from(error).at(what, Some(&file)))?;
        Ok(Self { conn, file })
    }

    /// The newest post; `None` if there is none.
    ///
    /// # Errors
    /// Any [`StoreError`] of the database.
    pub async fn newest_post(&mut self) -> Result<Option<PostId>, StoreError> {
        let newest =
            sqlx::query_scalar!(r#"SELECT max(id) AS "newest: i64" FROM posts"#).fetch_one(&mut self.conn).await;
        newest.map(|id| id.map(PostId)).map_err(|error| self.failed(error.into()))
    }

    /// The posts after `after`, up to `last`, at most `limit`, in the order in which they came, each with its row and
    /// when it was archived.
    ///
    /// # Errors
    /// Any [`StoreError`] of the database.
    pub async fn posts(
        &mut self,
        after: PostId,
        last: PostId,
        limit: u32,
    ) -> Result<Vec<(PostId, Post, TimeMs)>, StoreError> {
        posts(&mut self.conn, after, last, limit).await.map_err(|error| self.failed(error))
    }

    /// Closes the connection.
    ///
    /// # Errors
    /// What SQLite says to closing.
    pub async fn close(self) -> Result<(), StoreError> {
        let file = self.file;
        self.conn.close().await.map_err(|error| StoreError::from(error).at("close the database", Some(&file)))
    }

    fn failed(&self, error: StoreError) -> StoreError {
        error.at("read the archive", Some(&self.file))
    }
}

async fn posts(
    conn: &mut SqliteConnection,
    after: PostId,
    last: PostId,
    limit: u32,
) -> Result<Vec<(PostId, Post, TimeMs)>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT p.id AS "id!: i64", p.network, p.remote_id, p.provenance, p.text, p.lang, p.created_at_ms, p.seen_at_ms,
               p.repost_of, p.facts, a.remote_id AS "author_id?", a.handle AS "handle?", a.display_name AS "display_name?"
           FROM posts AS p LEFT JOIN authors AS a ON a.id = p.author_id
           WHERE p.id > ? AND p.id <= ? ORDER BY p.id LIMIT ?"#,
        after.0,
        last.0,
        limit
    )
    .fetch_all(conn)
    .await?;
    let posts = rows.into_iter().map(|row| {
        let author = row.handle.zip(row.author_id).map(|(handle, remote_id)| Author {
            remote_id: RemoteId::new(remote_id),
            handle,
            display_name: row.display_name.unwrap_or_default(),
        });
        let post = Post {
            network: row.network.parse().map_err(|error| StoreError::bad_value("posts.network", Box::new(error)))?,
            remote_id: RemoteId::new(row.remote_id),
            author,
            text: row.text,
            lang: row.lang,
            created_at: TimeMs(row.created_at_ms),
            repost_of: row.repost_of.map(RemoteId::new),
            provenance: row
                .provenance
                .parse()
                .map_err(|error: String| StoreError::bad_value("posts.provenance", error))?,
            facts: serde_json::from_str(&row.facts).map_err(|error| StoreError::bad_value("posts.facts", error))?,
        };
        Ok((PostId(row.id), post, TimeMs(row.seen_at_ms)))
    });
    posts.collect()
}
