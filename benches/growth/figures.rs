//! The figures, and the tables that people read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use serde::Serialize;

use super::{inspect::Statement, measure::markdown, start::Start, truth::Accuracy};

/// Characters of a statement that are shown.
const SHOWN_OF_STATEMENT: usize = 110;

/// Everything measured in one run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Where it was measured.
    pub(super) machine: String,
    /// Seed of the posts.
    pub(super) seed: u64,
    /// Posts measured in pages of one.
    pub(super) sample: usize,
    /// The figures by size, rising.
    pub(super) sizes: Vec<AtSize>,
}

/// How a figure is spread, in microseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Spread {
    /// The median.
    pub(super) p50_us: f64,
    /// The 99th percentile.
    pub(super) p99_us: f64,
    /// The largest.
    pub(super) max_us: f64,
    /// The mean.
    pub(super) mean_us: f64,
}

impl Spread {
    /// The spread of these times; each is divided by `per`.
    pub(super) fn of(times: impl Iterator<Item = Duration>, per: usize) -> Self {
        let mut us: Vec<f64> = times.map(|time| time.as_secs_f64() * 1e6 / per.max(1) as f64).collect();
        us.sort_unstable_by(f64::total_cmp);
        let at = |percent: usize| us.get(us.len() * percent / 100).copied().unwrap_or_default();
        Self {
            p50_us: at(50),
            p99_us: at(99),
            max_us: us.last().copied().unwrap_or_default(),
            mean_us: us.iter().sum::<f64>() / us.len().max(1) as f64,
        }
    }
}

/// What was measured at one size. Times are those of one post, also where a page holds several.
#[derive(Debug, Serialize)]
pub(super) struct AtSize {
    /// Posts in the archive when measuring began.
    pub(super) posts: u64,
    /// How fast it was built, from the size before; `None` if it was there.
    pub(super) posts_per_second: Option<f64>,
    /// CPU time in pages of one post.
    pub(super) single_cpu: Spread,
    /// Wall time in pages of one post: a commit that reaches the disk each.
    pub(super) single_wall: Spread,
    /// CPU time in pages of twenty.
    pub(super) short_cpu: Spread,
    /// Wall time in pages of twenty.
    pub(super) short_wall: Spread,
    /// CPU time in the last pages of five hundred before this size.
    pub(super) long_cpu: Spread,
    /// Wall time in these.
    pub(super) long_wall: Spread,
    /// The closed database's size.
    pub(super) file_bytes: u64,
    /// The longest that the write-ahead log became while it was built.
    pub(super) longest_wal_bytes: u64,
    /// Memory that the process held, four bytes a post for the truth included.
    pub(super) memory_bytes: Option<u64>,
    /// How right the verdicts were since the size before.
    pub(super) accuracy: Accuracy,
    /// How long it takes to be ready.
    pub(super) start: Start,
    /// Posts in the archive when its parts were looked at.
    pub(super) archived: u64,
    /// Bytes of its parts then.
    pub(super) parts: BTreeMap<String, u64>,
    /// The statements of a page of one post, the dearest first.
    pub(super) statements: Vec<Statement>,
}

impl AtSize {
    fn costs(&self) -> Vec<String> {
        let us = |us: f64| if us > 0.0 { format!("{us:.0}") } else { "–".to_owned() };
        let Self { single_cpu, single_wall, .. } = self;
        let mut cells = vec![grouped(self.posts)];
        let singles = [single_cpu, single_wall].into_iter().flat_map(|s| [s.p50_us, s.p99_us, s.max_us]);
        let pages = [self.short_cpu, self.short_wall, self.long_cpu, self.long_wall].map(|spread| spread.mean_us);
        cells.extend(singles.chain(pages).map(us));
        cells.push(self.posts_per_second.map_or("–".to_owned(), |speed| format!("{speed:.0}")));
        cells
    }

    fn sizes(&self) -> Vec<String> {
        let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
        let Accuracy { repeats, found, misplaced, first_sightings, false_matches } = self.accuracy;
        let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        vec![
            grouped(self.posts),
            self.per_post(self.file_bytes),
            megabytes(self.longest_wal_bytes),
            self.memory_bytes.map_or("–".to_owned(), megabytes),
            format!("{:.2} %", 100.0 * share(found, repeats)),
            misplaced.to_string(),
            format!("{:.2}", 1000.0 * share(false_matches, first_sightings)),
            format!("{:.1}", self.start.open_ms),
            format!("{:.1}", self.start.status_ms),
            self.statements.iter().filter(|statement| statement.scans()).count().to_string(),
        ]
    }

    fn per_post(&self, bytes: u64) -> String {
        format!("{:.0}", bytes as f64 / self.archived.max(1) as f64)
    }
}

impl Report {
    fn table(&self, head: &[&str], row: impl Fn(&AtSize) -> Vec<String>) -> String {
        let head = head.iter().map(|cell| (*cell).to_owned()).collect();
        markdown(&std::iter::once(head).chain(self.sizes.iter().map(row)).collect::<Vec<_>>())
    }

    fn parts(&self) -> String {
        let names: BTreeSet<&String> = self.sizes.iter().flat_map(|size| size.parts.keys()).collect();
        let bytes = |size: &AtSize, name: &str| size.parts.get(name).copied().unwrap_or(0);
        let mut names: Vec<&String> = names.into_iter().collect();
        names.sort_by_key(|name| std::cmp::Reverse(self.sizes.last().map_or(0, |size| bytes(size, name))));
        let mut rows = vec![std::iter::once("bytes a post".to_owned()).collect::<Vec<_>>()];
        rows[0].extend(self.sizes.iter().map(|size| grouped(size.archived)));
        rows.extend(names.into_iter().map(|name| {
            let cells = self.sizes.iter().map(|size| size.per_post(bytes(size, name)));
            std::iter::once(name.clone()).chain(cells).collect()
        }));
        // What makes up less than half a byte of each post is left out.
        rows.retain(|row| row[1..].iter().any(|cell| cell != "0"));
        markdown(&rows)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Time of one post in µs, CPU of all threads and wall, in pages of 1, 20 and 500 posts:\n")?;
        let costs = self.table(
            &[
                "posts",
                "1: CPU p50",
                "p99",
                "max",
                "1: wall p50",
                "p99",
                "max",
                "20: CPU",
                "wall",
                "500: CPU",
                "wall",
                "posts/s",
            ],
            AtSize::costs,
        );
        writeln!(f, "{costs}")?;
        if let [first, .., last] = &self.sizes[..] {
            writeln!(
                f,
                "From {} to {} posts, the 99th percentile in pages of one becomes {:.2} times as large in CPU time, {:.2} \
                 times in wall time.\n",
                grouped(first.posts),
                grouped(last.posts),
                last.single_cpu.p99_us / first.single_cpu.p99_us,
                last.single_wall.p99_us / first.single_wall.p99_us,
            )?;
        }
        let sizes = self.table(
            &[
                "posts",
                "file B/post",
                "WAL MB",
                "memory MB",
                "repeats found",
                "misplaced",
                "false per 1,000",
                "open ms",
                "status ms",
                "scans",
            ],
            AtSize::sizes,
        );
        writeln!(f, "{sizes}")?;
        writeln!(f, "{}", self.parts())?;
        let Some(last) = self.sizes.last() else { return Ok(()) };
        writeln!(f, "The statements of a page of one post at {} posts, in µs:\n", grouped(last.posts))?;
        for statement in &last.statements {
            let shown: String = statement.sql.chars().take(SHOWN_OF_STATEMENT).collect();
            let scans = if statement.scans() { " READS ALL OF A TABLE" } else { "" };
            writeln!(f, "- {:.0}, run {:.2} times: `{shown}`{scans}", statement.took_us, statement.runs)?;
            for line in &statement.plan {
                writeln!(f, "  - {}", line)?;
            }
        }
        writeln!(f, "\n{} posts a kind of page, seed {}, on {}", self.sample, self.seed, self.machine)
    }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let places = digits.chars().enumerate();
    let mut out = String::new();
    for (place, digit) in places {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
