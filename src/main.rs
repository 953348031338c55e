//! The binary: parse, run, exit code.

use std::process::ExitCode;

use firsthand::{cli, config::Environment};

fn main() -> ExitCode {
    cli::run(std::env::args_os(), &Environment::of_process()).into()
}
