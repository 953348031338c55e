//! What the intake costs, against the least that SQLite can do: archiving and deciding, look-ups, single durable posts,
//! and full-text search against LIKE.
//!
//! `cargo bench --bench intake`; `docs/performance.md` says what the figures mean. Everything is measured in rounds, the
//! ways interleaved, and the medians count: a busy minute of the machine hits all of them.

#[path = "../common/generator/mod.rs"]
mod generator;
#[path = "../common/measure.rs"]
mod measure;
#[path = "../common/replayed.rs"]
mod replayed;

mod archiving;
mod durable;
mod lookups;
mod raw;
mod report;
mod searching;

use clap::Parser;
use firsthand::model::Post;

use generator::Posts;
use measure::resident_bytes;
use report::Report;

/// Measures the intake against the raw limit of SQLite.
#[derive(Debug, Parser)]
struct Args {
    /// A small run: does everything work?
    #[arg(long)]
    quick: bool,
    /// Posts that each way of archiving takes in, in every round.
    #[arg(long)]
    posts: Option<usize>,
    /// Rounds.
    #[arg(long)]
    rounds: Option<usize>,
    /// Documents that are searched.
    #[arg(long)]
    documents: Option<usize>,
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
    // As the bot runs.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(run(&args))?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}

async fn run(args: &Args) -> anyhow::Result<Report> {
    let chosen = |given: Option<usize>, quick, full| given.unwrap_or(if args.quick { quick } else { full }).max(1);
    let posts = chosen(args.posts, 2_000, 50_000);
    let rounds = chosen(args.rounds, 1, 5);
    let documents = chosen(args.documents, 10_000, 500_000);
    let folder = tempfile::Builder::new().prefix("firsthand-intake-").tempdir()?;

    let mut stream = Posts::new(args.seed);
    let generated: Vec<Post> = stream.by_ref().take(posts).map(|post| replayed::post(&post)).collect();
    let (archiving, archive) = archiving::measure(folder.path(), &generated, rounds).await?;
    eprintln!("looking up");
    let lookups = lookups::measure(&archive, &generated, rounds).await?;
    eprintln!("archiving single posts");
    let singles = (posts / 100).max(20);
    let fresh: Vec<Post> = stream.by_ref().take(singles * 2 * rounds).map(|post| replayed::post(&post)).collect();
    let durable = durable::measure(folder.path(), &fresh, rounds).await?;
    eprintln!("searching {documents} documents");
    let searching = searching::measure(folder.path(), &mut stream, documents, rounds).await?;
    Ok(Report {
        machine: measure::machine(),
        seed: args.seed,
        posts,
        rounds,
        archiving,
        lookups,
        singles,
        durable,
        searching,
        memory_bytes: resident_bytes(),
    })
}
