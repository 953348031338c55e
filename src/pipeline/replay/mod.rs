//! Replay: posts from files go through the same text, duplicate and archive stages as any other, without an account.
//!
//! It writes posts marked as replayed, and never an outbox row or a cursor. Its clock is the posts' own.

mod lines;
mod run;
mod verdict_log;

pub use lines::{BadLine, LineSource, ReplayInput};
pub use run::{Replay, ReplayError, Replayed};
pub use verdict_log::{VerdictLine, VerdictLog};
