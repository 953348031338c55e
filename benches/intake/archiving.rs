//! Archiving and deciding, in pages of 500, against the raw limit.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use firsthand::{
    model::{NetworkKind, Post},
    store::{
        OpenOptions, Store, StoreError,
        authors::{self, AuthorUpdate},
        posts::{self, NewPost},
        things::{self, NewThing},
    },
};

use super::{
    measure::{Elapsed, Stopwatch},
    raw, replayed,
    report::{Way, ways},
};

/// Posts of a page, and of a transaction of the raw limit.
pub(super) const PAGE: usize = 500;

/// The ways, the raw limit first.
const WAYS: [&str; 3] = ["raw limit", "archive only", "archive and verdict"];

/// Measures all ways. Also returns the database that the last one made.
pub(super) async fn measure(folder: &Path, posts: &[Post], rounds: usize) -> anyhow::Result<(Vec<Way>, PathBuf)> {
    let mut measured: [Vec<Elapsed>; 3] = Default::default();
    let mut last = PathBuf::new();
    for round in 0..rounds {
        // Another way begins each round.
        for turn in 0..WAYS.len() {
            let way = (round + turn) % WAYS.len();
            eprintln!("round {} of {rounds}: {}", round + 1, WAYS[way]);
            let path = folder.join(format!("archiving-{round}-{way}.db"));
            measured[way].push(match way {
                0 => raw_limit(&path, posts).await?,
                1 => archive_only(&path, posts).await?,
                _ => archive_and_verdict(&path, posts).await?,
            });
            if way == 2 {
                last = path;
            } else {
                std::fs::remove_file(&path).context("remove a measured database")?;
            }
        }
    }
    Ok((ways(&WAYS, &measured, posts.len()), last))
}

async fn raw_limit(path: &Path, posts: &[Post]) -> anyhow::Result<Elapsed> {
    let mut connection = raw::create(path).await?;
    let stopwatch = Stopwatch::start();
    for (page, first) in posts.chunks(PAGE).zip((1..).step_by(PAGE)) {
        raw::insert(&mut connection, first, page)?;
    }
    Ok(stopwatch.elapsed())
}

async fn archive_only(path: &Path, posts: &[Post]) -> anyhow::Result<Elapsed> {
    let store: Store = Store::open(OpenOptions::new(path)).await?;
    let stopwatch = Stopwatch::start();
    for page in posts.chunks(PAGE) {
        archive(&store, page.to_vec()).await?;
    }
    let elapsed = stopwatch.elapsed();
    store.close().await?;
    Ok(elapsed)
}

async fn archive_and_verdict(path: &Path, posts: &[Post]) -> anyhow::Result<Elapsed> {
    let store: Store = Store::open(OpenOptions::new(path)).await?;
    let reader = replayed::reader(&store).await?;
    let stopwatch = Stopwatch::start();
    for page in posts.chunks(PAGE) {
        replayed::take_in(&store, &reader, page.to_vec()).await?;
    }
    let elapsed = stopwatch.elapsed();
    store.close().await?;
    Ok(elapsed)
}

/// Archives posts as the intake does, through the bot's own store, each as a thing of its own: authors, things, posts and
/// the search index; nothing that recognises copies, and no verdicts.
pub(super) async fn archive(store: &Store, page: Vec<Post>) -> Result<(), StoreError> {
    let page: Arc<[Post]> = page.into();
    store
        .write("archive posts", move |conn| {
            let page = page.clone();
            Box::pin(async move {
                let mut ids = posts::next_ids(conn).await?;
                authors::upsert(conn, NetworkKind::Replay, &updates(&page)).await?;
                let new_posts: Vec<NewPost<'_>> = page
                    .iter()
                    .map(|post| NewPost {
                        id: ids.take_post(),
                        thing: ids.take_thing(),
                        attribution: None,
                        seen_at: post.created_at,
                        post,
                    })
                    .collect();
                let things: Vec<NewThing> = new_posts
                    .iter()
                    .map(|new| NewThing { id: new.thing, first_seen: new.seen_at, replayed: true })
                    .collect();
                things::insert(conn, &things).await?;
                posts::insert(conn, &new_posts).await
            })
        })
        .await
}

fn updates(page: &[Post]) -> Vec<AuthorUpdate> {
    let mut updates: BTreeMap<&str, AuthorUpdate> = BTreeMap::new();
    for post in page {
        let Some(author) = &post.author else { continue };
        let update = updates.entry(author.remote_id.as_str()).or_insert_with(|| AuthorUpdate {
            author: author.clone(),
            posts: 0,
            copies: 0,
            first_seen: post.created_at,
            last_seen: post.created_at,
        });
        update.posts += 1;
        update.last_seen = post.created_at;
    }
    updates.into_values().collect()
}
