//! The outbox: what is to be sent, who is sending it, and what became of it.
//!
//! A row is claimed with a lease before the network is called, and its outcome is recorded only by the owner of the
//! claim. A finished row never returns to a state in which it is sent.

use std::time::Duration;

use sqlx::SqliteConnection;

use super::{StoreError, parameter::json};
use crate::model::{AccountId, PostId, RemoteId, Rule, Slot, ThingId, TimeMs};

/// A repost that is to be made.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// The thing.
    pub thing: ThingId,
    /// Which of the thing's reposts.
    pub slot: Slot,
    /// The post to be reposted.
    pub post: PostId,
    /// When that was posted; the oldest goes out first.
    pub post_created_at: TimeMs,
}

/// Puts orders into the outbox. The database refuses a second one for the same account, thing and slot; only a row that
/// was dropped before anything was sent takes a new order, for another post of the thing.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn insert(
    conn: &mut SqliteConnection,
    account: AccountId,
    orders: &[NewOrder],
    now: TimeMs,
) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(orders.len());
    for order in orders {
        if !renew(conn, account, order, now).await? {
            rows.push((order.thing, order.slot.number(), order.post, order.post_created_at));
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let rows = json(&rows)?;
    sqlx::query!(
        "INSERT INTO outbox (account_id, thing_id, slot, kind, post_id, state, not_before_ms, post_created_at_ms,
                             repost_key, created_at_ms)
         SELECT ?1, value ->> 0, value ->> 1, 'repost', value ->> 2, 'ready', ?2, value ->> 3,
                ?1 || '-' || (value ->> 0) || '-' || (value ->> 1), ?2
         FROM json_each(?3)",
        account.0,
        now.0,
        rows
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a dropped row its new order. Returns false if there is no such row.
async fn renew(
    conn: &mut SqliteConnection,
    account: AccountId,
    order: &NewOrder,
    now: TimeMs,
) -> Result<bool, StoreError> {
    let slot = order.slot.number();
    let row = sqlx::query!(
        r#"UPDATE outbox SET state = 'ready', post_id = ?, post_created_at_ms = ?, not_before_ms = ?, attempts = 0,
               finished_at_ms = NULL
           WHERE account_id = ? AND thing_id = ? AND slot = ? AND kind = 'repost' AND state = 'dropped'
             AND maybe_sent = 0
           RETURNING id AS "id!: i64""#,
        order.post.0,
        order.post_created_at.0,
        now.0,
        account.0,
        order.thing.0,
        slot
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(false) };
    record_event(conn, row.id, "renewed", "another post of the same thing goes out in its place", now).await?;
    Ok(true)
}

/// Sends another post of the thing in its first slot, provided that no attempt may have had its effect.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn retarget(
    conn: &mut SqliteConnection,
    account: AccountId,
    orders: &[NewOrder],
    now: TimeMs,
) -> Result<(), StoreError> {
    for order in orders {
        let row = sqlx::query!(
            r#"UPDATE outbox SET post_id = ?, post_created_at_ms = ?
             WHERE account_id = ? AND thing_id = ? AND slot = 1 AND kind = 'repost' AND state = 'ready' AND maybe_sent = 0
             RETURNING id AS "id!: i64""#,
            order.post.0,
            order.post_created_at.0,
            account.0,
            order.thing.0
        )
        .fetch_one(&mut *conn)
        .await?;
        record_event(conn, row.id, "retargeted", "the original came before the copy was sent", now).await?;
    }
    Ok(())
}

/// Takes back what was ordered for the first slot of these things, provided that no attempt may have had its effect.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn withdraw(
    conn: &mut SqliteConnection,
    account: AccountId,
    things: &[ThingId],
    reason: Rule,
    now: TimeMs,
) -> Result<(), StoreError> {
    for thing in things {
        let row = sqlx::query!(
            r#"UPDATE outbox SET state = 'dropped', finished_at_ms = ?
             WHERE account_id = ? AND thing_id = ? AND slot = 1 AND kind = 'repost' AND state = 'ready' AND maybe_sent = 0
             RETURNING id AS "id!: i64""#,
            now.0,
            account.0,
            thing.0
        )
        .fetch_one(&mut *conn)
        .await?;
        record_event(conn, row.id, "dropped", reason.words(), now).await?;
    }
    Ok(())
}

/// A claimed row.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The row.
    pub id: i64,
    /// The thing.
    pub thing: ThingId,
    /// The post to be reposted.
    pub post: PostId,
    /// How many times it has been claimed, this time included.
    pub attempts: i64,
    /// Whether an earlier attempt may have had its effect.
    pub maybe_sent: bool,
    /// The same for every attempt.
    pub repost_key: String,
    /// When the order was made.
    pub ordered_at: TimeMs,
}

/// No row waits longer than the longest budget period, a month.
const LONGEST_WAIT: Duration = Duration::from_secs(32 * 24 * 3600);

/// Claims the account's next row: ready and due, or with an unknown outcome and due, or whose claim has run out.
///
/// A lease that ends further away than two lease times, and a wait of over a month, were written by a clock that stood
/// wrong, and are void too.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn claim(
    conn: &mut SqliteConnection,
    account: AccountId,
    owner: &str,
    lease: Duration,
    now: TimeMs,
) -> Result<Option<Claim>, StoreError> {
    let lease_until = now.plus(lease);
    let lease_absurd = lease_until.plus(lease);
    let wait_absurd = now.plus(LONGEST_WAIT);
    let row = sqlx::query!(
        r#"UPDATE outbox SET state = 'claimed', owner = ?1, lease_until_ms = ?2, attempts = attempts + 1,
               maybe_sent = maybe_sent OR state = 'claimed'
           WHERE id = (
               SELECT id FROM outbox
               WHERE account_id = ?3 AND state IN ('ready', 'claimed', 'uncertain')
                 AND (CASE state WHEN 'claimed' THEN lease_until_ms <= ?4 OR lease_until_ms > ?5
                                 ELSE not_before_ms <= ?4 OR not_before_ms > ?6 END)
               ORDER BY post_created_at_ms, id LIMIT 1)
           RETURNING id, thing_id, post_id, attempts, maybe_sent AS "maybe_sent!: bool", repost_key, created_at_ms"#,
        owner,
        lease_until.0,
        account.0,
        now.0,
        lease_absurd.0,
        wait_absurd.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Claim {
        id: row.id,
        thing: ThingId(row.thing_id),
        post: PostId(row.post_id),
        attempts: row.attempts,
        maybe_sent: row.maybe_sent,
        repost_key: row.repost_key,
        ordered_at: TimeMs(row.created_at_ms),
    }))
}

/// What becomes of a claimed row.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The repost is there.
    Done(Option<RemoteId>),
    /// The post is gone.
    Gone,
    /// The network forbids this repost for good.
    Refused,
    /// A filter refuses it now.
    Dropped,
    /// The operator has to look at it.
    Parked,
    /// It did not happen; it is tried again from this time on.
    Again(TimeMs),
    /// It may have happened; it is tried again from this time on.
    Uncertain(TimeMs),
}

/// Records what became of a claim, with the network's answer. Returns false if the claim had been lost to another
/// owner, in which case nothing is recorded.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn record(
    conn: &mut SqliteConnection,
    id: i64,
    owner: &str,
    outcome: &Outcome,
    detail: &str,
    now: TimeMs,
) -> Result<bool, StoreError> {
    let (state, not_before) = match outcome {
        Outcome::Done(_) => ("done", None),
        Outcome::Gone => ("gone", None),
        Outcome::Refused => ("refused", None),
        Outcome::Dropped => ("dropped", None),
        Outcome::Parked => ("parked", None),
        Outcome::Again(at) => ("ready", Some(at.0)),
        Outcome::Uncertain(at) => ("uncertain", Some(at.0)),
    };
    let finished = not_before.is_none().then_some(now.0);
    let remote_id = match outcome {
        Outcome::Done(remote_id) => remote_id.as_ref().map(RemoteId::as_str),
        _ => None,
    };
    let changed = sqlx::query!(
        "UPDATE outbox SET state = ?1, owner = NULL, lease_until_ms = NULL,
             not_before_ms = coalesce(?2, not_before_ms), finished_at_ms = ?3, repost_remote_id = ?4,
             maybe_sent = maybe_sent OR ?1 = 'uncertain'
         WHERE id = ?5 AND owner = ?6 AND state = 'claimed'",
        state,
        not_before,
        finished,
        remote_id,
        id,
        owner
    )
    .execute(&mut *conn)
    .await?;
    if changed.rows_affected() == 0 {
        return Ok(false);
    }
    record_event(conn, id, state, detail, now).await?;
    Ok(true)
}

/// How much of a network's answer is kept with an event, in bytes.
const DETAIL_LIMIT_BYTES: usize = 2048;

async fn record_event(
    conn: &mut SqliteConnection,
    outbox: i64,
    event: &str,
    detail: &str,
    now: TimeMs,
) -> Result<(), StoreError> {
    let detail = &detail[..detail.floor_char_boundary(DETAIL_LIMIT_BYTES)];
    sqlx::query!(
        "INSERT INTO outbox_events (outbox_id, at_ms, event, detail) VALUES (?, ?, ?, ?)",
        outbox,
        now.0,
        event,
        detail
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// When the account's next row may be claimed, if any is waiting.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn next_due(conn: &mut SqliteConnection, account: AccountId) -> Result<Option<TimeMs>, StoreError> {
    let next = sqlx::query_scalar!(
        r#"SELECT min(CASE state WHEN 'claimed' THEN lease_until_ms ELSE not_before_ms END) AS "next: i64"
           FROM outbox WHERE account_id = ? AND state IN ('ready', 'claimed', 'uncertain')"#,
        account.0
    )
    .fetch_one(conn)
    .await?;
    Ok(next.map(TimeMs))
}

/// When each of the account's reposts since `since` was finished, oldest first: what the caps are counted by.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn finished_since(
    conn: &mut SqliteConnection,
    account: AccountId,
    since: TimeMs,
) -> Result<Vec<TimeMs>, StoreError> {
    let times = sqlx::query_scalar!(
        r#"SELECT finished_at_ms AS "at!: i64" FROM outbox
           WHERE account_id = ? AND state = 'done' AND finished_at_ms > ? ORDER BY finished_at_ms"#,
        account.0,
        since.0
    )
    .fetch_all(conn)
    .await?;
    Ok(times.into_iter().map(TimeMs).collect())
}

/// When each repost of the post's author by the account since `since` was finished, oldest first.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn finished_of_author_since(
    conn: &mut SqliteConnection,
    account: AccountId,
    post: PostId,
    since: TimeMs,
) -> Result<Vec<TimeMs>, StoreError> {
    let times = sqlx::query_scalar!(
        r#"SELECT o.finished_at_ms AS "at!: i64" FROM outbox o JOIN posts p ON p.id = o.post_id
           WHERE o.account_id = ? AND o.state = 'done' AND o.finished_at_ms > ?
             AND p.author_id = (SELECT author_id FROM posts WHERE id = ?)
           ORDER BY o.finished_at_ms"#,
        account.0,
        since.0,
        post.0
    )
    .fetch_all(conn)
    .await?;
    Ok(times.into_iter().map(TimeMs).collect())
}
