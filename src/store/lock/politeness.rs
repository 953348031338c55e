//! Leaves the lock free now and then, when another process wants it.
//!
//! A busy process takes the lock again while the others sleep between their tries, so they wait in a convoy. A short
//! gap after each quantum of work (never after each operation, which would cost throughput) ends it.

use std::time::{Duration, Instant};

/// How much work may be done before a gap is due. Twice as much gained 3-8 % of throughput and lengthened the longest waits
/// of four processes by a third to a half; `docs/locking.md` has the figures.
const QUANTUM: Duration = Duration::from_millis(5);
/// The gap: long enough for the others' tries, which pause for 3 ms at most.
const GAP: Duration = Duration::from_micros(2_500);
/// How long the lock is held at a time if the work can be parted: several quanta, since each gap costs throughput.
const LONGEST: Duration = Duration::from_millis(20);
/// How long after the last sign of another process gaps are kept.
const MEMORY: Duration = Duration::from_secs(1);

/// What one writer knows of its own work and of others.
#[derive(Debug)]
pub(super) struct Politeness {
    last_busy: Option<Instant>,
    /// Time for which the lock was held since the last gap.
    worked: Duration,
    /// When the lock was last given back.
    free_since: Instant,
}

impl Politeness {
    pub(super) fn new(now: Instant) -> Self {
        Self { last_busy: None, worked: Duration::ZERO, free_since: now }
    }

    /// Another process held the lock.
    pub(super) fn saw_busy(&mut self, now: Instant) {
        self.last_busy = Some(now);
    }

    /// The lock was held from `taken` until `released`.
    pub(super) fn worked(&mut self, taken: Instant, released: Instant) {
        if taken.saturating_duration_since(self.free_since) >= GAP {
            self.worked = Duration::ZERO;
        }
        self.worked += released.saturating_duration_since(taken);
        self.free_since = released;
    }

    /// Whether a lock that was taken at `taken` has been held long enough, since others want it.
    pub(super) fn is_enough(&self, taken: Instant, now: Instant) -> bool {
        self.is_wanted(now) && now.saturating_duration_since(taken) >= LONGEST
    }

    /// Whether another process wanted the lock lately.
    fn is_wanted(&self, now: Instant) -> bool {
        self.last_busy.is_some_and(|busy| now.saturating_duration_since(busy) < MEMORY)
    }

    /// How long the lock is to be left free before it may be taken again.
    pub(super) fn gap(&self, now: Instant) -> Duration {
        if self.is_wanted(now) && self.worked >= QUANTUM {
            GAP.saturating_sub(now.saturating_duration_since(self.free_since))
        } else {
            Duration::ZERO
        }
    }

    /// Waits out the gap that is due.
    pub(super) async fn leave_gap(&self) {
        let gap = self.gap(Instant::now());
        if !gap.is_zero() {
            tokio::time::sleep(gap).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn alone_no_gap_is_left() {
        let start = Instant::now();
        let mut politeness = Politeness::new(start);
        politeness.worked(start, start + 50 * MS);
        assert_eq!(politeness.gap(start + 50 * MS), Duration::ZERO);
    }

    #[test]
    fn once_another_was_seen_a_gap_follows_each_quantum() {
        let start = Instant::now();
        let mut politeness = Politeness::new(start);
        politeness.saw_busy(start);
        politeness.worked(start, start + 4 * MS);
        assert_eq!(politeness.gap(start + 4 * MS), Duration::ZERO);
        politeness.worked(start + 4 * MS, start + 6 * MS);
        assert_eq!(politeness.gap(start + 6 * MS), GAP);
        assert_eq!(politeness.gap(start + 7 * MS), GAP - MS);
        politeness.worked(start + 9 * MS, start + 10 * MS);
        assert_eq!(politeness.gap(start + 10 * MS), Duration::ZERO, "the quantum starts anew after a gap");
    }

    #[test]
    fn a_lock_is_held_as_long_as_is_needed_unless_another_was_seen() {
        let start = Instant::now();
        let mut politeness = Politeness::new(start);
        assert!(!politeness.is_enough(start, start + 50 * MS));
        politeness.saw_busy(start);
        assert!(!politeness.is_enough(start, start + 19 * MS));
        assert!(politeness.is_enough(start, start + 20 * MS));
    }

    #[test]
    fn after_a_second_without_others_the_gaps_end() {
        let start = Instant::now();
        let mut politeness = Politeness::new(start);
        politeness.saw_busy(start);
        politeness.worked(start + 990 * MS, start + 1_001 * MS);
        assert_eq!(politeness.gap(start + 1_001 * MS), Duration::ZERO);
    }
}
