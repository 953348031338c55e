//! What every adapter must do, written once and run on each.
//!
//! An adapter takes part with a [`Harness`]: a network with known content, faults that can be called up, and a look at
//! the effects. The cases know nothing of the network behind.

use std::sync::Arc;

use firsthand::{
    model::{Hashtag, Provenance, RemoteId, TimeMs},
    network::{FetchRequest, Identity, Network, NetworkError, OriginalQuery, Page, RepostOrder, RepostOutcome, Since},
};

/// A network with known content, under a test's control.
pub(crate) trait Harness: Sized {
    /// The adapter that is tested.
    type Adapter: Network;

    /// Starts a network with its content: at least two full pages of [`Self::hashtag`] and one post more.
    async fn start() -> Self;

    /// An adapter without any memory of earlier ones (as after a restart), on the same network.
    fn adapter(&self) -> Self::Adapter;

    /// Who we are there.
    fn identity(&self) -> Identity;

    /// The hashtag that is read.
    fn hashtag(&self) -> Hashtag;

    /// Before the first post.
    fn beginning(&self) -> TimeMs;

    /// Every post that a search for the hashtag returns, oldest first; also those of [`Self::decoys`].
    fn searchable(&self) -> Vec<RemoteId>;

    /// Posts that the search returns although the hashtag does not stand in them. At least one.
    fn decoys(&self) -> Vec<RemoteId>;

    /// A post that can be reposted.
    fn plain(&self) -> RemoteId;

    /// A post that was searchable and is gone now.
    fn gone(&self) -> RemoteId;

    /// How an original can be looked for, and which post it is.
    fn findable(&self) -> (OriginalQuery, RemoteId);

    /// How often a post was reposted.
    fn effects(&self, post: &RemoteId) -> usize;

    /// Makes the first try to repost the returned post lose its answer after it had its effect.
    fn lose_an_answer(&self) -> RemoteId;

    /// The ways in which the network says "too many requests".
    fn limit_dialects(&self) -> usize;

    /// Makes the first try to repost the returned post meet a limit, said in one of the ways.
    fn limit(&self, dialect: usize) -> RemoteId;

    /// Lets time pass until `time`, and ends the limit.
    fn pass_until(&self, time: TimeMs);

    /// The time that the adapter sees.
    fn now(&self) -> TimeMs;

    /// Puts an element that cannot be read among the posts. `false` if this network cannot have one.
    fn add_unreadable(&self) -> bool;
}

fn request<H: Harness>(harness: &H) -> FetchRequest {
    FetchRequest { hashtag: harness.hashtag(), since: Since::Time(harness.beginning()), page: None }
}

fn order(post: &RemoteId) -> RepostOrder {
    RepostOrder { post: post.clone(), key: format!("key-{post}"), created_at: TimeMs(1) }
}

/// Reads a chain to its end, page by page, each with the adapter that `next` gives.
async fn chain<N: Network>(mut request: FetchRequest, next: impl Fn() -> Arc<N>) -> Vec<Page> {
    let mut pages = Vec::new();
    loop {
        let page = next().fetch(&request).await.unwrap();
        request.page.clone_from(&page.next);
        pages.push(page);
        assert!(pages.len() < 1000, "the chain never ends");
        if request.page.is_none() {
            return pages;
        }
    }
}

/// The ids that a search returned, oldest first over the whole chain.
fn ids(pages: &[Page]) -> Vec<RemoteId> {
    let posts = pages.iter().rev().flat_map(|page| &page.posts);
    posts.filter(|post| post.provenance == Provenance::Watch).map(|post| post.remote_id.clone()).collect()
}

/// The identity is ours, however often it is asked for.
pub(crate) async fn identity_is_ours<H: Harness>() {
    let harness = H::start().await;
    let adapter = Arc::new(harness.adapter());
    assert_eq!(adapter.identity().await.unwrap(), harness.identity());
    assert_eq!(adapter.identity().await.unwrap(), harness.identity());
}

/// A chain brings every post once, in order, over the boundaries of its pages.
pub(crate) async fn a_chain_brings_every_post_once_in_order<H: Harness>() {
    let harness = H::start().await;
    let adapter = Arc::new(harness.adapter());
    let pages = chain(request(&harness), || adapter.clone()).await;
    assert!(pages.len() > 2, "the network must have more than two pages, not {}", pages.len());
    assert_eq!(ids(&pages), harness.searchable());
    for page in &pages {
        assert!(page.posts.iter().all(|post| post.created_at >= harness.beginning()));
    }
    assert_eq!(pages[0].newest_id.as_ref(), harness.searchable().last(), "page one tells the cursor");
}

/// A chain goes on with its token after a restart.
pub(crate) async fn a_chain_goes_on_after_a_restart<H: Harness>() {
    let harness = H::start().await;
    let pages = chain(request(&harness), || Arc::new(harness.adapter())).await;
    assert_eq!(ids(&pages), harness.searchable());
}

/// Reading from the newest post on brings nothing new, and the cursor does not go back.
pub(crate) async fn nothing_new_brings_nothing_new<H: Harness>() {
    let harness = H::start().await;
    let adapter = Arc::new(harness.adapter());
    let all = harness.searchable();
    let newest = all.last().unwrap().clone();
    let since = Since::Post(newest.clone());
    let pages = chain(FetchRequest { since, ..request(&harness) }, || adapter.clone()).await;
    assert!(ids(&pages).iter().all(|id| all.contains(id)));
    assert!(
        pages[0].newest_id.as_ref().is_none_or(|id| *id == newest),
        "the cursor went back: {:?}",
        pages[0].newest_id
    );
}

/// Reading from some post on brings everything that is newer.
pub(crate) async fn a_cursor_leaves_nothing_out<H: Harness>() {
    let harness = H::start().await;
    let adapter = Arc::new(harness.adapter());
    let all = harness.searchable();
    let from = all.len() / 3;
    let since = Since::Post(all[from].clone());
    let read = ids(&chain(FetchRequest { since, ..request(&harness) }, || adapter.clone()).await);
    assert!(read.ends_with(&all[from + 1..]), "{read:?}");
}

/// The hashtag is verified in each post.
pub(crate) async fn a_hashtag_is_really_verified<H: Harness>() {
    let harness = H::start().await;
    let adapter = Arc::new(harness.adapter());
    let (decoys, tag) = (harness.decoys(), harness.hashtag());
    assert!(!decoys.is_empty());
    for post in chain(request(&harness), || adapter.clone()).await.iter().flat_map(|page| &page.posts) {
        if post.provenance == Provenance::Watch {
            let decoy = decoys.contains(&post.remote_id);
            assert_eq!(post.facts.hashtags.contains(&tag), !decoy, "{:?}", post.text);
        }
    }
}

/// An element that cannot be read is kept, and takes no sibling with it.
pub(crate) async fn an_unreadable_element_keeps_its_siblings<H: Harness>() {
    let harness = H::start().await;
    let can_have_one = harness.add_unreadable();
    let adapter = Arc::new(harness.adapter());
    let pages = chain(request(&harness), || adapter.clone()).await;
    assert_eq!(ids(&pages), harness.searchable());
    let bad: Vec<_> = pages.iter().flat_map(|page| &page.bad).collect();
    assert_eq!(!bad.is_empty(), can_have_one);
    assert!(bad.iter().all(|bad| !bad.raw.is_empty() && !bad.reason.is_empty()));
}

/// An original is found by its author and some of its words, and nothing is found for another author.
pub(crate) async fn an_original_is_found<H: Harness>() {
    let harness = H::start().await;
    let (query, original) = harness.findable();
    let page = harness.adapter().find_original(&query).await.unwrap();
    let found = page.posts.iter().find(|post| post.remote_id == original).unwrap();
    assert_eq!(found.provenance, Provenance::Lookup);
    assert_eq!(found.author.as_ref().unwrap().folded_handle(), query.author);
    let other = OriginalQuery { author: "nobody_at_all".to_owned().into(), ..query };
    assert_eq!(harness.adapter().find_original(&other).await.unwrap().posts, []);
}

/// Reposting twice leaves one repost.
pub(crate) async fn reposting_twice_leaves_one_effect<H: Harness>() {
    let harness = H::start().await;
    let post = harness.plain();
    assert!(matches!(harness.adapter().repost(&order(&post)).await, Ok(RepostOutcome::Done(_))));
    let again = harness.adapter().repost(&order(&post)).await;
    assert!(again.is_ok(), "{again:?}");
    assert_eq!(harness.effects(&post), 1);
}

/// Reposting what is gone says so, each time.
pub(crate) async fn what_is_gone_is_said_to_be_gone<H: Harness>() {
    let harness = H::start().await;
    let post = harness.gone();
    for _ in 0..2 {
        let result = harness.adapter().repost(&order(&post)).await;
        assert!(matches!(result, Err(NetworkError::Gone(_))), "{result:?}");
    }
    assert_eq!(harness.effects(&post), 0);
}

/// A lost answer is said to be uncertain, and repeating the call leaves one repost.
pub(crate) async fn a_lost_answer_and_its_repetition_leave_one_effect<H: Harness>() {
    let harness = H::start().await;
    let adapter = Arc::new(harness.adapter());
    let post = harness.lose_an_answer();
    let lost = adapter.repost(&order(&post)).await;
    assert!(matches!(lost, Err(NetworkError::Uncertain(_))), "{lost:?}");
    let again = adapter.repost(&order(&post)).await;
    assert!(again.is_ok(), "{again:?}");
    assert_eq!(harness.effects(&post), 1);
}

/// A limit, in whichever way it is said, names a later time, leaves no effect, and ends then.
pub(crate) async fn a_limit_names_its_end<H: Harness>() {
    for dialect in 0..H::start().await.limit_dialects() {
        let harness = H::start().await;
        let adapter = Arc::new(harness.adapter());
        let post = harness.limit(dialect);
        let limited = adapter.repost(&order(&post)).await;
        let Err(NetworkError::RateLimited { retry_at }) = limited else { panic!("{dialect}: {limited:?}") };
        assert!(retry_at > harness.now(), "{dialect}: {retry_at}");
        assert_eq!(harness.effects(&post), 0);
        harness.pass_until(retry_at);
        let later = adapter.repost(&order(&post)).await;
        assert!(later.is_ok(), "{dialect}: {later:?}");
        assert_eq!(harness.effects(&post), 1);
    }
}

/// Makes a test of each case for one adapter.
macro_rules! conformance {
    ($harness:ty: $($case:ident)*) => {$(
        #[tokio::test]
        async fn $case() {
            $crate::conformance::$case::<$harness>().await;
        }
    )*};
    ($harness:ty) => {
        $crate::conformance::conformance! { $harness:
            identity_is_ours
            a_chain_brings_every_post_once_in_order
            a_chain_goes_on_after_a_restart
            nothing_new_brings_nothing_new
            a_cursor_leaves_nothing_out
            a_hashtag_is_really_verified
            an_unreadable_element_keeps_its_siblings
            an_original_is_found
            reposting_twice_leaves_one_effect
            what_is_gone_is_said_to_be_gone
            a_lost_answer_and_its_repetition_leave_one_effect
            a_limit_names_its_end
        }
    };
}
pub(crate) use conformance;
