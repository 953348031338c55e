//! The networks behind one small trait, and the behaviour that all of them share.
//!
//! An adapter translates; it decides nothing. Rate limits, caps and retries are wrappers around it, so that no adapter
//! repeats them. From the outside in: [`Retrying`](retry::Retrying) tries again what failed for now,
//! [`Capped`](capped::Capped) refuses before a cap of ours is passed, [`RateLimited`](rate_limit::RateLimited) keeps
//! quiet while the network wants quiet, and the adapter sends.

mod error;
pub mod rehearsal;
mod types;

pub mod http;
pub mod lossy_json;
pub mod server_url;

pub mod capped;
pub mod ledger;
pub mod rate_limit;
pub mod retry;

#[cfg(test)]
mod scripted;

pub mod x;

pub use error::NetworkError;
pub use types::{FetchRequest, Identity, Network, OriginalQuery, Page, PageToken, RepostOrder, RepostOutcome, Since};
