//! Keeps quiet while a network wants quiet.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use reqwest::header::HeaderMap;

use super::{FetchRequest, Identity, Network, NetworkError, OriginalQuery, Page, RepostOrder, RepostOutcome};
use crate::model::{Clock, NetworkKind, TimeMs};

/// How long to wait when a network does not say: the window of X's and Mastodon's limits
/// (docs.x.com, "Rate limits", 2026-08).
const UNTOLD_WAIT: Duration = Duration::from_secs(15 * 60);
/// The longest wait that is believed: X's longest window is a day. A reset far in the future is an error of theirs.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60 + 60);

/// The kinds of requests that networks limit apart from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// Asking who we are.
    Identity,
    /// Reading a hashtag, and looking for originals.
    Search,
    /// Reposting.
    Repost,
}

/// What an answer says about its limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateHeaders {
    /// Requests left in the window.
    pub remaining: Option<u64>,
    /// When the window ends, by the server's clock.
    pub reset: Option<TimeMs>,
    /// When the day's window ends, if the day's limit is used up, by the server's clock.
    pub day_reset: Option<TimeMs>,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
}

impl RateHeaders {
    /// Reads `x-rate-limit-*` and `x-user-limit-24hour-*` (epoch seconds) and `retry-after` (seconds).
    pub fn read(headers: &HeaderMap) -> Self {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let epoch_seconds = |name: &str| {
            let seconds = i64::try_from(number(name)?).ok()?;
            seconds.checked_mul(1000).map(TimeMs)
        };
        let day_reset = ["user", "app"].into_iter().find_map(|whose| {
            let used_up = number(&format!("x-{whose}-limit-24hour-remaining")) == Some(0);
            used_up.then(|| epoch_seconds(&format!("x-{whose}-limit-24hour-reset"))).flatten()
        });
        Self {
            remaining: number("x-rate-limit-remaining"),
            reset: epoch_seconds("x-rate-limit-reset"),
            day_reset,
            retry_after: number("retry-after").map(Duration::from_secs),
        }
    }

    /// When a refused request (429) may be tried again, by our clock. What stands in `remaining` is not relied on: some
    /// refusals leave it above zero.
    pub fn retry_at(&self, now: TimeMs, server_time: Option<TimeMs>) -> TimeMs {
        let told = self.day_reset.or(self.reset).map(|reset| wait_until(reset, now, server_time));
        let wait = told.max(self.retry_after).filter(|wait| !wait.is_zero()).unwrap_or(UNTOLD_WAIT);
        now.plus(wait.min(LONGEST_WAIT))
    }

    /// When the next request may go out, if this answer used the window up.
    pub fn used_up_until(&self, now: TimeMs, server_time: Option<TimeMs>) -> Option<TimeMs> {
        let reset = self.day_reset.or(self.reset.filter(|_| self.remaining == Some(0)))?;
        Some(now.plus(wait_until(reset, now, server_time).min(LONGEST_WAIT)))
    }
}

/// How long until `reset`. Both ends are taken from the server's clock where it is known, since ours may differ.
fn wait_until(reset: TimeMs, now: TimeMs, server_time: Option<TimeMs>) -> Duration {
    reset.since(server_time.unwrap_or(now))
}

/// Until when which kind of request is closed. The adapter writes down what it hears, [`RateLimited`] keeps to it.
#[derive(Debug, Default)]
pub struct RateBoard {
    /// Guards the times, all by our clock; held only to read or write one of them.
    closed_until: Mutex<BTreeMap<Endpoint, TimeMs>>,
}

impl RateBoard {
    /// Closes `endpoint` until `until`, unless it is closed for longer already.
    pub fn close(&self, endpoint: Endpoint, until: TimeMs) {
        let mut closed_until = self.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = closed_until.entry(endpoint).or_insert(until);
        *entry = until.max(*entry);
    }

    /// When `endpoint` opens; `None` if it is open.
    pub fn opens_at(&self, endpoint: Endpoint, now: TimeMs) -> Option<TimeMs> {
        let closed_until = self.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
        closed_until.get(&endpoint).copied().filter(|&until| until > now)
    }
}

/// A network whose limits are kept: while a kind of request is closed, none goes out, and the caller hears at once when
/// it opens. Waiting is the caller's.
#[derive(Debug)]
pub struct RateLimited<N> {
    /// The network behind.
    inner: N,
    /// What is closed until when; shared with the adapter.
    board: Arc<RateBoard>,
    /// Tells when the closed time is over.
    clock: Arc<dyn Clock>,
}

impl<N> RateLimited<N> {
    /// Wraps `inner`; `board` is the one that the adapter writes to.
    pub fn new(inner: N, board: Arc<RateBoard>, clock: Arc<dyn Clock>) -> Self {
        Self { inner, board, clock }
    }

    /// Refuses while `endpoint` is closed.
    fn pass(&self, endpoint: Endpoint) -> Result<(), NetworkError> {
        match self.board.opens_at(endpoint, self.clock.now()) {
            Some(retry_at) => Err(NetworkError::RateLimited { retry_at }),
            None => Ok(()),
        }
    }

    /// Closes `endpoint` if the network has just asked for it.
    fn note<T>(&self, endpoint: Endpoint, result: Result<T, NetworkError>) -> Result<T, NetworkError> {
        if let Err(NetworkError::RateLimited { retry_at }) = result {
            self.board.close(endpoint, retry_at);
        }
        result
    }
}

#[async_trait]
impl<N: Network> Network for RateLimited<N> {
    fn kind(&self) -> NetworkKind {
        self.inner.kind()
    }

    async fn identity(&self) -> Result<Identity, NetworkError> {
        self.pass(Endpoint::Identity)?;
        self.note(Endpoint::Identity, self.inner.identity().await)
    }

    async fn fetch(&self, request: &FetchRequest) -> Result<Page, NetworkError> {
        self.pass(Endpoint::Search)?;
        self.note(Endpoint::Search, self.inner.fetch(request).await)
    }

    async fn find_original(&self, query: &OriginalQuery) -> Result<Page, NetworkError> {
        self.pass(Endpoint::Search)?;
        self.note(Endpoint::Search, self.inner.find_original(query).await)
    }

    async fn repost(&self, order: &RepostOrder) -> Result<RepostOutcome, NetworkError> {
        self.pass(Endpoint::Repost)?;
        self.note(Endpoint::Repost, self.inner.repost(order).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::ManualClock, network::scripted::Scripted};

    const NOW: TimeMs = TimeMs(1_795_322_946_000);

    fn headers(pairs: &[(&'static str, &str)]) -> RateHeaders {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.insert(*name, value.parse().unwrap());
        }
        RateHeaders::read(&map)
    }

    #[test]
    fn a_refusal_waits_for_the_reset_whatever_remaining_says() {
        let told = headers(&[("x-rate-limit-remaining", "14"), ("x-rate-limit-reset", "1795323846")]);
        assert_eq!(told.retry_at(NOW, None), TimeMs(1_795_323_846_000));
        assert_eq!(told.used_up_until(NOW, None), None);
    }

    #[test]
    fn a_refusal_without_usable_headers_waits_fifteen_minutes() {
        let fifteen = NOW.plus(Duration::from_secs(900));
        assert_eq!(headers(&[]).retry_at(NOW, None), fifteen);
        assert_eq!(headers(&[("x-rate-limit-reset", "soon")]).retry_at(NOW, None), fifteen);
        assert_eq!(headers(&[("x-rate-limit-reset", "1000")]).retry_at(NOW, None), fifteen, "a reset in the past");
        assert_eq!(headers(&[("x-rate-limit-reset", "18446744073709551615")]).retry_at(NOW, None), fifteen);
    }

    #[test]
    fn a_reset_is_measured_by_the_servers_clock() {
        let told = headers(&[("x-rate-limit-reset", "1795323846")]);
        let server_time = NOW.minus(Duration::from_secs(3600));
        assert_eq!(told.retry_at(NOW, Some(server_time)), NOW.plus(Duration::from_secs(4500)));
    }

    #[test]
    fn a_used_up_day_outweighs_the_short_window_and_nothing_waits_for_years() {
        let day = headers(&[
            ("x-rate-limit-reset", "1795323846"),
            ("x-user-limit-24hour-remaining", "0"),
            ("x-user-limit-24hour-reset", "1795362946"),
        ]);
        assert_eq!(day.retry_at(NOW, None), TimeMs(1_795_362_946_000));
        let absurd = headers(&[("x-rate-limit-reset", "99999999999")]);
        assert_eq!(absurd.retry_at(NOW, None), NOW.plus(LONGEST_WAIT));
        let asked = headers(&[("retry-after", "7")]);
        assert_eq!(asked.retry_at(NOW, None), NOW.plus(Duration::from_secs(7)));
    }

    #[tokio::test]
    async fn no_request_of_a_kind_goes_out_before_its_reset_and_others_do() {
        let clock = Arc::new(ManualClock::new(NOW));
        let retry_at = NOW.plus(Duration::from_secs(60));
        let inner = Arc::new(Scripted::default());
        inner.repost_answers([Err(NetworkError::RateLimited { retry_at }), Ok(RepostOutcome::AlreadyThere)]);
        let network = RateLimited::new(inner.clone(), Arc::default(), clock.clone());

        let refused = Err(NetworkError::RateLimited { retry_at });
        assert_eq!(network.repost(&Scripted::order("1")).await, refused);
        clock.advance_to(TimeMs(retry_at.0 - 1));
        assert_eq!(network.repost(&Scripted::order("1")).await, refused);
        assert_eq!(inner.calls(), 1, "the second try must not go out");
        assert!(network.fetch(&Scripted::request()).await.is_ok());
        clock.advance_to(retry_at);
        assert_eq!(network.repost(&Scripted::order("1")).await, Ok(RepostOutcome::AlreadyThere));
    }

    #[tokio::test]
    async fn what_the_adapter_writes_down_is_kept_without_a_refusal() {
        let inner = Arc::new(Scripted::default());
        let board = Arc::new(RateBoard::default());
        let network = RateLimited::new(inner.clone(), board.clone(), Arc::new(ManualClock::new(NOW)));
        let retry_at = NOW.plus(Duration::from_secs(5));
        board.close(Endpoint::Search, retry_at);
        board.close(Endpoint::Search, NOW);
        assert_eq!(network.fetch(&Scripted::request()).await, Err(NetworkError::RateLimited { retry_at }));
        assert_eq!(inner.calls(), 0);
    }
}
