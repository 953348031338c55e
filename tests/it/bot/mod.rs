//! The whole bot, from the network's pages to its reposts: in this process on a clock of its own, and as the binary.

mod archive;
mod invented;

mod stage;

mod claims;
mod counted;
mod filtered_originals;
mod forgetting;
mod pages;
mod rules;

mod world;

mod on_x;

mod binary;

mod bad_databases;
mod degraded;
mod killed;
mod nothing_sent;
mod started;
mod two_processes;
