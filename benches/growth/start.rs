//! How long the bot takes to be ready on an archive.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use firsthand::store::{OpenOptions, Store, posts};
use serde::Serialize;

/// How often each is measured; the median counts.
const ROUNDS: usize = 5;

/// Times to be ready, in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Start {
    /// From opening the store until it has answered a read.
    pub(super) open_ms: f64,
    /// `firsthand status --json` as a whole process.
    pub(super) status_ms: f64,
}

/// Measures on a database that nobody has open.
pub(super) async fn measure(path: &Path) -> anyhow::Result<Start> {
    let (mut opened, mut asked) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let store: Store = Store::open(OpenOptions::new(path)).await?;
        store.read("is it ready?", |conn| Box::pin(posts::next_ids(conn))).await?;
        opened.push(started.elapsed());
        store.close().await?;
        asked.push(status(path)?);
    }
    Ok(Start { open_ms: median_ms(opened), status_ms: median_ms(asked) })
}

fn status(path: &Path) -> anyhow::Result<Duration> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firsthand"));
    command.arg("--database").arg(std::path::absolute(path)?).args(["status", "--json"]);
    // No configuration of whoever runs this.
    command.current_dir(std::env::temp_dir()).env_clear();
    let started = Instant::now();
    let exit = command.stdin(Stdio::null()).stdout(Stdio::null()).status().context("run firsthand status")?;
    let took = started.elapsed();
    ensure!(exit.success(), "firsthand status: {exit}");
    Ok(took)
}

fn median_ms(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e3
}
