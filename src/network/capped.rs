//! Keeps an account within its caps: reposts an hour and a day, money a day and a month.

use std::sync::Arc;

use async_trait::async_trait;

use super::{
    FetchRequest, Identity, Network, NetworkError, OriginalQuery, Page, RepostOrder, RepostOutcome,
    ledger::{Caps, Ledger},
};
use crate::model::{Booking, Clock, NetworkKind, Usage};

/// What a network charges, in millionths of a dollar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// A post read.
    pub read_micro_dollars: u64,
    /// A repost.
    pub repost_micro_dollars: u64,
}

impl Prices {
    /// X's prices: $0.005 a post read, $0.015 an interaction (docs.x.com, "Pricing", 2026-08).
    pub const X: Self = Self { read_micro_dollars: 5_000, repost_micro_dollars: 15_000 };
    /// A network that charges nothing.
    pub const FREE: Self = Self { read_micro_dollars: 0, repost_micro_dollars: 0 };
}

/// Everything that [`Capped`] needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapSettings {
    /// The caps.
    pub caps: Caps,
    /// The prices.
    pub prices: Prices,
    /// The most posts that one page of a hashtag can charge for; reserved before it is asked for.
    pub reads_per_page: u32,
    /// The most posts that one search for an original can charge for.
    pub reads_per_lookup: u32,
}

/// A network whose caps are kept. What a call may cost at most is reserved before it goes out, and corrected once its
/// answer is there; so a cap is refused *before* it is passed. A call that is dropped half-way leaves its reservation.
#[derive(Debug)]
pub struct Capped<N, L> {
    /// The network behind.
    inner: N,
    /// Where usage is booked.
    ledger: L,
    /// Caps and prices.
    settings: CapSettings,
    /// Tells the hour, the day and the month.
    clock: Arc<dyn Clock>,
}

impl<N, L: Ledger> Capped<N, L> {
    /// Wraps `inner`.
    pub fn new(inner: N, ledger: L, settings: CapSettings, clock: Arc<dyn Clock>) -> Self {
        Self { inner, ledger, settings, clock }
    }

    fn entry(&self, usage: Usage, count: u32) -> Booking {
        let price = match usage {
            Usage::Read => self.settings.prices.read_micro_dollars,
            Usage::Repost => self.settings.prices.repost_micro_dollars,
        };
        let count = u64::from(count);
        Booking { usage, count, micro_dollars: price.saturating_mul(count), hour: self.clock.now().hour() }
    }

    async fn reserve(&self, entry: Booking) -> Result<(), NetworkError> {
        self.ledger.reserve(entry, &self.settings.caps, self.clock.now()).await
    }

    async fn settle(&self, reserved: Booking, count: u32) {
        let used = Booking { hour: reserved.hour, ..self.entry(reserved.usage, count) };
        // The effect has happened; an error here must not hide it, and the reservation is the safe side.
        if let Err(error) = self.ledger.settle(reserved, used).await {
            tracing::warn!(%error, usage = reserved.usage.as_str(), "could not correct the booked usage");
        }
    }

    async fn read(
        &self,
        most: u32,
        call: impl Future<Output = Result<Page, NetworkError>> + Send,
    ) -> Result<Page, NetworkError> {
        let reserved = self.entry(Usage::Read, most);
        self.reserve(reserved).await?;
        let result = call.await;
        // An answer that was cut off may have been charged for; what never came was not.
        let charged = match &result {
            Ok(page) => page.charged_reads,
            Err(NetworkError::Uncertain(_)) => most,
            Err(_) => 0,
        };
        self.settle(reserved, charged).await;
        result
    }
}

#[async_trait]
impl<N: Network, L: Ledger> Network for Capped<N, L> {
    fn kind(&self) -> NetworkKind {
        self.inner.kind()
    }

    async fn identity(&self) -> Result<Identity, NetworkError> {
        self.inner.identity().await
    }

    async fn fetch(&self, request: &FetchRequest) -> Result<Page, NetworkError> {
        self.read(self.settings.reads_per_page, self.inner.fetch(request)).await
    }

    async fn find_original(&self, query: &OriginalQuery) -> Result<Page, NetworkError> {
        self.read(self.settings.reads_per_lookup, self.inner.find_original(query)).await
    }

    async fn repost(&self, order: &RepostOrder) -> Result<RepostOutcome, NetworkError> {
        let reserved = self.entry(Usage::Repost, 1);
        self.reserve(reserved).await?;
        let result = self.inner.repost(order).await;
        // A repost whose outcome is unknown counts: it may well be there.
        if !matches!(result, Ok(RepostOutcome::Done(_)) | Err(NetworkError::Uncertain(_))) {
            self.settle(reserved, 0).await;
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        model::{ManualClock, TimeMs},
        network::{
            ledger::{MemoryLedger, Spent},
            scripted::Scripted,
        },
    };

    /// A ledger that tests can look into while the wrapper owns its share.
    #[derive(Clone, Default)]
    struct Shared(Arc<MemoryLedger>);

    #[async_trait]
    impl Ledger for Shared {
        async fn reserve(&self, entry: Booking, caps: &Caps, now: TimeMs) -> Result<(), NetworkError> {
            self.0.reserve(entry, caps, now).await
        }

        async fn settle(&self, reserved: Booking, used: Booking) -> Result<(), NetworkError> {
            self.0.settle(reserved, used).await
        }
    }

    struct Setup {
        network: Capped<Arc<Scripted>, Shared>,
        inner: Arc<Scripted>,
        ledger: Shared,
        clock: Arc<ManualClock>,
    }

    impl Setup {
        fn new(caps: Caps) -> Self {
            let clock = Arc::new(ManualClock::new("2026-11-22T09:30:00Z".parse().unwrap()));
            let (inner, ledger) = (Arc::new(Scripted::default()), Shared::default());
            let settings = CapSettings { caps, prices: Prices::X, reads_per_page: 100, reads_per_lookup: 10 };
            Self { network: Capped::new(inner.clone(), ledger.clone(), settings, clock.clone()), inner, ledger, clock }
        }

        async fn repost(&self) -> Result<RepostOutcome, NetworkError> {
            self.network.repost(&Scripted::order("1")).await
        }

        fn spent(&self) -> Spent {
            self.ledger.0.spent(self.clock.now())
        }
    }

    fn page(charged_reads: u32) -> Result<Page, NetworkError> {
        Ok(Page { charged_reads, ..Page::default() })
    }

    #[tokio::test]
    async fn a_page_is_refused_if_it_could_pass_the_cap_and_settled_at_what_it_cost() {
        // A dollar allows two full pages of 100 posts at half a cent.
        let setup = Setup::new(Caps { micro_dollars_per_day: Some(1_000_000), ..Caps::default() });
        setup.inner.fetch_answers([page(100), page(3)]);
        assert!(setup.network.fetch(&Scripted::request()).await.is_ok());
        assert!(setup.network.fetch(&Scripted::request()).await.is_ok());
        assert_eq!(setup.spent().micro_dollars_today, 515_000);
        let refused = setup.network.fetch(&Scripted::request()).await.unwrap_err();
        assert!(matches!(refused, NetworkError::Capped { .. }), "{refused}");
        assert_eq!(setup.inner.calls(), 2, "the refused page must not be asked for");
        assert_eq!(setup.spent().micro_dollars_today, 515_000);
        // The same dollar still pays for a repost.
        assert!(setup.repost().await.is_ok());
    }

    #[tokio::test]
    async fn the_hourly_cap_opens_with_the_next_hour() {
        let setup = Setup::new(Caps { reposts_per_hour: Some(1), reposts_per_day: Some(2), ..Caps::default() });
        assert!(setup.repost().await.is_ok());
        let next_hour: TimeMs = "2026-11-22T10:00:00Z".parse().unwrap();
        assert!(matches!(setup.repost().await, Err(NetworkError::Capped { retry_at, .. }) if retry_at == next_hour));
        setup.clock.advance_to(next_hour);
        assert!(setup.repost().await.is_ok());
        setup.clock.advance_to(next_hour.plus(Duration::from_secs(3600)));
        let midnight = "2026-11-23T00:00:00Z".parse().unwrap();
        assert!(matches!(setup.repost().await, Err(NetworkError::Capped { retry_at, .. }) if retry_at == midnight));
    }

    #[tokio::test]
    async fn only_reposts_that_happened_or_may_have_happened_count() {
        let setup = Setup::new(Caps::default());
        setup.inner.repost_answers([
            Err(NetworkError::Gone(String::new())),
            Err(NetworkError::Transient(String::new())),
            Ok(RepostOutcome::AlreadyThere),
            Err(NetworkError::Uncertain(String::new())),
            Ok(RepostOutcome::Done(None)),
        ]);
        for _ in 0..5 {
            let _ = setup.repost().await;
        }
        assert_eq!(setup.spent().reposts_today, 2);
        assert_eq!(setup.spent().micro_dollars_today, 30_000);
    }

    #[tokio::test]
    async fn of_many_at_once_only_as_many_pass_as_there_is_room_for() {
        let setup = Setup::new(Caps { reposts_per_day: Some(7), ..Caps::default() });
        let results = futures::future::join_all((0..50).map(|_| setup.repost())).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 7);
        assert_eq!(setup.inner.calls(), 7);
    }
}
