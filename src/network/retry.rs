//! Tries again what failed for now.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures::future::BoxFuture;
use rand::{RngExt, rngs::StdRng};

use super::{FetchRequest, Identity, Network, NetworkError, OriginalQuery, Page, RepostOrder, RepostOutcome};
use crate::model::{Clock, NetworkKind};

/// The longest pause between two tries.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// Exponential backoff with full jitter: before the n-th new try, a pause drawn evenly from zero to `first × 2ⁿ`, at
/// most 15 minutes (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The ceiling of the first pause.
    pub first: Duration,
}

impl Backoff {
    /// The pause after `failures` failures in a row (1 is the first).
    pub fn pause(&self, failures: u32, rng: &mut StdRng) -> Duration {
        let factor = 2_u32.checked_pow(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let ceiling = self.first.saturating_mul(factor).min(LONGEST_PAUSE);
        ceiling.mul_f64(rng.random::<f64>())
    }
}

/// How often and how long [`Retrying`] tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The pauses.
    pub backoff: Backoff,
    /// Tries in all, the first included.
    pub tries: u32,
    /// No new try begins later than this after the first: the claim on an outbox row must outlive them all.
    pub time_limit: Duration,
}

impl Default for RetryPolicy {
    /// Three tries within a minute, the first pause at most a second: bridges a short fault, and leaves the longer ones
    /// to the caller, who can record them.
    fn default() -> Self {
        Self { backoff: Backoff { first: Duration::from_secs(1) }, tries: 3, time_limit: Duration::from_secs(60) }
    }
}

/// Waits; handed in, so that tests need not.
#[async_trait]
pub trait Sleeper: Send + Sync + fmt::Debug {
    /// Returns after `duration`.
    async fn sleep(&self, duration: Duration);
}

/// Waits by tokio's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioSleeper;

#[async_trait]
impl Sleeper for TokioSleeper {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// A network whose short faults are bridged: [`NetworkError::Transient`] is tried again, and so is
/// [`NetworkError::Uncertain`], since every [`Network`] method may be repeated. All else goes to the caller at once.
#[derive(Debug)]
pub struct Retrying<N> {
    /// The network behind.
    inner: N,
    /// How often and how long.
    policy: RetryPolicy,
    /// Tells how much of the time limit is left.
    clock: Arc<dyn Clock>,
    /// Waits between the tries.
    sleeper: Arc<dyn Sleeper>,
    /// Draws the pauses. Guarded because calls run side by side; held only for one draw.
    rng: Mutex<StdRng>,
}

impl<N> Retrying<N> {
    /// Wraps `inner`.
    pub fn new(inner: N, policy: RetryPolicy, clock: Arc<dyn Clock>, sleeper: Arc<dyn Sleeper>, rng: StdRng) -> Self {
        Self { inner, policy, clock, sleeper, rng: Mutex::new(rng) }
    }

    async fn tried<'a, T>(
        &self,
        call: impl Fn() -> BoxFuture<'a, Result<T, NetworkError>> + Send + Sync,
    ) -> Result<T, NetworkError> {
        let started = self.clock.now();
        let mut failures = 0;
        // An unknown outcome stays unknown until an answer settles it: a later "not sent" says nothing about before.
        let mut uncertain = None;
        loop {
            let error = match call().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            failures += 1;
            match &error {
                NetworkError::Uncertain(_) => uncertain = Some(error.clone()),
                NetworkError::Transient(_) => {}
                NetworkError::RateLimited { .. } | NetworkError::Capped { .. } => {
                    return Err(uncertain.unwrap_or(error));
                }
                _ => return Err(error),
            }
            let pause = {
                let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
                self.policy.backoff.pause(failures, &mut rng)
            };
            let next = self.clock.now().plus(pause);
            if failures >= self.policy.tries || next.since(started) > self.policy.time_limit {
                return Err(uncertain.unwrap_or(error));
            }
            self.sleeper.sleep(pause).await;
        }
    }
}

#[async_trait]
impl<N: Network> Network for Retrying<N> {
    fn kind(&self) -> NetworkKind {
        self.inner.kind()
    }

    async fn identity(&self) -> Result<Identity, NetworkError> {
        self.tried(|| self.inner.identity()).await
    }

    async fn fetch(&self, request: &FetchRequest) -> Result<Page, NetworkError> {
        self.tried(|| self.inner.fetch(request)).await
    }

    async fn find_original(&self, query: &OriginalQuery) -> Result<Page, NetworkError> {
        self.tried(|| self.inner.find_original(query)).await
    }

    async fn repost(&self, order: &RepostOrder) -> Result<RepostOutcome, NetworkError> {
        self.tried(|| self.inner.repost(order)).await
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::{
        model::{ManualClock, TimeMs},
        network::scripted::Scripted,
    };

    /// Moves the clock instead of waiting, and keeps the pauses.
    #[derive(Debug)]
    struct Skipping {
        clock: Arc<ManualClock>,
        pauses: Mutex<Vec<Duration>>,
    }

    #[async_trait]
    impl Sleeper for Skipping {
        async fn sleep(&self, duration: Duration) {
            self.pauses.lock().unwrap().push(duration);
            self.clock.advance_to(self.clock.now().plus(duration));
        }
    }

    fn retrying(policy: RetryPolicy) -> (Retrying<Arc<Scripted>>, Arc<Scripted>, Arc<Skipping>) {
        let clock = Arc::new(ManualClock::new(TimeMs(0)));
        let sleeper = Arc::new(Skipping { clock: clock.clone(), pauses: Mutex::default() });
        let inner = Arc::new(Scripted::default());
        (Retrying::new(inner.clone(), policy, clock, sleeper.clone(), StdRng::seed_from_u64(7)), inner, sleeper)
    }

    fn transient<T>() -> Result<T, NetworkError> {
        Err(NetworkError::Transient("503".to_owned()))
    }

    fn uncertain<T>() -> Result<T, NetworkError> {
        Err(NetworkError::Uncertain("closed".to_owned()))
    }

    #[tokio::test]
    async fn a_short_fault_and_a_lost_answer_are_bridged() {
        let (network, inner, sleeper) = retrying(RetryPolicy::default());
        inner.repost_answers([transient(), uncertain(), Ok(RepostOutcome::AlreadyThere)]);
        assert_eq!(network.repost(&Scripted::order("1")).await, Ok(RepostOutcome::AlreadyThere));
        let pauses = sleeper.pauses.lock().unwrap();
        assert!(pauses.len() == 2 && pauses[0] <= Duration::from_secs(1) && pauses[1] <= Duration::from_secs(2));
    }

    #[tokio::test]
    async fn after_a_few_tries_the_error_goes_to_the_caller() {
        let (network, inner, _) = retrying(RetryPolicy::default());
        inner.fetch_answers([transient(), transient(), transient(), Ok(Page::default())]);
        assert_eq!(network.fetch(&Scripted::request()).await, transient());
        assert_eq!(inner.calls(), 3);
    }

    #[tokio::test]
    async fn what_waiting_cannot_mend_is_not_tried_again() {
        for error in [
            NetworkError::Gone("gone".to_owned()),
            NetworkError::Unauthorized("no".to_owned()),
            NetworkError::RateLimited { retry_at: TimeMs(5) },
            NetworkError::Rejected { status: 400, detail: String::new() },
        ] {
            let (network, inner, _) = retrying(RetryPolicy::default());
            inner.repost_answers([Err(error.clone())]);
            assert_eq!(network.repost(&Scripted::order("1")).await, Err(error));
            assert_eq!(inner.calls(), 1);
        }
    }

    #[tokio::test]
    async fn an_unknown_outcome_is_not_forgotten_by_a_later_fault() {
        let (network, inner, _) = retrying(RetryPolicy::default());
        inner.repost_answers([uncertain(), transient(), transient()]);
        assert_eq!(network.repost(&Scripted::order("1")).await, uncertain());
        inner.repost_answers([uncertain(), Err(NetworkError::RateLimited { retry_at: TimeMs(5) })]);
        assert_eq!(network.repost(&Scripted::order("1")).await, uncertain());
    }

    #[tokio::test]
    async fn no_try_begins_after_the_time_limit() {
        let policy = RetryPolicy { tries: 1000, time_limit: Duration::from_secs(30), ..RetryPolicy::default() };
        let (network, inner, sleeper) = retrying(policy);
        inner.repost_answers((0..1000).map(|_| transient()));
        assert_eq!(network.repost(&Scripted::order("1")).await, transient());
        let waited: Duration = sleeper.pauses.lock().unwrap().iter().sum();
        assert!(waited <= Duration::from_secs(30) && inner.calls() < 100, "{waited:?}, {} tries", inner.calls());
    }

    #[test]
    fn pauses_spread_over_the_whole_range_and_never_pass_fifteen_minutes() {
        let mut rng = StdRng::seed_from_u64(1);
        let backoff = Backoff { first: Duration::from_secs(1) };
        let pauses: Vec<Duration> = (0..1000).map(|_| backoff.pause(400, &mut rng)).collect();
        assert!(pauses.iter().all(|pause| *pause <= LONGEST_PAUSE));
        assert!(pauses.iter().any(|pause| *pause < LONGEST_PAUSE / 10));
        assert!(pauses.iter().any(|pause| *pause > LONGEST_PAUSE / 10 * 9));
        assert!((0..100).all(|_| backoff.pause(1, &mut rng) <= Duration::from_secs(1)));
    }
}
