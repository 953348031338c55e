//! What a locking strategy did, readable at any time.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::store::StoreError;

/// Longest latency that is told apart, in microseconds: ten minutes.
const LONGEST_US: u64 = 600_000_000;
/// Two digits: errors of at most one per cent.
const SIGNIFICANT_DIGITS: u8 = 2;

/// What a locking strategy did since it was opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LockMetrics {
    /// The strategy's name.
    pub strategy: String,
    /// Writes that are durable.
    pub writes: u64,
    /// Reads that were answered.
    pub reads: u64,
    /// Transactions committed; below `writes` where several writes shared one.
    pub commits: u64,
    /// Transactions begun again because the database was locked.
    pub retries: u64,
    /// Operations that gave up: the lock or a connection was not to be had in time.
    pub busy: u64,
    /// Operations that failed for any other reason.
    pub failures: u64,
    /// From the call of a write until it was durable, successful writes only.
    pub write_latency: Latency,
    /// From the call of a read until its answer, successful reads only.
    pub read_latency: Latency,
}

/// Percentiles of a latency, to one per cent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Median, in microseconds.
    pub p50_us: u64,
    /// 99th percentile, in microseconds.
    pub p99_us: u64,
    /// 99.9th percentile, in microseconds.
    pub p999_us: u64,
    /// Longest, in microseconds.
    pub max_us: u64,
}

/// Counts while the strategy runs.
#[derive(Debug)]
pub(super) struct Meter {
    strategy: &'static str,
    commits: AtomicU64,
    retries: AtomicU64,
    busy: AtomicU64,
    failures: AtomicU64,
    writes: Recorder,
    reads: Recorder,
}

impl Meter {
    pub(super) fn new(strategy: &'static str) -> Self {
        Self {
            strategy,
            commits: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            busy: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            writes: Recorder::new(),
            reads: Recorder::new(),
        }
    }

    pub(super) fn committed(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn write_ended(&self, started: Instant, error: Option<&StoreError>) {
        self.ended(&self.writes, started, error);
    }

    pub(super) fn read_ended(&self, started: Instant, error: Option<&StoreError>) {
        self.ended(&self.reads, started, error);
    }

    fn ended(&self, recorder: &Recorder, started: Instant, error: Option<&StoreError>) {
        match error {
            None => recorder.record(started),
            Some(error) if error.is_busy() => _ = self.busy.fetch_add(1, Ordering::Relaxed),
            Some(_) => _ = self.failures.fetch_add(1, Ordering::Relaxed),
        }
    }

    pub(super) fn read_out(&self) -> LockMetrics {
        let (writes, write_latency) = self.writes.read_out();
        let (reads, read_latency) = self.reads.read_out();
        LockMetrics {
            strategy: self.strategy.to_owned(),
            writes,
            reads,
            commits: self.commits.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            busy: self.busy.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            write_latency,
            read_latency,
        }
    }
}

/// One latency histogram, or nothing but a count if its constants were refused.
#[derive(Debug)]
struct Recorder {
    /// Guards the histogram only; held for one record or one read-out.
    histogram: Mutex<Option<Histogram<u64>>>,
    count: AtomicU64,
}

impl Recorder {
    fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST_US, SIGNIFICANT_DIGITS).ok();
        Self { histogram: Mutex::new(histogram), count: AtomicU64::new(0) }
    }

    fn record(&self, started: Instant) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let elapsed_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        if let Some(histogram) = self.histogram.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            histogram.saturating_record(elapsed_us);
        }
    }

    fn read_out(&self) -> (u64, Latency) {
        let histogram = self.histogram.lock().unwrap_or_else(PoisonError::into_inner);
        let latency = histogram.as_ref().map_or_else(Latency::default, |histogram| Latency {
            p50_us: histogram.value_at_quantile(0.5),
            p99_us: histogram.value_at_quantile(0.99),
            p999_us: histogram.value_at_quantile(0.999),
            max_us: histogram.max(),
        });
        (self.count.load(Ordering::Relaxed), latency)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_ending_is_counted_once_and_only_successes_have_a_latency() {
        let meter = Meter::new("test");
        let started = Instant::now().checked_sub(Duration::from_millis(100)).unwrap();
        meter.write_ended(started, None);
        meter.write_ended(started, Some(&StoreError::rerun()));
        meter.read_ended(started, Some(&StoreError::Closed { place: Default::default() }));
        let metrics = meter.read_out();
        assert_eq!((metrics.writes, metrics.reads, metrics.busy, metrics.failures), (1, 0, 1, 1));
        assert!(metrics.write_latency.p50_us >= 100_000 && metrics.write_latency.max_us < LONGEST_US);
        assert_eq!(metrics.read_latency, Latency::default());
    }

    #[test]
    fn metrics_are_written_as_json_with_units() {
        let json = serde_json::to_value(Meter::new("test").read_out()).unwrap();
        assert_eq!(json["write_latency"]["p99_us"], 0);
        assert_eq!(json["strategy"], "test");
    }
}
