//! Full-text search against LIKE, over long documents, everything warm.

use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::ensure;
use firsthand::{
    model::{Post, RemoteId},
    store::{
        OpenOptions, Store,
        search::{Order, Query, search},
    },
};
use indicatif::ProgressIterator;
use rusqlite::Connection;
use serde::Serialize;

use super::{archiving::PAGE, generator::Posts, raw, replayed};

/// Characters of a document, at least.
const DOCUMENT_CHARACTERS: usize = 300;

/// How many words are looked for, one after the other.
const WORDS: usize = 5;

/// Documents that hold a word which is looked for, as a share of all: rare as the words are that people look for.
const SOUGHT_SHARE: std::ops::Range<f64> = 0.00002..0.002;

/// Documents that the bot's own search returns: its default.
const LIMIT: u32 = 20;

/// The times of one word's search, the median of all words and rounds, in milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Searching {
    /// How many documents were searched.
    pub(super) documents: usize,
    /// Their characters, on average.
    pub(super) mean_characters: usize,
    /// The words, each with the documents that `MATCH` found and those that `LIKE` found.
    pub(super) words: Vec<(String, usize, usize)>,
    /// All ids, by the full-text index.
    pub(super) match_ms: f64,
    /// All ids, by `LIKE '%word%'`.
    pub(super) like_ms: f64,
    /// The newest twenty with all that is told of them, by the bot's search.
    pub(super) search_ms: f64,
}

/// Makes the documents of the stream's posts, and searches them.
pub(super) async fn measure(
    folder: &Path,
    stream: &mut Posts,
    documents: usize,
    rounds: usize,
) -> anyhow::Result<Searching> {
    let path = folder.join("documents.db");
    let mut connection = raw::create(&path).await?;
    let mut characters = 0;
    let mut candidates = BTreeSet::new();
    let ids: Vec<i64> = (1..).take(documents).collect();
    for page in ids.chunks(PAGE).progress() {
        let posts: Vec<Post> = page.iter().map_while(|&id| document(stream, id)).collect();
        characters += posts.iter().map(|post| post.text.chars().count()).sum::<usize>();
        if let Some(post) = posts.first() {
            candidates.extend(post.text.split(' ').filter(|word| word.len() >= 5).map(str::to_owned));
        }
        raw::insert(&mut connection, page[0], &posts)?;
    }
    let words = sought(&connection, candidates, documents)?;
    let store: Store = Store::open(OpenOptions::new(&path)).await?;
    let (mut by_match, mut by_like, mut by_bot) = (Vec::new(), Vec::new(), Vec::new());
    let mut counts = Vec::new();
    // The first round only warms up.
    for round in 0..=rounds {
        counts.clear();
        for word in &words {
            let (matched, match_took) = find(&connection, MATCH, word)?;
            let (liked, like_took) = find(&connection, LIKE, &format!("%{word}%"))?;
            ensure!(matched.is_subset(&liked), "MATCH found a document without {word:?}");
            let started = Instant::now();
            let found = newest(&store, word).await?;
            let search_took = started.elapsed();
            ensure!(found == matched.len().min(LIMIT as usize), "the bot found {found} documents with {word:?}");
            counts.push((word.clone(), matched.len(), liked.len()));
            if round > 0 {
                by_match.push(match_took);
                by_like.push(like_took);
                by_bot.push(search_took);
            }
        }
    }
    store.close().await?;
    Ok(Searching {
        documents,
        mean_characters: characters / documents,
        words: counts,
        match_ms: median_ms(by_match),
        like_ms: median_ms(by_like),
        search_ms: median_ms(by_bot),
    })
}

const MATCH: &str = "SELECT rowid FROM post_search WHERE post_search MATCH ?1";
const LIKE: &str = "SELECT id FROM posts WHERE text LIKE ?1";

/// A document: posts of the stream after one another.
fn document(stream: &mut Posts, id: i64) -> Option<Post> {
    let mut post = replayed::post(&stream.next()?);
    while post.text.len() < DOCUMENT_CHARACTERS {
        post.text.push(' ');
        post.text.push_str(&stream.next()?.text);
    }
    post.text.truncate(post.text.floor_char_boundary(DOCUMENT_CHARACTERS));
    post.remote_id = RemoteId::new(id.to_string());
    Some(post)
}

/// Some of the words, those that are as rare as wanted.
fn sought(connection: &Connection, candidates: BTreeSet<String>, documents: usize) -> anyhow::Result<Vec<String>> {
    let mut words = Vec::with_capacity(WORDS);
    for word in candidates.into_iter().filter(|word| word.chars().all(|c| c.is_ascii_lowercase())) {
        let (found, _) = find(connection, MATCH, &word)?;
        if SOUGHT_SHARE.contains(&(found.len() as f64 / documents as f64)) && found.len() > 1 {
            words.push(word);
        }
        if words.len() == WORDS {
            break;
        }
    }
    ensure!(!words.is_empty(), "no word is as rare as wanted");
    Ok(words)
}

fn find(connection: &Connection, sql: &str, word: &str) -> anyhow::Result<(BTreeSet<i64>, Duration)> {
    let mut statement = connection.prepare_cached(sql)?;
    let started = Instant::now();
    let found = statement.query_map([word], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok((found, started.elapsed()))
}

async fn newest(store: &Store, word: &str) -> anyhow::Result<usize> {
    let query = Query::of_words(word).ok_or_else(|| anyhow::anyhow!("{word:?} is no word"))?;
    let found = store.read("search", move |conn| {
        let query = query.clone();
        Box::pin(async move { search(conn, &query, None, Order::Newest, LIMIT).await })
    });
    Ok(found.await?.len())
}

fn median_ms(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}
