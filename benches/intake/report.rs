//! The figures, and the tables that people read.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::{
    measure::{Elapsed, markdown},
    searching::Searching,
};

/// Everything measured in one run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Where it was measured.
    pub(super) machine: String,
    /// Seed of the posts.
    pub(super) seed: u64,
    /// Posts that each way of archiving took in, in every round.
    pub(super) posts: usize,
    /// Rounds; medians are told.
    pub(super) rounds: usize,
    /// Archiving in pages of 500.
    pub(super) archiving: Vec<Way>,
    /// Looking up ids.
    pub(super) lookups: Vec<Way>,
    /// Single posts that each way archived, in every round.
    pub(super) singles: usize,
    /// Archiving single posts.
    pub(super) durable: Vec<Way>,
    /// Searching.
    pub(super) searching: Searching,
    /// Memory that the process held at the end, its posts included.
    pub(super) memory_bytes: Option<u64>,
}

/// One of several ways to do the same, with the medians of all rounds.
#[derive(Debug, Serialize)]
pub(super) struct Way {
    name: &'static str,
    /// CPU time of all threads for one post or key, in microseconds.
    cpu_us: f64,
    /// Wall time of one, in microseconds.
    wall_us: f64,
    /// The first way's CPU time by this one's, the median of the rounds: its share of the limit's speed.
    cpu_share: f64,
    /// The same for wall time.
    wall_share: f64,
}

/// The medians of the ways, each compared with the first in the same round.
pub(super) fn ways<const N: usize>(names: &[&'static str; N], rounds: &[Vec<Elapsed>; N], each: usize) -> Vec<Way> {
    let us = |time: Duration| time.as_secs_f64() * 1e6 / each.max(1) as f64;
    let compared = |way: &[Elapsed], time: fn(&Elapsed) -> Duration| {
        let shares = rounds[0].iter().zip(way).map(|(limit, own)| time(limit).as_secs_f64() / time(own).as_secs_f64());
        median(shares.collect())
    };
    names
        .iter()
        .zip(rounds)
        .map(|(name, way)| Way {
            name,
            cpu_us: median(way.iter().map(|round| us(round.cpu)).collect()),
            wall_us: median(way.iter().map(|round| us(round.wall)).collect()),
            cpu_share: compared(way, |round| round.cpu),
            wall_share: compared(way, |round| round.wall),
        })
        .collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn table(head: &str, what: &str, ways: &[Way]) -> String {
    let titles = [head, "CPU µs", "wall µs", what, "CPU: share of raw", "wall: share of raw"];
    let rows = ways.iter().map(|way| {
        vec![
            way.name.to_owned(),
            format!("{:.1}", way.cpu_us),
            format!("{:.1}", way.wall_us),
            format!("{:.0}", 1e6 / way.wall_us),
            format!("{:.3}", way.cpu_share),
            format!("{:.3}", way.wall_share),
        ]
    });
    markdown(&std::iter::once(titles.map(str::to_owned).to_vec()).chain(rows).collect::<Vec<_>>())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { posts, rounds, searching, .. } = self;
        writeln!(f, "{}", table("a post, in pages of 500", "posts/s", &self.archiving))?;
        writeln!(f, "{}", table("an id in an archive", "ids/s", &self.lookups))?;
        writeln!(f, "{}", table("a post on the disk by itself", "posts/s", &self.durable))?;
        let rows = [
            ("MATCH, all ids", searching.match_ms),
            ("the bot's search, newest 20", searching.search_ms),
            ("LIKE '%word%', all ids", searching.like_ms),
        ]
        .map(|(name, ms)| vec![name.to_owned(), format!("{ms:.3}"), format!("{:.0}", searching.like_ms / ms)]);
        let head = ["a word, warm", "ms", "times as fast as LIKE"].map(str::to_owned).to_vec();
        writeln!(f, "{}", markdown(&std::iter::once(head).chain(rows).collect::<Vec<_>>()))?;
        let words = searching.words.iter().map(|(word, matched, liked)| format!("{word} {matched}/{liked}"));
        writeln!(
            f,
            "{} documents of {} characters; words, with the documents by MATCH and by LIKE: {}\n",
            searching.documents,
            searching.mean_characters,
            words.collect::<Vec<_>>().join(", ")
        )?;
        let memory = self.memory_bytes.map_or("unknown".to_owned(), |bytes| format!("{:.0} MB", bytes as f64 / 1e6));
        let machine = &self.machine;
        let (seed, singles) = (self.seed, self.singles);
        writeln!(
            f,
            "Medians of {rounds} rounds of {posts} posts (singly {singles}), seed {seed}; memory {memory}; on {machine}"
        )
    }
}
