//! The built-in network: an evening of posts embedded in the binary, played against a clock.
//!
//! It behaves as a real network does, in memory: a search that returns the newest pages first and matches loosely
//! (`#openskynot` answers a search for `#opensky`, so the pipeline's own check of the hashtag is exercised), a few posts
//! that the search never returns but their author's timeline does, and reposts that run into a deleted post, a rate
//! limit and a lost answer.
//!
//! Time is the timeline's own: it starts at [`TIMELINE_START`], a constant, so that a second run over the same database
//! meets the same posts again; [`RehearsalClock`] plays it faster than life.
//!
//! `timeline.jsonl` holds one [`Entry`] a line, oldest first; `authors.json` maps handles to display names.

mod adapter;
mod clock;
mod effects;
mod entry;
mod lookup;
mod paging;
mod timeline;

#[cfg(test)]
mod timeline_tests;

pub use adapter::{ACCOUNT_HANDLE, HASHTAG, PAGE_POSTS, Rehearsal};
pub use clock::{Pace, PaceError, RehearsalClock, TIMELINE_START};
pub use effects::RATE_LIMIT;
pub use entry::{Entry, Expectation, Fault, Form, Scene};
pub use timeline::{Timeline, TimelineError};
