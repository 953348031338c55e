//! The stream of posts.

use std::collections::{BTreeMap, VecDeque};

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use super::{
    forms::{self, Source},
    vocabulary::{self, Vocabulary, WORDS},
};

/// When the first post was written: 2026-01-01, in milliseconds since the Unix epoch.
const FIRST_TIME_MS: i64 = 1_767_225_600_000;

/// Time from one post to the next, in milliseconds.
const GAP_MS: std::ops::RangeInclusive<i64> = 200..=3_800;

/// Share of posts that are copies.
const COPIES: f64 = 0.30;

/// Share of copies that come before their original.
const EARLY_COPIES: f64 = 0.03;

/// How many posts later such an original comes, at most.
const LONGEST_DELAY: u64 = 50;

/// Share of posts from templates: they differ in their numbers alone, and are no copies of each other.
const TEMPLATES: f64 = 0.02;

/// Share of words that nobody has used before: names, misspellings.
const UNSEEN_WORDS: f64 = 0.05;

/// Words of an original, the hashtag included; 14 on average.
const LENGTH: std::ops::RangeInclusive<u32> = 6..=22;

/// The hashtag that all posts are found by.
const HASHTAG: &str = "#tides";

/// How many people post, some more than others.
const AUTHORS: usize = 6_000;

/// Copies are mostly of one of so many newest originals.
const RECENT: usize = 2_000;

/// So many older originals are kept as well; any original may become one of them.
const KEPT: usize = 500;

/// Share of copies that are of an older original.
const OF_KEPT: f64 = 0.15;

/// A generated post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Post {
    /// Its id, which grows by one from post to post.
    pub(crate) id: u64,
    /// Its author's handle.
    pub(crate) author: String,
    /// Its text.
    pub(crate) text: String,
    /// Its language.
    pub(crate) lang: &'static str,
    /// When it was written, in milliseconds since the Unix epoch; grows from post to post.
    pub(crate) created_at_ms: i64,
    /// The truth: the id of the original that this is a copy of, which may be still to come.
    pub(crate) copy_of: Option<u64>,
}

/// What somebody wrote first.
#[derive(Clone)]
struct Original {
    id: u64,
    author: usize,
    text: String,
}

/// An endless stream of posts.
pub(crate) struct Posts {
    words: Vocabulary,
    rng: Xoshiro256PlusPlus,
    next_id: u64,
    now_ms: i64,
    recent: VecDeque<Original>,
    kept: Vec<Original>,
    /// Originals remembered so far: each had the same chance to be kept.
    originals: usize,
    /// Words made so far that nobody had used before.
    unseen_words: u32,
    /// Originals whose copy has come already, by the id that is set apart for them.
    to_come: BTreeMap<u64, Original>,
}

impl Posts {
    /// The id of the first post; the others follow without a gap. As long as the ids of networks.
    pub(crate) const FIRST_ID: u64 = 1_000_000_000_000_000;

    /// The stream of this seed, from its beginning.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            words: Vocabulary::new(),
            rng: Xoshiro256PlusPlus::seed_from_u64(seed),
            next_id: Self::FIRST_ID,
            now_ms: FIRST_TIME_MS,
            recent: VecDeque::with_capacity(RECENT + 1),
            kept: Vec::with_capacity(KEPT),
            originals: 0,
            unseen_words: 0,
            to_come: BTreeMap::new(),
        }
    }

    fn author(&mut self) -> usize {
        self.rng.random_range(0..AUTHORS).min(self.rng.random_range(0..AUTHORS))
    }

    /// Somebody else than `author`.
    fn another(&mut self, author: usize) -> usize {
        (author + self.rng.random_range(1..AUTHORS)) % AUTHORS
    }

    /// An author's handle: a rare word and a number.
    fn handle(&self, author: usize) -> String {
        format!("{}_{author}", self.words.word(WORDS - 1 - author))
    }

    fn new_text(&mut self) -> String {
        let length = self.rng.random_range(LENGTH);
        let mut text = String::with_capacity(160);
        for _ in 1..length {
            if self.rng.random_bool(UNSEEN_WORDS) {
                text.push_str(&vocabulary::unseen(self.unseen_words));
                self.unseen_words += 1;
            } else {
                text.push_str(self.words.draw(&mut self.rng));
            }
            text.push(' ');
        }
        text + HASHTAG
    }

    fn template(&mut self) -> String {
        let rng = &mut self.rng;
        let (number, knots, boats) =
            (rng.random_range(1..1_000_000), rng.random_range(1..90), rng.random_range(0..400));
        let (quarter, hour) = (["north", "east", "south", "west"][rng.random_range(0..4)], rng.random_range(0..24));
        format!(
            "Harbour report number {number}: wind {knots} knots from the {quarter}, {boats} boats in, next report at \
             {hour}:00 {HASHTAG}"
        )
    }

    fn original(&mut self, id: u64) -> Original {
        Original { id, author: self.author(), text: self.new_text() }
    }

    fn copy(&mut self, of: &Original) -> (usize, String) {
        let (author, other) = (self.another(of.author), self.another(of.author));
        let (writer, other) = (self.handle(of.author), self.handle(other));
        let source = Source { author: &writer, text: &of.text, other: &other };
        (author, forms::copy(&source, &self.words, &mut self.rng))
    }

    /// Remembers an original, so that it can be copied.
    fn remember(&mut self, original: Original) {
        self.originals += 1;
        if self.kept.len() < KEPT {
            self.kept.push(original.clone());
        } else if let Some(kept) = self.kept.get_mut(self.rng.random_range(0..self.originals)) {
            *kept = original.clone();
        }
        self.recent.push_back(original);
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
    }

    /// One of the originals that are remembered.
    fn remembered(&mut self) -> Option<Original> {
        if self.recent.is_empty() {
            return None;
        }
        let place = |rng: &mut Xoshiro256PlusPlus, length| rng.random_range(0..length);
        if self.rng.random_bool(OF_KEPT) {
            let place = place(&mut self.rng, self.kept.len());
            return Some(self.kept[place].clone());
        }
        let place = place(&mut self.rng, self.recent.len());
        Some(self.recent[place].clone())
    }

    /// The first id after `id`, by chance, that is set apart for no other original.
    fn free_id_after(&mut self, id: u64) -> u64 {
        let mut free = id + self.rng.random_range(1..=LONGEST_DELAY);
        while self.to_come.contains_key(&free) {
            free += 1;
        }
        free
    }

    fn post(&mut self, id: u64) -> (usize, String, Option<u64>) {
        if let Some(original) = self.to_come.remove(&id) {
            let (author, text) = (original.author, original.text.clone());
            self.remember(original);
            return (author, text, None);
        }
        let kind: f64 = self.rng.random();
        if kind < COPIES * EARLY_COPIES {
            let original_id = self.free_id_after(id);
            let original = self.original(original_id);
            let (author, text) = self.copy(&original);
            self.to_come.insert(original_id, original);
            return (author, text, Some(original_id));
        }
        if kind < COPIES
            && let Some(original) = self.remembered()
        {
            let (author, text) = self.copy(&original);
            return (author, text, Some(original.id));
        }
        if kind > 1.0 - TEMPLATES {
            return (self.author(), self.template(), None);
        }
        let original = self.original(id);
        let (author, text) = (original.author, original.text.clone());
        self.remember(original);
        (author, text, None)
    }
}

impl Iterator for Posts {
    type Item = Post;

    fn next(&mut self) -> Option<Post> {
        let id = self.next_id;
        self.next_id += 1;
        self.now_ms += self.rng.random_range(GAP_MS);
        let (author, text, copy_of) = self.post(id);
        Some(Post { id, author: self.handle(author), text, lang: "en", created_at_ms: self.now_ms, copy_of })
    }
}
