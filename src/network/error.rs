//! How a network can fail, sorted by what is to be done about it.

use crate::model::TimeMs;

/// A failed call to a network.
///
/// Bodies are capped and hold no secret; URLs are given as host and path template, never in full.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The network asks us to wait. No request goes out before `retry_at`.
    #[error("rate limited until {retry_at}")]
    RateLimited {
        /// When the limit is lifted.
        retry_at: TimeMs,
    },
    /// It failed for now and left nothing behind: connection refused, 5xx, a page cut off.
    #[error("failed for now: {0}")]
    Transient(String),
    /// The request went out and no answer came: it may or may not have had its effect.
    #[error("no answer, so the outcome is unknown: {0}")]
    Uncertain(String),
    /// The credentials are not accepted. Everything on this account stops until the operator acts.
    #[error("the network refuses the credentials: {0}")]
    Unauthorized(String),
    /// Our account is suspended or locked. Everything on this account stops until the operator acts.
    #[error("our account is suspended or locked: {0}")]
    Suspended(String),
    /// The post is gone.
    #[error("the post is gone: {0}")]
    Gone(String),
    /// The post may not be reposted by us: protected, or we are blocked.
    #[error("the network forbids it: {0}")]
    Forbidden(String),
    /// The network refuses the request, for a reason that is not known here. Waiting will not help.
    #[error("refused with status {status}: {detail}")]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// The answer's body, capped.
        detail: String,
    },
    /// A cap or a budget of ours is reached. No request goes out before `retry_at`.
    #[error("{what} is reached; on again at {retry_at}")]
    Capped {
        /// Which cap, in words.
        what: String,
        /// When there is room again.
        retry_at: TimeMs,
    },
}
