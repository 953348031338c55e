//! The whole command surface. Every help text ends in examples.

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand, ValueEnum};

use super::{duration::parse_duration, exit};
use crate::config::{Flags, LogFormat, Mode};

/// Watches hashtags and reposts each thing once, from its first hand.
#[derive(Debug, Parser)]
#[command(name = "firsthand", version, arg_required_else_help = true)]
#[command(after_help = format!("{}\n\n{}", EXAMPLES, exit::table()))]
#[command(after_long_help = format!("{}\n\n{}\n\n{}", EXAMPLES, VARIABLES, exit::table()))]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
}

const EXAMPLES: &str = "Examples:
  firsthand run                    without configuration: a built-in rehearsal
  firsthand init                   write a commented firsthand.toml
  firsthand check                  do configuration and credentials fit?
  firsthand search embedded rust   look into the archive";

const VARIABLES: &str = "Environment:
  FIRSTHAND_CONFIG           as --config
  FIRSTHAND_DATABASE         as --database
  FIRSTHAND_SECTION__KEY     any key of the configuration, with two underscores,
                             e.g. FIRSTHAND_PACE__PER_HOUR=10
  FIRSTHAND_X_CONSUMER_KEY   credentials; see `firsthand check --help`
  CREDENTIALS_DIRECTORY      the folder of systemd's LoadCredential=
  NO_COLOR                   no colours

Flags go before the environment, the environment before the file, the file
before the defaults.";

/// Options of every command.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// The configuration file [default: firsthand.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The archive; `:memory:` keeps nothing [default: as configured]
    #[arg(long, global = true, value_name = "FILE")]
    pub database: Option<String>,
    /// For whom log lines are written: auto, human or json
    #[arg(long, global = true, value_name = "FORMAT", hide_possible_values = true)]
    pub log_format: Option<LogFormat>,
    /// Log more; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Log less; twice for errors only
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "verbose")]
    pub quiet: u8,
    /// When to use colours: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub color: Color,
}

impl Global {
    /// What these options say about the configuration.
    pub fn flags(&self) -> Flags {
        Flags { config: self.config.clone(), database: self.database.clone(), log_format: self.log_format }
    }

    /// `-v` counted up, `-q` counted down.
    pub fn verbosity(&self) -> i8 {
        let count = |times: u8| i8::try_from(times).unwrap_or(i8::MAX);
        count(self.verbose) - count(self.quiet)
    }
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Also in a pipe.
    Always,
    /// Nowhere.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch, decide and repost
    Run(Run),
    /// Run posts from files through the same decisions, without any account
    Replay(Replay),
    /// Search the archive's text
    Search(Search),
    /// Tell the whole story of one post
    Explain(Explain),
    /// Show an author
    Author(Author),
    /// Show what was seen, decided and sent
    Status(Status),
    /// Say whether configuration and credentials fit, without posting
    Check(Check),
    /// Bring the database to this version's schema
    Migrate(Migrate),
    /// Write a commented configuration file
    Init(Init),
}

/// `firsthand run`
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "Without any configuration (no file, no --config, no FIRSTHAND_ variable and no
$CREDENTIALS_DIRECTORY) a rehearsal plays: a built-in timeline, through the
real bot, reposting nowhere.

Examples:
  firsthand run                    until Ctrl-C
  firsthand run --once             read and send what is due, then end; for cron
  firsthand run --dry-run          decide; send nothing and store nothing
  firsthand run --backfill 6h      also what was posted in the last six hours
  firsthand run --speed 1          the rehearsal in real time")]
pub struct Run {
    /// Read each hashtag once, send what is due, and end
    #[arg(long)]
    pub once: bool,
    /// All but the sending, on a copy of the database
    #[arg(long)]
    pub dry_run: bool,
    /// How far back a hashtag's first reading goes, such as 6h or 2d [default: from now on]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub backfill: Option<Duration>,
    /// The rehearsal's speed; 1 is real time [default: as fast as can be read]
    #[arg(long, value_name = "FACTOR", value_parser = parse_speed)]
    pub speed: Option<f64>,
    /// Do not look whether another firsthand runs on this database; for tests
    #[arg(long)]
    pub allow_second_instance: bool,
    /// How long a claim on a repost holds; for tests, which do not wait for what a killed process left behind
    #[arg(long, value_name = "SECONDS", hide = true)]
    pub lease_seconds: Option<u64>,
}

/// `firsthand replay`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "Each line is a JSON object with \"id\" and \"text\", and perhaps \"author\",
\"created_at\" and \"lang\". Without --database the archive is a temporary file.
Nothing is ever sent, and what was replayed counts as shared.

--compare tells how two policies would differ: over files, or with --archive
over what the archive holds, which is only read, also while a bot runs. Filters
are left out. Both decide into temporary archives, each about as large as that
of the posts. A policy is one word: strict, balanced or eager (all else at its
default), `configured` ([dedup] as it is), or a file OTHER.toml; then changes by
the keys of [dedup], such as balanced,near=false,forget_after_days=30. With
--json each differing post is a line with id, network, author, text, kind
(only-a-reposts, only-b-reposts, one-holds, other-match, other-rule), a and b
(each action, rule, similarity, matched); the last line holds the summary.

Examples:
  firsthand replay posts.jsonl more.jsonl.gz
  firsthand replay --verdicts verdicts.jsonl posts.jsonl
  firsthand replay --mode strict posts.jsonl
  firsthand replay --compare balanced eager posts.jsonl
  firsthand replay --compare configured configured,near=false --archive
  zcat old/*.gz | firsthand replay --database firsthand.db -")]
pub struct Replay {
    /// JSON lines, plain or .gz; `-` is standard input
    #[arg(required_unless_present = "archive", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write one line a post, in input order, with what was decided
    #[arg(long, value_name = "OUT.jsonl")]
    pub verdicts: Option<PathBuf>,
    /// How copies are recognised: strict, balanced or eager [default: as configured]
    #[arg(long, value_name = "MODE", hide_possible_values = true, conflicts_with = "compare")]
    pub mode: Option<Mode>,
    /// Say how the verdicts of two policies would differ
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with = "verdicts")]
    pub compare: Option<Vec<String>>,
    /// Compare over the archive's own posts instead of files
    #[arg(long, requires = "compare", conflicts_with = "files")]
    pub archive: bool,
    /// How many differing posts are shown [default: 20; with --json all]
    #[arg(long, value_name = "COUNT", requires = "compare")]
    pub limit: Option<u32>,
    /// Posts that share one transaction
    #[arg(long, value_name = "COUNT", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub batch: u32,
    /// The summary as one JSON object, with what the locking did
    #[arg(long)]
    pub json: bool,
}

/// `firsthand search`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "Finds posts that hold all of the words, in any case, with or without accents.

Examples:
  firsthand search embedded rust
  firsthand search --best --limit 5 sqlite wal
  firsthand search --json 日本語 | jq .text")]
pub struct Search {
    /// Words that all stand in the text
    #[arg(required = true, value_name = "WORDS")]
    pub words: Vec<String>,
    /// Best match first
    #[arg(long, conflicts_with = "newest")]
    pub best: bool,
    /// Newest first; the default
    #[arg(long)]
    pub newest: bool,
    /// How many at most
    #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `firsthand explain`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "What was seen when, the verdict and its rule, the matched post, what was sent
and answered. An unknown post ends with exit code 3.

Examples:
  firsthand explain 1957243302148759552
  firsthand explain x:1957243302148759552
  firsthand explain --json 1957243302148759552")]
pub struct Explain {
    /// The post's id on its network; NETWORK:ID where several have it
    #[arg(value_name = "ID")]
    pub id: String,
    /// As one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `firsthand author`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "An unknown author ends with exit code 3.

Examples:
  firsthand author @somebody
  firsthand author --json somebody")]
pub struct Author {
    /// With or without @, in any case
    #[arg(value_name = "HANDLE")]
    pub handle: String,
    /// As one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `firsthand status`
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "Examples:
  firsthand status
  firsthand status --json | jq .waiting")]
pub struct Status {
    /// As one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `firsthand check`
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "Four credentials are needed: CONSUMER_KEY, CONSUMER_SECRET, ACCESS_TOKEN and
ACCESS_TOKEN_SECRET. For an account \"main\" the first is looked for in this
order, and so are the others:
  1. $CREDENTIALS_DIRECTORY/main.consumer_key (systemd: LoadCredential=)
  2. the file that FIRSTHAND_MAIN_CONSUMER_KEY_FILE names, then the one that
     FIRSTHAND_X_CONSUMER_KEY_FILE names: mode 0600 or stricter, your own, no
     symbolic link
  3. FIRSTHAND_MAIN_CONSUMER_KEY, then FIRSTHAND_X_CONSUMER_KEY
  4. consumer_key in [account.credentials] of the configuration file, which
     works with a warning

Examples:
  firsthand check
  firsthand check --config /etc/firsthand.toml
  firsthand check --json")]
pub struct Check {
    /// As one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `firsthand migrate`
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "Every command that writes does this by itself; here it is done alone, before
an upgraded bot is started, say.

Examples:
  firsthand migrate
  firsthand migrate --database /var/lib/firsthand/firsthand.db")]
pub struct Migrate {}

/// `firsthand init`
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "Examples:
  firsthand init
  firsthand init /etc/firsthand.toml
  firsthand init --force           write over the file that is there")]
pub struct Init {
    /// Write over an existing file
    #[arg(long)]
    pub force: bool,
    /// The file, or the folder for it [default: firsthand.toml]
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,
}

fn parse_speed(text: &str) -> Result<f64, String> {
    let speed = text.parse::<f64>().ok().filter(|speed| speed.is_finite() && *speed > 0.0 && *speed <= 1e6);
    speed.ok_or_else(|| "expected a number above 0, such as 1 or 20".to_owned())
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
