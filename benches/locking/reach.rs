//! What the bot's strategies are to reach, held against what was measured.

use serde::Serialize;

use super::{
    cells::{Cell, Strategy, Synchronous, Workload},
    latencies::Latencies,
    statistics::{Measured, Round, median},
};

/// A figure with what it is to reach.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    /// What it is.
    pub(crate) name: String,
    /// What was measured; `None` if its cells were not.
    pub(crate) value: Option<f64>,
    /// What it has to reach.
    pub(crate) reach: Bound,
    /// What would be better still.
    pub(crate) aim: Option<Bound>,
}

/// Where a figure may lie.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(bound) => format!(">= {bound}"),
            Self::AtMost(bound) => format!("<= {bound}"),
        }
    }
}

impl Figure {
    /// One line for people.
    pub(crate) fn line(&self) -> String {
        let wanted = match self.aim {
            Some(aim) => format!("{}, aim {}", self.reach.text(), aim.text()),
            None => self.reach.text(),
        };
        let (value, verdict) = match self.value {
            None => ("-".to_owned(), "not measured"),
            Some(value) if !self.reach.holds(value) => (format!("{value:.2}"), "MISSED"),
            Some(value) if self.aim.is_some_and(|aim| aim.holds(value)) => {
                (format!("{value:.2}"), "reached, the aim too")
            }
            Some(value) => (format!("{value:.2}"), "reached"),
        };
        format!("{:<74} {value:>7}  {wanted:<22} {verdict}", self.name)
    }
}

/// All figures. `mismatches` is how many runs had acknowledged writes missing from the file, or others in it.
pub(crate) fn figures(measured: &Measured, mismatches: usize) -> Vec<Figure> {
    let figure = |name: &str, value, reach, aim| Figure { name: name.to_owned(), value, reach, aim };
    let mut figures = vec![
        figure("failed operations, the bot's strategies", failed(measured), Bound::AtMost(0.0), None),
        figure("runs with a write missing or superfluous", Some(mismatches as f64), Bound::AtMost(0.0), None),
    ];
    for (synchronous, reach, aim) in [(Synchronous::Normal, 2.2, 3.0), (Synchronous::Full, 5.0, 7.0)] {
        let cell = Cell::new(Workload::Rmw, 1, 64, synchronous);
        let pair = (Strategy::SingleWriter, Strategy::BusyTimeout);
        figures.push(figure(
            &format!("ops/s: single-writer / busy-timeout, M=1 N=64 {}", synchronous.name()),
            measured.ratio(cell, pair, |round| Some(round.ops_per_second)),
            Bound::AtLeast(reach),
            Some(Bound::AtLeast(aim)),
        ));
    }
    for synchronous in [Synchronous::Normal, Synchronous::Full] {
        let cell = Cell::new(Workload::Rmw, 4, 16, synchronous);
        let tail =
            |strategy| measured.ratio(cell, (strategy, Strategy::BusyTimeout), |round| round.writes.quantile_ms(0.999));
        let both = [Strategy::TimeoutRetry, Strategy::SingleWriter].map(tail);
        for (strategy, value) in [Strategy::TimeoutRetry, Strategy::SingleWriter].iter().zip(both) {
            let name = format!("p99.9: {strategy} / busy-timeout, M=4 N=16 {}", synchronous.name());
            figures.push(figure(&name, value, Bound::AtMost(0.25), None));
        }
        let better = both.into_iter().flatten().min_by(f64::total_cmp);
        let name = format!("p99.9: the better of the two / busy-timeout, M=4 N=16 {}", synchronous.name());
        figures.push(figure(&name, better, Bound::AtMost(0.12), None));
    }
    for strategy in [Strategy::TimeoutRetry, Strategy::SingleWriter] {
        let name = format!("fairness: {strategy}, the worst cell of rmw with M=4");
        figures.push(figure(&name, worst_fairness(measured, strategy), Bound::AtLeast(0.8), None));
    }
    for synchronous in [Synchronous::Normal, Synchronous::Full] {
        let name = format!("read p99 beside writers / alone: single-writer, M=1 N=16 {}", synchronous.name());
        figures.push(figure(&name, beside_writers(measured, synchronous), Bound::AtMost(3.0), None));
    }
    for strategy in [Strategy::TimeoutRetry, Strategy::SingleWriter] {
        let cell = Cell::new(Workload::Insert, 1, 1, Synchronous::Full);
        let value = measured.ratio(cell, (strategy, Strategy::Rusqlite), |round| Some(round.ops_per_second));
        let name = format!("durable single inserts/s: {strategy} / rusqlite");
        figures.push(figure(&name, value, Bound::AtLeast(0.7), None));
    }
    figures
}

fn failed(measured: &Measured) -> Option<f64> {
    let bots = measured.summaries().into_iter().filter(|summary| summary.strategy.is_the_bots());
    bots.map(|summary| summary.failed() as f64).reduce(|one, other| one + other)
}

fn worst_fairness(measured: &Measured, strategy: Strategy) -> Option<f64> {
    let cells = measured.cells().into_iter().filter(|cell| cell.workload == Workload::Rmw && cell.processes == 4);
    let of_cell = |cell| median(measured.rounds(cell, strategy).iter().map(|round: &Round| round.fairness));
    cells.filter_map(of_cell).min_by(f64::total_cmp)
}

fn beside_writers(measured: &Measured, synchronous: Synchronous) -> Option<f64> {
    let cell = Cell::new(Workload::Reader, 1, 16, synchronous);
    let p99 = |reads: &Latencies| reads.quantile_ms(0.99);
    let rounds = measured.rounds(cell, Strategy::SingleWriter).iter();
    median(rounds.filter_map(|round| Some(p99(&round.reads)? / p99(&round.reads_alone)?)))
}
