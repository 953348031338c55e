//! What is handed to the intake: posts, their texts already taken apart, and for whom.

use crate::{
    dedup::{DedupPolicy, decide::SharingPolicy, filter::Filters},
    model::{AccountId, BadElement, Handle, NetworkKind, Post, TimeMs, WatchId},
    store::{accounts::Cursor, posts},
    text::{self, Analysis},
};

/// For whom a page is taken in, and by which rules.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The account that decides.
    pub account: AccountId,
    /// The watch that saw the page; `None` for look-ups and replays.
    pub watch: Option<WatchId>,
    /// Where the posts come from.
    pub network: NetworkKind,
    /// Which posts may be reposted.
    pub filters: Filters,
    /// How copies are recognised.
    pub dedup: DedupPolicy,
    /// What is done with copies and their originals.
    pub sharing: SharingPolicy,
    /// Whether a verdict `repost` puts a row into the outbox; a replay says no.
    pub sends: bool,
}

/// A post and when it was seen.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The post.
    pub post: Post,
    /// When it was seen: now, or in a replay when it was posted.
    pub seen_at: TimeMs,
    /// What its text says about itself.
    pub(super) analysis: Analysis,
}

impl Arrival {
    /// Takes a post's text apart.
    pub fn new(post: Post, seen_at: TimeMs) -> Self {
        let author = post.author.as_ref().map(|author| author.folded_handle());
        let analysis = text::analyse(posts::cap(&post.text), author.as_ref());
        Self { post, seen_at, analysis }
    }

    /// Its author's folded handle.
    pub(super) fn author(&self) -> Option<Handle> {
        self.post.author.as_ref().map(|author| author.folded_handle())
    }

    /// Whether it credits somebody else, or is a native repost.
    pub(super) fn is_copy(&self) -> bool {
        self.post.repost_of.is_some() || self.analysis.is_copy()
    }
}

/// A page that is to be taken in.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The posts, in the order in which they are decided about.
    pub arrivals: Vec<Arrival>,
    /// Elements that could not be read.
    pub bad: Vec<BadElement>,
    /// How far the watch has read with this page.
    pub cursor: Option<Cursor>,
}
