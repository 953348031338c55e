//! The raw limit: rusqlite, prepared statements, and no decision.

use std::path::Path;

use firsthand::{
    model::{Facts, NetworkKind, Post},
    store::{OpenOptions, Store},
};
use rusqlite::{Connection, params};

/// Makes a database with the bot's schema, and opens it with rusqlite as the bot opens it: the log ahead of writes, every
/// commit on the disk. Foreign keys are not checked, since nothing but posts and their search index is written.
pub(super) async fn create(path: &Path) -> anyhow::Result<Connection> {
    let store: Store = Store::open(OpenOptions::new(path)).await?;
    store.close().await?;
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 2_000)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    Ok(connection)
}

/// Writes rows of `posts` and `post_search`, whose ids begin at `first`, in one transaction. The tables `authors`,
/// `things`, `variants`, `variant_keys` and `verdicts` stay empty.
pub(super) fn insert(connection: &mut Connection, first: i64, posts: &[Post]) -> anyhow::Result<()> {
    let facts = serde_json::to_string(&Facts::default())?;
    let transaction = connection.transaction()?;
    {
        let mut into_posts = transaction.prepare_cached(
            "INSERT INTO posts (id, network, remote_id, thing_id, author_id, provenance, text,
                                text_cut, lang, created_at_ms, seen_at_ms, attribution, repost_of, facts)
             VALUES (?1, ?2, ?3, ?1, NULL, ?4, ?5, 0, ?6, ?7, ?7, NULL, NULL, ?8)",
        )?;
        let mut into_search =
            transaction.prepare_cached("INSERT INTO post_search (rowid, text, author) VALUES (?1, ?2, ?3)")?;
        for (post, id) in posts.iter().zip(first..) {
            into_posts.execute(params![
                id,
                NetworkKind::Replay.as_str(),
                post.remote_id.as_str(),
                post.provenance.as_str(),
                post.text,
                post.lang,
                post.created_at.0,
                facts,
            ])?;
            let author = post.author.as_ref().map(|author| author.handle.as_str());
            into_search.execute(params![id, post.text, author])?;
        }
    }
    transaction.commit()?;
    Ok(())
}
