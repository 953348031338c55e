//! What a verdict costs as the archive grows: one archive of invented posts, built through the bot's own intake, and
//! measured at each size.
//!
//! `cargo bench --bench growth -- --posts 10000,100000,1000000`; `docs/performance.md` says what the figures mean.

#[path = "../common/generator/mod.rs"]
mod generator;
#[path = "../common/measure.rs"]
mod measure;
#[path = "../common/replayed.rs"]
mod replayed;

mod archive;
mod figures;
mod inspect;
mod start;
mod statements;
mod truth;

use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;

use archive::{Archive, GROWTH_PAGE};
use figures::{AtSize, Report, Spread};
use measure::resident_bytes;
use statements::Statements;

/// Posts in the pages of middling length, about what one page of a network holds.
const SHORT_PAGE: usize = 20;

/// Pages of one post whose statements are listened to.
const TRACED_PAGES: usize = 100;

/// An archive that is this much larger than a size that was asked for still stands for it: an earlier run built it and
/// measured by taking posts in.
const STILL_THAT_SIZE: f64 = 1.05;

/// Builds an archive through the bot's intake and measures what a verdict costs at each size.
#[derive(Debug, Parser)]
struct Args {
    /// The sizes to measure at, in posts.
    #[arg(long, value_delimiter = ',', default_value = "10000,100000")]
    posts: Vec<u64>,
    /// Keeps the archive here; one that is there already, made by the same seed, is gone on with. 10 million posts take
    /// some 7 GB. Without this, a temporary archive.
    #[arg(long)]
    database: Option<PathBuf>,
    /// How many posts are measured in pages of one, and as many again in pages of twenty.
    #[arg(long, default_value_t = 2_000)]
    sample: usize,
    /// Seed of the posts.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The result as JSON.
    #[arg(long)]
    json: bool,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let statements = Statements::listen().context("listen to the statements")?;
    // As the bot runs.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(run(&args, statements))?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}

async fn run(args: &Args, statements: &'static Statements) -> anyhow::Result<Report> {
    let temporary = tempfile::Builder::new().prefix("firsthand-growth-").tempdir()?;
    let path = args.database.clone().unwrap_or_else(|| temporary.path().join("archive.db"));
    let mut sizes = args.posts.clone();
    sizes.sort_unstable();
    let mut archive = Archive::open(&path, args.seed).await?;
    let mut measured = Vec::new();
    for size in sizes {
        if archive.posts() as f64 > size as f64 * STILL_THAT_SIZE {
            eprintln!("passed over: the archive has {} posts already, more than {size}", archive.posts());
            continue;
        }
        measured.push(measure_at(&mut archive, size, args.sample, statements).await?);
    }
    archive.close().await?;
    Ok(Report { machine: measure::machine(), seed: args.seed, sample: args.sample, sizes: measured })
}

/// Builds the archive up to a size, and measures there.
async fn measure_at(
    archive: &mut Archive,
    size: u64,
    sample: usize,
    statements: &Statements,
) -> anyhow::Result<AtSize> {
    let growth = archive.grow_to(size).await?;
    eprintln!("measuring at {} posts", archive.posts());
    let posts = archive.posts();
    let single = archive.take_pages(sample, 1).await?;
    let short = archive.take_pages(sample / SHORT_PAGE, SHORT_PAGE).await?;
    statements.start();
    archive.take_pages(TRACED_PAGES, 1).await?;
    let heard = statements.stop();
    let memory_bytes = resident_bytes();
    let accuracy = archive.accuracy();

    archive.close().await?;
    let database = archive.path();
    let looked = inspect::look(database, &heard, TRACED_PAGES)?;
    let start = start::measure(database).await?;
    archive.reopen().await?;
    Ok(AtSize {
        posts,
        posts_per_second: growth.posts_per_second(),
        single_cpu: Spread::of(single.iter().map(|page| page.cpu), 1),
        single_wall: Spread::of(single.iter().map(|page| page.wall), 1),
        short_cpu: Spread::of(short.iter().map(|page| page.cpu), SHORT_PAGE),
        short_wall: Spread::of(short.iter().map(|page| page.wall), SHORT_PAGE),
        long_cpu: Spread::of(growth.last_pages.iter().map(|page| page.cpu), GROWTH_PAGE),
        long_wall: Spread::of(growth.last_pages.iter().map(|page| page.wall), GROWTH_PAGE),
        file_bytes: looked.file_bytes,
        longest_wal_bytes: growth.longest_wal_bytes,
        memory_bytes,
        accuracy,
        start,
        parts: looked.parts,
        archived: archive.posts(),
        statements: looked.statements,
    })
}
