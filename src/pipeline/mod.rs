//! The bot's work: pages come in, decisions fall, reposts go out.

pub mod batch;
pub mod daemon;
pub mod decision;
pub mod event;
pub mod intake;
pub mod ledger;
pub mod relay;
pub mod replay;
pub mod standing;
pub mod timing;
pub mod watcher;
