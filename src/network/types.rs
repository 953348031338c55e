//! What every network can do, and the data that goes in and out.

use async_trait::async_trait;

use super::NetworkError;
use crate::model::{BadElement, Handle, Hashtag, NetworkKind, Post, RemoteId, TimeMs};

/// A network's own token for the next page of a chain; opaque.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageToken(pub String);

/// Where reading starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// After this post.
    Post(RemoteId),
    /// At this time: a watch that has read nothing yet.
    Time(TimeMs),
}

/// One page of a watched hashtag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchRequest {
    /// The hashtag.
    pub hashtag: Hashtag,
    /// Where reading starts.
    pub since: Since,
    /// The page within the chain that began at `since`; `None` for the first.
    pub page: Option<PageToken>,
}

/// What a network answered to a [`FetchRequest`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The posts, oldest first. The original of a native repost stands in front of it, as a post of its own with
    /// provenance `embedded`, where the answer held it.
    pub posts: Vec<Post>,
    /// Elements that could not be read; their siblings are in `posts`.
    pub bad: Vec<BadElement>,
    /// The newest id of the page; becomes the cursor once the chain is closed.
    pub newest_id: Option<RemoteId>,
    /// The chain's next (older) page; `None` closes the chain.
    pub next: Option<PageToken>,
    /// How many posts the network charges for this answer.
    pub charged_reads: u32,
}

/// Who we are on a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Our id there.
    pub remote_id: RemoteId,
    /// Our handle there, without `@`.
    pub handle: String,
}

/// A search for the post that a copy credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalQuery {
    /// The credited author.
    pub author: Handle,
    /// The copied text, canonical, possibly cut.
    pub text: String,
}

/// A repost that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepostOrder {
    /// The post to be reposted.
    pub post: RemoteId,
    /// The same for every attempt at this repost, and persisted before the first: what a network needs to recognise a
    /// repeated call (a record key, say).
    pub key: String,
    /// When the order was first made, persisted before the first attempt.
    pub created_at: TimeMs,
}

/// What became of a repost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepostOutcome {
    /// It is there now, with its own id where the network gives one.
    Done(Option<RemoteId>),
    /// It was there before.
    AlreadyThere,
}

/// A network: reading a hashtag, and reposting.
///
/// Every method may be called again with the same arguments: reposting twice leaves one repost.
#[async_trait]
pub trait Network: Send + Sync {
    /// Which network this is.
    fn kind(&self) -> NetworkKind;

    /// Asks the network who we are; proves the credentials.
    ///
    /// # Errors
    /// Any [`NetworkError`]; [`NetworkError::Unauthorized`] if the credentials are not accepted.
    async fn identity(&self) -> Result<Identity, NetworkError>;

    /// Reads one page of a hashtag.
    ///
    /// # Errors
    /// Any [`NetworkError`]. An element that does not parse is no error: see [`Page::bad`].
    async fn fetch(&self, request: &FetchRequest) -> Result<Page, NetworkError>;

    /// Looks for the post that a copy credits. Finding nothing is an empty page.
    ///
    /// # Errors
    /// Any [`NetworkError`].
    async fn find_original(&self, query: &OriginalQuery) -> Result<Page, NetworkError>;

    /// Reposts; safe to repeat.
    ///
    /// # Errors
    /// Any [`NetworkError`]; [`NetworkError::Uncertain`] if the request went out and its answer was lost.
    async fn repost(&self, order: &RepostOrder) -> Result<RepostOutcome, NetworkError>;
}

#[async_trait]
impl<N: Network + ?Sized> Network for std::sync::Arc<N> {
    fn kind(&self) -> NetworkKind {
        (**self).kind()
    }

    async fn identity(&self) -> Result<Identity, NetworkError> {
        (**self).identity().await
    }

    async fn fetch(&self, request: &FetchRequest) -> Result<Page, NetworkError> {
        (**self).fetch(request).await
    }

    async fn find_original(&self, query: &OriginalQuery) -> Result<Page, NetworkError> {
        (**self).find_original(query).await
    }

    async fn repost(&self, order: &RepostOrder) -> Result<RepostOutcome, NetworkError> {
        (**self).repost(order).await
    }
}
