//! The rehearsal: the whole bot on a built-in timeline, without account, configuration or network.

use std::{io::Write, sync::Arc, time::Duration};

use anyhow::Context;

use super::{
    Exit, args,
    console::Console,
    run::{LEASE, close, open, owner, stop_on_signals},
    setup, style,
};
use crate::{
    config::{self, Environment, Loaded},
    model::{Clock, Hashtag},
    network::rehearsal::{self, Rehearsal, RehearsalClock, TIMELINE_START},
    pipeline::{
        daemon::{self, Account, Shared},
        relay::Pace,
        timing::Timing,
        watcher::Until,
    },
    store::{Location, Store},
};

/// What the rehearsal writes into, so that it never touches a real archive.
pub(super) const REHEARSAL_DATABASE: &str = "rehearsal.db";

/// Plays the rehearsal to its end.
pub(super) async fn run(
    args: &args::Run,
    loaded: Loaded,
    env: &Environment,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let mut database = loaded.settings.database.clone();
    if database == config::Database::default() {
        REHEARSAL_DATABASE.clone_into(&mut database.path);
    }
    let pace = match args.speed {
        Some(speed) => rehearsal::Pace::new(speed).context("play the rehearsal")?,
        None => rehearsal::Pace::default(),
    };
    let opened = open(args, setup::open_options(&database, env)).await?;
    let store = opened.store.clone();
    let clock = Arc::new(RehearsalClock::start(TIMELINE_START, pace));
    let network = Arc::new(Rehearsal::new(TIMELINE_START, pace, clock.clone())?);
    writeln!(
        out,
        "{}: a built-in timeline on #{} by invented people, {} times as fast as life. Nothing leaves this machine.\n\
         Archive: {}   Locking strategy: {}\n",
        style::paint(style::STRONG, "REHEARSAL"),
        rehearsal::HASHTAG,
        pace.speed(),
        store.location(),
        store.strategy_name(),
    )?;

    let stop = stop_on_signals(&store)?;
    let timing = Timing::new(clock.clone(), pace.speed(), stop.clone());
    let length = network.ends_at().since(TIMELINE_START).as_secs();
    let console = Console::new(clock.clone(), Some(length), false);
    let bar = console.bar().clone();
    let ticking = tokio::spawn(async move {
        loop {
            let played = clock.now().since(TIMELINE_START);
            bar.set_position(played.as_secs());
            bar.set_message(format!("{} of timeline", style::duration_in_words(played)));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let finished = network.clone();
    let account = Account {
        name: "rehearsal".into(),
        network: network.clone(),
        hashtags: vec![Hashtag::new(rehearsal::HASHTAG)],
        filters: setup::filters(&loaded.settings.filters),
        dedup: setup::dedup(&loaded.settings.dedup),
        sharing: setup::sharing(&loaded.settings.dedup),
        // The timeline is hours long and played in seconds; the pace is the real network's business.
        pace: Pace {
            min_gap: Duration::ZERO,
            per_hour: usize::MAX,
            per_day: usize::MAX,
            author_per_hour: 3,
            author_per_day: 20,
        },
        poll: Duration::from_secs(20),
        // The clock runs while the database is opened, and the timeline's first post must not be missed for it.
        backfill: Duration::from_secs(24 * 3600),
        until: Until::Finished(Arc::new(move || finished.finished())),
    };
    let shared = Shared {
        store: store.clone(),
        timing: timing.clone(),
        observer: console.observer(),
        owner: owner(),
        // The lease is meant in real time, and the rehearsal's clock runs faster.
        lease: LEASE.mul_f64(pace.speed().max(1.0)),
        sends: !args.dry_run,
    };
    let result = daemon::run(shared, vec![account]).await;
    ticking.abort();
    console.bar().finish_and_clear();
    close(&store).await?;
    result?;
    summary(out, &console, &store, timing.stopped(), args.dry_run)?;
    Ok(Exit::Ok)
}

fn summary(out: &mut dyn Write, console: &Console, store: &Store, stopped: bool, dry_run: bool) -> std::io::Result<()> {
    let tally = console.tally();
    let title = if stopped { "Stopped early" } else { "The rehearsal is over" };
    let repeats = match tally.repeats {
        0 => String::new(),
        repeats => format!(", {} came once more", style::thousands(repeats)),
    };
    let new = style::counted(tally.received, "new post");
    writeln!(out, "\n{}: {new}{repeats}.\n", style::paint(style::STRONG, title))?;
    write!(out, "{}", tally.table())?;
    if !tally.held.is_empty() {
        writeln!(out, "  {:>7}  still held", tally.held.len())?;
    }
    let sent: Vec<_> =
        tally.sent.iter().map(|(words, count)| format!("{} {words}", style::thousands(*count))).collect();
    let database = store.location();
    if dry_run {
        return writeln!(out, "\nA dry run: nothing was sent, and the archive is as it was.");
    }
    if !sent.is_empty() {
        writeln!(out, "\nReposts: {}.", sent.join("; "))?;
    } else if tally.received == 0 && !stopped {
        writeln!(
            out,
            "Nothing was reposted: every post had been seen before, and what was reposted once is never reposted again.\n\
             Delete {database} to begin anew."
        )?;
    }
    if *database == Location::Memory {
        return writeln!(out, "The archive was in memory only, and is gone.");
    }
    let program = std::env::args().next().unwrap_or_else(|| "firsthand".to_owned());
    writeln!(
        out,
        "The archive lies in {database}. Try next:\n  \
         {program} --database {database} search saturn\n  \
         {program} --database {database} explain 100030\n  \
         {program} --database {database} status"
    )
}
