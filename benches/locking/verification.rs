//! Holds what was acknowledged against what stands in the file.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One write: by which process and task, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) process: u32,
    pub(crate) task: u32,
    pub(crate) sequence: u32,
}

/// What became of one task's writes, which are numbered from 0 on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TaskLog {
    /// How many were tried; the others of these than `failed` were acknowledged.
    tried: u32,
    /// Those that were reported as failed: runs of numbers, the end not included.
    failed: Vec<(u32, u32)>,
}

impl TaskLog {
    /// The number of the next write.
    pub(crate) fn next(&self) -> u32 {
        self.tried
    }

    /// The next write was acknowledged.
    pub(crate) fn acknowledged(&mut self) {
        self.tried += 1;
    }

    /// The next write was reported as failed.
    pub(crate) fn failed(&mut self) {
        match self.failed.last_mut() {
            Some((_, end)) if *end == self.tried => *end += 1,
            _ => self.failed.push((self.tried, self.tried + 1)),
        }
        self.tried += 1;
    }

    /// The numbers of the writes that were acknowledged, in order.
    pub(crate) fn all_acknowledged(&self) -> impl Iterator<Item = u32> {
        let mut failed = self.failed.iter().copied().peekable();
        (0..self.tried).filter(move |number| {
            while failed.next_if(|(_, end)| end <= number).is_some() {}
            failed.peek().is_none_or(|(start, _)| start > number)
        })
    }
}

/// How the file differs from what was acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// Acknowledged, and not in the file.
    pub(crate) missing: Vec<Row>,
    /// In the file, though reported as failed or never tried; or there a second time.
    pub(crate) superfluous: Vec<Row>,
}

impl Mismatch {
    /// Whether there is none.
    pub(crate) fn is_none(&self) -> bool {
        self.missing.is_empty() && self.superfluous.is_empty()
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (rows, what) in [
            (&self.missing, "acknowledged but missing"),
            (&self.superfluous, "in the file but not acknowledged, or twice"),
        ] {
            if let Some(Row { process, task, sequence }) = rows.first() {
                let count = rows.len();
                parts.push(format!("{count} {what} (the first: process {process}, task {task}, number {sequence})"));
            }
        }
        f.write_str(&parts.join("; "))
    }
}

/// Compares; the order does not matter.
pub(crate) fn compare(mut acknowledged: Vec<Row>, mut found: Vec<Row>) -> Mismatch {
    acknowledged.sort_unstable();
    found.sort_unstable();
    let mut mismatch = Mismatch::default();
    let mut found = found.into_iter().peekable();
    for row in acknowledged {
        while let Some(extra) = found.next_if(|other| *other < row) {
            mismatch.superfluous.push(extra);
        }
        if found.next_if_eq(&row).is_none() {
            mismatch.missing.push(row);
        }
    }
    mismatch.superfluous.extend(found);
    mismatch
}
