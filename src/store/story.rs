//! The whole story of one post: what was seen, what was decided, what was sent and answered.

use sqlx::SqliteConnection;

use super::{
    StoreError,
    parameter::json,
    search::{action_of, rule_of},
    story_order::{self, Order},
    story_post::{self, StoredPost},
};
use crate::model::{AccountId, Action, NetworkKind, PostId, RemoteId, Rule, ThingId, TimeMs, Verdict};

/// How many posts of a thing a story lists.
pub const MEMBERS_SHOWN: i64 = 20;

/// Up to where the posts of a thing are counted.
pub const MEMBERS_COUNTED: i64 = 1_000;

/// Everything that is known of a post.
#[derive(Clone, Debug)]
pub struct Story {
    /// The post.
    pub post: StoredPost,
    /// Which watches saw it; none for what came inside another post, from a look-up or from a file.
    pub sightings: Vec<Sighting>,
    /// The thing that it belongs to.
    pub thing: Thing,
    /// What was decided and sent, for each account that has a verdict about it.
    pub accounts: Vec<AccountStory>,
}

/// That a watch saw the post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The account's name.
    pub account: String,
    /// The watched hashtag, without `#`.
    pub hashtag: String,
    /// When.
    pub seen_at: TimeMs,
}

/// An original and its copies.
#[derive(Clone, Debug)]
pub struct Thing {
    /// Its row.
    pub id: ThingId,
    /// When its first post came.
    pub first_seen: TimeMs,
    /// Whether a replay or an import brought it first.
    pub replayed: bool,
    /// The post whose text is its author's own, if one was seen.
    pub original: Option<Member>,
    /// How many posts it has; counting stops at [`MEMBERS_COUNTED`].
    pub member_count: i64,
    /// The first of them as they came, at most [`MEMBERS_SHOWN`].
    pub members: Vec<Member>,
}

/// A post of a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its row.
    pub post: PostId,
    /// Its network, by name.
    pub network: String,
    /// Its id there.
    pub remote_id: RemoteId,
    /// Its author's handle, as the network writes it.
    pub author: Option<String>,
    /// When it was posted.
    pub created_at: TimeMs,
    /// When it was archived.
    pub seen_at: TimeMs,
    /// Whether it credits somebody, or is a native repost.
    pub is_copy: bool,
}

/// What an account decided, and what became of it.
#[derive(Clone, Debug)]
pub struct AccountStory {
    /// The account's name.
    pub name: String,
    /// The decision; its `slot` is not stored, so it is `None`.
    pub verdict: Verdict,
    /// When it fell.
    pub decided_at: TimeMs,
    /// The post that it was matched with.
    pub matched: Option<StoredPost>,
    /// What the account decided about that one.
    pub matched_verdict: Option<(Action, Rule)>,
    /// What the account decided about the thing's original, where that is another post.
    pub original_verdict: Option<(Action, Rule)>,
    /// What was ordered for the thing, by slot.
    pub orders: Vec<Order>,
}

/// The posts of this id, one on each network that knows it, with the network's name.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn find(conn: &mut SqliteConnection, remote_id: &RemoteId) -> Result<Vec<(PostId, String)>, StoreError> {
    let (networks, remote_id) = (json(NetworkKind::ALL)?, remote_id.as_str());
    let rows = sqlx::query!(
        r#"SELECT p.id AS "id!: i64", p.network FROM json_each(?1) AS wanted
           CROSS JOIN posts AS p ON p.network = wanted.value AND p.remote_id = ?2 ORDER BY p.id"#,
        networks,
        remote_id
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (PostId(row.id), row.network)).collect())
}

/// Tells the story of a post; `None` if there is no such row.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn story(conn: &mut SqliteConnection, post: PostId) -> Result<Option<Story>, StoreError> {
    let Some(post) = story_post::load(conn, &[post]).await?.pop() else { return Ok(None) };
    let sightings = sightings(conn, post.id).await?;
    let thing = thing(conn, post.thing).await?;
    let accounts = accounts(conn, &post, thing.original.as_ref().map(|original| original.post)).await?;
    Ok(Some(Story { post, sightings, thing, accounts }))
}

async fn sightings(conn: &mut SqliteConnection, post: PostId) -> Result<Vec<Sighting>, StoreError> {
    let rows = sqlx::query!(
        "SELECT a.name, w.hashtag, s.seen_at_ms FROM sightings AS s
         JOIN watches AS w ON w.id = s.watch_id JOIN accounts AS a ON a.id = w.account_id
         WHERE s.post_id = ? ORDER BY s.seen_at_ms, s.watch_id",
        post.0
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Sighting { account: row.name, hashtag: row.hashtag, seen_at: TimeMs(row.seen_at_ms) })
        .collect())
}

async fn thing(conn: &mut SqliteConnection, id: ThingId) -> Result<Thing, StoreError> {
    let row = sqlx::query!(
        r#"SELECT first_seen_ms, replayed AS "replayed!: bool", original_post_id FROM things WHERE id = ?"#,
        id.0
    )
    .fetch_one(&mut *conn)
    .await?;
    let member_count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!: i64" FROM (SELECT 1 FROM posts WHERE thing_id = ? LIMIT ?)"#,
        id.0,
        MEMBERS_COUNTED
    )
    .fetch_one(&mut *conn)
    .await?;
    let first = sqlx::query_scalar!("SELECT id FROM posts WHERE thing_id = ? ORDER BY id LIMIT ?", id.0, MEMBERS_SHOWN)
        .fetch_all(&mut *conn)
        .await?;
    let wanted: Vec<i64> = first.iter().copied().chain(row.original_post_id).collect();
    let all = members(conn, &wanted).await?;
    let original = all.iter().find(|member| Some(member.post.0) == row.original_post_id).cloned();
    let members = all.into_iter().filter(|member| first.contains(&member.post.0)).collect();
    let first_seen = TimeMs(row.first_seen_ms);
    Ok(Thing { id, first_seen, replayed: row.replayed, original, member_count, members })
}

async fn members(conn: &mut SqliteConnection, ids: &[i64]) -> Result<Vec<Member>, StoreError> {
    let ids = json(ids)?;
    let rows = sqlx::query!(
        r#"SELECT p.id AS "id!: i64", p.network, p.remote_id, p.created_at_ms, p.seen_at_ms, a.handle AS "handle?",
               (p.attribution IS NOT NULL OR p.repost_of IS NOT NULL) AS "is_copy!: bool"
           FROM posts AS p LEFT JOIN authors AS a ON a.id = p.author_id
           WHERE p.id IN (SELECT CAST(value AS INTEGER) FROM json_each(?1)) ORDER BY p.id"#,
        ids
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Member {
            post: PostId(row.id),
            network: row.network,
            remote_id: RemoteId::new(row.remote_id),
            author: row.handle,
            created_at: TimeMs(row.created_at_ms),
            seen_at: TimeMs(row.seen_at_ms),
            is_copy: row.is_copy,
        })
        .collect())
}

async fn accounts(
    conn: &mut SqliteConnection,
    post: &StoredPost,
    original: Option<PostId>,
) -> Result<Vec<AccountStory>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT a.id AS "id!: i64", a.name, v.action, v.rule, v.matched_post_id, v.similarity, v.hold_until_ms,
               v.decided_at_ms
           FROM verdicts AS v JOIN accounts AS a ON a.id = v.account_id WHERE v.post_id = ? ORDER BY a.id"#,
        post.id.0
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut stories = Vec::with_capacity(rows.len());
    for row in rows {
        let account = AccountId(row.id);
        let verdict = Verdict {
            post: post.id,
            thing: post.thing,
            action: action_of(&row.action)?,
            rule: rule_of(&row.rule)?,
            matched: row.matched_post_id.map(PostId),
            similarity: row.similarity,
            hold_until: row.hold_until_ms.map(TimeMs),
            slot: None,
        };
        let matched = match verdict.matched {
            Some(matched) => story_post::load(conn, &[matched]).await?.pop(),
            None => None,
        };
        let original = original.filter(|original| *original != post.id);
        stories.push(AccountStory {
            name: row.name,
            decided_at: TimeMs(row.decided_at_ms),
            matched_verdict: verdict_about(conn, account, verdict.matched).await?,
            original_verdict: verdict_about(conn, account, original).await?,
            orders: story_order::of_thing(conn, account, post.thing).await?,
            verdict,
            matched,
        });
    }
    Ok(stories)
}

async fn verdict_about(
    conn: &mut SqliteConnection,
    account: AccountId,
    post: Option<PostId>,
) -> Result<Option<(Action, Rule)>, StoreError> {
    let Some(post) = post else { return Ok(None) };
    let row = sqlx::query!("SELECT action, rule FROM verdicts WHERE post_id = ? AND account_id = ?", post.0, account.0)
        .fetch_optional(conn)
        .await?;
    row.map(|row| Ok((action_of(&row.action)?, rule_of(&row.rule)?))).transpose()
}
