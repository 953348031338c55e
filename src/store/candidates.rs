//! From fingerprint terms to the archived variants that bear them.
//!
//! A page of posts costs a handful of statements, whatever its length.

use sqlx::SqliteConnection;

use super::{
    StoreError,
    parameter::{json, rows},
};
use crate::{
    model::{Handle, PostId, ThingId, TimeMs, VariantId},
    text::{
        Variant, VariantKind,
        fingerprint::{self, Key},
    },
};

/// Of the bearers of one key, this many of the first and this many of the newest are looked at. A key that more
/// variants bear belongs to a text that is copied all the time; its first bearers hold the original, its newest what
/// is being copied now. With 100 of each the figures on all evaluation sets were the same.
pub const BEARERS_AT_EACH_END: usize = 32;

/// The archived variants that bear one key, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bearers {
    /// The first bearers; all of them if there are fewer than [`BEARERS_AT_EACH_END`].
    pub first: Vec<VariantId>,
    /// The newest bearers; empty if `first` is complete.
    pub newest: Vec<VariantId>,
}

/// An archived variant with what a verdict needs of its post.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The variant's row.
    pub id: VariantId,
    /// The payload.
    pub variant: Variant,
    /// The post whose payload it is.
    pub post: PostId,
    /// The thing that the post belongs to.
    pub thing: ThingId,
    /// Who posted it, where that is known.
    pub author: Option<Handle>,
    /// Whom the post credits.
    pub attribution: Option<Handle>,
    /// When it was posted.
    pub created_at: TimeMs,
}

/// The bearers of each key of a page, in the order of `keys`.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn bearers(conn: &mut SqliteConnection, keys: &[Key]) -> Result<Vec<Bearers>, StoreError> {
    let mut found = vec![Bearers::default(); keys.len()];
    if keys.is_empty() {
        return Ok(found);
    }
    let terms = json(&keys.iter().map(Key::as_str).collect::<Vec<_>>())?;
    let limit = BEARERS_AT_EACH_END as i64;
    let first = sqlx::query_scalar!(
        r#"SELECT json_group_array(json((SELECT json_group_array(id) FROM (
                      SELECT rowid AS id FROM variant_keys WHERE variant_keys MATCH k.value ORDER BY rowid LIMIT ?2
                  )))) AS "rows!: String"
           FROM jsonb_each(?1) AS k"#,
        terms,
        limit,
    )
    .fetch_one(&mut *conn)
    .await?;
    for (bearers, ids) in found.iter_mut().zip(rows(&first)?) {
        bearers.first = ids;
    }
    let crowded: Vec<usize> =
        (0..keys.len()).filter(|&place| found[place].first.len() == BEARERS_AT_EACH_END).collect();
    if crowded.is_empty() {
        return Ok(found);
    }
    let terms = json(&crowded.iter().map(|&place| keys[place].as_str()).collect::<Vec<_>>())?;
    let newest = sqlx::query_scalar!(
        r#"SELECT json_group_array(json((SELECT json_group_array(id) FROM (
                      SELECT rowid AS id FROM variant_keys WHERE variant_keys MATCH k.value ORDER BY rowid DESC LIMIT ?2
                  )))) AS "rows!: String"
           FROM jsonb_each(?1) AS k"#,
        terms,
        limit,
    )
    .fetch_one(&mut *conn)
    .await?;
    for (place, ids) in crowded.into_iter().zip(rows(&newest)?) {
        found[place].newest = ids;
        found[place].newest.reverse();
    }
    Ok(found)
}

/// What `load` reads of a variant, in its order.
type LoadedVariant =
    (VariantId, PostId, String, Option<Handle>, i64, String, ThingId, Option<Handle>, TimeMs, Option<Handle>);

/// Loads variants with what a verdict needs of their posts, in the order of `ids`. A variant that is gone is left out.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn load(conn: &mut SqliteConnection, ids: &[VariantId]) -> Result<Vec<Candidate>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids = json(ids)?;
    let loaded = sqlx::query_scalar!(
        r#"SELECT json_group_array(json_array(v.id, v.post_id, v.kind, v.credited, v.cut, v.canonical,
                                              p.thing_id, p.attribution, p.created_at_ms, a.handle_folded)) AS "rows!: String"
           FROM jsonb_each(?1) AS wanted
           CROSS JOIN variants AS v ON v.id = CAST(wanted.value AS INTEGER)
           JOIN posts AS p ON p.id = v.post_id
           LEFT JOIN authors AS a ON a.id = p.author_id"#,
        ids,
    )
    .fetch_one(&mut *conn)
    .await?;
    rows::<LoadedVariant>(&loaded)?
        .into_iter()
        .map(|(id, post, kind, credited, cut, canonical, thing, attribution, created_at, author)| {
            let variant = Variant::from_stored(self::kind(&kind)?, credited, cut != 0, canonical);
            Ok(Candidate { id, variant, post, thing, author, attribution, created_at })
        })
        .collect()
}

/// The keys of a stretch of the archive's variants.
#[derive(Debug)]
pub(super) struct KeySlice {
    /// The keys, some of them several times.
    pub(super) keys: Vec<Key>,
    /// The last variant of the stretch; the one asked for if there is none behind it.
    pub(super) newest: i64,
    /// How far the last variant of all is behind.
    pub(super) left: i64,
}

/// The keys of the variants behind `from`, of at most `limit` of them. They are made anew from what is stored of each,
/// since the index tells of no variant by which keys it is found.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub(super) async fn keys_after(conn: &mut SqliteConnection, from: i64, limit: i64) -> Result<KeySlice, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT v.id AS "id!: i64", v.kind, v.credited, v.cut, v.canonical, a.handle_folded AS "handle?"
           FROM variants AS v JOIN posts AS p ON p.id = v.post_id LEFT JOIN authors AS a ON a.id = p.author_id
           WHERE v.id > ? ORDER BY v.id LIMIT ?"#,
        from,
        limit,
    )
    .fetch_all(&mut *conn)
    .await?;
    let last = last_variant(conn).await?;
    let newest = rows.last().map_or(from, |row| row.id);
    let mut keys = Vec::new();
    for row in rows {
        let variant = Variant::from_stored(
            kind(&row.kind)?,
            row.credited.as_deref().map(Handle::new),
            row.cut != 0,
            row.canonical,
        );
        keys.extend(fingerprint::terms(&variant, row.handle.as_deref().map(Handle::new).as_ref()));
    }
    Ok(KeySlice { keys, newest, left: last - newest })
}

/// The id of the variant stored last, 0 if there is none.
async fn last_variant(conn: &mut SqliteConnection) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar!(r#"SELECT coalesce(max(id), 0) AS "id!: i64" FROM variants"#).fetch_one(conn).await?)
}

fn kind(name: &str) -> Result<VariantKind, StoreError> {
    name.parse().map_err(|reason: String| StoreError::bad_value("variants.kind", reason))
}

/// A variant that is to be stored, with its terms.
#[derive(Clone, Copy, Debug)]
pub struct NewVariant<'a> {
    /// The post whose payload it is; its row must be there.
    pub post: PostId,
    /// The payload.
    pub variant: &'a Variant,
    /// The terms under which it is found.
    pub keys: &'a [Key],
}

/// Stores variants and their terms, in the order given. Returns the id of the last.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn insert_variants(conn: &mut SqliteConnection, variants: &[NewVariant<'_>]) -> Result<i64, StoreError> {
    let newest = last_variant(conn).await?;
    if variants.is_empty() {
        return Ok(newest);
    }
    let numbered = || variants.iter().zip(newest + 1..);
    let rows: Vec<_> = numbered()
        .map(|(new, id)| {
            let Variant { kind, credited, cut, canonical } = new.variant;
            (id, new.post, kind.as_str(), credited, i64::from(*cut), canonical.as_str())
        })
        .collect();
    let rows = json(&rows)?;
    sqlx::query!(
        "INSERT INTO variants (id, post_id, kind, credited, cut, canonical)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM jsonb_each(?1)",
        rows,
    )
    .execute(&mut *conn)
    .await?;
    let terms: Vec<_> = numbered()
        .filter(|(new, _)| !new.keys.is_empty())
        .map(|(new, id)| (id, new.keys.iter().map(Key::as_str).collect::<Vec<_>>().join(" ")))
        .collect();
    let terms = json(&terms)?;
    sqlx::query!("INSERT INTO variant_keys (rowid, keys) SELECT value ->> 0, value ->> 1 FROM jsonb_each(?1)", terms)
        .execute(&mut *conn)
        .await?;
    Ok(newest + variants.len() as i64)
}
