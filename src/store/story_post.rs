//! A post as its story shows it, with everything that it is recognised by.

use std::collections::HashMap;

use sqlx::SqliteConnection;

use super::{StoreError, parameter::json};
use crate::{
    model::{Facts, Handle, PostId, Provenance, RemoteId, ThingId, TimeMs},
    text::{Variant, VariantKind},
};

/// A post with everything that is stored of it.
#[derive(Clone, Debug)]
pub struct StoredPost {
    /// Its row.
    pub id: PostId,
    /// The thing that it belongs to.
    pub thing: ThingId,
    /// Its network, by name.
    pub network: String,
    /// Its id there.
    pub remote_id: RemoteId,
    /// How it came into the archive.
    pub provenance: Provenance,
    /// Who posted it, where that is known.
    pub author: Option<StoredAuthor>,
    /// The text, raw.
    pub text: String,
    /// Whether the text was longer than what is kept.
    pub text_cut: bool,
    /// Its language, as the network tells.
    pub lang: Option<String>,
    /// When it was posted.
    pub created_at: TimeMs,
    /// When it was archived.
    pub seen_at: TimeMs,
    /// The handle that it credits.
    pub attribution: Option<Handle>,
    /// For a native repost: the original's id on the network.
    pub repost_of: Option<RemoteId>,
    /// What the filters looked at.
    pub facts: Facts,
    /// The payloads by which it is recognised.
    pub variants: Vec<Variant>,
}

/// Who posted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAuthor {
    /// As the network writes it.
    pub handle: String,
    /// The name shown to people; may be empty.
    pub display_name: String,
}

impl StoredPost {
    /// The author's handle, as the network writes it.
    pub fn author_handle(&self) -> Option<&str> {
        self.author.as_ref().map(|author| author.handle.as_str())
    }
}

/// Reads posts, in the order of their rows; those that are not there are left out.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn load(conn: &mut SqliteConnection, ids: &[PostId]) -> Result<Vec<StoredPost>, StoreError> {
    let ids = json(ids)?;
    let rows = sqlx::query!(
        r#"SELECT p.id AS "id!: i64", p.network, p.remote_id, p.thing_id, p.provenance, p.text,
               p.text_cut AS "text_cut!: bool", p.lang, p.created_at_ms, p.seen_at_ms, p.attribution, p.repost_of, p.facts,
               a.handle AS "handle?", a.display_name AS "display_name?"
           FROM posts AS p LEFT JOIN authors AS a ON a.id = p.author_id
           WHERE p.id IN (SELECT CAST(value AS INTEGER) FROM json_each(?1)) ORDER BY p.id"#,
        ids
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut variants = variants(conn, &ids).await?;
    rows.into_iter()
        .map(|row| {
            let author =
                row.handle.map(|handle| StoredAuthor { handle, display_name: row.display_name.unwrap_or_default() });
            Ok(StoredPost {
                id: PostId(row.id),
                thing: ThingId(row.thing_id),
                network: row.network,
                remote_id: RemoteId::new(row.remote_id),
                provenance: row
                    .provenance
                    .parse()
                    .map_err(|error: String| StoreError::bad_value("posts.provenance", error))?,
                author,
                text: row.text,
                text_cut: row.text_cut,
                lang: row.lang,
                created_at: TimeMs(row.created_at_ms),
                seen_at: TimeMs(row.seen_at_ms),
                attribution: row.attribution.as_deref().map(Handle::new),
                repost_of: row.repost_of.map(RemoteId::new),
                facts: serde_json::from_str(&row.facts).map_err(|error| StoreError::bad_value("posts.facts", error))?,
                variants: variants.remove(&PostId(row.id)).unwrap_or_default(),
            })
        })
        .collect()
}

async fn variants(conn: &mut SqliteConnection, posts: &str) -> Result<HashMap<PostId, Vec<Variant>>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT v.post_id, v.kind, v.credited, v.cut AS "cut!: bool", v.canonical FROM variants AS v
           WHERE v.post_id IN (SELECT CAST(value AS INTEGER) FROM json_each(?1)) ORDER BY v.id"#,
        posts
    )
    .fetch_all(conn)
    .await?;
    let mut variants: HashMap<PostId, Vec<Variant>> = HashMap::new();
    for row in rows {
        let kind: VariantKind =
            row.kind.parse().map_err(|error: String| StoreError::bad_value("variants.kind", error))?;
        let credited = row.credited.as_deref().map(Handle::new);
        let variant = Variant::from_stored(kind, credited, row.cut, row.canonical);
        variants.entry(PostId(row.post_id)).or_default().push(variant);
    }
    Ok(variants)
}
