//! Recognises second-hand posts, and decides what is reposted.

pub mod decide;
pub mod explain;
pub mod filter;
mod known;
mod policy;
mod recognise;

pub use policy::DedupPolicy;
pub use recognise::{Incoming, Match, Recognition, recognise, store_variants};
