//! What the program and its worker processes say to each other: an order as an argument, then lines over pipes.
//!
//! worker: `ready` · program: `go` · worker: `done` · program: `close` · worker: its report, as one line of JSON.
//! So all begin at one time, and none closes the database while another still works on it.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    cells::{Cell, Strategy},
    latencies::Counts,
    verification::TaskLog,
};

pub(crate) const READY: &str = "ready";
pub(crate) const GO: &str = "go";
pub(crate) const DONE: &str = "done";
pub(crate) const CLOSE: &str = "close";

/// What a worker process is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) strategy: Strategy,
    pub(crate) cell: Cell,
    /// The file, which exists.
    pub(crate) database: PathBuf,
    /// This worker's number, from 0 on.
    pub(crate) process: u32,
    /// For how long new operations are begun.
    pub(crate) seconds: f64,
}

/// What a worker did.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// From `go` to the end of its last operation.
    pub(crate) seconds: f64,
    /// Latencies of the writes that were acknowledged.
    pub(crate) writes: Counts,
    /// Latencies of the reads that were answered.
    pub(crate) reads: Counts,
    /// The same, before the writers began.
    pub(crate) reads_alone: Counts,
    /// Operations that failed, by SQLite's result code.
    pub(crate) failures: BTreeMap<String, u64>,
    /// Transactions that the strategy began again. Waiting inside SQLite is not seen from outside.
    pub(crate) retries: u64,
    /// Each task's writes.
    pub(crate) tasks: Vec<TaskLog>,
}
