//! Authors: one row for each, kept up to date as their posts come in.

use serde::Serialize;
use sqlx::SqliteConnection;

use super::{StoreError, parameter::json};
use crate::model::{Author, Handle, NetworkKind, TimeMs};

/// One author's part in a page.
#[derive(Clone, Debug)]
pub struct AuthorUpdate {
    /// Who.
    pub author: Author,
    /// How many of the page's new posts are theirs.
    pub posts: i64,
    /// How many of these are second-hand.
    pub copies: i64,
    /// When the first of them was seen.
    pub first_seen: TimeMs,
    /// When the last of them was seen.
    pub last_seen: TimeMs,
}

/// What the archive knows of an author.
#[derive(Clone, Debug, Serialize)]
pub struct AuthorRecord {
    /// The row.
    #[serde(skip)]
    pub id: i64,
    /// The network.
    pub network: String,
    /// As the network writes it.
    pub handle: String,
    /// The name shown to people.
    pub display_name: String,
    /// When the first post of theirs was archived.
    pub first_seen_ms: i64,
    /// When the last one was.
    pub last_seen_ms: i64,
    /// How many posts are archived.
    pub post_count: i64,
    /// How many of these are second-hand.
    pub copy_count: i64,
    /// How many of their posts were reposted.
    pub reposted_count: i64,
}

/// Inserts or updates the authors of a page.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn upsert(
    conn: &mut SqliteConnection,
    network: NetworkKind,
    updates: &[AuthorUpdate],
) -> Result<(), StoreError> {
    if updates.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = updates
        .iter()
        .map(|u| {
            let author = &u.author;
            let folded = author.folded_handle();
            (
                &author.remote_id,
                &author.handle,
                folded,
                &author.display_name,
                u.first_seen,
                u.last_seen,
                u.posts,
                u.copies,
            )
        })
        .collect();
    let rows = json(&rows)?;
    let network = network.as_str();
    sqlx::query!(
        "INSERT INTO authors
               (network, remote_id, handle, handle_folded, display_name, first_seen_ms, last_seen_ms, post_count, copy_count)
           SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
           FROM jsonb_each(?2) WHERE true
           ON CONFLICT (network, remote_id) DO UPDATE SET
               handle = CASE excluded.handle WHEN '' THEN handle ELSE excluded.handle END,
               handle_folded = CASE excluded.handle WHEN '' THEN handle_folded ELSE excluded.handle_folded END,
               display_name = CASE excluded.display_name WHEN '' THEN display_name ELSE excluded.display_name END,
               last_seen_ms = max(last_seen_ms, excluded.last_seen_ms),
               post_count = post_count + excluded.post_count,
               copy_count = copy_count + excluded.copy_count",
        network,
        rows
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Everything that is known of a handle, one record for each network.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn by_handle(conn: &mut SqliteConnection, handle: &Handle) -> Result<Vec<AuthorRecord>, StoreError> {
    let handle = handle.as_str();
    let records = sqlx::query_as!(
        AuthorRecord,
        r#"SELECT a.id AS "id!: i64", a.network, a.handle, a.display_name, a.first_seen_ms, a.last_seen_ms, a.post_count, a.copy_count,
               (SELECT count(*) FROM outbox o JOIN posts p ON p.id = o.post_id
                WHERE p.author_id = a.id AND o.state = 'done' AND o.kind = 'repost') AS "reposted_count!: i64"
           FROM authors a WHERE a.handle_folded = ? ORDER BY a.network, a.id"#,
        handle
    )
    .fetch_all(conn)
    .await?;
    Ok(records)
}
