//! A stage for single decisions: posts made by hand go through intake, and a network that a test directs takes what is
//! sent. The clock stands where it is put.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use firsthand::{
    dedup::{
        DedupPolicy,
        decide::{SharingPolicy, UnseenOriginal},
        filter::Filters,
    },
    model::{
        AccountId, Author, BadElement, Clock, Facts, Hashtag, ManualClock, NetworkKind, Post, Provenance, RemoteId,
        TimeMs, WatchId,
    },
    network::{FetchRequest, Identity, Network, NetworkError, OriginalQuery, Page, RepostOrder, RepostOutcome},
    pipeline::{
        batch::{Arrival, Batch, Reader},
        decision::Decision,
        intake,
        relay::{Pace, QuietUntil, Relay, Step},
        standing,
        timing::Timing,
    },
    store::{OpenOptions, Store, StoreError, Synchronous, WriteLock, accounts},
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{
    archive::{self, Row},
    world::UNLIMITED,
};

/// The hashtag that everything is about.
pub(crate) const TAG: &str = "firsthand";

/// One account's part in a database.
pub(crate) struct Stage<L: WriteLock> {
    pub(crate) store: Store<L>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) network: Arc<Directed>,
    pub(crate) account: AccountId,
    pub(crate) watch: WatchId,
    /// The account's name.
    name: &'static str,
    /// Shared, so that several accounts can stand on one database.
    folder: Arc<TempDir>,
    pub(crate) filters: Filters,
    pub(crate) dedup: DedupPolicy,
    pub(crate) sharing: SharingPolicy,
    pub(crate) pace: Pace,
}

impl<L: WriteLock> Stage<L> {
    pub(crate) async fn new() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let options =
            OpenOptions { synchronous: Synchronous::Normal, ..OpenOptions::new(folder.path().join("stage.db")) };
        let store = Store::<L>::open(options).await.unwrap();
        let clock = Arc::new(ManualClock::new("2026-11-22T12:00:00Z".parse().unwrap()));
        Self::on(store, clock, folder, "main").await
    }

    /// Another account on the same database.
    pub(crate) async fn another(&self, name: &'static str) -> Self {
        Self::on(self.store.clone(), self.clock.clone(), self.folder.clone(), name).await
    }

    async fn on(store: Store<L>, clock: Arc<ManualClock>, folder: Arc<TempDir>, name: &'static str) -> Self {
        let now = clock.now();
        let (account, watch) = store
            .write("set up the stage", move |conn| {
                Box::pin(async move {
                    let account = accounts::account(conn, name, NetworkKind::X, now).await?;
                    Ok((account, accounts::watch(conn, account, &Hashtag::new(TAG), now).await?))
                })
            })
            .await
            .unwrap();
        Self {
            store,
            network: Arc::new(Directed::default()),
            account,
            watch: watch.id,
            name,
            folder,
            filters: Filters {
                hashtags: vec![Hashtag::new(TAG)],
                own: Some(RemoteId::new("us")),
                start: Some(clock.now().minus(Duration::from_secs(3600))),
                max_age: Some(Duration::from_secs(7200)),
                ..Filters::default()
            },
            dedup: DedupPolicy::default(),
            sharing: SharingPolicy {
                grace: Duration::from_secs(120),
                unseen_original: UnseenOriginal::RepostCopy,
                replayed_is_shared: true,
            },
            pace: UNLIMITED,
            clock,
        }
    }

    pub(crate) fn reader(&self) -> Arc<Reader> {
        Arc::new(Reader {
            account: self.account,
            watch: Some(self.watch),
            network: NetworkKind::X,
            filters: self.filters.clone(),
            dedup: self.dedup,
            sharing: self.sharing,
            sends: true,
        })
    }

    /// A post of now, tagged, by this author.
    pub(crate) fn post(&self, id: &str, author: &str, text: &str) -> Post {
        Post {
            network: NetworkKind::X,
            remote_id: RemoteId::new(id),
            author: Some(Author::from_handle(author)),
            text: format!("{text} #{TAG}"),
            lang: Some("en".to_owned()),
            created_at: self.clock.now(),
            repost_of: None,
            provenance: Provenance::Watch,
            facts: Facts { hashtags: vec![Hashtag::new(TAG)], ..Facts::default() },
        }
    }

    /// Takes a page in, or says why not.
    pub(crate) async fn try_page(&self, posts: Vec<Post>, bad: Vec<BadElement>) -> Result<Vec<Decision>, StoreError> {
        let now = self.clock.now();
        let arrivals = posts.into_iter().map(|post| Arrival::new(post, now)).collect();
        let batch = Arc::new(Batch { arrivals, bad, cursor: None });
        intake::take_in(&self.store, self.reader(), batch, now).await
    }

    /// Takes a page in.
    pub(crate) async fn page(&self, posts: Vec<Post>) -> Vec<Decision> {
        self.try_page(posts, Vec::new()).await.unwrap()
    }

    /// Lets time pass, and ends the holds that are over.
    pub(crate) async fn pass(&self, seconds: u64) {
        self.clock.advance_to(self.clock.now().plus(Duration::from_secs(seconds)));
        standing::end_holds(&self.store, self.reader(), self.clock.now()).await.unwrap();
    }

    /// The account's sender, under a name of its own.
    pub(crate) fn relay(&self, owner: &str) -> Arc<Relay<L>> {
        Arc::new(Relay {
            store: self.store.clone(),
            network: self.network.clone(),
            account: self.account,
            name: self.name.into(),
            filters: Arc::new(self.filters.clone()),
            pace: self.pace.clone(),
            owner: owner.into(),
            lease: Duration::from_secs(180),
            timing: Timing::new(self.clock.clone(), 1.0, CancellationToken::new()),
            observer: Arc::new(|_| {}),
            quiet_until: QuietUntil::default(),
        })
    }

    /// Sends everything that is due, and returns what was sent since the beginning.
    pub(crate) async fn send(&self) -> Vec<String> {
        let relay = self.relay("sender");
        while relay.step().await.unwrap() == Step::Worked {}
        self.network.sent()
    }

    /// Each post's action and rule.
    pub(crate) async fn verdicts(&self) -> BTreeMap<String, String> {
        archive::verdicts(&self.store, self.name).await
    }

    /// One post's action and rule.
    pub(crate) async fn verdict(&self, id: &str) -> String {
        self.verdicts().await.remove(id).unwrap_or_else(|| "none".to_owned())
    }

    pub(crate) async fn outbox(&self) -> Vec<Row> {
        self.store.read("look", archive::outbox).await.unwrap()
    }
}

/// A network that answers reposts as it is told; without being told, they succeed.
#[derive(Default)]
pub(crate) struct Directed {
    answers: Mutex<VecDeque<Result<RepostOutcome, NetworkError>>>,
    sent: Mutex<Vec<String>>,
}

impl Directed {
    /// The next repost is answered so.
    pub(crate) fn answer(&self, answer: Result<RepostOutcome, NetworkError>) {
        self.answers.lock().unwrap().push_back(answer);
    }

    /// Every post that was to be reposted, in order.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }
}

#[async_trait]
impl Network for Directed {
    fn kind(&self) -> NetworkKind {
        NetworkKind::X
    }

    async fn identity(&self) -> Result<Identity, NetworkError> {
        Ok(Identity { remote_id: RemoteId::new("us"), handle: "us".to_owned() })
    }

    async fn fetch(&self, _: &FetchRequest) -> Result<Page, NetworkError> {
        Ok(Page::default())
    }

    async fn find_original(&self, _: &OriginalQuery) -> Result<Page, NetworkError> {
        Ok(Page::default())
    }

    async fn repost(&self, order: &RepostOrder) -> Result<RepostOutcome, NetworkError> {
        self.sent.lock().unwrap().push(order.post.to_string());
        self.answers.lock().unwrap().pop_front().unwrap_or(Ok(RepostOutcome::Done(None)))
    }
}

/// A time long before anything.
pub(crate) const LONG_AGO: TimeMs = TimeMs(1_700_000_000_000);
