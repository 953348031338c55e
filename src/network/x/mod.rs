//! X, through its API v2 with OAuth 1.0a user context.
//!
//! Facts are those of docs.x.com and of API specification 2.167, as of August 2026; where the live API is unknown (the
//! new names of fields), both forms are read. Every request is signed by `reqwest-oauth1`, which is right for JSON
//! bodies and for queries, but not for both at once: so no request here has both.

mod adapter;
mod billing;
mod credentials;
mod hashtags;
mod outcome;
mod page;
mod problem;
mod query;
mod wire;

pub use adapter::{SetupError, X, XConfig};
pub use credentials::XCredentials;
pub use query::FieldNames;
