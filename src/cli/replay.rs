//! `firsthand replay`: posts from files through the same decisions, without any account.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufWriter, Write},
    time::Instant,
};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Exit, args, compare, setup, style};
use crate::{
    config::{self, Environment},
    model::{Action, PostId, Rule, Verdict},
    pipeline::replay::{BadLine, LineSource, Replay},
    store::{Location, LockMetrics, OpenOptions, Store, Synchronous},
};

/// How many bad lines are named; the rest are counted.
const BAD_LINES_TOLD: u64 = 20;

/// Runs the replay.
///
/// # Errors
/// If a source, the verdicts or the database can't be read or written.
pub async fn run(
    args: &args::Replay,
    global: &args::Global,
    env: &Environment,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let loaded = config::load(env, &global.flags())?;
    let settings = &loaded.settings;
    let dedup = config::Dedup { mode: args.mode.unwrap_or(settings.dedup.mode), ..settings.dedup };
    setup::start_log(&settings.log, global.verbosity() - 1)?;
    if let Some([a, b]) = args.compare.as_deref() {
        return compare::run([a, b], args, &loaded, env, out, err).await;
    }
    let sources: Vec<LineSource> = args.files.iter().map(|file| LineSource::from_argument(file)).collect();
    // Only a database that was asked for is written to; the configured one belongs to the bot.
    let asked_for = global.database.is_some() || env.names_database();
    let folder = tempfile::tempdir().context("make a folder for a temporary database")?;
    let options = if asked_for {
        setup::open_options(&settings.database, env)
    } else {
        OpenOptions {
            synchronous: Synchronous::Normal,
            ..OpenOptions::new(Location::File(folder.path().join("replay.db")))
        }
    };
    let store: Store = Store::open(options).await?;
    let verdicts = match &args.verdicts {
        Some(path) => {
            let file = File::create(path).with_context(|| format!("write the verdicts to {}", path.display()))?;
            Some(Box::new(BufWriter::new(file)) as Box<dyn Write + Send>)
        }
        None => None,
    };

    let bar = progress(&sources);
    let reading = bar.clone();
    let mut tally = Tally::default();
    let mut bad_lines = 0;
    let started = started();
    let replay = Replay { sources, batch: args.batch as usize, policy: setup::replay_policy(&dedup) };
    let result = replay
        .run(
            &store,
            verdicts,
            |decisions| decisions.iter().for_each(|decision| tally.count(&decision.verdict)),
            |bad| {
                bad_lines += 1;
                bar.suspend(|| tell_bad_line(err, bad, bad_lines));
            },
            move |bytes| reading.inc(bytes),
        )
        .await;
    bar.finish_and_clear();
    // What was committed until an error stays, so the database is closed in order either way.
    let closed = store.close().await;
    let replayed = result?;
    closed?;
    let seconds = started.elapsed().as_secs_f64();
    let metrics = store.metrics();
    if args.json {
        writeln!(out, "{}", json(&replayed, &tally, seconds, store.strategy_name(), &metrics))?;
    } else {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "posts a second, for people")]
        let rate = (replayed.posts as f64 / seconds) as u64;
        writeln!(
            out,
            "{} in {seconds:.1} s ({} a second){}",
            style::counted(replayed.posts, "post"),
            style::thousands(rate),
            if asked_for { format!(", archived in {}", store.location()) } else { String::new() }
        )?;
        write!(out, "{}", tally.table())?;
    }
    if bad_lines > 0 {
        writeln!(err, "{} could not be read and left out", style::counted(bad_lines, "line"))?;
        return Ok(Exit::Partly);
    }
    Ok(Exit::Ok)
}

/// Final decisions by rule.
#[derive(Default)]
struct Tally {
    rules: BTreeMap<Rule, u64>,
    held: BTreeSet<PostId>,
}

impl Tally {
    fn count(&mut self, verdict: &Verdict) {
        // A post that was held is counted once, by the decision that ended it.
        if self.held.remove(&verdict.post)
            && let Some(waiting) = self.rules.get_mut(&Rule::AwaitingOriginal)
        {
            *waiting -= 1;
        }
        if verdict.action == Action::Hold {
            self.held.insert(verdict.post);
        }
        *self.rules.entry(verdict.rule).or_insert(0) += 1;
    }

    fn table(&self) -> String {
        let mut rows: Vec<_> = self.rules.iter().filter(|(_, count)| **count > 0).collect();
        rows.sort_by_key(|(rule, count)| (Reverse(**count), **rule));
        rows.into_iter()
            .map(|(rule, count)| {
                format!("  {:>9}  {:20} {}\n", style::thousands(*count), rule, style::paint(style::FAINT, rule.words()))
            })
            .collect()
    }
}

fn json(
    replayed: &crate::pipeline::replay::Replayed,
    tally: &Tally,
    seconds: f64,
    strategy: &str,
    metrics: &LockMetrics,
) -> serde_json::Value {
    let rules: BTreeMap<&str, u64> = tally.rules.iter().map(|(rule, count)| (rule.as_str(), *count)).collect();
    serde_json::json!({
        "posts": replayed.posts,
        "bad_lines": replayed.bad_lines,
        "seconds": seconds,
        "posts_per_second": replayed.posts as f64 / seconds,
        "rules": rules,
        "locking_strategy": strategy,
        "lock": metrics,
    })
}

pub(super) fn tell_bad_line(err: &mut dyn Write, bad: &BadLine, count: u64) {
    let told = match count {
        1..=BAD_LINES_TOLD => {
            let (source, reason) = (style::escape_for_terminal(&bad.source), style::escape_for_terminal(&bad.reason));
            writeln!(err, "{source}, line {}: {reason}; left out", bad.number)
        }
        n if n == BAD_LINES_TOLD + 1 => writeln!(err, "… further bad lines are only counted"),
        _ => Ok(()),
    };
    // A closed pipe must not stop the replay.
    drop(told);
}

/// A bar of bytes read.
pub(super) fn progress(sources: &[LineSource]) -> ProgressBar {
    let sizes: Option<u64> = sources.iter().map(LineSource::size_bytes).sum();
    let template = match sizes {
        Some(_) => "{bar:40.green/dim} {percent:>3} %  {binary_bytes_per_sec}, {eta} left",
        None => "{spinner} {binary_bytes} read, {binary_bytes_per_sec}",
    };
    styled(sizes.map_or_else(ProgressBar::new_spinner, ProgressBar::new), template)
}

/// A bar that looks like this.
pub(super) fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Stop watch for the report only; nothing is decided by it.
fn started() -> Instant {
    Instant::now()
}
