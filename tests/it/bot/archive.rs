//! Looks into the archive behind the bot's back.

use std::{collections::BTreeMap, path::Path};

use firsthand::store::{JobFuture, OpenOptions, Store, WriteLock};
use sqlx::SqliteConnection;

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The post to be reposted.
    pub(crate) post: String,
    /// Which of the thing's reposts.
    pub(crate) slot: i64,
    /// How it stands.
    pub(crate) state: String,
}

impl Row {
    /// A row as a test expects it.
    pub(crate) fn new(post: &str, slot: i64, state: &str) -> Self {
        Self { post: post.to_owned(), slot, state: state.to_owned() }
    }
}

/// Opens the archive, looks, and closes it.
pub(crate) async fn look<L, T, F>(path: &Path, job: F) -> T
where
    L: WriteLock,
    T: Send + 'static,
    F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Send + Sync + 'static,
{
    let store = Store::<L>::open(OpenOptions::new(path)).await.unwrap();
    let found = store.read("look", job).await.unwrap();
    store.close().await.unwrap();
    found
}

/// The outbox of all accounts, by post and slot.
pub(crate) fn outbox(conn: &mut SqliteConnection) -> JobFuture<'_, Vec<Row>> {
    Box::pin(async move {
        let rows = sqlx::query!(
            r#"SELECT p.remote_id, o.slot, o.state FROM outbox AS o JOIN posts AS p ON p.id = o.post_id
               WHERE o.kind = 'repost' ORDER BY p.remote_id, o.slot"#
        );
        let rows = rows.fetch_all(conn).await?;
        Ok(rows.into_iter().map(|row| Row { post: row.remote_id, slot: row.slot, state: row.state }).collect())
    })
}

/// Each post's action and rule, for the account of this name.
pub(crate) async fn verdicts<L: WriteLock>(store: &Store<L>, account: &'static str) -> BTreeMap<String, String> {
    store
        .read("read verdicts", move |conn| {
            Box::pin(async move {
                let rows = sqlx::query!(
                    r#"SELECT p.remote_id, v.action, v.rule FROM verdicts AS v
                       JOIN posts AS p ON p.id = v.post_id JOIN accounts AS a ON a.id = v.account_id
                       WHERE a.name = ?1"#,
                    account
                );
                let rows = rows.fetch_all(conn).await?;
                Ok(rows.into_iter().map(|row| (row.remote_id, format!("{} {}", row.action, row.rule))).collect())
            })
        })
        .await
        .unwrap()
}

/// How many rows the tables of a page hold: posts, things, authors, verdicts, sightings, quarantined elements.
pub(crate) fn sizes(conn: &mut SqliteConnection) -> JobFuture<'_, [i64; 6]> {
    Box::pin(async move {
        let row = sqlx::query!(
            r#"SELECT (SELECT count(*) FROM posts) AS "posts!: i64", (SELECT count(*) FROM things) AS "things!: i64",
                      (SELECT count(*) FROM authors) AS "authors!: i64",
                      (SELECT count(*) FROM verdicts) AS "verdicts!: i64",
                      (SELECT count(*) FROM sightings) AS "sightings!: i64",
                      (SELECT count(*) FROM quarantine) AS "quarantine!: i64""#
        );
        let row = row.fetch_one(conn).await?;
        Ok([row.posts, row.things, row.authors, row.verdicts, row.sightings, row.quarantine])
    })
}

/// A hashtag, its cursor's newest post, and the token of a chain that is being read.
pub(crate) type HashtagCursor = (String, Option<String>, Option<String>);

/// Every cursor, by hashtag.
pub(crate) fn cursors(conn: &mut SqliteConnection) -> JobFuture<'_, Vec<HashtagCursor>> {
    Box::pin(async move {
        let rows = sqlx::query!(
            r#"SELECT w.hashtag, c.newest_id, c.chain_next FROM cursors AS c JOIN watches AS w ON w.id = c.watch_id
               ORDER BY w.hashtag"#
        );
        let rows = rows.fetch_all(conn).await?;
        Ok(rows.into_iter().map(|row| (row.hashtag, row.newest_id, row.chain_next)).collect())
    })
}

/// Lets every insert into a table fail, until it is mended.
pub(crate) fn fail_on<'c>(conn: &'c mut SqliteConnection, table: &'static str) -> JobFuture<'c, ()> {
    Box::pin(async move {
        let trigger = match table {
            "posts" => {
                sqlx::query!("CREATE TRIGGER planted BEFORE INSERT ON posts BEGIN SELECT raise(ABORT, 'planted'); END")
            }
            "variants" => sqlx::query!(
                "CREATE TRIGGER planted BEFORE INSERT ON variants BEGIN SELECT raise(ABORT, 'planted'); END"
            ),
            "verdicts" => sqlx::query!(
                "CREATE TRIGGER planted BEFORE INSERT ON verdicts BEGIN SELECT raise(ABORT, 'planted'); END"
            ),
            "outbox" => {
                sqlx::query!("CREATE TRIGGER planted BEFORE INSERT ON outbox BEGIN SELECT raise(ABORT, 'planted'); END")
            }
            _ => sqlx::query!(
                "CREATE TRIGGER planted BEFORE INSERT ON counters BEGIN SELECT raise(ABORT, 'planted'); END"
            ),
        };
        trigger.execute(conn).await?;
        Ok(())
    })
}

/// Takes back [`fail_on`].
pub(crate) fn mend(conn: &mut SqliteConnection) -> JobFuture<'_, ()> {
    Box::pin(async move {
        sqlx::query!("DROP TRIGGER IF EXISTS planted").execute(conn).await?;
        Ok(())
    })
}
