//! Which of these ids are in the archive? Asked by the page and one by one, against rusqlite.

use std::path::Path;

use anyhow::ensure;
use firsthand::{
    model::{NetworkKind, Post, RemoteId},
    store::{OpenOptions, Store, posts},
};
use rusqlite::Connection;

use super::{
    archiving::PAGE,
    measure::{Elapsed, Stopwatch},
    report::{Way, ways},
};

/// The ways, the raw limit first.
const WAYS: [&str; 3] = ["raw, one key a look-up", "bot, 500 keys a look-up", "bot, one key a look-up"];

/// Of so many keys, one is looked up singly through the bot's store.
const SINGLE_OF: u32 = 10;

/// Measures all ways, on an archive of these posts.
pub(super) async fn measure(path: &Path, posts: &[Post], rounds: usize) -> anyhow::Result<Vec<Way>> {
    // In an order in which no neighbours share a page of the index.
    let step = 7_919;
    let keys: Vec<RemoteId> = (0..posts.len()).map(|n| posts[n * step % posts.len()].remote_id.clone()).collect();
    let store: Store = Store::open(OpenOptions::new(path)).await?;
    let connection = Connection::open(path)?;
    let mut measured: [Vec<Elapsed>; 3] = Default::default();
    for _ in 0..rounds {
        measured[0].push(raw(&connection, &keys)?);
        measured[1].push(through_the_store(&store, &keys, PAGE).await?);
        let single = through_the_store(&store, &keys[..keys.len() / SINGLE_OF as usize], 1).await?;
        measured[2].push(Elapsed { wall: single.wall * SINGLE_OF, cpu: single.cpu * SINGLE_OF });
    }
    store.close().await?;
    Ok(ways(&WAYS, &measured, keys.len()))
}

fn raw(connection: &Connection, keys: &[RemoteId]) -> anyhow::Result<Elapsed> {
    let mut statement = connection.prepare("SELECT id, thing_id FROM posts WHERE network = ?1 AND remote_id = ?2")?;
    let network = NetworkKind::Replay.as_str();
    let stopwatch = Stopwatch::start();
    let mut found = 0;
    for key in keys {
        let (post, thing): (i64, i64) =
            statement.query_row([network, key.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        found += usize::from(post > 0 && thing > 0);
    }
    ensure!(found == keys.len(), "{found} of {} posts were found", keys.len());
    Ok(stopwatch.elapsed())
}

async fn through_the_store(store: &Store, keys: &[RemoteId], at_once: usize) -> anyhow::Result<Elapsed> {
    let pages: Vec<Vec<RemoteId>> = keys.chunks(at_once).map(<[RemoteId]>::to_vec).collect();
    let stopwatch = Stopwatch::start();
    let mut found = 0;
    for page in pages {
        found += store
            .read("look posts up", move |conn| {
                let page = page.clone();
                Box::pin(async move { posts::known(conn, NetworkKind::Replay, &page).await })
            })
            .await?
            .len();
    }
    ensure!(found == keys.len(), "{found} of {} posts were found", keys.len());
    Ok(stopwatch.elapsed())
}
