//! Plain data that every layer speaks of. No I/O, no decisions.

mod ids;
mod network_kind;
mod post;
mod time;
mod usage;
mod verdict;

pub use ids::{AccountId, AuthorId, Handle, Hashtag, PostId, RemoteId, ThingId, VariantId, WatchId};
pub use network_kind::{NetworkKind, UnknownNetwork};
pub use post::{Author, BadElement, Facts, Link, Post, Provenance, Reply, Visibility};
pub use time::{Clock, ManualClock, SystemClock, TimeMs};
pub use usage::{Booking, Usage};
pub use verdict::{Action, Rule, Slot, UnknownRule, Verdict};
