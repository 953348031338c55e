//! Verdicts: one decision for each post and account, and how each thing stands.

use std::collections::HashMap;

use sqlx::SqliteConnection;

use super::{StoreError, parameter::json};
use crate::model::{AccountId, Action, PostId, Rule, ThingId, TimeMs, Verdict};

/// One of a thing's posts that was chosen or is held, for one account.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The chosen or held post.
    pub post: PostId,
    /// When that was posted.
    pub created_at: TimeMs,
    /// [`Action::Repost`] or [`Action::Hold`].
    pub action: Action,
    /// What it was matched with, if anything.
    pub matched: Option<PostId>,
    /// How similar they are.
    pub similarity: Option<f64>,
    /// For a hold: when the grace time ends.
    pub hold_until: Option<TimeMs>,
    /// Whether the thing's first repost is ordered and no attempt at it may have had its effect.
    pub unsent: bool,
    /// Whether the thing's second slot is taken.
    pub second_taken: bool,
}

/// How things stand with an account.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn standings(
    conn: &mut SqliteConnection,
    account: AccountId,
    things: &[ThingId],
) -> Result<HashMap<ThingId, Vec<Standing>>, StoreError> {
    if things.is_empty() {
        return Ok(HashMap::new());
    }
    let things = json(things)?;
    let rows = sqlx::query!(
        r#"SELECT v.thing_id, v.post_id AS "post_id!: i64", v.action, v.matched_post_id, v.similarity, v.hold_until_ms, p.created_at_ms,
               coalesce(o.state = 'ready' AND o.maybe_sent = 0, 0) AS "unsent!: bool",
               EXISTS (SELECT 1 FROM outbox AS o2 WHERE o2.account_id = ?2 AND o2.thing_id = v.thing_id
                       AND o2.slot = 2 AND o2.kind = 'repost') AS "second_taken!: bool"
           FROM jsonb_each(?1) AS wanted
           CROSS JOIN verdicts AS v
               ON v.thing_id = wanted.value AND v.account_id = ?2 AND v.action <> 'skip'
           JOIN posts AS p ON p.id = v.post_id
           LEFT JOIN outbox AS o
               ON o.account_id = ?2 AND o.thing_id = v.thing_id AND o.slot = 1 AND o.kind = 'repost'
           ORDER BY v.thing_id, v.decided_at_ms, v.post_id"#,
        things,
        account.0
    )
    .fetch_all(conn)
    .await?;
    let mut standings: HashMap<ThingId, Vec<Standing>> = HashMap::new();
    for row in rows {
        standings.entry(ThingId(row.thing_id)).or_default().push(Standing {
            post: PostId(row.post_id),
            created_at: TimeMs(row.created_at_ms),
            action: row.action.parse().map_err(|error: String| StoreError::bad_value("verdicts.action", error))?,
            matched: row.matched_post_id.map(PostId),
            similarity: row.similarity,
            hold_until: row.hold_until_ms.map(TimeMs),
            unsent: row.unsent,
            second_taken: row.second_taken,
        });
    }
    Ok(standings)
}

/// Which of these posts already have a verdict for the account.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn decided(
    conn: &mut SqliteConnection,
    account: AccountId,
    posts: &[PostId],
) -> Result<Vec<PostId>, StoreError> {
    if posts.is_empty() {
        return Ok(Vec::new());
    }
    let posts = json(posts)?;
    let rows = sqlx::query_scalar!(
        r#"SELECT v.post_id AS "post_id!: i64" FROM jsonb_each(?1) AS wanted
           CROSS JOIN verdicts AS v ON v.post_id = wanted.value AND v.account_id = ?2"#,
        posts,
        account.0
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(PostId).collect())
}

/// Records verdicts; a later one about the same post takes the place of the earlier.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn save(
    conn: &mut SqliteConnection,
    account: AccountId,
    verdicts: &[Verdict],
    now: TimeMs,
) -> Result<(), StoreError> {
    if verdicts.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = verdicts
        .iter()
        .map(|v| (v.post, v.thing, v.action.as_str(), v.rule.as_str(), v.matched, v.similarity, v.hold_until))
        .collect();
    let rows = json(&rows)?;
    sqlx::query!(
        "INSERT INTO verdicts
             (post_id, account_id, thing_id, action, rule, matched_post_id, similarity, hold_until_ms, decided_at_ms)
         SELECT value ->> 0, ?1, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, ?2
         FROM jsonb_each(?3) WHERE true
         ON CONFLICT (post_id, account_id) DO UPDATE SET
             action = excluded.action, rule = excluded.rule, matched_post_id = excluded.matched_post_id,
             similarity = excluded.similarity, hold_until_ms = excluded.hold_until_ms,
             decided_at_ms = excluded.decided_at_ms",
        account.0,
        now.0,
        rows
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What the account decided about the posts after `after`, at most `limit` of them, in the order of their rows. A
/// verdict's `slot` is not stored, so it is `None`.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn page(
    conn: &mut SqliteConnection,
    account: AccountId,
    after: PostId,
    limit: u32,
) -> Result<Vec<Verdict>, StoreError> {
    let rows = sqlx::query!(
        "SELECT post_id, thing_id, action, rule, matched_post_id, similarity, hold_until_ms FROM verdicts
         WHERE post_id > ? AND account_id = ? ORDER BY post_id LIMIT ?",
        after.0,
        account.0,
        limit
    )
    .fetch_all(conn)
    .await?;
    let verdicts = rows.into_iter().map(|row| {
        Ok(Verdict {
            post: PostId(row.post_id),
            thing: ThingId(row.thing_id),
            action: row.action.parse().map_err(|error: String| StoreError::bad_value("verdicts.action", error))?,
            rule: row.rule.parse().map_err(|error| StoreError::bad_value("verdicts.rule", Box::new(error)))?,
            matched: row.matched_post_id.map(PostId),
            similarity: row.similarity,
            hold_until: row.hold_until_ms.map(TimeMs),
            slot: None,
        })
    });
    verdicts.collect()
}

/// The things of which the account holds a copy whose grace time is over at `now`, at most 500, the longest due first.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn due_holds(
    conn: &mut SqliteConnection,
    account: AccountId,
    now: TimeMs,
) -> Result<Vec<ThingId>, StoreError> {
    let things = sqlx::query_scalar!(
        "SELECT thing_id FROM verdicts WHERE account_id = ? AND action = 'hold' AND hold_until_ms <= ?
         ORDER BY hold_until_ms, post_id LIMIT 500",
        account.0,
        now.0
    )
    .fetch_all(conn)
    .await?;
    Ok(things.into_iter().map(ThingId).collect())
}

/// When the account's next grace time ends, if anything is held.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn next_hold(conn: &mut SqliteConnection, account: AccountId) -> Result<Option<TimeMs>, StoreError> {
    let next = sqlx::query_scalar!(
        r#"SELECT min(hold_until_ms) AS "next: i64" FROM verdicts WHERE account_id = ? AND action = 'hold'"#,
        account.0
    )
    .fetch_one(conn)
    .await?;
    Ok(next.map(TimeMs))
}

/// Replaces one post's verdict by a skip.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn turn_into_skip(
    conn: &mut SqliteConnection,
    account: AccountId,
    post: PostId,
    rule: Rule,
    matched: Option<PostId>,
    now: TimeMs,
) -> Result<(), StoreError> {
    let (rule, matched) = (rule.as_str(), matched.map(|post| post.0));
    sqlx::query!(
        "UPDATE verdicts
         SET action = 'skip', rule = ?, matched_post_id = coalesce(?, matched_post_id), hold_until_ms = NULL, decided_at_ms = ?
         WHERE post_id = ? AND account_id = ?",
        rule,
        matched,
        now.0,
        post.0,
        account.0
    )
    .execute(conn)
    .await?;
    Ok(())
}
