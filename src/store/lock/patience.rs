//! How long a transaction is tried again, and the pauses between tries.

use std::{
    ops::RangeInclusive,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::sync::watch;

use crate::store::{OpenOptions, Place, StoreError};

/// Shortest and longest pause after the first try, in microseconds.
const FIRST_PAUSE_US: RangeInclusive<u64> = 1_000..=3_000;
/// The same after each further try: shorter, so that whoever has waited longer looks more often and comes next.
/// Measured together with politeness' quantum; `docs/locking.md` has the figures.
const LATER_PAUSE_US: RangeInclusive<u64> = 0..=500;

/// The deadline of every write, and the jitter of its tries.
#[derive(Debug)]
pub(in crate::store) struct Patience {
    deadline: Duration,
    /// The instant after which nobody waits any more; absent until shutdown begins. A watch, so that it also reaches
    /// those who already wait.
    limit: watch::Sender<Option<Instant>>,
    /// Guards the random state only; held for one draw.
    jitter: Mutex<StdRng>,
}

impl Patience {
    pub(in crate::store) fn new(options: &OpenOptions) -> Self {
        Self {
            deadline: Duration::from_millis(options.deadline_ms),
            limit: watch::Sender::new(None),
            jitter: Mutex::new(StdRng::seed_from_u64(options.jitter_seed)),
        }
    }

    /// Lets nothing wait longer than `limit_ms` from now.
    pub(in crate::store) fn limit(&self, limit_ms: u64) {
        self.limit.send_replace(Some(Instant::now() + Duration::from_millis(limit_ms)));
    }

    /// When an operation that began at `started` gives up.
    fn deadline(&self, started: Instant) -> Instant {
        let deadline = started + self.deadline;
        self.limit.borrow().map_or(deadline, |limit| deadline.min(limit))
    }

    /// Whether an operation that began at `started` is to give up.
    pub(in crate::store) fn is_over(&self, started: Instant) -> bool {
        Instant::now() >= self.deadline(started)
    }

    /// Completes when an operation that began at `started` is to give up.
    pub(in crate::store) async fn over(&self, started: Instant) {
        let mut limit = self.limit.subscribe();
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(self.deadline(started).into()) => return,
                Ok(()) = limit.changed() => {}
            }
        }
    }

    /// Repeats an attempt while the database is locked.
    pub(in crate::store) async fn retry<'a, T>(
        &self,
        what: &'static str,
        file: Option<&Arc<Path>>,
        attempt: impl Fn() -> BoxFuture<'a, Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let started = Instant::now();
        let mut tries = 0;
        loop {
            tries += 1;
            match attempt().await {
                Err(error) if error.is_locked() => {
                    if self.is_over(started) {
                        return Err(busy(what, file, started, tries));
                    }
                    self.pause(tries).await;
                }
                result => return result.map_err(|error| error.at(what, file)),
            }
        }
    }

    /// Waits a little before the next try, after so many.
    pub(in crate::store) async fn pause(&self, tries: u64) {
        let range = if tries > 1 { LATER_PAUSE_US } else { FIRST_PAUSE_US };
        let pause_us = self.jitter.lock().unwrap_or_else(PoisonError::into_inner).random_range(range);
        tokio::time::sleep(Duration::from_micros(pause_us)).await;
    }
}

/// The error of an operation whose patience is over.
pub(in crate::store) fn busy(what: &'static str, file: Option<&Arc<Path>>, started: Instant, tries: u64) -> StoreError {
    StoreError::Busy { place: place(what, file), waited_ms: elapsed_ms(started), tries }
}

/// Names an operation and its file.
pub(in crate::store) fn place(what: &'static str, file: Option<&Arc<Path>>) -> Place {
    Place { operation: Some(what), file: file.cloned() }
}

/// Milliseconds since `started`.
pub(in crate::store) fn elapsed_ms(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience(deadline_ms: u64) -> Patience {
        Patience::new(&OpenOptions { deadline_ms, ..OpenOptions::new(":memory:") })
    }

    #[tokio::test]
    async fn a_limit_reaches_those_who_already_wait() {
        let patience = patience(3_600_000);
        let started = Instant::now();
        assert!(!patience.is_over(started));
        tokio::join!(patience.over(started), async { patience.limit(0) });
        assert!(patience.is_over(started));
    }

    #[tokio::test]
    async fn a_limit_never_lengthens_a_deadline() {
        let patience = patience(0);
        patience.limit(3_600_000);
        patience.over(Instant::now()).await;
    }
}
