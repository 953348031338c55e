//! The timeline as a [`Network`].

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;

use super::{
    clock::Pace,
    effects::Effects,
    lookup::Wanted,
    paging::ChainPosition,
    timeline::{Timeline, TimelineError, is_by, posted_at},
};
use crate::{
    model::{Clock, Hashtag, NetworkKind, Post, Provenance, RemoteId, TimeMs},
    network::{FetchRequest, Identity, Network, NetworkError, OriginalQuery, Page, RepostOrder, RepostOutcome, Since},
};

/// The hashtag that the rehearsal is about, without `#`.
pub const HASHTAG: &str = "opensky";

/// The bot's own handle on the rehearsal network.
pub const ACCOUNT_HANDLE: &str = "firsthand_rehearsal";

/// How many posts a page holds at most, embedded originals not counted. Small, so that a burst makes several pages.
pub const PAGE_POSTS: usize = 25;

/// The rehearsal network: a timeline that becomes visible as time passes.
#[derive(Debug)]
pub struct Rehearsal {
    timeline: Timeline,
    /// When the timeline began.
    started_at: TimeMs,
    /// How fast the clock goes, to answer in real time how long to wait.
    pace: Pace,
    /// Tells timeline time.
    clock: Arc<dyn Clock>,
    /// The reposts made.
    effects: Effects,
    /// When the last closed page chain of [`HASHTAG`] began, in milliseconds: everything up to then has been fetched.
    fetched_until_ms: AtomicI64,
}

impl Rehearsal {
    /// The embedded timeline, beginning at `started_at` (usually [`TIMELINE_START`](super::TIMELINE_START)). `clock`
    /// tells timeline time and goes at `pace` (usually a [`RehearsalClock`](super::RehearsalClock)).
    ///
    /// # Errors
    /// As [`Timeline::embedded`].
    pub fn new(started_at: TimeMs, pace: Pace, clock: Arc<dyn Clock>) -> Result<Self, TimelineError> {
        Ok(Self {
            timeline: Timeline::embedded()?,
            started_at,
            pace,
            clock,
            effects: Effects::default(),
            fetched_until_ms: AtomicI64::new(i64::MIN),
        })
    }

    /// The timeline, with what its author expects of each post.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// How many posts a search for [`HASHTAG`] returns over the whole timeline, embedded originals not counted.
    pub fn total(&self) -> usize {
        (0..self.timeline.entries().len()).filter(|place| self.answers(*place, &Hashtag::new(HASHTAG))).count()
    }

    /// When the last post of the timeline becomes visible, in timeline time.
    pub fn ends_at(&self) -> TimeMs {
        self.timeline.entries().last().map_or(self.started_at, |last| posted_at(last, self.started_at))
    }

    /// Whether every post has become visible and has been fetched. Holds may still wait for the end of their grace.
    pub fn finished(&self) -> bool {
        self.next_due().is_none()
    }

    /// When the next post that has not been fetched becomes (or became) visible, in timeline time; `None` once all have
    /// been fetched.
    pub fn next_due(&self) -> Option<TimeMs> {
        let hashtag = Hashtag::new(HASHTAG);
        let fetched_until = TimeMs(self.fetched_until_ms.load(Ordering::SeqCst));
        let waiting = (0..self.timeline.entries().len()).filter(|place| self.answers(*place, &hashtag));
        waiting.map_while(|place| Some(self.posted_at(place))).find(|posted_at| *posted_at > fetched_until)
    }

    /// How much real time passes until a fetch brings something new; `None` once all have been fetched.
    pub fn next_due_in(&self) -> Option<Duration> {
        self.next_due().map(|due| self.pace.real(due.since(self.clock.now())))
    }

    /// How often each post has been reposted so far.
    pub fn effects(&self) -> HashMap<RemoteId, u32> {
        self.effects.counts()
    }

    fn posted_at(&self, place: usize) -> TimeMs {
        posted_at(&self.timeline.entries()[place], self.started_at)
    }

    /// How many entries are visible at `now`.
    fn visible(&self, now: TimeMs) -> usize {
        self.timeline.entries().partition_point(|entry| posted_at(entry, self.started_at) <= now)
    }

    /// Whether a search for `hashtag` returns the entry at `place`: loosely, by the beginning of the tag, as the search of
    /// real networks does.
    fn answers(&self, place: usize, hashtag: &Hashtag) -> bool {
        !self.timeline.entries()[place].unindexed
            && self.timeline.hashtags(place).iter().any(|tag| tag.as_str().starts_with(hashtag.as_str()))
    }

    /// The first place after `since`. A post that is not visible yet was seen in an earlier run, and an unknown one in an
    /// earlier version: then the search starts from the beginning.
    fn first_after(&self, since: &Since, visible: usize) -> usize {
        match since {
            Since::Post(id) => self.timeline.place(id).filter(|place| *place < visible).map_or(0, |place| place + 1),
            Since::Time(time) => {
                self.timeline.entries().partition_point(|entry| posted_at(entry, self.started_at) < *time)
            }
        }
    }

    /// The entries at `places` as posts, each native repost with its original in front, unless that stands in the page.
    fn posts(&self, places: &[usize]) -> Vec<Post> {
        let mut posts: Vec<Post> = Vec::with_capacity(places.len());
        for &place in places {
            let original = self.timeline.entries()[place].repost_of.as_ref();
            if let Some(original) = original.filter(|id| posts.iter().all(|post| post.remote_id != **id)) {
                let embedded = self.timeline.place(original);
                posts.extend(embedded.map(|at| self.timeline.post(at, self.started_at, Provenance::Embedded)));
            }
            posts.push(self.timeline.post(place, self.started_at, Provenance::Watch));
        }
        posts
    }
}

#[async_trait]
impl Network for Rehearsal {
    fn kind(&self) -> NetworkKind {
        NetworkKind::Rehearsal
    }

    async fn identity(&self) -> Result<Identity, NetworkError> {
        Ok(Identity { remote_id: RemoteId::new(ACCOUNT_HANDLE), handle: ACCOUNT_HANDLE.to_owned() })
    }

    async fn fetch(&self, request: &FetchRequest) -> Result<Page, NetworkError> {
        let now = self.clock.now();
        let position = match &request.page {
            None => ChainPosition { below: self.visible(now), began: now },
            Some(token) => ChainPosition::read(token).ok_or_else(|| NetworkError::Rejected {
                status: 400,
                detail: "the page token is not one of ours".to_owned(),
            })?,
        };
        // A chain shows what was visible when it began, so posts that come meanwhile do not shift its pages.
        let visible = self.visible(position.began.min(now));
        let places: Vec<usize> = (self.first_after(&request.since, visible)..position.below.min(visible))
            .filter(|place| self.answers(*place, &request.hashtag))
            .collect();
        let cut = places.len().saturating_sub(PAGE_POSTS);
        let next = (cut > 0).then(|| ChainPosition { below: places[cut], began: position.began }.token());
        if next.is_none() && request.hashtag == Hashtag::new(HASHTAG) {
            self.fetched_until_ms.fetch_max(position.began.min(now).0, Ordering::SeqCst);
        }
        let places = &places[cut..];
        let newest_id = places.last().map(|place| self.timeline.entries()[*place].id.clone());
        Ok(Page { posts: self.posts(places), bad: Vec::new(), newest_id, next, charged_reads: 0 })
    }

    async fn find_original(&self, query: &OriginalQuery) -> Result<Page, NetworkError> {
        let wanted = Wanted::new(&query.text);
        let visible = &self.timeline.entries()[..self.visible(self.clock.now())];
        let found = visible.iter().enumerate().filter(|(_, entry)| {
            entry.repost_of.is_none() && is_by(entry, &query.author) && wanted.is_like(&entry.text)
        });
        let posts = found.map(|(place, _)| self.timeline.post(place, self.started_at, Provenance::Lookup)).collect();
        Ok(Page { posts, ..Page::default() })
    }

    async fn repost(&self, order: &RepostOrder) -> Result<RepostOutcome, NetworkError> {
        let now = self.clock.now();
        match self.timeline.entry(&order.post).filter(|entry| posted_at(entry, self.started_at) <= now) {
            Some(entry) => self.effects.repost(entry, now),
            None => Err(NetworkError::Gone(format!("no post {}", order.post))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::{
        model::{Handle, ManualClock},
        network::rehearsal::{Scene, TIMELINE_START},
    };

    fn rehearsal() -> (Arc<ManualClock>, Rehearsal) {
        let clock = Arc::new(ManualClock::new(TIMELINE_START));
        let network = Rehearsal::new(TIMELINE_START, Pace::default(), clock.clone()).unwrap();
        (clock, network)
    }

    fn search(since: Since) -> FetchRequest {
        FetchRequest { hashtag: Hashtag::new(HASHTAG), since, page: None }
    }

    /// The pages of one chain, newest first.
    async fn chain(network: &Rehearsal, since: Since) -> Vec<Page> {
        let mut request = search(since);
        let mut pages = Vec::new();
        loop {
            let page = network.fetch(&request).await.unwrap();
            request.page = page.next.clone();
            pages.push(page);
            if request.page.is_none() {
                return pages;
            }
        }
    }

    fn watched(pages: &[Page]) -> Vec<Post> {
        pages.iter().flat_map(|page| &page.posts).filter(|p| p.provenance == Provenance::Watch).cloned().collect()
    }

    fn order(post: &RemoteId) -> RepostOrder {
        RepostOrder { post: post.clone(), key: "key".to_owned(), created_at: TIMELINE_START }
    }

    #[tokio::test]
    async fn one_chain_over_everything_returns_each_post_once_in_pages_of_ascending_time() {
        let (clock, network) = rehearsal();
        clock.advance_to(network.ends_at());
        let pages = chain(&network, Since::Time(TIMELINE_START)).await;
        assert_eq!(pages.len(), network.total().div_ceil(PAGE_POSTS));
        for page in &pages {
            let posts = watched(std::slice::from_ref(page));
            assert!(posts.is_sorted_by_key(|post| post.created_at));
            assert_eq!(page.newest_id.as_ref(), posts.last().map(|post| &post.remote_id));
        }
        let posts = watched(&pages);
        let ids: HashSet<&RemoteId> = posts.iter().map(|post| &post.remote_id).collect();
        assert_eq!((posts.len(), ids.len()), (network.total(), network.total()));
        assert!(network.finished());
    }

    #[tokio::test]
    async fn looking_whenever_something_is_due_returns_each_post_once() {
        let (clock, network) = rehearsal();
        let mut since = Since::Time(TIMELINE_START);
        let mut ids = Vec::new();
        while let Some(due) = network.next_due() {
            assert!(due > clock.now(), "a post that is due was not fetched");
            clock.advance_to(due.plus(Duration::from_secs(100)));
            let pages = chain(&network, since.clone()).await;
            ids.extend(watched(&pages).into_iter().map(|post| post.remote_id));
            if let Some(newest) = &pages[0].newest_id {
                since = Since::Post(newest.clone());
            }
        }
        assert_eq!(ids.len(), network.total());
        assert!(ids.is_sorted_by(|a, b| a.cmp_numeric(b).is_lt()));
        assert_eq!(network.next_due_in(), None);
    }

    #[tokio::test]
    async fn posts_that_come_during_a_chain_do_not_shift_its_pages() {
        let (clock, network) = rehearsal();
        clock.advance_to(TIMELINE_START.plus(Duration::from_secs(3 * 3600)));
        let whole = chain(&network, Since::Time(TIMELINE_START)).await;
        let first = search(Since::Time(TIMELINE_START));
        let page = network.fetch(&first).await.unwrap();
        clock.advance_to(network.ends_at());
        let second = network.fetch(&FetchRequest { page: page.next.clone(), ..first }).await.unwrap();
        assert_eq!([&page, &second], [&whole[0], &whole[1]]);
        assert!(!network.finished());
    }

    #[tokio::test]
    async fn nothing_is_visible_before_its_time_and_waiting_is_counted_in_real_time() {
        let (clock, network) = rehearsal();
        assert!(watched(&chain(&network, Since::Time(TIMELINE_START)).await).is_empty());
        let first = network.next_due().unwrap();
        assert_eq!(network.next_due_in(), Some(Pace::default().real(first.since(TIMELINE_START))));
        let unborn = &network.timeline().entries()[0].id;
        assert!(matches!(network.repost(&order(unborn)).await, Err(NetworkError::Gone(_))));
        clock.advance_to(first);
        assert_eq!(network.next_due_in(), Some(Duration::ZERO));
        assert_eq!(watched(&chain(&network, Since::Time(TIMELINE_START)).await).len(), 1);
    }

    #[tokio::test]
    async fn a_cursor_of_an_earlier_run_starts_from_the_beginning() {
        let (clock, network) = rehearsal();
        let last = network.timeline().entries().last().unwrap().id.clone();
        clock.advance_to(network.next_due().unwrap());
        assert_eq!(watched(&chain(&network, Since::Post(last.clone())).await).len(), 1);
        clock.advance_to(network.ends_at());
        assert!(watched(&chain(&network, Since::Post(last)).await).is_empty());
        assert!(!watched(&chain(&network, Since::Post(RemoteId::new("no such post"))).await).is_empty());
    }

    #[tokio::test]
    async fn every_native_repost_has_its_original_in_front_of_it() {
        let (clock, network) = rehearsal();
        clock.advance_to(network.ends_at());
        let mut reposts = 0;
        for page in chain(&network, Since::Time(TIMELINE_START)).await {
            for (at, post) in page.posts.iter().enumerate() {
                let Some(original) = &post.repost_of else { continue };
                assert!(page.posts[..at].iter().any(|other| other.remote_id == *original), "{original}");
                reposts += 1;
            }
        }
        assert!(reposts > 10);
    }

    #[tokio::test]
    async fn the_search_is_loose_but_the_hashtags_are_those_of_the_text() {
        let (clock, network) = rehearsal();
        clock.advance_to(network.ends_at());
        let posts = watched(&chain(&network, Since::Time(TIMELINE_START)).await);
        let (tagged, other): (Vec<&Post>, Vec<&Post>) =
            posts.iter().partition(|post| post.facts.hashtags.contains(&Hashtag::new(HASHTAG)));
        assert!(tagged.iter().any(|post| post.text.contains("＃ＯｐｅｎＳｋｙ")));
        assert!(other.iter().all(|post| post.facts.hashtags == [Hashtag::new("openskynot")]));
        assert!(other.len() >= 2);
    }

    #[tokio::test]
    async fn originals_that_the_search_never_returns_are_found_by_their_author_and_text() {
        let (clock, network) = rehearsal();
        clock.advance_to(network.ends_at());
        let searched = watched(&chain(&network, Since::Time(TIMELINE_START)).await);
        let scenes = [Scene::HiddenOriginal, Scene::UntaggedOriginal];
        let copies =
            network.timeline().entries().iter().filter(|entry| entry.scene.is_some_and(|s| scenes.contains(&s)));
        let mut found = 0;
        for original in copies.filter_map(|copy| network.timeline().entry(copy.expect.same_as.as_ref()?)) {
            assert!(searched.iter().all(|post| post.remote_id != original.id));
            let cut: String = original.text.to_lowercase().chars().take(60).collect();
            let mut query = OriginalQuery { author: Handle::new(&original.author), text: cut };
            let page = network.find_original(&query).await.unwrap();
            assert!(page.posts.iter().any(|p| p.remote_id == original.id && p.provenance == Provenance::Lookup));
            query.author = Handle::new("nobody_here");
            assert!(network.find_original(&query).await.unwrap().posts.is_empty());
            found += 1;
        }
        assert_eq!(found, 4);
    }

    #[tokio::test]
    async fn an_original_is_not_found_before_it_is_posted() {
        let (clock, network) = rehearsal();
        let early = network.timeline().entries().iter().find(|e| e.scene == Some(Scene::EarlyWithinGrace)).unwrap();
        let original = network.timeline().entry(early.expect.same_as.as_ref().unwrap()).unwrap();
        let query = OriginalQuery { author: Handle::new(&original.author), text: original.text.clone() };
        clock.advance_to(posted_at(early, TIMELINE_START));
        assert!(network.find_original(&query).await.unwrap().posts.is_empty());
        clock.advance_to(posted_at(original, TIMELINE_START));
        assert_eq!(network.find_original(&query).await.unwrap().posts[0].remote_id, original.id);
    }

    #[tokio::test]
    async fn reposting_twice_leaves_one_repost() {
        let (clock, network) = rehearsal();
        clock.advance_to(network.ends_at());
        let post = network.timeline().entries()[0].id.clone();
        let done = network.repost(&order(&post)).await.unwrap();
        assert!(matches!(done, RepostOutcome::Done(Some(id)) if id != post));
        assert_eq!(network.repost(&order(&post)).await.unwrap(), RepostOutcome::AlreadyThere);
        assert_eq!(network.effects(), HashMap::from([(post, 1)]));
    }
}
