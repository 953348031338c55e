//! What the status shows. Counters, a few small tables and partial indexes: no query grows with the archive.

use sqlx::SqliteConnection;

use super::{
    StoreError,
    counters::{self, Total},
};
use crate::model::{AccountId, Booking, RemoteId, TimeMs};

/// Everything that the status shows of the database.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// The newest migration applied.
    pub schema_version: i64,
    /// Posts in the archive.
    pub posts: i64,
    /// The totals of every counter.
    pub totals: Vec<Total>,
    /// Our accounts, in the order in which they came.
    pub accounts: Vec<AccountStatus>,
}

/// What the status shows of an account.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountStatus {
    /// Its row.
    pub id: AccountId,
    /// Its configured name.
    pub name: String,
    /// Its network, by name.
    pub network: String,
    /// Its handle there, once the network has told.
    pub handle: Option<String>,
    /// Why sending has stopped, if it has.
    pub halted_reason: Option<String>,
    /// Copies that wait for their originals.
    pub held: i64,
    /// When the next grace time ends.
    pub next_hold_ends: Option<TimeMs>,
    /// The outbox.
    pub outbox: OutboxStatus,
    /// Reposts that need their operator, the newest first, at most [`PARKED_SHOWN`].
    pub parked: Vec<Parked>,
    /// What it watches.
    pub watches: Vec<WatchStatus>,
    /// What it has used up since the hour that was asked for.
    pub booked: Vec<Booking>,
}

/// How many of an account's outbox rows are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxStatus {
    /// To be sent.
    pub ready: i64,
    /// Being sent.
    pub claimed: i64,
    /// Sent, without an answer; asked for again.
    pub uncertain: i64,
    /// Reposted.
    pub done: i64,
    /// The post is gone.
    pub gone: i64,
    /// The network forbids it.
    pub refused: i64,
    /// A filter or a cap came in between.
    pub dropped: i64,
    /// The operator has to look at it.
    pub parked: i64,
    /// When the next one may be sent, if any is waiting.
    pub next_due: Option<TimeMs>,
    /// When the last repost was made.
    pub last_done: Option<TimeMs>,
}

impl OutboxStatus {
    /// What is to be sent yet.
    pub fn waiting(&self) -> i64 {
        self.ready + self.claimed + self.uncertain
    }
}

/// A repost that needs its operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// The post.
    pub remote_id: RemoteId,
    /// Since when.
    pub at: TimeMs,
    /// The network's answer.
    pub detail: String,
}

/// What the status shows of a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchStatus {
    /// The hashtag, without `#`.
    pub hashtag: String,
    /// Posts from before are archived, never reposted.
    pub start: TimeMs,
    /// The cursor: everything up to this post is archived.
    pub newest: Option<RemoteId>,
    /// Whether older pages of the current reading are still to come.
    pub catching_up: bool,
    /// When the cursor was written last; `None` if nothing has been read yet.
    pub updated_at: Option<TimeMs>,
}

/// How many reposts that need their operator are shown.
pub const PARKED_SHOWN: i64 = 5;

/// Reads the status. `first_hour` (hours since the Unix epoch) is where adding up what was spent begins.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn status(conn: &mut SqliteConnection, first_hour: i64) -> Result<Status, StoreError> {
    let schema_version =
        sqlx::query_scalar!(r#"SELECT coalesce(max(version), 0) AS "version!: i64" FROM _sqlx_migrations"#)
            .fetch_one(&mut *conn)
            .await?;
    // Posts are numbered without gaps, so the last number is how many there are.
    let posts =
        sqlx::query_scalar!(r#"SELECT coalesce(max(id), 0) AS "posts!: i64" FROM posts"#).fetch_one(&mut *conn).await?;
    let totals = counters::totals(conn).await?;
    let accounts = accounts(conn, first_hour).await?;
    Ok(Status { schema_version, posts, totals, accounts })
}

async fn accounts(conn: &mut SqliteConnection, first_hour: i64) -> Result<Vec<AccountStatus>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id!: i64", name, network, handle, halted_reason,
               (SELECT count(*) FROM verdicts AS v WHERE v.account_id = accounts.id AND v.action = 'hold') AS "held!: i64",
               (SELECT min(hold_until_ms) FROM verdicts AS v
                WHERE v.account_id = accounts.id AND v.action = 'hold') AS "next_hold_ms: i64"
           FROM accounts ORDER BY id"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut accounts = Vec::with_capacity(rows.len());
    for row in rows {
        let id = AccountId(row.id);
        accounts.push(AccountStatus {
            id,
            name: row.name,
            network: row.network,
            handle: row.handle,
            halted_reason: row.halted_reason,
            held: row.held,
            next_hold_ends: row.next_hold_ms.map(TimeMs),
            outbox: outbox(conn, id).await?,
            parked: parked(conn, id).await?,
            watches: watches(conn, id).await?,
            booked: counters::booked(conn, id, first_hour).await?,
        });
    }
    Ok(accounts)
}

/// Counted from the three partial indexes. That of what is done holds one entry a repost, a few thousand a month, and is
/// read without touching its rows.
async fn outbox(conn: &mut SqliteConnection, account: AccountId) -> Result<OutboxStatus, StoreError> {
    let waiting = sqlx::query!(
        r#"SELECT count(*) FILTER (WHERE state = 'ready') AS "ready!: i64",
                  count(*) FILTER (WHERE state = 'claimed') AS "claimed!: i64",
                  count(*) FILTER (WHERE state = 'uncertain') AS "uncertain!: i64",
                  min(CASE state WHEN 'claimed' THEN lease_until_ms ELSE not_before_ms END) AS "next_due_ms: i64"
           FROM outbox WHERE account_id = ? AND state IN ('ready', 'claimed', 'uncertain')"#,
        account.0
    )
    .fetch_one(&mut *conn)
    .await?;
    let done = sqlx::query!(
        r#"SELECT (SELECT count(*) FROM outbox WHERE account_id = ?1 AND state = 'done') AS "count!: i64",
                  (SELECT max(finished_at_ms) FROM outbox WHERE account_id = ?1 AND state = 'done') AS "last_ms: i64""#,
        account.0
    )
    .fetch_one(&mut *conn)
    .await?;
    let failed = sqlx::query!(
        r#"SELECT count(*) FILTER (WHERE state = 'gone') AS "gone!: i64",
                  count(*) FILTER (WHERE state = 'refused') AS "refused!: i64",
                  count(*) FILTER (WHERE state = 'dropped') AS "dropped!: i64",
                  count(*) FILTER (WHERE state = 'parked') AS "parked!: i64"
           FROM outbox WHERE account_id = ? AND state IN ('gone', 'refused', 'dropped', 'parked')"#,
        account.0
    )
    .fetch_one(conn)
    .await?;
    Ok(OutboxStatus {
        ready: waiting.ready,
        claimed: waiting.claimed,
        uncertain: waiting.uncertain,
        done: done.count,
        gone: failed.gone,
        refused: failed.refused,
        dropped: failed.dropped,
        parked: failed.parked,
        next_due: waiting.next_due_ms.map(TimeMs),
        last_done: done.last_ms.map(TimeMs),
    })
}

async fn parked(conn: &mut SqliteConnection, account: AccountId) -> Result<Vec<Parked>, StoreError> {
    // `gone` and the like only name the partial index's whole condition, without which it is not used.
    let rows = sqlx::query!(
        r#"SELECT p.remote_id AS "remote_id!", o.finished_at_ms AS "at_ms!: i64",
               coalesce((SELECT e.detail FROM outbox_events AS e WHERE e.outbox_id = o.id ORDER BY e.id DESC LIMIT 1), '')
                   AS "detail!: String"
           FROM outbox AS o JOIN posts AS p ON p.id = o.post_id
           WHERE o.account_id = ? AND o.state = 'parked' AND o.state IN ('gone', 'refused', 'dropped', 'parked')
           ORDER BY o.finished_at_ms DESC LIMIT ?"#,
        account.0,
        PARKED_SHOWN
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Parked { remote_id: RemoteId::new(row.remote_id), at: TimeMs(row.at_ms), detail: row.detail })
        .collect())
}

async fn watches(conn: &mut SqliteConnection, account: AccountId) -> Result<Vec<WatchStatus>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT w.hashtag, w.start_ms, c.newest_id, (c.chain_next IS NOT NULL) AS "catching_up!: bool",
               c.updated_at_ms AS "updated_at_ms?"
           FROM watches AS w LEFT JOIN cursors AS c ON c.watch_id = w.id
           WHERE w.account_id = ? ORDER BY w.hashtag"#,
        account.0
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| WatchStatus {
            hashtag: row.hashtag,
            start: TimeMs(row.start_ms),
            newest: row.newest_id.map(RemoteId::new),
            catching_up: row.catching_up,
            updated_at: row.updated_at_ms.map(TimeMs),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Connection, Row};

    use super::*;

    /// The statements of a source file, as it stands: the names that they give their columns are SQL as well.
    fn statements(source: &'static str) -> Vec<&'static str> {
        let code = source.split("#[cfg(test)]").next().unwrap_or(source);
        let starts = code.match_indices("\"SELECT ");
        let end = |at: usize| if code[..at].ends_with("r#") { "\"#" } else { "\"" };
        starts.filter_map(|(at, _)| code[at + 1..].split(end(at)).next()).collect()
    }

    /// The steps of a statement's plan that read through a table which grows with the archive.
    async fn long_steps(conn: &mut SqliteConnection, statement: &str) -> Vec<String> {
        let plan = sqlx::raw_sql(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")));
        let steps = plan.fetch_all(conn).await.unwrap().into_iter().map(|row| row.get::<String, _>("detail"));
        // Virtual tables are lists of parameters and the search index, which is asked for words; what was reposted is a
        // few thousand rows a month, whatever is archived.
        let small = [
            "accounts",
            "counters_totals",
            "_sqlx_migrations",
            "outbox_done",
            "CONSTANT ROW",
            "VIRTUAL TABLE",
            "(subquery",
        ];
        steps.filter(|step| step.starts_with("SCAN") && !small.iter().any(|name| step.contains(name))).collect()
    }

    #[tokio::test]
    async fn no_query_of_a_reading_command_reads_through_a_table_that_grows_with_the_archive() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::migrate!().run(&mut conn).await.unwrap();
        let sources = [
            include_str!("status.rs"),
            include_str!("counters.rs"),
            include_str!("search.rs"),
            include_str!("story.rs"),
            include_str!("story_post.rs"),
            include_str!("story_order.rs"),
            include_str!("authors.rs"),
        ];
        let all: Vec<_> = sources.into_iter().flat_map(statements).collect();
        assert!(all.len() >= 24, "{}: {all:?}", all.len());
        for statement in all {
            assert_eq!(long_steps(&mut conn, statement).await, Vec::<String>::new(), "{statement}");
        }
        for table in ["posts", "verdicts", "variants", "outbox", "counters"] {
            let counting = format!("SELECT count(*) FROM {table}");
            assert_eq!(long_steps(&mut conn, &counting).await.len(), 1, "the check itself: {counting}");
        }
    }
}
