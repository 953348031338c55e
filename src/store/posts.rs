//! Posts: what was seen.

use std::collections::{BTreeSet, HashMap};

use sqlx::SqliteConnection;

use super::{
    StoreError,
    parameter::{json, rows},
};
use crate::{
    model::{BadElement, Facts, Handle, NetworkKind, Post, PostId, RemoteId, ThingId, TimeMs, WatchId},
    text::search_form,
};

/// How much of a text is kept, in bytes: what the networks call a long post is a quarter of it.
pub const TEXT_LIMIT_BYTES: usize = 64 * 1024;

/// The ids that the next rows take. Valid only inside the write transaction that asked.
#[derive(Clone, Copy, Debug)]
pub struct NextIds {
    /// The next post.
    pub post: i64,
    /// The next thing.
    pub thing: i64,
}

impl NextIds {
    /// The first free post id.
    pub fn first_post(&self) -> PostId {
        PostId(self.post)
    }

    /// Takes an id for a post.
    pub fn take_post(&mut self) -> PostId {
        self.post += 1;
        PostId(self.post - 1)
    }

    /// Takes an id for a thing.
    pub fn take_thing(&mut self) -> ThingId {
        self.thing += 1;
        ThingId(self.thing - 1)
    }
}

/// Reads the next free ids.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn next_ids(conn: &mut SqliteConnection) -> Result<NextIds, StoreError> {
    let next = sqlx::query!(
        r#"SELECT (SELECT coalesce(max(id), 0) + 1 FROM posts) AS "post!: i64",
                  (SELECT coalesce(max(id), 0) + 1 FROM things) AS "thing!: i64""#
    )
    .fetch_one(conn)
    .await?;
    Ok(NextIds { post: next.post, thing: next.thing })
}

/// A post that was archived before.
#[derive(Clone, Copy, Debug)]
pub struct KnownPost {
    /// Its row.
    pub post: PostId,
    /// Its thing.
    pub thing: ThingId,
    /// Whether it is a copy: it credits somebody, or is a native repost.
    pub is_copy: bool,
}

/// Which of these ids are in the archive.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn known(
    conn: &mut SqliteConnection,
    network: NetworkKind,
    ids: &[RemoteId],
) -> Result<HashMap<RemoteId, KnownPost>, StoreError> {
    let network = network.as_str();
    let ids = json(ids)?;
    let rows = sqlx::query!(
        r#"SELECT p.id AS "id!: i64", p.remote_id, p.thing_id,
               (p.attribution IS NOT NULL OR p.repost_of IS NOT NULL) AS "is_copy!: bool"
           FROM jsonb_each(?2) AS wanted
           CROSS JOIN posts AS p ON p.network = ?1 AND p.remote_id = wanted.value"#,
        network,
        ids
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let known = KnownPost { post: PostId(row.id), thing: ThingId(row.thing_id), is_copy: row.is_copy };
            (RemoteId::new(row.remote_id), known)
        })
        .collect())
}

/// A post of a live network that a replay may have brought under the same id.
#[derive(Clone, Copy, Debug)]
pub struct LivePost<'a> {
    /// The network's id.
    pub remote_id: &'a RemoteId,
    /// Its author's folded handle.
    pub author: Option<&'a Handle>,
    /// Its text, as it is archived.
    pub text: &'a str,
}

/// Which of these posts a replay has brought, with the post and the thing that it made of them. Files hold ids of any
/// origin, so the author or the text has to be the same too.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn brought(
    conn: &mut SqliteConnection,
    posts: &[LivePost<'_>],
) -> Result<HashMap<RemoteId, (PostId, ThingId)>, StoreError> {
    if posts.is_empty() {
        return Ok(HashMap::new());
    }
    let network = NetworkKind::Replay.as_str();
    let posts: Vec<_> = posts.iter().map(|post| (post.remote_id, post.author, post.text)).collect();
    let posts = json(&posts)?;
    let rows = sqlx::query!(
        r#"SELECT p.id AS "id!: i64", p.remote_id, p.thing_id
           FROM jsonb_each(?2) AS live
           CROSS JOIN posts AS p ON p.network = ?1 AND p.remote_id = live.value ->> 0
           LEFT JOIN authors AS a ON a.id = p.author_id
           WHERE a.handle_folded = live.value ->> 1 OR p.text = live.value ->> 2"#,
        network,
        posts
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (RemoteId::new(row.remote_id), (PostId(row.id), ThingId(row.thing_id)))).collect())
}

/// A post that is to be archived, with everything that was found out about it.
#[derive(Debug)]
pub struct NewPost<'a> {
    /// The row it takes.
    pub id: PostId,
    /// The thing it belongs to.
    pub thing: ThingId,
    /// The handle that it credits.
    pub attribution: Option<&'a Handle>,
    /// When it came.
    pub seen_at: TimeMs,
    /// The post itself.
    pub post: &'a Post,
}

/// Archives posts, with their entries in the search index. Their authors' rows must be there.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn insert(conn: &mut SqliteConnection, posts: &[NewPost<'_>]) -> Result<(), StoreError> {
    if posts.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(posts.len());
    let mut searchable = Vec::with_capacity(posts.len());
    for new in posts {
        let post = new.post;
        let text = cap(&post.text);
        rows.push((
            new.id,
            post.network,
            &post.remote_id,
            new.thing,
            post.author.as_ref().map(|author| &author.remote_id),
            post.provenance.as_str(),
            text,
            text.len() < post.text.len(),
            &post.lang,
            post.created_at,
            new.seen_at,
            new.attribution,
            &post.repost_of,
            json(&post.facts)?,
        ));
        let handle = post.author.as_ref().map(|author| author.folded_handle());
        searchable.push((new.id, search_form::index_text(text), handle));
    }
    let rows = json(&rows)?;
    sqlx::query!(
        "INSERT INTO posts (id, network, remote_id, thing_id, author_id, provenance, text,
                            text_cut, lang, created_at_ms, seen_at_ms, attribution, repost_of, facts)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3,
                (SELECT a.id FROM authors AS a WHERE a.network = value ->> 1 AND a.remote_id = value ->> 4),
                value ->> 5, value ->> 6, value ->> 7,
                value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13
         FROM jsonb_each(?1)",
        rows
    )
    .execute(&mut *conn)
    .await?;
    let searchable = json(&searchable)?;
    sqlx::query!(
        "INSERT INTO post_search (rowid, text, author)
         SELECT value ->> 0, value ->> 1, value ->> 2 FROM jsonb_each(?1)",
        searchable
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The first [`TEXT_LIMIT_BYTES`] of a text, without splitting a character.
pub fn cap(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_LIMIT_BYTES)]
}

/// For each of these posts, an earlier post of its thing that credits its author; those without one are left out.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn credited_by(conn: &mut SqliteConnection, posts: &[PostId]) -> Result<HashMap<PostId, PostId>, StoreError> {
    if posts.is_empty() {
        return Ok(HashMap::new());
    }
    let posts = json(posts)?;
    let rows = sqlx::query!(
        r#"SELECT p.id AS "post!: i64", min(c.id) AS "credited_by!: i64"
           FROM jsonb_each(?1) AS wanted
           CROSS JOIN posts AS p ON p.id = wanted.value
           JOIN authors AS a ON a.id = p.author_id
           JOIN posts AS c ON c.thing_id = p.thing_id AND c.id <> p.id AND c.attribution = a.handle_folded
           GROUP BY p.id"#,
        posts
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (PostId(row.post), PostId(row.credited_by))).collect())
}

/// Records which watch saw which posts.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn insert_sightings(
    conn: &mut SqliteConnection,
    watch: WatchId,
    posts: &[PostId],
    at: TimeMs,
) -> Result<(), StoreError> {
    let posts = json(posts)?;
    sqlx::query!(
        "INSERT INTO sightings (post_id, watch_id, seen_at_ms)
         SELECT value, ?1, ?2 FROM jsonb_each(?3) WHERE true
         ON CONFLICT DO NOTHING",
        watch.0,
        at.0,
        posts
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps elements that could not be read.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn quarantine(
    conn: &mut SqliteConnection,
    network: NetworkKind,
    watch: Option<WatchId>,
    elements: &[BadElement],
    at: TimeMs,
) -> Result<(), StoreError> {
    if elements.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = elements.iter().map(|element| (&element.reason, cap(&element.raw))).collect();
    let rows = json(&rows)?;
    let (network, watch) = (network.as_str(), watch.map(|watch| watch.0));
    sqlx::query!(
        "INSERT INTO quarantine (network, watch_id, received_at_ms, reason, raw)
         SELECT ?1, ?2, ?3, value ->> 0, value ->> 1 FROM jsonb_each(?4) WHERE true
         ON CONFLICT DO NOTHING",
        network,
        watch,
        at.0,
        rows
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A post as it is judged again when it is claimed for sending.
#[derive(Clone, Debug)]
pub struct ArchivedPost {
    /// Its row.
    pub id: PostId,
    /// The network's id.
    pub remote_id: RemoteId,
    /// Its author's handle, as the network writes it.
    pub author_handle: Option<String>,
    /// Its author's id on the network.
    pub author_remote_id: Option<RemoteId>,
    /// Its language.
    pub lang: Option<String>,
    /// The text.
    pub text: String,
    /// When it was posted.
    pub created_at: TimeMs,
    /// The handle that it credits.
    pub attribution: Option<Handle>,
    /// What the filters need.
    pub facts: Facts,
}

/// What a decision tells of another post.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its row.
    pub post: PostId,
    /// The network's id.
    pub remote_id: RemoteId,
    /// Its author's handle, as the network writes it.
    pub author: Option<String>,
}

/// Reads what is told of posts; those that are not there are left out.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn told(conn: &mut SqliteConnection, ids: &BTreeSet<PostId>) -> Result<HashMap<PostId, Told>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = json(ids)?;
    let told = sqlx::query_scalar!(
        r#"SELECT json_group_array(json_array(p.id, p.remote_id, a.handle)) AS "rows!: String"
           FROM jsonb_each(?1) AS wanted
           CROSS JOIN posts AS p ON p.id = wanted.value
           LEFT JOIN authors AS a ON a.id = p.author_id"#,
        ids
    )
    .fetch_one(conn)
    .await?;
    let told = rows::<(PostId, RemoteId, Option<String>)>(&told)?;
    Ok(told.into_iter().map(|(post, remote_id, author)| (post, Told { post, remote_id, author })).collect())
}

/// Reads posts, in no particular order; those that are not there are left out.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn load(conn: &mut SqliteConnection, ids: &[PostId]) -> Result<Vec<ArchivedPost>, StoreError> {
    let ids = json(ids)?;
    let rows = sqlx::query!(
        r#"SELECT p.id AS "id!: i64", p.remote_id, p.lang, p.text, p.created_at_ms, p.attribution, p.facts,
               a.handle AS "handle?", a.remote_id AS "author_remote_id?"
           FROM jsonb_each(?1) AS wanted
           CROSS JOIN posts AS p ON p.id = wanted.value
           LEFT JOIN authors AS a ON a.id = p.author_id"#,
        ids
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(ArchivedPost {
                id: PostId(row.id),
                remote_id: RemoteId::new(row.remote_id),
                author_handle: row.handle,
                author_remote_id: row.author_remote_id.map(RemoteId::new),
                lang: row.lang,
                text: row.text,
                created_at: TimeMs(row.created_at_ms),
                attribution: row.attribution.as_deref().map(Handle::new),
                facts: serde_json::from_str(&row.facts).map_err(|error| StoreError::bad_value("posts.facts", error))?,
            })
        })
        .collect()
}
