//! The whole bot, from the network's pages to its reposts: in this process on a clock of its own, and as the binary.

mod archive;
mod invented;
mod world;

mod claims;
mod filtered_originals;
mod on_x;
mod pages;
mod rules;
mod stage;
