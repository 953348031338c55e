//! The X adapter against the fake.

mod bad_answers;
mod conforming;
mod reading;
mod wrapped;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use firsthand::{
    model::{Clock, Hashtag, RemoteId, SystemClock, TimeMs},
    network::{
        FetchRequest, RepostOrder, Since,
        rate_limit::RateBoard,
        x::{X, XConfig},
    },
};
use rand::{SeedableRng, rngs::StdRng};

use crate::fake_x::FakeX;

/// An adapter for the fake, by the machine's clock.
pub(crate) fn adapter(fake: &FakeX) -> X {
    adapter_with(fake, &fake.config(), Arc::new(SystemClock), Arc::default())
}

/// Seeds given out so far.
static SEEDS: AtomicU64 = AtomicU64::new(0);

/// An adapter for the fake. Its nonces differ from those of every other adapter.
pub(crate) fn adapter_with(fake: &FakeX, config: &XConfig, clock: Arc<dyn Clock>, rates: Arc<RateBoard>) -> X {
    let seed = SEEDS.fetch_add(1, Ordering::Relaxed);
    X::new(config, fake.credentials(), rates, clock, StdRng::seed_from_u64(seed)).unwrap()
}

/// A reading of `#firsthand` from `since` on.
pub(crate) fn reading(since: Since) -> FetchRequest {
    FetchRequest { hashtag: Hashtag::new("firsthand"), since, page: None }
}

/// The order to repost a post.
pub(crate) fn order(post: &str) -> RepostOrder {
    RepostOrder { post: RemoteId::new(post), key: "key".to_owned(), created_at: TimeMs(0) }
}
