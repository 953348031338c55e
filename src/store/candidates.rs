//! From fingerprint terms to the archived variants that bear them.
//!
//! A page of posts costs a handful of statements, whatever its length.

use std::collections::HashMap;

use sqlx::SqliteConnection;

use crate::{
    model::{Handle, PostId, ThingId, TimeMs, VariantId},
    text::{Variant, VariantKind, fingerprint::Key},
};

/// Of the bearers of one key, this many of the first and this many of the newest are looked at. A key that more
/// variants bear belongs to a text that is copied all the time; its first bearers hold the original, its newest what
/// is being copied now.
pub const BEARERS_AT_EACH_END: usize = 100;

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
/// Any error of the database.
pub async fn bearers(conn: &mut SqliteConnection, keys: &[Key]) -> Result<Vec<Bearers>, sqlx::Error> {
    let mut found = vec![Bearers::default(); keys.len()];
    if keys.is_empty() {
        return Ok(found);
    }
    let terms = json(keys.iter().map(|key| serde_json::Value::from(key.as_str())));
    let limit = BEARERS_AT_EACH_END as i64;
    let rows = sqlx::query!(
        r#"SELECT CAST(k.key AS INTEGER) AS "place!: i64",
                  (SELECT group_concat(id, ' ') FROM (
                      SELECT rowid AS id FROM variant_keys WHERE variant_keys MATCH k.value ORDER BY rowid LIMIT ?2
                  )) AS "ids: String"
           FROM json_each(?1) AS k"#,
        terms,
        limit,
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut crowded = Vec::new();
    for row in rows {
        let Some(bearers) = usize::try_from(row.place).ok().and_then(|place| found.get_mut(place)) else { continue };
        bearers.first = row.ids.as_deref().map(ids).unwrap_or_default();
        if bearers.first.len() == BEARERS_AT_EACH_END {
            crowded.push(row.place);
        }
    }
    if crowded.is_empty() {
        return Ok(found);
    }
    let places = json(crowded.iter().map(|&place| serde_json::Value::from(place)));
    let rows = sqlx::query!(
        r#"SELECT CAST(p.value AS INTEGER) AS "place!: i64",
                  (SELECT group_concat(id, ' ') FROM (
                      SELECT rowid AS id FROM variant_keys
                      WHERE variant_keys MATCH json_extract(?1, '$[' || p.value || ']') ORDER BY rowid DESC LIMIT ?2
                  )) AS "ids: String"
           FROM json_each(?3) AS p"#,
        terms,
        limit,
        places,
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in rows {
        let Some(bearers) = usize::try_from(row.place).ok().and_then(|place| found.get_mut(place)) else { continue };
        bearers.newest = row.ids.as_deref().map(ids).unwrap_or_default();
        bearers.newest.reverse();
    }
    Ok(found)
}

/// Loads variants with what a verdict needs of their posts. A variant that is gone is left out.
///
/// # Errors
/// Any error of the database.
pub async fn load(
    conn: &mut SqliteConnection,
    ids: &[VariantId],
) -> Result<HashMap<VariantId, Candidate>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = json(ids.iter().map(|id| serde_json::Value::from(id.0)));
    let rows = sqlx::query!(
        r#"SELECT v.id AS "id!: i64", v.post_id, v.kind, v.credited, v.cut, v.canonical,
                  p.thing_id, p.attribution, p.created_at_ms, a.handle_folded AS "handle?"
           FROM json_each(?1) AS wanted
           CROSS JOIN variants AS v ON v.id = CAST(wanted.value AS INTEGER)
           JOIN posts AS p ON p.id = v.post_id
           LEFT JOIN authors AS a ON a.id = p.author_id"#,
        ids,
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let kind: VariantKind = row.kind.parse().map_err(|reason: String| sqlx::Error::Decode(reason.into()))?;
        let credited = row.credited.as_deref().map(Handle::new);
        found.insert(
            VariantId(row.id),
            Candidate {
                id: VariantId(row.id),
                variant: Variant::from_stored(kind, credited, row.cut != 0, row.canonical),
                post: PostId(row.post_id),
                thing: ThingId(row.thing_id),
                author: row.handle.as_deref().map(Handle::new),
                attribution: row.attribution.as_deref().map(Handle::new),
                created_at: TimeMs(row.created_at_ms),
            },
        );
    }
    Ok(found)
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

/// Stores variants and their terms, in the order given.
///
/// # Errors
/// Any error of the database.
pub async fn insert_variants(conn: &mut SqliteConnection, variants: &[NewVariant<'_>]) -> Result<(), sqlx::Error> {
    if variants.is_empty() {
        return Ok(());
    }
    let newest =
        sqlx::query_scalar!(r#"SELECT coalesce(max(id), 0) AS "id!: i64" FROM variants"#).fetch_one(&mut *conn).await?;
    let rows = json(variants.iter().zip(newest + 1..).map(|(new, id)| {
        let Variant { kind, credited, cut, canonical } = new.variant;
        serde_json::json!([id, new.post.0, kind.as_str(), credited, i64::from(*cut), canonical.as_str()])
    }));
    sqlx::query!(
        "INSERT INTO variants (id, post_id, kind, credited, cut, canonical)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?1)",
        rows,
    )
    .execute(&mut *conn)
    .await?;
    let terms =
        json(
            variants.iter().zip(newest + 1..).filter(|(new, _)| !new.keys.is_empty()).map(|(new, id)| {
                serde_json::json!([id, new.keys.iter().map(Key::as_str).collect::<Vec<_>>().join(" ")])
            }),
        );
    sqlx::query!("INSERT INTO variant_keys (rowid, keys) SELECT value ->> 0, value ->> 1 FROM json_each(?1)", terms)
        .execute(&mut *conn)
        .await?;
    Ok(())
}

fn json(values: impl Iterator<Item = serde_json::Value>) -> String {
    serde_json::Value::Array(values.collect()).to_string()
}

fn ids(list: &str) -> Vec<VariantId> {
    list.split(' ').filter_map(|id| id.parse().ok()).map(VariantId).collect()
}
