//! The command line: arguments, exit codes, and one file a command.

pub mod args;
pub mod author;
pub mod check;
pub mod check_network;
pub mod compare;
pub mod console;
mod dispatch;
pub mod duration;
pub mod exit;
pub mod explain;
mod explain_json;
mod explain_pair;
mod explain_words;
pub mod init;
pub mod json;
pub mod migrate;
pub mod open;
mod rehearse;
pub mod replay;
pub mod run;
pub mod screen;
pub mod search;
pub mod setup;
mod side_by_side;
pub mod status;
mod status_json;
pub mod style;

pub use dispatch::{report, run};
pub use exit::Exit;
