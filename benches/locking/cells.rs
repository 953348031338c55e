//! What is compared: the strategies, and the cells of the comparison.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A way to live with SQLite's one writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Strategy {
    /// Rollback journal, deferred transactions, no timeout, eight connections: where "database is locked" comes from.
    Naive,
    /// BEGIN IMMEDIATE and SQLite's own timeout of five seconds, on one connection.
    BusyTimeout,
    /// The same on eight connections.
    BusyTimeoutPool,
    /// The bot's first strategy.
    TimeoutRetry,
    /// The bot's second strategy.
    SingleWriter,
    /// rusqlite: one connection behind a mutex, on tokio's blocking threads, timeout of five seconds.
    Rusqlite,
    /// async-sqlite: one connection on a thread of its own, timeout of five seconds.
    AsyncSqlite,
}

impl Strategy {
    /// All of them, in the order of the tables.
    pub(crate) const ALL: [Self; 7] = [
        Self::Naive,
        Self::BusyTimeout,
        Self::BusyTimeoutPool,
        Self::TimeoutRetry,
        Self::SingleWriter,
        Self::Rusqlite,
        Self::AsyncSqlite,
    ];

    /// The name in tables and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::BusyTimeout => "busy-timeout",
            Self::BusyTimeoutPool => "busy-timeout-pool",
            Self::TimeoutRetry => "timeout-retry",
            Self::SingleWriter => "single-writer",
            Self::Rusqlite => "rusqlite",
            Self::AsyncSqlite => "async-sqlite",
        }
    }

    /// Whether the bot can run on it.
    pub(crate) fn is_the_bots(self) -> bool {
        matches!(self, Self::TimeoutRetry | Self::SingleWriter)
    }

    /// Whether it can do this work. The intake is written for sqlx; and every page of it fails where locks are not
    /// waited for, which says nothing.
    pub(crate) fn does(self, workload: Workload) -> bool {
        workload != Workload::Intake || !matches!(self, Self::Naive | Self::Rusqlite | Self::AsyncSqlite)
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What each task does over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Workload {
    /// Read-modify-write: reads a counter, writes it, and logs which task did it.
    Rmw,
    /// The bot's own: a page of twenty posts through the intake.
    Intake,
    /// Four reads of the counter to each read-modify-write.
    Mixed,
    /// One row a transaction.
    Insert,
    /// Each task does read-modify-writes, and one more only reads; before that, it reads alone.
    Reader,
}

impl Workload {
    /// The name in tables and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rmw => "rmw",
            Self::Intake => "intake",
            Self::Mixed => "mixed",
            Self::Insert => "insert",
            Self::Reader => "reader",
        }
    }

    /// What a person reads above a table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Rmw => "short read-modify-write",
            Self::Intake => "intake of a page of 20 posts",
            Self::Mixed => "80 % reads, 20 % read-modify-write",
            Self::Insert => "insert of one row",
            Self::Reader => "one reader beside writers",
        }
    }

    /// Whether it reads outside of write transactions.
    pub(crate) fn reads(self) -> bool {
        matches!(self, Self::Mixed | Self::Reader)
    }
}

/// How much a commit waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Synchronous {
    /// The log reaches the disk at checkpoints.
    Normal,
    /// Every commit reaches the disk.
    Full,
}

impl Synchronous {
    /// As SQLite writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Normal => "NORMAL",
            Self::Full => "FULL",
        }
    }
}

/// One cell: what is done, by how many, and how durably.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Cell {
    /// What each task does.
    pub(crate) workload: Workload,
    /// Processes on the one file (M).
    pub(crate) processes: u32,
    /// Tasks in each process (N).
    pub(crate) tasks: u32,
    /// How much a commit waits for the disk.
    pub(crate) synchronous: Synchronous,
}

impl Cell {
    pub(crate) const fn new(workload: Workload, processes: u32, tasks: u32, synchronous: Synchronous) -> Self {
        Self { workload, processes, tasks, synchronous }
    }

    /// "4 processes × 16 tasks, synchronous FULL".
    pub(crate) fn size(&self) -> String {
        let plural = |count: u32, noun| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        let processes = match self.processes {
            1 => "1 process".to_owned(),
            more => format!("{more} processes"),
        };
        format!("{processes} × {}, synchronous {}", plural(self.tasks, "task"), self.synchronous.name())
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, M={} N={} {}", self.workload.name(), self.processes, self.tasks, self.synchronous.name())
    }
}
