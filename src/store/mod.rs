//! The database: every line of SQL, behind plain functions.
//!
//! A [`Store`] is opened once and cloned freely. It writes and reads by jobs: closures over a transaction, which may be
//! run again, and so have no effect outside it.

pub mod accounts;
pub mod authors;
pub mod candidates;
pub mod counters;
pub mod lock;
pub mod outbox;
pub mod posts;
pub mod search;
pub mod seen_keys;
pub mod status;
pub mod story;
pub mod story_order;
pub mod story_post;
pub mod things;
pub mod verdicts;

mod backup;
mod connect;
mod error;
mod handle;
mod inspect;
mod instance_lock;
mod migrate;
mod parameter;
mod read_only;

pub use backup::copy_database;
pub use connect::{Location, OpenOptions, Synchronous};
pub use error::{Place, StoreError};
pub use handle::Store;
pub use inspect::schema_version;
pub use instance_lock::InstanceLock;
pub use lock::{DefaultLock, JobFuture, LockMetrics, SingleWriter, TimeoutRetry, WriteLock};
pub use migrate::newest_version;
pub use read_only::ReadOnlyArchive;
pub use seen_keys::SeenKeys;
