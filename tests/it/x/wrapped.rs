//! The whole stack: retries around caps around limits around X.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use firsthand::{
    model::{Clock, ManualClock, TimeMs},
    network::{
        Network, NetworkError, RepostOutcome, Since,
        capped::{CapSettings, Capped, Prices},
        ledger::{Caps, MemoryLedger},
        rate_limit::{RateBoard, RateLimited},
        retry::{RetryPolicy, Retrying, Sleeper},
        x::X,
    },
};
use rand::{SeedableRng, rngs::StdRng};

use super::{adapter_with, order, reading};
use crate::fake_x::{FakePost, FakeX, Fault, Route};

/// Moves the clock on instead of waiting.
#[derive(Debug)]
struct Skipping(Arc<ManualClock>);

#[async_trait]
impl Sleeper for Skipping {
    async fn sleep(&self, duration: Duration) {
        self.0.advance_to(self.0.now().plus(duration));
    }
}

type Stack = Retrying<Capped<RateLimited<X>, MemoryLedger>>;

async fn stack(caps: Caps) -> (Stack, FakeX, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new("2026-11-22T12:00:00Z".parse().unwrap()));
    let fake = FakeX::start_with_clock(clock.clone()).await;
    let config = fake.config();
    let rates = Arc::new(RateBoard::default());
    let x = adapter_with(&fake, &config, clock.clone(), rates.clone());
    let settings = CapSettings {
        caps,
        prices: Prices::X,
        reads_per_page: config.most_reads_per_page(),
        reads_per_lookup: config.most_reads_per_lookup(),
    };
    let limited = RateLimited::new(x, rates, clock.clone());
    let capped = Capped::new(limited, MemoryLedger::default(), settings, clock.clone());
    let sleeper = Arc::new(Skipping(clock.clone()));
    let rng = StdRng::seed_from_u64(3);
    (Retrying::new(capped, RetryPolicy::default(), clock.clone(), sleeper, rng), fake, clock)
}

fn posts(fake: &FakeX, count: usize) -> Vec<String> {
    (0..count).map(|number| fake.post(FakePost::new("ada", &format!("Harbour log {number} #firsthand")))).collect()
}

#[tokio::test]
async fn a_lost_answer_and_server_faults_end_in_one_effect() {
    let (network, fake, _) = stack(Caps::default()).await;
    let ids = posts(&fake, 1);
    fake.fail_next(Route::Repost, 1, Fault::LostAnswer);
    fake.fail_next(Route::Repost, 1, Fault::Refuse(503, String::new()));
    assert_eq!(network.repost(&order(&ids[0])).await, Ok(RepostOutcome::AlreadyThere));
    assert_eq!((fake.effects(), fake.count(Route::Repost)), (ids, 3));
}

#[tokio::test]
async fn no_request_goes_out_before_the_reset_in_either_dialect() {
    for (fault, wait_s) in [(Fault::TooMany, 900), (Fault::TooManyUntold, 900)] {
        let (network, fake, clock) = stack(Caps::default()).await;
        let ids = posts(&fake, 1);
        fake.fail_next(Route::Repost, 1, fault);
        let retry_at = clock.now().plus(Duration::from_secs(wait_s));
        for _ in 0..5 {
            assert_eq!(network.repost(&order(&ids[0])).await, Err(NetworkError::RateLimited { retry_at }));
            clock.advance_to(clock.now().plus(Duration::from_secs(100)));
        }
        assert_eq!(fake.count(Route::Repost), 1);
        // Reading has a limit of its own and goes on.
        assert!(network.fetch(&reading(Since::Time(clock.now().minus(Duration::from_secs(3600))))).await.is_ok());
        clock.advance_to(retry_at);
        assert_eq!(network.repost(&order(&ids[0])).await, Ok(RepostOutcome::Done(None)));
    }
}

#[tokio::test]
async fn a_window_that_is_used_up_is_respected_without_being_told() {
    let (network, fake, clock) = stack(Caps::default()).await;
    fake.limit(Route::Repost, 2);
    let ids = posts(&fake, 4);
    let mut results = Vec::new();
    for id in &ids {
        results.push(network.repost(&order(id)).await);
    }
    assert!(results[..2].iter().all(Result::is_ok), "{results:?}");
    let Err(NetworkError::RateLimited { retry_at }) = results[2] else { panic!("{results:?}") };
    let requests = fake.requests();
    assert!(requests.iter().all(|logged| logged.status != 429), "X never had to refuse");
    clock.advance_to(retry_at);
    assert!(network.repost(&order(&ids[2])).await.is_ok());
}

#[tokio::test]
async fn the_money_for_a_day_is_never_passed() {
    // Room for one page at its dearest (300 posts at half a cent), and for nothing more once 100 posts are paid.
    let caps = Caps { micro_dollars_per_day: Some(1_510_000), ..Caps::default() };
    let (network, fake, clock) = stack(caps).await;
    posts(&fake, 150);
    let request = reading(Since::Time(clock.now().minus(Duration::from_secs(60))));
    let first = network.fetch(&request).await.unwrap();
    assert_eq!((first.posts.len(), first.charged_reads), (100, 100));
    let next = firsthand::network::FetchRequest { page: first.next.clone(), ..request };
    let refused = network.fetch(&next).await;
    let midnight: TimeMs = "2026-11-23T00:00:00Z".parse().unwrap();
    assert!(matches!(refused, Err(NetworkError::Capped { retry_at, .. }) if retry_at == midnight), "{refused:?}");
    assert_eq!(fake.count(Route::Search), 1);
    clock.advance_to(midnight);
    assert_eq!(network.fetch(&next).await.unwrap().posts.len(), 50);
}

#[tokio::test]
async fn the_cap_on_reposts_counts_effects_and_not_tries() {
    let caps = Caps { reposts_per_hour: Some(2), ..Caps::default() };
    let (network, fake, _) = stack(caps).await;
    let ids = posts(&fake, 4);
    fake.delete(&ids[0]);
    let mut results = Vec::new();
    for id in &ids {
        results.push(network.repost(&order(id)).await);
    }
    assert!(matches!(results[0], Err(NetworkError::Gone(_))), "{results:?}");
    assert!(results[1].is_ok() && results[2].is_ok(), "{results:?}");
    assert!(matches!(results[3], Err(NetworkError::Capped { .. })), "{results:?}");
    assert_eq!(fake.effects(), ids[1..3]);
}
