//! The settings themselves: plain data with its defaults. What each key means to its user stands in [`super::KEYS`].

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::model::{Handle, Hashtag, NetworkKind};

/// Everything that can be set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The archive.
    pub database: Database,
    /// How copies are recognised, and what becomes of them.
    pub dedup: Dedup,
    /// What is never reposted.
    pub filters: Filters,
    /// How fast is reposted.
    pub pace: Pace,
    /// What is logged, and how.
    pub log: Log,
    /// Our accounts, with what they watch.
    pub account: Vec<Account>,
}

/// `[database]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// The file, relative to the working directory, or `:memory:`.
    pub path: String,
    /// How far a commit is written before it counts.
    pub synchronous: Synchronous,
    /// How long a write waits for a locked database before it is reported, in milliseconds.
    pub busy_deadline_ms: u64,
    /// How long a read waits before it says so, in milliseconds.
    pub read_wait_ms: u64,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            path: "firsthand.db".to_owned(),
            synchronous: Synchronous::Full,
            busy_deadline_ms: 30_000,
            read_wait_ms: 1_000,
        }
    }
}

impl Database {
    /// Whether the archive lives in memory only.
    pub fn is_memory(&self) -> bool {
        self.path == ":memory:"
    }
}

/// SQLite's `synchronous`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Synchronous {
    /// A commit survives power loss.
    Full,
    /// Power loss may take the last commits; the database stays whole.
    Normal,
}

/// `[dedup]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dedup {
    /// Which set of thresholds decides.
    pub mode: Mode,
    /// Whether it counts that a text credits the other's author.
    pub attribution: bool,
    /// Whether the same text is a copy.
    pub exact: bool,
    /// Whether a text that is cut short is a copy.
    pub truncated: bool,
    /// Whether a text that says nearly the same is a copy.
    pub near: bool,
    /// Posts older than an incoming one by more days than this are not matched with it; 0 for all are.
    pub forget_after_days: u64,
    /// How long a copy waits for its original, in seconds.
    pub grace_seconds: u64,
    /// What becomes of a copy whose original does not come.
    pub unseen_original: UnseenOriginal,
}

impl Default for Dedup {
    fn default() -> Self {
        Self {
            mode: Mode::Balanced,
            attribution: true,
            exact: true,
            truncated: true,
            near: true,
            forget_after_days: 0,
            grace_seconds: 120,
            unseen_original: UnseenOriginal::RepostCopy,
        }
    }
}

/// A named set of thresholds of the duplicate ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Only what is hardly written twice by chance: the fewest things lost, more copies let through.
    Strict,
    /// The measured middle: rather a copy too many than a thing lost.
    Balanced,
    /// The fewest copies let through, more things lost.
    Eager,
}

/// What becomes of a copy whose original never came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnseenOriginal {
    /// The copy goes out.
    RepostCopy,
    /// Nothing goes out.
    OriginalsOnly,
}

/// `[filters]`: applied to the post that would be reposted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filters {
    /// Languages that may pass, lower case; empty for all. `en` also admits `en-gb`.
    pub languages: Vec<String>,
    /// Authors who are never reposted.
    pub blocked_authors: Vec<Handle>,
    /// Whether replies pass.
    pub replies: bool,
    /// Whether posts marked as sensitive pass.
    pub sensitive: bool,
    /// Older posts are archived, not reposted; in hours.
    pub max_age_hours: u64,
}

impl Default for Filters {
    fn default() -> Self {
        Self { languages: Vec::new(), blocked_authors: Vec::new(), replies: false, sensitive: false, max_age_hours: 48 }
    }
}

/// `[pace]`: caps for each account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pace {
    /// The least time between two reposts, in seconds.
    pub min_gap_seconds: u64,
    /// Reposts an hour.
    pub per_hour: u32,
    /// Reposts a day.
    pub per_day: u32,
    /// Reposts of one author an hour.
    pub author_per_hour: u32,
    /// Reposts of one author a day.
    pub author_per_day: u32,
}

impl Default for Pace {
    /// Well below X's limit of 50 reposts per 15 minutes and user (X API documentation, 2026-08-22).
    fn default() -> Self {
        Self { min_gap_seconds: 20, per_hour: 30, per_day: 200, author_per_hour: 3, author_per_day: 20 }
    }
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// For whom.
    pub format: LogFormat,
    /// Which records, in the syntax of tracing's `EnvFilter`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Auto, filter: "warn,firsthand=info".to_owned() }
    }
}

/// Whom log lines are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// People if standard error is a terminal, else programs.
    Auto,
    /// People.
    Human,
    /// Programs: one JSON object a line.
    Json,
}

/// `[[account]]`: one of our accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    /// Our own name for it; part of variables and file names, so lower-case ASCII letters, digits, `-` and `_`.
    pub name: String,
    /// Where it is.
    pub network: NetworkKind,
    /// The server's address, without a path of the API.
    pub base_url: String,
    /// Whether the server may have a private address, or be http on loopback.
    pub allow_private: bool,
    /// Which names the network's fields are asked for by.
    pub fields: FieldNaming,
    /// The hashtags.
    pub watch: Vec<Hashtag>,
    /// The time from one reading of a hashtag to the next, in seconds.
    pub poll_seconds: u64,
    /// How far back the first reading of a new watch goes, in hours; 0 starts at "now".
    pub backfill_hours: u64,
    /// The most that reading and reposting may cost a day (UTC).
    pub dollars_per_day: Dollars,
    /// The most that reading and reposting may cost a month (UTC).
    pub dollars_per_month: Dollars,
    /// What the network charges for a post read.
    pub read_price_dollars: Dollars,
    /// What the network charges for a repost.
    pub repost_price_dollars: Dollars,
}

impl Default for Account {
    /// Prices: X API documentation, 2026-08-22.
    fn default() -> Self {
        Self {
            name: "main".to_owned(),
            network: NetworkKind::X,
            base_url: "https://api.x.com".to_owned(),
            allow_private: false,
            fields: FieldNaming::Tweet,
            watch: Vec::new(),
            poll_seconds: 60,
            backfill_hours: 0,
            dollars_per_day: Dollars::from_micro(3_000_000),
            dollars_per_month: Dollars::from_micro(50_000_000),
            read_price_dollars: Dollars::from_micro(5_000),
            repost_price_dollars: Dollars::from_micro(15_000),
        }
    }
}

/// The two namings of the X API's fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldNaming {
    /// `tweet.fields`, `includes.tweets`, …
    Tweet,
    /// `post.fields`, `includes.posts`, … (specification 2.167, August 2026).
    Post,
}

/// An amount of money, exact to a millionth of a dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dollars(i64);

impl Dollars {
    /// The largest amount that a setting takes, in dollars.
    pub(super) const MAX: f64 = 1_000_000.0;

    /// From millionths of a dollar.
    pub const fn from_micro(micro_dollars: i64) -> Self {
        Self(micro_dollars)
    }

    /// In millionths of a dollar.
    pub const fn micro(self) -> i64 {
        self.0
    }

    /// From dollars, if the amount is not negative and not absurd.
    pub(super) fn from_dollars(dollars: f64) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, reason = "at most MAX times a million")]
        (0.0..=Self::MAX).contains(&dollars).then(|| Self((dollars * 1e6).round() as i64))
    }

    fn dollars(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Serialize for Dollars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.dollars())
    }
}

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // f64 also takes whole numbers. The error names no amount.
        let dollars = f64::deserialize(deserializer)?;
        Self::from_dollars(dollars).ok_or_else(|| de::Error::custom("expected an amount in dollars"))
    }
}
