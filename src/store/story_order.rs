//! What was ordered for a thing, and every answer of the network, as a story tells it.

use sqlx::SqliteConnection;

use super::StoreError;
use crate::model::{AccountId, PostId, RemoteId, ThingId, TimeMs};

/// How many events of an order are told: the newest.
pub const EVENTS_SHOWN: i64 = 50;

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The row.
    pub id: i64,
    /// Which of the thing's reposts: 1, or 2 for the named author's original after a copy.
    pub slot: i64,
    /// `repost` or `undo`.
    pub kind: String,
    /// `ready`, `claimed`, `uncertain`, `done`, `gone`, `refused`, `dropped` or `parked`.
    pub state: String,
    /// The post that is sent.
    pub post: PostId,
    /// Its id on its network.
    pub post_remote_id: RemoteId,
    /// Its author's handle.
    pub post_author: Option<String>,
    /// How often it was claimed.
    pub attempts: i64,
    /// Whether an earlier attempt may have had its effect.
    pub maybe_sent: bool,
    /// The process that holds the claim.
    pub owner: Option<String>,
    /// After this the claim is void.
    pub lease_until: Option<TimeMs>,
    /// It is not sent before.
    pub not_before: TimeMs,
    /// When it was ordered.
    pub ordered_at: TimeMs,
    /// When it came to its end.
    pub finished_at: Option<TimeMs>,
    /// The repost's own id, where the network gave one.
    pub repost_remote_id: Option<RemoteId>,
    /// What happened to it, oldest first; the newest [`EVENTS_SHOWN`].
    pub events: Vec<OrderEvent>,
}

/// Something that happened to an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderEvent {
    /// When.
    pub at: TimeMs,
    /// The state that it led to, or `retargeted`.
    pub event: String,
    /// The network's answer, or the reason; raw.
    pub detail: String,
}

/// The orders of a thing for an account, by slot.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn of_thing(
    conn: &mut SqliteConnection,
    account: AccountId,
    thing: ThingId,
) -> Result<Vec<Order>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT o.id AS "id!: i64", o.slot, o.kind, o.state, o.post_id, o.attempts, o.maybe_sent AS "maybe_sent!: bool",
               o.owner, o.lease_until_ms, o.not_before_ms, o.created_at_ms, o.finished_at_ms, o.repost_remote_id,
               p.remote_id AS "post_remote_id!", a.handle AS "handle?"
           FROM outbox AS o JOIN posts AS p ON p.id = o.post_id LEFT JOIN authors AS a ON a.id = p.author_id
           WHERE o.account_id = ? AND o.thing_id = ? ORDER BY o.slot, o.kind"#,
        account.0,
        thing.0
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut orders = Vec::with_capacity(rows.len());
    for row in rows {
        orders.push(Order {
            id: row.id,
            slot: row.slot,
            kind: row.kind,
            state: row.state,
            post: PostId(row.post_id),
            post_remote_id: RemoteId::new(row.post_remote_id),
            post_author: row.handle,
            attempts: row.attempts,
            maybe_sent: row.maybe_sent,
            owner: row.owner,
            lease_until: row.lease_until_ms.map(TimeMs),
            not_before: TimeMs(row.not_before_ms),
            ordered_at: TimeMs(row.created_at_ms),
            finished_at: row.finished_at_ms.map(TimeMs),
            repost_remote_id: row.repost_remote_id.map(RemoteId::new),
            events: events(conn, row.id).await?,
        });
    }
    Ok(orders)
}

async fn events(conn: &mut SqliteConnection, order: i64) -> Result<Vec<OrderEvent>, StoreError> {
    let rows = sqlx::query!(
        "SELECT at_ms, event, detail FROM outbox_events WHERE outbox_id = ? ORDER BY id DESC LIMIT ?",
        order,
        EVENTS_SHOWN
    )
    .fetch_all(conn)
    .await?;
    let events = rows.into_iter().rev();
    Ok(events.map(|row| OrderEvent { at: TimeMs(row.at_ms), event: row.event, detail: row.detail }).collect())
}
