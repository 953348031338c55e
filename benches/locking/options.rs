//! The command line, and which cells it asks for.

use std::path::PathBuf;

use clap::Parser;

use super::cells::{Cell, Strategy, Synchronous, Workload};

/// Runs locking strategies for SQLite side by side and shows what each does under contention.
///
/// Every round runs all strategies in each cell one after the other, so that a busy minute of the machine hits them all. At
/// the end of each run, every acknowledged write must stand in the file, and nothing else; otherwise the program fails.
/// Without options it takes about six minutes.
#[derive(Debug, Parser)]
#[command(name = "compare-locking", max_term_width = 110)]
pub(crate) struct Options {
    /// One short round of a few cells: does it work at all? (Under a minute.)
    #[arg(long, conflicts_with = "full")]
    pub(crate) quick: bool,
    /// All cells in five rounds (about half an hour)
    #[arg(long)]
    full: bool,
    /// What each task does
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    workload: Vec<Workload>,
    /// How many processes
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    processes: Vec<u32>,
    /// How many tasks in each process
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    tasks: Vec<u32>,
    /// How much a commit waits for the disk
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    synchronous: Vec<Synchronous>,
    /// Which strategies
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    strategies: Vec<Strategy>,
    /// Rounds [default: 3; with --quick 1, with --full 5]
    #[arg(long, value_name = "NUMBER")]
    rounds: Option<u32>,
    /// Seconds for which each strategy works in a cell; twice as many in `rmw` with four processes and more
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<f64>,
    /// Folder for the databases; must be on a disk, since waiting for it is what is measured
    #[arg(long, default_value = env!("CARGO_TARGET_TMPDIR"), hide_default_value = true, value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Where the picture goes: FILE.svg and FILE.png
    #[arg(
        long,
        default_value = concat!(env!("CARGO_TARGET_TMPDIR"), "/locking"),
        hide_default_value = true,
        value_name = "FILE"
    )]
    pub(crate) picture: PathBuf,
    /// The result as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Be a worker process: the order, as JSON
    #[arg(long, hide = true)]
    pub(crate) worker: Option<String>,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The cells, in the order of the tables.
    pub(crate) cells: Vec<Cell>,
    /// The strategies.
    pub(crate) strategies: Vec<Strategy>,
    /// How often everything is run.
    pub(crate) rounds: u32,
    /// For how long a strategy works in a cell of the first workload.
    seconds: f64,
    /// The same, in cells of other workloads.
    seconds_of_others: f64,
}

/// From so many processes on, the first workload is given twice the time: they take turns of several milliseconds, and
/// how fairly they do is seen only over many turns.
const MANY_PROCESSES: u32 = 4;

impl Plan {
    /// For how long a strategy works in this cell.
    pub(crate) fn seconds(&self, cell: Cell) -> f64 {
        match cell.workload {
            Workload::Rmw if cell.processes >= MANY_PROCESSES => 2.0 * self.seconds,
            Workload::Rmw => self.seconds,
            _ => self.seconds_of_others,
        }
    }

    /// Every run of this round. Each round begins with another strategy, since whoever comes first finds the machine as
    /// the cell before has left it.
    pub(crate) fn runs(&self, round: u32) -> Vec<(Cell, Strategy)> {
        let mut strategies = self.strategies.clone();
        let first = round as usize % strategies.len();
        strategies.rotate_left(first);
        let of_cell = |cell: Cell| {
            let able = strategies.iter().filter(move |strategy| strategy.does(cell.workload));
            able.map(move |strategy| (cell, *strategy))
        };
        self.cells.iter().copied().flat_map(of_cell).collect()
    }
}

impl Options {
    /// What these options ask for.
    pub(crate) fn plan(&self) -> Plan {
        let (rounds, seconds, seconds_of_others) = match (self.quick, self.full) {
            (true, _) => (1, 0.25, 0.25),
            (_, true) => (5, 1.0, 0.45),
            _ => (3, 0.8, 0.5),
        };
        let mut cells = if self.names_cells() {
            product(
                &or(&self.workload, &[Workload::Rmw]),
                &or(&self.processes, &[1, 4]),
                &or(&self.tasks, &[16, 64]),
                &or(&self.synchronous, &[Synchronous::Full]),
            )
        } else if self.quick {
            quick()
        } else if self.full {
            full()
        } else {
            usual()
        };
        cells.sort_unstable();
        cells.dedup();
        let mut strategies = or(&self.strategies, &Strategy::ALL);
        strategies.sort_unstable();
        strategies.dedup();
        Plan {
            cells,
            strategies,
            rounds: self.rounds.unwrap_or(rounds).max(1),
            seconds: self.seconds.unwrap_or(seconds),
            seconds_of_others: self.seconds.unwrap_or(seconds_of_others),
        }
    }

    fn names_cells(&self) -> bool {
        !(self.workload.is_empty() && self.processes.is_empty() && self.tasks.is_empty() && self.synchronous.is_empty())
    }
}

const BOTH: [Synchronous; 2] = [Synchronous::Normal, Synchronous::Full];

/// One cell of each kind.
fn quick() -> Vec<Cell> {
    vec![
        Cell::new(Workload::Rmw, 1, 64, Synchronous::Normal),
        Cell::new(Workload::Rmw, 4, 16, Synchronous::Full),
        Cell::new(Workload::Intake, 2, 4, Synchronous::Full),
        Cell::new(Workload::Mixed, 2, 16, Synchronous::Full),
        Cell::new(Workload::Insert, 1, 1, Synchronous::Full),
        Cell::new(Workload::Reader, 1, 16, Synchronous::Full),
    ]
}

/// What tells the strategies apart.
fn usual() -> Vec<Cell> {
    let mut cells = product(&[Workload::Rmw], &[1, 4], &[16, 64], &BOTH);
    cells.extend(product(&[Workload::Intake, Workload::Mixed], &[1, 4], &[16], &[Synchronous::Full]));
    cells.extend(product(&[Workload::Insert], &[1], &[1], &[Synchronous::Full]));
    cells.extend(product(&[Workload::Reader], &[1], &[16], &BOTH));
    cells
}

/// Everything.
fn full() -> Vec<Cell> {
    let mut cells = product(&[Workload::Rmw, Workload::Intake, Workload::Mixed], &[1, 2, 4], &[1, 16, 64], &BOTH);
    cells.extend(product(&[Workload::Insert], &[1], &[1], &BOTH));
    cells.extend(product(&[Workload::Reader], &[1], &[16], &BOTH));
    cells
}

fn product(workloads: &[Workload], processes: &[u32], tasks: &[u32], synchronous: &[Synchronous]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for workload in workloads {
        for processes in processes {
            for tasks in tasks {
                cells.extend(synchronous.iter().map(|how| Cell::new(*workload, *processes, *tasks, *how)));
            }
        }
    }
    cells
}

fn or<T: Clone>(given: &[T], otherwise: &[T]) -> Vec<T> {
    if given.is_empty() { otherwise.to_vec() } else { given.to_vec() }
}
