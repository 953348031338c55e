//! firsthand watches hashtags and reposts each thing once, from its first hand.
//!
//! The modules, in the order in which a post meets them from the bottom up; see `ARCHITECTURE.md` for the map.
#![forbid(unsafe_code)]

pub mod escape;
pub mod model;

pub mod config;
pub mod text;

pub mod network;
pub mod store;

pub mod dedup;

pub mod pipeline;

pub mod cli;
pub mod telemetry;
