//! A worker process: opens the database through one strategy, waits for the start, works, and reports.

use std::{
    collections::BTreeMap,
    io::{BufRead, Write as _, stdin, stdout},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use firsthand::store::{SingleWriter, TimeoutRetry};
use futures::future::try_join_all;

use super::{
    cells::{Strategy, Workload},
    latencies::Latencies,
    on_store, peers,
    plain_pool::{EightWait, Naive, OneWaits, PlainPool},
    protocol::{CLOSE, DONE, GO, Order, READY, Report},
    subject::{Failure, Subject},
    verification::{Row, TaskLog},
};

/// How much longer than it should a worker may take before it counts as stuck.
const STUCK: Duration = Duration::from_secs(90);

/// Carries an order out.
///
/// # Errors
/// If the database can't be opened or closed, or the other side is gone. Failed operations are part of the report.
pub(crate) fn run(order: &str) -> anyhow::Result<()> {
    let order: Order = serde_json::from_str(order).context("read the order")?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let subject = open(&order).await.with_context(|| format!("open {}", order.database.display()))?;
        // Everything that is done only once is done before the start.
        for _ in 0..2 {
            (subject.read)().await.map_err(|failure| anyhow::anyhow!("read a first time: {failure}"))?;
        }
        say(READY)?;
        hear(GO)?;
        let limit = Duration::from_secs_f64(order.seconds * 2.0) + STUCK;
        let report = tokio::time::timeout(limit, work(&order, &subject)).await.context("it is stuck")??;
        say(DONE)?;
        hear(CLOSE)?;
        (subject.close)().await.context("close the database")?;
        say(&serde_json::to_string(&report)?)
    })
}

async fn open(order: &Order) -> anyhow::Result<Subject> {
    match order.strategy {
        Strategy::Naive => on_store::open::<PlainPool<Naive>>(order).await,
        Strategy::BusyTimeout => on_store::open::<PlainPool<OneWaits>>(order).await,
        Strategy::BusyTimeoutPool => on_store::open::<PlainPool<EightWait>>(order).await,
        Strategy::TimeoutRetry => on_store::open::<TimeoutRetry>(order).await,
        Strategy::SingleWriter => on_store::open::<SingleWriter>(order).await,
        Strategy::Rusqlite => peers::open_rusqlite(order),
        Strategy::AsyncSqlite => peers::open_async_sqlite(order).await,
    }
}

/// What one task did.
struct Done {
    writes: Latencies,
    reads: Latencies,
    failures: BTreeMap<String, u64>,
    log: TaskLog,
}

async fn work(order: &Order, subject: &Subject) -> anyhow::Result<Report> {
    let duration = Duration::from_secs_f64(order.seconds);
    let row = Row { process: order.process, task: 0, sequence: 0 };
    let reader = || task(subject, row, None, duration);
    let beside = order.cell.workload == Workload::Reader;
    let mut report = Report::default();
    if beside {
        report.reads_alone = tokio::spawn(reader()?).await?.reads.counts();
    }
    let write_every = if order.cell.workload == Workload::Mixed { 5 } else { 1 };
    let started = Instant::now();
    let mut running = Vec::new();
    for number in 0..order.cell.tasks {
        running.push(tokio::spawn(task(subject, Row { task: number, ..row }, Some(write_every), duration)?));
    }
    if beside {
        running.push(tokio::spawn(reader()?));
    }
    let (mut writes, mut reads) = (Latencies::new()?, Latencies::new()?);
    for done in try_join_all(running).await? {
        writes.add(&done.writes)?;
        reads.add(&done.reads)?;
        for (code, count) in done.failures {
            *report.failures.entry(code).or_default() += count;
        }
        report.tasks.push(done.log);
    }
    report.seconds = started.elapsed().as_secs_f64();
    report.writes = writes.counts();
    report.reads = reads.counts();
    report.retries = (subject.retries)();
    Ok(report)
}

/// One task: operation after operation until the time is over. One in `write_every` is a write, the others are reads.
fn task(
    subject: &Subject,
    row: Row,
    write_every: Option<u32>,
    duration: Duration,
) -> anyhow::Result<impl Future<Output = Done> + Send + 'static> {
    let (write, read) = (Arc::clone(&subject.write), Arc::clone(&subject.read));
    let mut done = Done {
        writes: Latencies::new()?,
        reads: Latencies::new()?,
        failures: BTreeMap::new(),
        log: TaskLog::default(),
    };
    Ok(async move {
        let started = Instant::now();
        // Tasks don't all begin with the same kind of operation.
        let mut number = row.task;
        while started.elapsed() < duration {
            number = number.wrapping_add(1);
            let began = Instant::now();
            let result = if write_every.is_some_and(|every| number.is_multiple_of(every)) {
                let result = write(Row { sequence: done.log.next(), ..row }).await;
                match result {
                    Ok(()) => done.log.acknowledged(),
                    Err(_) => done.log.failed(),
                }
                result.map(|()| done.writes.record(began.elapsed()))
            } else {
                read().await.map(|_| done.reads.record(began.elapsed()))
            };
            if let Err(Failure(code)) = result {
                *done.failures.entry(code).or_default() += 1;
            }
        }
        done
    })
}

fn say(line: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

fn hear(expected: &str) -> anyhow::Result<()> {
    let mut line = String::new();
    stdin().lock().read_line(&mut line)?;
    if line.trim_end() != expected {
        bail!("expected `{expected}`, heard `{}`", line.trim_end());
    }
    Ok(())
}
