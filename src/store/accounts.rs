//! Our accounts, what they watch, and how far each watch has read.

use sqlx::SqliteConnection;

use super::StoreError;
use crate::model::{AccountId, Hashtag, NetworkKind, RemoteId, TimeMs, WatchId};

/// Finds or creates an account by its configured name.
///
/// # Errors
/// [`StoreError::AccountNetwork`] if the name belongs to an account on another network.
pub async fn account(
    conn: &mut SqliteConnection,
    name: &str,
    network: NetworkKind,
    now: TimeMs,
) -> Result<AccountId, StoreError> {
    let network = network.as_str();
    let row = sqlx::query!(
        r#"INSERT INTO accounts (name, network, created_at_ms) VALUES (?, ?, ?)
           ON CONFLICT (name) DO UPDATE SET name = excluded.name
           RETURNING id, network"#,
        name,
        network,
        now.0
    )
    .fetch_one(conn)
    .await?;
    if row.network != network {
        return Err(StoreError::AccountNetwork { name: name.to_owned(), network: row.network });
    }
    Ok(AccountId(row.id))
}

/// Records who the network says we are, and lifts a halt: the credentials have just been accepted.
///
/// # Errors
/// [`StoreError::AccountChanged`] if the network knows us by another id than before: the archive holds the reposts of
/// another account, and "already reposted" would be untrue for this one.
pub async fn set_identity(
    conn: &mut SqliteConnection,
    account: AccountId,
    remote_id: &RemoteId,
    handle: &str,
) -> Result<(), StoreError> {
    let before = sqlx::query!("SELECT name, remote_id, handle FROM accounts WHERE id = ?", account.0)
        .fetch_one(&mut *conn)
        .await?;
    if before.remote_id.as_deref().is_some_and(|known| known != remote_id.as_str()) {
        return Err(StoreError::AccountChanged {
            name: before.name,
            before: before.handle.unwrap_or_default(),
            now: handle.to_owned(),
        });
    }
    let remote_id = remote_id.as_str();
    sqlx::query!(
        "UPDATE accounts SET remote_id = ?, handle = ?, halted_reason = NULL WHERE id = ?",
        remote_id,
        handle,
        account.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stops an account's sending until the operator acts.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn halt(conn: &mut SqliteConnection, account: AccountId, reason: &str) -> Result<(), StoreError> {
    sqlx::query!("UPDATE accounts SET halted_reason = ? WHERE id = ?", reason, account.0).execute(conn).await?;
    Ok(())
}

/// Why the account's sending has stopped, if it has.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn halted(conn: &mut SqliteConnection, account: AccountId) -> Result<Option<String>, StoreError> {
    let reason =
        sqlx::query_scalar!("SELECT halted_reason FROM accounts WHERE id = ?", account.0).fetch_one(conn).await?;
    Ok(reason)
}

/// A watched hashtag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Its row.
    pub id: WatchId,
    /// Posts from before this time are archived, never reposted.
    pub start: TimeMs,
}

/// Finds or creates a watch; `start` counts only for a new one.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn watch(
    conn: &mut SqliteConnection,
    account: AccountId,
    hashtag: &Hashtag,
    start: TimeMs,
) -> Result<Watch, StoreError> {
    let hashtag = hashtag.as_str();
    let row = sqlx::query!(
        r#"INSERT INTO watches (account_id, hashtag, start_ms) VALUES (?, ?, ?)
           ON CONFLICT (account_id, hashtag) DO UPDATE SET hashtag = excluded.hashtag
           RETURNING id, start_ms"#,
        account.0,
        hashtag,
        start.0
    )
    .fetch_one(conn)
    .await?;
    Ok(Watch { id: WatchId(row.id), start: TimeMs(row.start_ms) })
}

/// How far a watch has read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Everything up to this post is archived.
    pub newest: Option<RemoteId>,
    /// While a chain of pages is being read: its first page's newest post.
    pub chain_newest: Option<RemoteId>,
    /// While a chain of pages is being read: the network's token for its next page.
    pub chain_next: Option<String>,
}

/// Reads a watch's cursor; the default if it has read nothing.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn cursor(conn: &mut SqliteConnection, watch: WatchId) -> Result<Cursor, StoreError> {
    let row = sqlx::query!("SELECT newest_id, chain_newest_id, chain_next FROM cursors WHERE watch_id = ?", watch.0)
        .fetch_optional(conn)
        .await?;
    Ok(row.map_or_else(Cursor::default, |row| Cursor {
        newest: row.newest_id.map(RemoteId::new),
        chain_newest: row.chain_newest_id.map(RemoteId::new),
        chain_next: row.chain_next,
    }))
}

/// Writes a watch's cursor.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn set_cursor(
    conn: &mut SqliteConnection,
    watch: WatchId,
    cursor: &Cursor,
    now: TimeMs,
) -> Result<(), StoreError> {
    let newest = cursor.newest.as_ref().map(RemoteId::as_str);
    let chain_newest = cursor.chain_newest.as_ref().map(RemoteId::as_str);
    sqlx::query!(
        "INSERT INTO cursors (watch_id, newest_id, chain_newest_id, chain_next, updated_at_ms) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (watch_id) DO UPDATE SET newest_id = excluded.newest_id,
             chain_newest_id = excluded.chain_newest_id, chain_next = excluded.chain_next,
             updated_at_ms = excluded.updated_at_ms",
        watch.0,
        newest,
        chain_newest,
        cursor.chain_next,
        now.0
    )
    .execute(conn)
    .await?;
    Ok(())
}
