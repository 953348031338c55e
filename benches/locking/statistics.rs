//! From workers' reports to the figures of a round, and from rounds to medians.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    axis,
    cells::{Cell, Strategy},
    latencies::{Latencies, Percentiles},
    protocol::Report,
};

/// What one strategy did in one cell in one round.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    /// Operations that succeeded, a second, all processes together.
    pub(crate) ops_per_second: f64,
    /// Operations that succeeded.
    pub(crate) operations: u64,
    /// Latencies of writes that were acknowledged.
    pub(crate) writes: Latencies,
    /// Latencies of reads that were answered.
    pub(crate) reads: Latencies,
    /// The same, while nobody wrote.
    pub(crate) reads_alone: Latencies,
    /// Operations that failed, by SQLite's result code.
    pub(crate) failures: BTreeMap<String, u64>,
    /// Transactions that the strategy began again.
    pub(crate) retries: u64,
    /// What the slowest process did, as a share of what the fastest did.
    pub(crate) fairness: f64,
}

impl Round {
    /// Sums the workers up.
    ///
    /// # Errors
    /// If a histogram is not what this program makes.
    pub(crate) fn of(reports: &[Report]) -> anyhow::Result<Self> {
        let (mut writes, mut reads, mut reads_alone) = (Latencies::new()?, Latencies::new()?, Latencies::new()?);
        let mut failures = BTreeMap::new();
        let mut each = Vec::new();
        let mut before = 0;
        for report in reports {
            report.writes.add_to(&mut writes)?;
            report.reads.add_to(&mut reads)?;
            report.reads_alone.add_to(&mut reads_alone)?;
            for (code, count) in &report.failures {
                *failures.entry(code.clone()).or_default() += count;
            }
            let now = writes.count() + reads.count();
            each.push(now - before);
            before = now;
        }
        let seconds = reports.iter().map(|report| report.seconds).fold(0.0, f64::max);
        Ok(Self {
            ops_per_second: before as f64 / seconds,
            operations: before,
            writes,
            reads,
            reads_alone,
            failures,
            retries: reports.iter().map(|report| report.retries).sum(),
            fairness: fairness(&each),
        })
    }
}

/// The least of the numbers as a share of the greatest; 0 if all are 0.
fn fairness(each: &[u64]) -> f64 {
    match (each.iter().min(), each.iter().max()) {
        (Some(least), Some(greatest)) if *greatest > 0 => *least as f64 / *greatest as f64,
        _ => 0.0,
    }
}

/// The median; of an even number of values, the mean of the two in the middle. `None` of none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { f64::midpoint(values[middle - 1], upper) })
}

/// Everything that was measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured(BTreeMap<(Cell, Strategy), Vec<Round>>);

impl Measured {
    /// Adds a round.
    pub(crate) fn add(&mut self, cell: Cell, strategy: Strategy, round: Round) {
        self.0.entry((cell, strategy)).or_default().push(round);
    }

    /// The cells, in order.
    pub(crate) fn cells(&self) -> Vec<Cell> {
        let mut cells: Vec<Cell> = self.0.keys().map(|(cell, _)| *cell).collect();
        cells.dedup();
        cells
    }

    /// The rounds of a strategy in a cell; none if it was not measured.
    pub(crate) fn rounds(&self, cell: Cell, strategy: Strategy) -> &[Round] {
        self.0.get(&(cell, strategy)).map_or(&[], Vec::as_slice)
    }

    /// The median over the rounds of `what` of a strategy, divided by that of another in the same round: what disturbed
    /// a round disturbed both. `None` if either was not measured.
    pub(crate) fn ratio(
        &self,
        cell: Cell,
        (over, under): (Strategy, Strategy),
        what: impl Fn(&Round) -> Option<f64>,
    ) -> Option<f64> {
        let pairs = self.rounds(cell, over).iter().zip(self.rounds(cell, under));
        median(pairs.filter_map(|(over, under)| Some(what(over)? / what(under)?)))
    }

    /// Each strategy in each cell, over its rounds.
    pub(crate) fn summaries(&self) -> Vec<Summary> {
        self.0.iter().map(|((cell, strategy), rounds)| Summary::of(*cell, *strategy, rounds)).collect()
    }
}

/// A strategy in a cell: medians over the rounds, counts of all rounds together.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    /// What was done.
    #[serde(flatten)]
    pub(crate) cell: Cell,
    /// By which strategy.
    pub(crate) strategy: Strategy,
    /// How many rounds there were.
    pub(crate) rounds: usize,
    /// Operations that succeeded, a second.
    pub(crate) ops_per_second: f64,
    /// Operations that succeeded.
    pub(crate) operations: u64,
    /// Operations that failed, by SQLite's result code.
    pub(crate) failures: BTreeMap<String, u64>,
    /// Transactions that the strategy began again.
    pub(crate) retries: u64,
    /// What the slowest process did, as a share of what the fastest did.
    pub(crate) fairness: f64,
    /// Of the writes.
    pub(crate) writes: Option<Percentiles>,
    /// Of the reads.
    pub(crate) reads: Option<Percentiles>,
    /// Of the reads while nobody wrote.
    pub(crate) reads_alone: Option<Percentiles>,
    /// The writes' distribution: positions on the percentile axis, and milliseconds.
    pub(crate) curve: Vec<(f64, f64)>,
}

impl Summary {
    fn of(cell: Cell, strategy: Strategy, rounds: &[Round]) -> Self {
        let mut failures = BTreeMap::new();
        for (code, count) in rounds.iter().flat_map(|round| &round.failures) {
            *failures.entry(code.clone()).or_default() += count;
        }
        Self {
            cell,
            strategy,
            rounds: rounds.len(),
            ops_per_second: median(rounds.iter().map(|round| round.ops_per_second)).unwrap_or_default(),
            operations: rounds.iter().map(|round| round.operations).sum(),
            failures,
            retries: rounds.iter().map(|round| round.retries).sum(),
            fairness: median(rounds.iter().map(|round| round.fairness)).unwrap_or_default(),
            writes: medians(rounds.iter().map(|round| &round.writes)),
            reads: medians(rounds.iter().map(|round| &round.reads)),
            reads_alone: medians(rounds.iter().map(|round| &round.reads_alone)),
            curve: curve(&rounds.iter().map(|round| &round.writes).collect::<Vec<_>>()),
        }
    }

    /// How many operations failed.
    pub(crate) fn failed(&self) -> u64 {
        self.failures.values().sum()
    }
}

/// The median of each percentile.
fn medians<'l>(rounds: impl Iterator<Item = &'l Latencies>) -> Option<Percentiles> {
    let each: Vec<Percentiles> = rounds.filter_map(Percentiles::of).collect();
    let of = |which: fn(&Percentiles) -> f64| median(each.iter().map(which));
    Some(Percentiles {
        p50_ms: of(|each| each.p50_ms)?,
        p99_ms: of(|each| each.p99_ms)?,
        p999_ms: of(|each| each.p999_ms)?,
        max_ms: of(|each| each.max_ms)?,
    })
}

/// The median of the distributions, as far as each of them reaches.
fn curve(rounds: &[&Latencies]) -> Vec<(f64, f64)> {
    let fewest = rounds.iter().map(|latencies| latencies.count()).min().unwrap_or(0);
    axis::positions(fewest)
        .filter_map(|position| {
            let quantile = axis::quantile(position);
            Some((position, median(rounds.iter().filter_map(|latencies| latencies.quantile_ms(quantile)))?))
        })
        .collect()
}
