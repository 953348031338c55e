//! Counters and spending, written in the transaction that causes them, so that no command ever counts rows.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::SqliteConnection;

use super::{StoreError, parameter::json};
use crate::model::{AccountId, Booking, TimeMs, Usage, WatchId};

/// The `hour` of the counters that stand for all hours.
const ALL_HOURS: i64 = -1;

/// Adds to counters: to this hour's and to the total.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn add(
    conn: &mut SqliteConnection,
    watch: Option<WatchId>,
    counts: &BTreeMap<&'static str, i64>,
    now: TimeMs,
) -> Result<(), StoreError> {
    if counts.is_empty() {
        return Ok(());
    }
    let watch = watch.map_or(0, |watch| watch.0);
    let hour = now.hour();
    let counts = json(counts)?;
    sqlx::query!(
        "INSERT INTO counters (watch_id, name, hour, count)
         SELECT ?1, counts.key, hours.value, counts.value
         FROM jsonb_each(?2) AS counts, json_each(json_array(?3, ?4)) AS hours WHERE true
         ON CONFLICT (watch_id, name, hour) DO UPDATE SET count = count + excluded.count",
        watch,
        counts,
        hour,
        ALL_HOURS
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A counter's total.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Total {
    /// The hashtag, or `None` for what no watch brought.
    pub hashtag: Option<String>,
    /// `received`, `repost`, `hold`, the rule of a skip, `quarantined` (elements that could not be read), or `crowded`
    /// (posts that were not compared with everything that is like them).
    pub name: String,
    /// How often.
    pub count: i64,
}

/// All totals.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn totals(conn: &mut SqliteConnection) -> Result<Vec<Total>, StoreError> {
    // ALL_HOURS stands here as a literal, because an index that holds only these rows is used for nothing else.
    let totals = sqlx::query_as!(
        Total,
        r#"SELECT w.hashtag AS "hashtag?", c.name, c.count FROM counters c LEFT JOIN watches w ON w.id = c.watch_id
           WHERE c.hour = -1 AND c.count <> 0 ORDER BY w.hashtag, c.count DESC, c.name"#
    )
    .fetch_all(conn)
    .await?;
    Ok(totals)
}

/// What an account has booked since `first_hour` (hours since the Unix epoch).
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn booked(
    conn: &mut SqliteConnection,
    account: AccountId,
    first_hour: i64,
) -> Result<Vec<Booking>, StoreError> {
    let rows = sqlx::query!(
        "SELECT kind, hour, count, micro_dollars FROM spending WHERE account_id = ? AND hour >= ?",
        account.0,
        first_hour
    )
    .fetch_all(conn)
    .await?;
    let amount = |value: i64| u64::try_from(value).unwrap_or(0);
    Ok(rows
        .into_iter()
        .map(|row| Booking {
            usage: if row.kind == Usage::Repost.as_str() { Usage::Repost } else { Usage::Read },
            count: amount(row.count),
            micro_dollars: amount(row.micro_dollars),
            hour: row.hour,
        })
        .collect())
}

/// Books what an account uses.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn book(conn: &mut SqliteConnection, account: AccountId, entry: Booking) -> Result<(), StoreError> {
    let nothing = Booking { count: 0, micro_dollars: 0, ..entry };
    correct(conn, account, nothing, entry).await
}

/// Corrects what was booked as `reserved` to what was `used`.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn correct(
    conn: &mut SqliteConnection,
    account: AccountId,
    reserved: Booking,
    used: Booking,
) -> Result<(), StoreError> {
    let kind = used.usage.as_str();
    let (count, micro_dollars) =
        (difference(used.count, reserved.count), difference(used.micro_dollars, reserved.micro_dollars));
    sqlx::query!(
        "INSERT INTO spending (account_id, kind, hour, count, micro_dollars) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (account_id, kind, hour) DO UPDATE SET
             count = count + excluded.count, micro_dollars = micro_dollars + excluded.micro_dollars",
        account.0,
        kind,
        used.hour,
        count,
        micro_dollars
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn difference(new: u64, old: u64) -> i64 {
    let amount = |value| i64::try_from(value).unwrap_or(i64::MAX);
    amount(new) - amount(old)
}
