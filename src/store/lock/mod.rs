//! SQLite has one writer. Two strategies to live with that, behind one small trait.
//!
//! - [`TimeoutRetry`]: one pooled connection; wait, and retry the whole transaction.
//! - [`SingleWriter`]: one task owns the writing connection; everybody else sends it jobs.
//!
//! Both are always compiled. The feature `single-writer` only chooses [`DefaultLock`]. `docs/locking.md` tells how they
//! came about, and what was rejected.

mod job;
mod liveness;
mod metrics;
pub(super) mod patience;
mod politeness;
mod pooled_read;
mod single_writer;
mod timeout_retry;
mod transaction;
mod write_lock;
mod writer_task;

pub use metrics::{Latency, LockMetrics};
pub use single_writer::SingleWriter;
pub use timeout_retry::TimeoutRetry;
pub use write_lock::{JobFuture, WriteLock};

/// The strategy that this build runs on.
#[cfg(not(feature = "single-writer"))]
pub type DefaultLock = TimeoutRetry;

/// The strategy that this build runs on.
#[cfg(feature = "single-writer")]
pub type DefaultLock = SingleWriter;
