//! `firsthand replay --compare`: how verdicts would differ between two policies.

use std::{
    collections::{BTreeMap, HashMap},
    io::Write,
    time::Instant,
};

use anyhow::Context;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::{
    Exit, args,
    exit::WrongUsage,
    explain_words::by_whom,
    json, replay,
    screen::Screen,
    setup, side_by_side,
    style::{self, counted, escape_for_terminal, paint, thousands},
};
use crate::{
    config::{self, Environment},
    model::{PostId, Verdict},
    pipeline::replay::{Differing, Kind, LineSource, Policy, Source, compare},
    store::{
        Location, OpenOptions, ReadOnlyArchive, Store, StoreError, Synchronous, story_post, story_post::StoredPost,
    },
};

/// How many differing posts are shown to people who don't say how many.
const SHOWN: u32 = 20;

/// Compares two policies, each given as in [`config::dedup_in_one_word`].
///
/// # Errors
/// [`WrongUsage`] if a policy does not read; if a source or the archive can't be read, or `out` can't be written.
pub async fn run(
    [a, b]: [&str; 2],
    args: &args::Replay,
    loaded: &config::Loaded,
    env: &Environment,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let policy = |word: &str| -> anyhow::Result<Policy> {
        let read = config::dedup_in_one_word(env, word, &loaded.settings.dedup, "--compare");
        let dedup = read.map_err(|error| WrongUsage(format!("{:#}", anyhow::Error::new(error))))?;
        Ok(setup::replay_policy(&dedup))
    };
    let policies = [policy(a)?, policy(b)?];
    let (source, bar) = source(args, &loaded.settings.database, env).await?;
    let folder = tempfile::tempdir().context("make a folder for two temporary databases")?;
    let open = async |name: &str| -> Result<Store, StoreError> {
        let location = Location::File(folder.path().join(name));
        Store::open(OpenOptions { synchronous: Synchronous::Normal, ..OpenOptions::new(location) }).await
    };
    let stores = [open("a.db").await?, open("b.db").await?];

    let started = started();
    let mut bad_lines = 0;
    let reading = bar.clone();
    let compared = compare(
        source,
        args.batch as usize,
        [&stores[0], &stores[1]],
        policies,
        |bad| {
            bad_lines += 1;
            bar.suspend(|| replay::tell_bad_line(err, bad, bad_lines));
        },
        move |read| reading.inc(read),
    )
    .await;
    bar.finish_and_clear();
    let mut compared = compared?;
    let limit = args.limit.or((!args.json).then_some(SHOWN)).map_or(u64::MAX, u64::from);
    let mut report = Report { words: [a, b], kinds: BTreeMap::new(), shown: 0, screen: Screen::of_stdout() };
    while let Some(mut differing) = compared.next().await? {
        differing.iter().for_each(|differing| *report.kinds.entry(differing.kind).or_insert(0) += 1);
        differing.truncate(usize::try_from(limit - report.shown).unwrap_or(usize::MAX));
        let posts = load(&stores[0], &differing).await?;
        for differing in &differing {
            let Some(post) = posts.get(&differing.post()) else { continue };
            report.shown += 1;
            let told = Told { differing, post, posts: &posts };
            if args.json { json::write_line(out, &told.json())? } else { told.print(&report, out)? }
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let posts = compared.replayed.posts;
    if args.json {
        json::write_line(out, &report.json(posts, compared.replayed.bad_lines, seconds))?;
    } else {
        report.print(posts, seconds, out)?;
    }
    for store in &stores {
        store.close().await?;
    }
    if bad_lines > 0 {
        writeln!(err, "{} could not be read and left out", counted(bad_lines, "line"))?;
        return Ok(Exit::Partly);
    }
    Ok(Exit::Ok)
}

/// What is replayed, and the bar that tells how far it is.
async fn source(
    args: &args::Replay,
    database: &config::Database,
    env: &Environment,
) -> anyhow::Result<(Source, ProgressBar)> {
    if !args.archive {
        let sources: Vec<LineSource> = args.files.iter().map(|file| LineSource::from_argument(file)).collect();
        let bar = replay::progress(&sources);
        return Ok((Source::Lines(sources), bar));
    }
    let mut archive = ReadOnlyArchive::open(&setup::open_options(database, env)).await?;
    // What comes while this runs is left out, so that it ends.
    let last = archive.newest_post().await?.unwrap_or(PostId(0));
    let bar = ProgressBar::new(u64::try_from(last.0).unwrap_or(0));
    let bar = replay::styled(bar, "{bar:40.green/dim} {percent:>3} %  {human_pos} posts, {per_sec}, {eta} left");
    Ok((Source::Archive(archive, last), bar))
}

/// The differing posts and those that they were matched with. Rows are the same in both archives.
async fn load(store: &Store, differing: &[Differing]) -> Result<HashMap<PostId, StoredPost>, StoreError> {
    let of = |verdict: &Verdict| [Some(verdict.post), verdict.matched];
    let mut ids: Vec<PostId> =
        differing.iter().flat_map(|differing| [of(&differing.a), of(&differing.b)]).flatten().flatten().collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let posts = store
        .read("read differing posts", move |conn| {
            let ids = ids.clone();
            Box::pin(async move { story_post::load(conn, &ids).await })
        })
        .await?;
    Ok(posts.into_iter().map(|post| (post.id, post)).collect())
}

/// One differing post with everything that is told of it.
struct Told<'a> {
    differing: &'a Differing,
    post: &'a StoredPost,
    posts: &'a HashMap<PostId, StoredPost>,
}

impl Told<'_> {
    fn matched(&self, verdict: &Verdict) -> Option<&StoredPost> {
        self.posts.get(&verdict.matched?)
    }

    fn print(&self, report: &Report<'_>, out: &mut dyn Write) -> std::io::Result<()> {
        let Differing { kind, a, b } = self.differing;
        let title = format!("{} on {}", by_whom(self.post), escape_for_terminal(&self.post.network));
        writeln!(out, "{}: {}", paint(style::STRONG, title), kind.words())?;
        for (name, word, verdict) in [("A", report.words[0], a), ("B", report.words[1], b)] {
            let matched = self.matched(verdict).map(|matched| format!(": {}", by_whom(matched))).unwrap_or_default();
            let alike = verdict.similarity.map(|share| format!(", {:.0} % alike", share * 100.0)).unwrap_or_default();
            let (action, rule) = (verdict.action.as_str(), verdict.rule.words());
            let word = paint(style::FAINT, escape_for_terminal(word));
            writeln!(out, "  {name} {word}  {action}: {rule}{matched}{alike}")?;
        }
        let (of_a, of_b) = (self.matched(a), self.matched(b));
        let same = of_a.map(|post| post.id) == of_b.map(|post| post.id);
        let others = [of_a, of_b.filter(|_| !same)].into_iter().flatten();
        let mut any = false;
        for other in others {
            any = true;
            let heading = by_whom(other);
            side_by_side::print(("this post", &self.post.text), (&heading, &other.text), &report.screen, out)?;
        }
        if !any {
            let text = side_by_side::shown(&self.post.text);
            for line in report.screen.wrap(text, &[], style::STRONG, report.screen.columns - 4) {
                writeln!(out, "    {}", line.painted)?;
            }
        }
        writeln!(out)
    }

    fn json(&self) -> Value {
        let Differing { kind, a, b } = self.differing;
        let side = |verdict: &Verdict| {
            json!({
                "action": verdict.action.as_str(),
                "rule": verdict.rule.as_str(),
                "similarity": verdict.similarity,
                "matched": self.matched(verdict).map(of_post),
            })
        };
        let mut told = of_post(self.post);
        told["kind"] = kind.as_str().into();
        told["a"] = side(a);
        told["b"] = side(b);
        told
    }
}

fn of_post(post: &StoredPost) -> Value {
    json!({
        "id": post.remote_id,
        "network": post.network,
        "author": post.author_handle(),
        "text": post.text,
    })
}

/// What is said at the end.
struct Report<'a> {
    /// The two policies, as they were given.
    words: [&'a str; 2],
    kinds: BTreeMap<Kind, u64>,
    /// Differing posts that were told.
    shown: u64,
    screen: Screen,
}

impl Report<'_> {
    fn differing(&self) -> u64 {
        self.kinds.values().sum()
    }

    fn print(&self, posts: u64, seconds: f64, out: &mut dyn Write) -> std::io::Result<()> {
        let [a, b] = self.words.map(escape_for_terminal);
        writeln!(out, "{} in {seconds:.1} s, decided by A ({a}) and by B ({b})", counted(posts, "post"))?;
        for kind in Kind::ALL {
            let count = self.kinds.get(&kind).copied().unwrap_or(0);
            if count > 0 {
                writeln!(out, "  {:>9}  {}", thousands(count), kind.words())?;
            }
        }
        let differing = self.differing();
        if differing == 0 {
            return writeln!(out, "Both decide the same about every post.");
        }
        if self.shown < differing {
            writeln!(out, "Shown are {} of {}; --limit shows more.", thousands(self.shown), thousands(differing))?;
        }
        Ok(())
    }

    fn json(&self, posts: u64, bad_lines: u64, seconds: f64) -> Value {
        let kinds: BTreeMap<&str, u64> =
            Kind::ALL.iter().map(|kind| (kind.as_str(), self.kinds.get(kind).copied().unwrap_or(0))).collect();
        json!({
            "summary": {
                "a": self.words[0],
                "b": self.words[1],
                "posts": posts,
                "bad_lines": bad_lines,
                "differing": self.differing(),
                "kinds": kinds,
                "seconds": seconds,
            }
        })
    }
}

/// Stop watch for the report only; nothing is decided by it.
fn started() -> Instant {
    Instant::now()
}
