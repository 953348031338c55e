//! A world for the bot: the fake X, a clock, and a script of what happens when.
//!
//! The clock runs as fast as the bot can follow: it stands while a request is under way, so that signatures stay
//! fresh, and moves on in between.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use firsthand::{
    dedup::{
        DedupPolicy,
        decide::{SharingPolicy, UnseenOriginal},
        filter::Filters,
    },
    model::{AccountId, Clock, Hashtag, ManualClock, NetworkKind, TimeMs},
    network::{
        FetchRequest, Identity, Network, NetworkError, OriginalQuery, Page, RepostOrder, RepostOutcome,
        capped::{CapSettings, Capped, Prices},
        ledger::Caps,
        rate_limit::{RateBoard, RateLimited},
        retry::{RetryPolicy, Retrying, Sleeper},
        x::XConfig,
    },
    pipeline::{
        daemon::{self, Account, RunError, Shared},
        event::{Event, Observer},
        ledger::StoreLedger,
        relay::Pace,
        timing::Timing,
        watcher::Until,
    },
    store::{OpenOptions, Store, Synchronous, WriteLock, accounts},
};
use rand::{SeedableRng, rngs::StdRng};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::{
    fake_x::{FakePost, FakeX, Fault, Route},
    x::adapter_with,
};

/// How far the clock moves at each tick.
const STEP: Duration = Duration::from_secs(3);
/// How long a tick takes.
const TICK: Duration = Duration::from_millis(1);
/// A bot that is not done after this time, by the world's clock, hangs.
const TOO_LONG: Duration = Duration::from_secs(2 * 24 * 3600);

/// No limit of ours: the network's own are enough here.
pub(crate) const UNLIMITED: Pace = Pace {
    min_gap: Duration::ZERO,
    per_hour: 10_000,
    per_day: 10_000,
    author_per_hour: 10_000,
    author_per_day: 10_000,
};

/// Something that happens.
pub(crate) enum Happening {
    /// Somebody posts.
    Post(FakePost),
    /// The next requests of a route go wrong.
    Fault(Route, usize, Fault),
}

/// Where the bot lives.
pub(crate) struct World {
    pub(crate) fake: FakeX,
    pub(crate) clock: Arc<ManualClock>,
    folder: TempDir,
    /// What happens, in order. Guarded because the bot asks whether anything is left.
    script: Arc<Mutex<VecDeque<(TimeMs, Happening)>>>,
    /// Requests under way.
    in_flight: Arc<AtomicUsize>,
    /// How long a write waits for a database that somebody else holds, in real milliseconds: the clock runs meanwhile.
    pub(crate) busy_deadline_ms: u64,
    /// The ids that the script's posts got, in order.
    posted: Mutex<Vec<String>>,
}

/// How a run went.
pub(crate) struct Ran {
    pub(crate) result: Result<(), RunError>,
    pub(crate) events: Vec<Event>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(ManualClock::new("2026-11-22T12:00:00Z".parse().unwrap()));
        Self {
            fake: FakeX::start_with_clock(clock.clone()).await,
            clock,
            folder: tempfile::tempdir().unwrap(),
            script: Arc::default(),
            in_flight: Arc::default(),
            busy_deadline_ms: 30_000,
            posted: Mutex::default(),
        }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("bot.db")
    }

    /// A time before now.
    pub(crate) fn ago(&self, minutes: u64) -> Option<TimeMs> {
        Some(self.clock.now().minus(Duration::from_secs(60 * minutes)))
    }

    /// Lets something happen at a later time; in the order of the calls.
    pub(crate) fn later(&self, minutes: u64, happening: Happening) {
        let at = self.clock.now().plus(Duration::from_secs(60 * minutes));
        self.script.lock().unwrap().push_back((at, happening));
    }

    /// The ids that the script's posts got, in order.
    pub(crate) fn posted(&self) -> Vec<String> {
        self.posted.lock().unwrap().clone()
    }

    /// Runs the bot until everything has happened and is dealt with, or until an event that `stops` it.
    pub(crate) async fn run<L: WriteLock>(&self, stops: impl Fn(&Event) -> bool + Send + Sync + 'static) -> Ran {
        let script = self.script.clone();
        let until = Until::Finished(Arc::new(move || script.lock().unwrap().is_empty()));
        self.run_beside::<L>(until, stops, std::future::ready(())).await
    }

    /// Runs the bot as for cron.
    pub(crate) async fn run_once<L: WriteLock>(&self) -> Ran {
        self.run_beside::<L>(Until::CaughtUp, |_| false, std::future::ready(())).await
    }

    /// Runs the bot until an event `stops` it, while something is done beside it.
    pub(crate) async fn run_while<L: WriteLock>(
        &self,
        stops: impl Fn(&Event) -> bool + Send + Sync + 'static,
        beside: impl Future<Output = ()>,
    ) -> Ran {
        self.run_beside::<L>(Until::Stopped, stops, beside).await
    }

    /// Waits until so many minutes have passed since `start`.
    pub(crate) async fn minutes_after(&self, start: TimeMs, minutes: u64) {
        while self.clock.now() < start.plus(Duration::from_secs(60 * minutes)) {
            tokio::time::sleep(TICK).await;
        }
    }

    async fn run_beside<L: WriteLock>(
        &self,
        until: Until,
        stops: impl Fn(&Event) -> bool + Send + Sync + 'static,
        beside: impl Future<Output = ()>,
    ) -> Ran {
        let options = OpenOptions {
            synchronous: Synchronous::Normal,
            deadline_ms: self.busy_deadline_ms,
            ..OpenOptions::new(self.database())
        };
        let store = Store::<L>::open(options).await.unwrap();
        let stop = CancellationToken::new();
        let timing = Timing::new(self.clock.clone(), 1000.0, stop.clone());
        let account = account(&self.fake, &store, &timing, until, self.in_flight.clone()).await;
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let told = events.clone();
        let observer: Observer = Arc::new(move |event| {
            if stops(&event) {
                stop.cancel();
            }
            told.lock().unwrap().push(event);
        });
        let shared = Shared {
            store: store.clone(),
            timing,
            observer,
            owner: "test".into(),
            lease: Duration::from_secs(180),
            sends: true,
        };
        let mut bot = std::pin::pin!(daemon::run(shared, vec![account]));
        let mut beside = std::pin::pin!(beside);
        let mut beside_ended = false;
        let too_late = self.clock.now().plus(TOO_LONG);
        let result = loop {
            tokio::select! {
                result = &mut bot => break result,
                () = &mut beside, if !beside_ended => beside_ended = true,
                () = tokio::time::sleep(TICK) => self.tick(),
            }
            assert!(self.clock.now() < too_late, "the bot hangs");
        };
        store.close().await.unwrap();
        let events = events.lock().unwrap().clone();
        Ran { result, events }
    }

    /// Moves the clock on, unless an answer is awaited.
    fn tick(&self) {
        if self.in_flight.load(Ordering::SeqCst) > 0 {
            return;
        }
        self.clock.advance_to(self.clock.now().plus(STEP));
        let mut script = self.script.lock().unwrap();
        while script.front().is_some_and(|(at, _)| *at <= self.clock.now()) {
            match script.pop_front().unwrap().1 {
                Happening::Post(post) => self.posted.lock().unwrap().push(self.fake.post(post)),
                Happening::Fault(route, times, fault) => self.fake.fail_next(route, times, fault),
            }
        }
    }
}

/// Stops the bot after so many answers to reposts.
pub(crate) fn after_answers(count: usize) -> impl Fn(&Event) -> bool + Send + Sync + 'static {
    let sent = Arc::new(AtomicUsize::new(0));
    move |event| matches!(event, Event::Sent { .. }) && sent.fetch_add(1, Ordering::SeqCst) + 1 == count
}

/// An account on the fake, with every wrapper that the real one has, in pages of ten.
pub(crate) async fn account<L: WriteLock>(
    fake: &FakeX,
    store: &Store<L>,
    timing: &Timing,
    until: Until,
    in_flight: Arc<AtomicUsize>,
) -> Account {
    let clock: Arc<dyn Clock> = Arc::new(ClockOf(timing.clone()));
    let config = XConfig { page_size: 10, ..fake.config() };
    let rates = Arc::new(RateBoard::default());
    let x = Gauged { inner: adapter_with(fake, &config, clock.clone(), rates.clone()), in_flight };
    let settings = CapSettings {
        caps: Caps::default(),
        prices: Prices::X,
        reads_per_page: config.most_reads_per_page(),
        reads_per_lookup: config.most_reads_per_lookup(),
    };
    let limited = RateLimited::new(x, rates, clock.clone());
    let capped =
        Capped::new(limited, StoreLedger::new(store.clone(), account_id(store).await), settings, clock.clone());
    let sleeper = Arc::new(ByTheClock(timing.clone()));
    let network = Retrying::new(capped, RetryPolicy::default(), clock, sleeper, StdRng::seed_from_u64(7));
    Account {
        name: "main".into(),
        network: Arc::new(network),
        hashtags: vec![Hashtag::new("firsthand")],
        filters: Filters::default(),
        dedup: DedupPolicy::default(),
        sharing: SharingPolicy {
            grace: Duration::from_secs(120),
            unseen_original: UnseenOriginal::RepostCopy,
            replayed_is_shared: true,
        },
        pace: UNLIMITED,
        poll: Duration::from_secs(60),
        backfill: Duration::from_secs(24 * 3600),
        until,
    }
}

async fn account_id<L: WriteLock>(store: &Store<L>) -> AccountId {
    store.write("set up", |conn| Box::pin(accounts::account(conn, "main", NetworkKind::X, TimeMs(0)))).await.unwrap()
}

/// The clock of a timing.
#[derive(Debug)]
struct ClockOf(Timing);

impl Clock for ClockOf {
    fn now(&self) -> TimeMs {
        self.0.now()
    }
}

/// Waits by the world's clock.
#[derive(Debug)]
struct ByTheClock(Timing);

#[async_trait]
impl Sleeper for ByTheClock {
    async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration).await;
    }
}

/// Counts the requests that are under way.
struct Gauged<N> {
    inner: N,
    in_flight: Arc<AtomicUsize>,
}

/// One request under way, also if it is dropped.
struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<N> Gauged<N> {
    fn begin(&self) -> UnderWay {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        UnderWay(self.in_flight.clone())
    }
}

#[async_trait]
impl<N: Network> Network for Gauged<N> {
    fn kind(&self) -> NetworkKind {
        self.inner.kind()
    }

    async fn identity(&self) -> Result<Identity, NetworkError> {
        let _under_way = self.begin();
        self.inner.identity().await
    }

    async fn fetch(&self, request: &FetchRequest) -> Result<Page, NetworkError> {
        let _under_way = self.begin();
        self.inner.fetch(request).await
    }

    async fn find_original(&self, query: &OriginalQuery) -> Result<Page, NetworkError> {
        let _under_way = self.begin();
        self.inner.find_original(query).await
    }

    async fn repost(&self, order: &RepostOrder) -> Result<RepostOutcome, NetworkError> {
        let _under_way = self.begin();
        self.inner.repost(order).await
    }
}
