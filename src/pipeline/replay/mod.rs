//! Replay: posts from files go through the same text, duplicate and archive stages as any other, without an account.
//!
//! It writes posts marked as replayed, and never an outbox row or a cursor. Its clock is the posts' own. Two policies
//! are compared by replaying the same posts, from files or from an archive, into two archives.

mod compare;
mod lines;
mod reading;
mod run;
mod verdict_log;

pub use compare::{Compared, Differing, Kind, compare};
pub use lines::{BadLine, LineSource, ReplayInput};
pub use reading::Source;
pub use run::{Policy, Replay, ReplayError, Replayed};
pub use verdict_log::{VerdictLine, VerdictLog};
