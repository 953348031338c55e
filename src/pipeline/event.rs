//! What the pipeline tells while it runs.

use std::sync::Arc;

use super::decision::Decision;
use crate::model::{Hashtag, PostId, RemoteId, TimeMs};

/// Something that happened, after it was committed.
#[derive(Clone, Debug)]
pub enum Event {
    /// A post was decided about.
    Decided {
        /// The account it was decided for.
        account: Arc<str>,
        /// The decision.
        decision: Box<Decision>,
    },
    /// A row of the outbox came to an end, or will be tried again.
    Sent {
        /// The account that sends.
        account: Arc<str>,
        /// The post.
        sent: Sent,
    },
    /// Nothing is done until a time, for a reason given in words.
    Waiting {
        /// The account that waits.
        account: Arc<str>,
        /// Until when.
        until: TimeMs,
        /// Why.
        reason: String,
    },
    /// The account has stopped until the operator acts.
    Halted {
        /// The account.
        account: Arc<str>,
        /// Why.
        reason: String,
    },
    /// The database can't be written for now; what was read is read again later.
    Degraded {
        /// Why.
        reason: String,
    },
    /// A watch has read everything there is for now.
    CaughtUp {
        /// The account.
        account: Arc<str>,
        /// The hashtag.
        hashtag: Hashtag,
    },
}

/// What became of a repost.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The post.
    pub post: PostId,
    /// Its id on its network.
    pub remote_id: RemoteId,
    /// Its author's handle.
    pub author: Option<String>,
    /// What became of it.
    pub result: SentResult,
    /// The network's answer, or the reason, in words.
    pub detail: String,
}

/// How a repost ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentResult {
    /// It is there.
    Reposted,
    /// It was there before: an earlier attempt had its effect.
    AlreadyThere,
    /// The post is gone.
    Gone,
    /// The network forbids it.
    Refused,
    /// A filter or a cap refuses it now.
    Dropped,
    /// The operator has to look at it.
    Parked,
    /// It will be tried again.
    Again,
    /// Its outcome is unknown; it will be asked for again.
    Uncertain,
}

/// Is told every event. Called outside of transactions; must not block.
pub type Observer = Arc<dyn Fn(Event) + Send + Sync>;
