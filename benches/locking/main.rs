//! The comparison of locking strategies: what each does when many tasks of many processes write to one SQLite file.
//!
//! `cargo bench --bench locking -- --help` tells what can be chosen. `docs/locking.md` tells what came of it.

mod axis;
mod cells;
mod driver;
mod intake;
mod latencies;
mod machine;
mod on_store;
mod options;
mod peers;
mod picture;
mod plain_pool;
mod protocol;
mod reach;
mod statistics;
mod subject;
mod table;
mod tables;
mod verification;
mod worker;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use self::{driver::Outcome, machine::Machine, options::Options};

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    if let Some(order) = &options.worker {
        worker::run(order)?;
        return Ok(ExitCode::SUCCESS);
    }
    let plan = options.plan();
    let machine = Machine::this();
    let folder = tempfile::Builder::new().prefix("locking-").tempdir_in(&options.folder);
    let folder = folder.with_context(|| format!("make a folder in {}", options.folder.display()))?;
    if machine::is_in_memory(folder.path()) {
        eprintln!("Warning: {} lies in memory, where a durable commit costs nothing.", options.folder.display());
    }
    let Outcome { measured, mismatches } = driver::run(&plan, folder.path())?;
    let summaries = measured.summaries();
    let figures = reach::figures(&measured, mismatches.len());
    picture::draw(&summaries, &machine, &options.picture)?;
    if options.json {
        let result = serde_json::json!({
            "machine": machine,
            "rounds": plan.rounds,
            "summaries": summaries,
            "reach": figures,
            "mismatches": mismatches,
        });
        println!("{}", serde_json::to_string_pretty(&result)?);
    } else {
        println!("{}", table::tables(&summaries));
        println!("Medians of {} rounds; failures and retries of all rounds together. {machine}.\n", plan.rounds);
        figures.iter().for_each(|figure| println!("{}", figure.line()));
        println!("\nThe picture: {0}.svg, {0}.png", options.picture.display());
    }
    if mismatches.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("What was acknowledged is not what stands in the file:");
    mismatches.iter().for_each(|mismatch| eprintln!("  {mismatch}"));
    Ok(ExitCode::FAILURE)
}
