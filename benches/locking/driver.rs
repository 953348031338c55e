//! Runs the rounds: starts the workers, keeps them in step, and holds what they say against the file.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::{
    cells::{Cell, Strategy, Workload},
    intake,
    options::Plan,
    protocol::{CLOSE, DONE, GO, Order, READY, Report},
    statistics::{Measured, Round},
    tables::{self, Template},
    verification::{Row, compare},
};

/// What came of all rounds.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The figures.
    pub(crate) measured: Measured,
    /// Whatever was acknowledged and is not in the file, or the other way round; empty if all is well.
    pub(crate) mismatches: Vec<String>,
}

/// Runs the plan, with databases in this folder.
///
/// # Errors
/// If a worker or a database can't be run at all.
pub(crate) fn run(plan: &Plan, folder: &Path) -> anyhow::Result<Outcome> {
    let template = Template::make(folder).context("make the database")?;
    let mut outcome = Outcome { measured: Measured::default(), mismatches: Vec::new() };
    let bar = ProgressBar::new(plan.runs(0).len() as u64 * u64::from(plan.rounds));
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len}, {eta} left: {msg}")?);
    for round in 1..=plan.rounds {
        for (cell, strategy) in plan.runs(round) {
            bar.set_message(format!("round {round}, {cell}, {strategy}"));
            let (figures, mismatch) = run_once(&template, cell, strategy, plan.seconds(cell))
                .with_context(|| format!("run {strategy} in {cell}"))?;
            outcome.measured.add(cell, strategy, figures);
            if let Some(mismatch) = mismatch {
                outcome.mismatches.push(format!("{strategy} in {cell}, round {round}: {mismatch}"));
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(outcome)
}

/// One strategy in one cell, once; and how the file differs from what was acknowledged.
fn run_once(
    template: &Template,
    cell: Cell,
    strategy: Strategy,
    seconds: f64,
) -> anyhow::Result<(Round, Option<String>)> {
    let database = template.copy(strategy)?;
    let order = |process| Order { strategy, cell, database: database.clone(), process, seconds };
    let mut workers =
        (0..cell.processes).map(|process| Worker::start(&order(process))).collect::<Result<Vec<_>, _>>()?;
    in_step(&mut workers, READY, GO)?;
    in_step(&mut workers, DONE, CLOSE)?;
    let reports = workers.into_iter().map(Worker::report).collect::<anyhow::Result<Vec<Report>>>()?;
    let mismatch = match tables::found(&database, cell.workload) {
        Ok(found) => Some(compare(acknowledged(&reports, cell.workload), found))
            .filter(|mismatch| !mismatch.is_none())
            .map(|mismatch| mismatch.to_string()),
        Err(error) => Some(format!("{error:#}")),
    };
    Ok((Round::of(&reports)?, mismatch))
}

/// Waits until every worker has said its word, then answers all.
fn in_step(workers: &mut [Worker], word: &str, answer: &str) -> anyhow::Result<()> {
    for worker in &mut *workers {
        let heard = worker.hear()?;
        if heard != word {
            bail!("a worker said `{heard}` instead of `{word}`");
        }
    }
    workers.iter_mut().try_for_each(|worker| worker.say(answer))
}

fn acknowledged(reports: &[Report], workload: Workload) -> Vec<Row> {
    let mut rows = Vec::new();
    for (process, report) in (0..).zip(reports) {
        for (task, log) in (0..).zip(&report.tasks) {
            let writes = log.all_acknowledged().map(|sequence| Row { process, task, sequence });
            match workload {
                Workload::Intake => rows.extend(writes.flat_map(intake::posts_of)),
                _ => rows.extend(writes),
            }
        }
    }
    rows
}

/// A worker process and its pipes. Killed when it is dropped, so that no failure leaves one behind.
struct Worker {
    child: Child,
    /// Closed by the last word.
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    fn start(order: &Order) -> anyhow::Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .arg("--worker")
            .arg(serde_json::to_string(order)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start a worker")?;
        let input = child.stdin.take().context("a worker has no input")?;
        let output = BufReader::new(child.stdout.take().context("a worker has no output")?);
        Ok(Self { child, input, output })
    }

    fn say(&mut self, word: &str) -> anyhow::Result<()> {
        writeln!(self.input, "{word}").context("speak to a worker")
    }

    fn hear(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line).context("listen to a worker")? == 0 {
            bail!("a worker ended too early; what it said stands above");
        }
        Ok(line.trim_end().to_owned())
    }

    fn report(mut self) -> anyhow::Result<Report> {
        let report = serde_json::from_str(&self.hear()?).context("read a worker's report")?;
        if !self.child.wait()?.success() {
            bail!("a worker failed after its report");
        }
        Ok(report)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Already ended, unless something went wrong; then there is nothing more to do about it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
