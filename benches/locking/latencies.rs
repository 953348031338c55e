//! Latencies of many operations, and what is read off them.

use std::time::Duration;

use anyhow::Context;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Longest latency that is told apart, in microseconds: two minutes. No operation waits longer than thirty seconds.
const LONGEST_US: u64 = 120_000_000;
/// Three digits: errors of at most one per thousand.
const SIGNIFICANT_DIGITS: u8 = 3;

/// A histogram of latencies in microseconds, as processes hand it to each other: values with their counts.
#[derive(Clone, Debug)]
pub(crate) struct Latencies(Histogram<u64>);

/// The form of [`Latencies`] in JSON.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counts(Vec<(u64, u64)>);

impl Latencies {
    /// None yet.
    ///
    /// # Errors
    /// If the constants above are refused.
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self(Histogram::new_with_bounds(1, LONGEST_US, SIGNIFICANT_DIGITS).context("make a histogram")?))
    }

    /// Records one operation.
    pub(crate) fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(LONGEST_US));
    }

    /// Adds those of another.
    ///
    /// # Errors
    /// If the two do not fit each other, which the constants rule out.
    pub(crate) fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        self.0.add(&other.0).context("add histograms")
    }

    /// How many operations there are.
    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The latency that this share of the operations does not pass, in milliseconds; `None` if there are none.
    pub(crate) fn quantile_ms(&self, quantile: f64) -> Option<f64> {
        (self.count() > 0).then(|| to_ms(self.0.value_at_quantile(quantile)))
    }

    /// For sending.
    pub(crate) fn counts(&self) -> Counts {
        Counts(self.0.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value())).collect())
    }
}

impl Counts {
    /// Adds what was sent.
    ///
    /// # Errors
    /// If a value is beyond the histogram's bounds, so that somebody else made it.
    pub(crate) fn add_to(&self, latencies: &mut Latencies) -> anyhow::Result<()> {
        for (value, count) in &self.0 {
            latencies.0.record_n(*value, *count).context("read a histogram")?;
        }
        Ok(())
    }
}

fn to_ms(us: u64) -> f64 {
    // Two minutes of microseconds are far below what a float tells apart.
    us as f64 / 1000.0
}

/// The percentiles of the tables, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Percentiles {
    /// Median.
    pub(crate) p50_ms: f64,
    /// 99th percentile.
    pub(crate) p99_ms: f64,
    /// 99.9th percentile.
    pub(crate) p999_ms: f64,
    /// Longest.
    pub(crate) max_ms: f64,
}

impl Percentiles {
    /// `None` if nothing was measured.
    pub(crate) fn of(latencies: &Latencies) -> Option<Self> {
        Some(Self {
            p50_ms: latencies.quantile_ms(0.5)?,
            p99_ms: latencies.quantile_ms(0.99)?,
            p999_ms: latencies.quantile_ms(0.999)?,
            max_ms: latencies.quantile_ms(1.0)?,
        })
    }
}
