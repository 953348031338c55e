//! `firsthand run`: the bot, or without any configuration the rehearsal.

use std::{io::Write, sync::Arc, time::Duration};

use anyhow::Context;
use rand::Rng;
use tokio_util::sync::CancellationToken;

use super::{Exit, args, console::Console, rehearse, setup, style};
use crate::{
    config::{self, Environment, Loaded, Situation, load_credentials},
    model::{AccountId, Clock, SystemClock, TimeMs},
    pipeline::{
        daemon::{self, Account, Shared},
        ledger::StoreLedger,
        timing::Timing,
        watcher::Until,
    },
    store::{InstanceLock, Location, OpenOptions, Store, accounts, copy_database},
};

/// How long a claim holds: longer than the slowest repost with its retries (asking who we are and reposting, three
/// tries each within a minute, the last of them up to 60 s long).
pub(super) const LEASE: Duration = Duration::from_secs(240);
/// How long a write may wait for the database once the bot is told to stop, in milliseconds.
const SHUTDOWN_WAIT_MS: u64 = 5_000;

/// Runs the bot to its end.
///
/// # Errors
/// Whatever keeps it from running; see [`Exit`].
pub async fn run(
    args: &args::Run,
    global: &args::Global,
    env: &Environment,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let situation = config::situation(env, &global.flags())?;
    let (Situation::Rehearsal(loaded) | Situation::Configured(loaded)) = &situation;
    // A rehearsal tells everything on the screen; its log would only tell it again.
    let verbosity = global.verbosity() - i8::from(matches!(situation, Situation::Rehearsal(_)));
    setup::start_log(&loaded.settings.log, verbosity)?;
    match situation {
        Situation::Rehearsal(loaded) => rehearse::run(args, *loaded, env, out).await,
        Situation::Configured(loaded) => run_configured(args, *loaded, env, out).await,
    }
}

/// An open database, and what has to live as long as it is used.
pub(super) struct Opened {
    /// The store.
    pub(super) store: Store,
    /// Held until the end, so that no second bot starts.
    _lock: Option<InstanceLock>,
    /// The copy that a dry run works on.
    _copy: Option<tempfile::TempDir>,
}

/// Opens the database for a run; for a dry run, a copy of it.
pub(super) async fn open(args: &args::Run, mut options: OpenOptions) -> anyhow::Result<Opened> {
    let file = options.location.file();
    if args.dry_run {
        let folder = tempfile::tempdir().context("make a folder for the copy of the database")?;
        let copy = folder.path().join("dry-run.db");
        if let Some(file) = file.filter(|file| file.exists()) {
            copy_database(&file, &copy).await?;
        }
        options.location = Location::File(copy);
        return Ok(Opened { store: Store::open(options).await?, _lock: None, _copy: Some(folder) });
    }
    let lock = match file {
        Some(file) if !args.allow_second_instance => Some(InstanceLock::acquire(&file)?),
        _ => None,
    };
    Ok(Opened { store: Store::open(options).await?, _lock: lock, _copy: None })
}

async fn run_configured(
    args: &args::Run,
    loaded: Loaded,
    env: &Environment,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    loaded.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let credentials = loaded
        .settings
        .account
        .iter()
        .map(|account| load_credentials(env, &account.name, &loaded.credentials))
        .collect::<Result<Vec<_>, _>>()?;
    let opened = open(args, setup::open_options(&loaded.settings.database, env)).await?;
    let store = opened.store.clone();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    tracing::info!(database = ?store.location().to_string(), strategy = store.strategy_name(), "started");

    let mut accounts = Vec::new();
    for (settings, credentials) in loaded.settings.account.iter().zip(credentials) {
        let id = account_id(&store, settings, clock.now()).await?;
        let ledger = StoreLedger::new(store.clone(), id);
        let network = setup::x(settings, &loaded.settings.pace, credentials, ledger, clock.clone())?;
        accounts.push(Account {
            name: settings.name.as_str().into(),
            network,
            hashtags: settings.watch.clone(),
            filters: setup::filters(&loaded.settings.filters),
            dedup: setup::dedup(&loaded.settings.dedup),
            sharing: setup::sharing(&loaded.settings.dedup),
            pace: setup::pace(&loaded.settings.pace),
            poll: Duration::from_secs(settings.poll_seconds),
            backfill: args.backfill.unwrap_or(Duration::from_secs(settings.backfill_hours * 3600)),
            until: if args.once || args.dry_run { Until::CaughtUp } else { Until::Stopped },
        });
    }
    let stop = stop_on_signals(&store)?;
    let timing = Timing::new(clock.clone(), 1.0, stop);
    let console = Console::new(clock, None, true);
    let shared = Shared {
        store: store.clone(),
        timing,
        observer: console.observer(),
        owner: owner(),
        lease: args.lease_seconds.map_or(LEASE, Duration::from_secs),
        sends: !args.dry_run,
    };
    let result = daemon::run(shared, accounts).await;
    close(&store).await?;
    result?;
    let tally = console.tally();
    writeln!(out, "{} came, {} to repost.", style::counted(tally.received, "post"), tally.reposts())?;
    write!(out, "{}", tally.table())?;
    if args.dry_run {
        writeln!(out, "A dry run: nothing was sent, and the database is as it was.")?;
    }
    Ok(Exit::Ok)
}

async fn account_id(store: &Store, settings: &config::Account, now: TimeMs) -> anyhow::Result<AccountId> {
    let (name, network) = (settings.name.clone(), settings.network);
    Ok(store
        .write("set up an account", move |conn| {
            let name = name.clone();
            Box::pin(async move { accounts::account(conn, &name, network, now).await })
        })
        .await?)
}

/// Stops the bot on SIGINT and SIGTERM. A second one ends it at once.
pub(super) fn stop_on_signals(store: &Store) -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let (stopping, store) = (stop.clone(), store.clone());
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    tokio::spawn(async move {
        for count in 0.. {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if count > 0 {
                std::process::exit(i32::from(Exit::Failed.code()));
            }
            tracing::info!("stopping; once more ends it at once");
            stopping.cancel();
            // A database that somebody else holds must not hold up the end.
            store.limit_waiting(SHUTDOWN_WAIT_MS);
        }
    });
    Ok(stop)
}

/// Finishes what was begun and closes the database.
pub(super) async fn close(store: &Store) -> anyhow::Result<()> {
    store.limit_waiting(SHUTDOWN_WAIT_MS);
    Ok(store.close().await?)
}

/// What names this process in its claims: no other process, and no later one, has it.
pub(super) fn owner() -> Arc<str> {
    format!("{}-{:08x}", std::process::id(), setup::random().next_u32()).into()
}
