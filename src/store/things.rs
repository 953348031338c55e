//! Things: an original and all its copies, over all networks.

use std::collections::HashMap;

use sqlx::SqliteConnection;

use super::{StoreError, parameter::json};
use crate::model::{Handle, PostId, ThingId, TimeMs};

/// A thing that is to be recorded.
#[derive(Clone, Copy, Debug)]
pub struct NewThing {
    /// The row it takes.
    pub id: ThingId,
    /// When its first post came.
    pub first_seen: TimeMs,
    /// Whether a replay or an import brought it.
    pub replayed: bool,
}

/// Records things.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn insert(conn: &mut SqliteConnection, things: &[NewThing]) -> Result<(), StoreError> {
    if things.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = things.iter().map(|t| (t.id, t.first_seen, t.replayed)).collect();
    let rows = json(&rows)?;
    sqlx::query!(
        "INSERT INTO things (id, first_seen_ms, replayed)
         SELECT value ->> 0, value ->> 1, value ->> 2 FROM jsonb_each(?1)",
        rows
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How a thing stands in the archive.
#[derive(Clone, Debug)]
pub struct ThingRecord {
    /// The post whose text is its author's own, if one was seen.
    pub original: Option<PostId>,
    /// That author's folded handle.
    pub original_author: Option<Handle>,
    /// Whether a replay or an import brought it first.
    pub replayed: bool,
}

/// Reads things.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn load(conn: &mut SqliteConnection, ids: &[ThingId]) -> Result<HashMap<ThingId, ThingRecord>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = json(ids)?;
    let rows = sqlx::query!(
        r#"SELECT t.id AS "id!: i64", t.original_post_id, a.handle_folded AS "handle?: String", t.replayed AS "replayed!: bool"
           FROM jsonb_each(?1) AS wanted
           CROSS JOIN things AS t ON t.id = wanted.value
           LEFT JOIN posts AS p ON p.id = t.original_post_id
           LEFT JOIN authors AS a ON a.id = p.author_id"#,
        ids
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let record = ThingRecord {
                original: row.original_post_id.map(PostId),
                original_author: row.handle.as_deref().map(Handle::new),
                replayed: row.replayed,
            };
            (ThingId(row.id), record)
        })
        .collect())
}

/// Records which post is each thing's original.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn set_originals(conn: &mut SqliteConnection, originals: &[(ThingId, PostId)]) -> Result<(), StoreError> {
    if originals.is_empty() {
        return Ok(());
    }
    let rows = json(originals)?;
    sqlx::query!(
        "UPDATE things SET original_post_id = o.value ->> 1
         FROM jsonb_each(?1) AS o WHERE things.id = o.value ->> 0",
        rows
    )
    .execute(conn)
    .await?;
    Ok(())
}
