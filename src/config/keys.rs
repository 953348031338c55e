//! Every key, in one table: its meaning, what it takes, and its limits. The written configuration file, the recognition
//! of unknown keys and the checks of values all come from here; a test proves that the table and [`super::Settings`]
//! hold the same keys.

use figment::value::Value;

use super::settings::Dollars;
use crate::model::{Handle, Hashtag};

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Free text, not empty.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number of a unit, within limits.
    Count {
        /// The unit, in the plural.
        unit: &'static str,
        /// The least that makes sense.
        min: u64,
        /// The most that makes sense.
        max: u64,
    },
    /// An amount of money.
    Dollars,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of hashtags.
    Hashtags,
    /// A list of handles.
    Handles,
    /// A list of language tags.
    Languages,
}

impl Kind {
    /// What is expected, in words.
    pub fn expected(self) -> String {
        match self {
            Self::Text => "text in quotes, not empty".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Count { unit, min, max } => format!("a whole number of {unit} from {min} to {max}"),
            Self::Dollars => format!("an amount in dollars, such as 0.5, from 0 to {}", Dollars::MAX),
            Self::Choice(choices) => {
                let quoted: Vec<_> = choices.iter().map(|choice| format!("\"{choice}\"")).collect();
                match quoted.as_slice() {
                    [only] => format!("{only}, the only choice in this version"),
                    quoted => format!("one of {}", quoted.join(", ")),
                }
            }
            Self::Hashtags => "a list of hashtags, such as [\"#rustlang\", \"#sqlite\"]".to_owned(),
            Self::Handles => "a list of handles, such as [\"@somebody\"]".to_owned(),
            Self::Languages => "a list of language tags, such as [\"en\", \"pt-br\"]".to_owned(),
        }
    }

    /// Whether the key takes a list.
    pub(super) fn is_list(self) -> bool {
        matches!(self, Self::Hashtags | Self::Handles | Self::Languages)
    }

    /// Whether a value is of this kind and within its limits.
    pub(super) fn admits(self, value: &Value) -> bool {
        let list = |admits: fn(&str) -> bool| match value {
            Value::Array(_, items) => items.iter().all(|item| item.as_str().is_some_and(admits)),
            _ => false,
        };
        match self {
            Self::Text => value.as_str().is_some_and(|text| !text.trim().is_empty()),
            Self::Flag => matches!(value, Value::Bool(..)),
            Self::Count { min, max, .. } => {
                let count = value.to_u128().or_else(|| value.to_i128().and_then(|count| u128::try_from(count).ok()));
                count.is_some_and(|count| (u128::from(min)..=u128::from(max)).contains(&count))
            }
            Self::Dollars => {
                let whole = value.to_i128().or_else(|| value.to_u128().and_then(|n| i128::try_from(n).ok()));
                whole.map(|n| n as f64).or_else(|| value.to_f64()).and_then(Dollars::from_dollars).is_some()
            }
            Self::Choice(choices) => value.as_str().is_some_and(|text| choices.contains(&text)),
            Self::Hashtags => list(is_hashtag),
            Self::Handles => list(|text| {
                let handle = Handle::new(text);
                !handle.as_str().is_empty() && !handle.as_str().contains(char::is_whitespace)
            }),
            Self::Languages => list(|text| {
                let text = text.trim();
                (2..=35).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            }),
        }
    }
}

/// Whether this can be a hashtag on any network: one word, whatever its script.
fn is_hashtag(text: &str) -> bool {
    let tag = Hashtag::new(text);
    let word = |c: char| c == '_' || !(c.is_whitespace() || c.is_control() || c.is_ascii_punctuation() || c == '＃');
    (1..=100).contains(&tag.as_str().chars().count()) && tag.as_str().chars().all(word)
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The section it stands in; `account` is the repeated one.
    pub section: &'static str,
    /// Its name within the section.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it means, in plain words; lines are kept.
    pub meaning: &'static str,
}

impl Key {
    /// Section and name.
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        format!("{}{}__{}", super::environment::PREFIX, self.section.to_uppercase(), self.name.to_uppercase())
    }
}

/// The sections, with what each is about.
pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("database", "The archive: everything that was seen, and what was decided about it."),
    ("dedup", "How copies are recognised, and what becomes of them."),
    ("filters", "What is never reposted. Applied to the post that would be reposted; everything is archived."),
    ("pace", "How fast each account reposts. What is over a cap waits."),
    ("log", "What is logged, to standard error."),
    ("account", "One of your accounts. Write the whole section again for each further one."),
];

/// The key of a path such as `pace.per_hour`, an account's without its number.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    let (section, name) = path.split_once('.')?;
    KEYS.iter().find(|key| key.section == section && key.name == name)
}

const fn key(section: &'static str, name: &'static str, kind: Kind, meaning: &'static str) -> Key {
    Key { section, name, kind, meaning }
}

const fn count(unit: &'static str, min: u64, max: u64) -> Kind {
    Kind::Count { unit, min, max }
}

/// Every key, in the order of the written file.
pub const KEYS: &[Key] = &[
    key(
        "database",
        "path",
        Kind::Text,
        "The SQLite file, relative to the working directory; \":memory:\" keeps nothing.",
    ),
    key(
        "database",
        "synchronous",
        Kind::Choice(&["full", "normal"]),
        "\"full\": a commit survives power loss.\n\"normal\": faster; power loss may take the last commits.",
    ),
    key(
        "database",
        "busy_deadline_ms",
        count("milliseconds", 100, 3_600_000),
        "How long a write waits while another process holds the database, before it is reported.",
    ),
    key(
        "database",
        "read_wait_ms",
        count("milliseconds", 10, 600_000),
        "How long a read waits for its turn, before it says so.",
    ),
    key(
        "dedup",
        "mode",
        Kind::Choice(&["strict", "balanced", "eager"]),
        "How much two texts must have in common to be one thing.\n\
         \"strict\": fewest first sightings lost, more copies let through; \"eager\": the other way round.",
    ),
    key(
        "dedup",
        "attribution",
        Kind::Flag,
        "Whether it counts that a text credits the other's author (\"RT @ann: …\", \"via @ann\").\n\
         false: such a text is a copy only if its words alone make it one by the three rules below. It is still\n\
         second-hand, and waits for its original.",
    ),
    key("dedup", "exact", Kind::Flag, "Whether the same text by somebody else is a copy. false: only with a credit."),
    key("dedup", "truncated", Kind::Flag, "Whether the same text cut short is a copy. false: only with a credit."),
    key("dedup", "near", Kind::Flag, "Whether nearly the same text is a copy. false: only with a credit."),
    key(
        "dedup",
        "forget_after_days",
        count("days", 0, 3_650),
        "Posts older than a new one by more than this are not matched with it, so an old thing may go out again.\n\
         0: nothing is forgotten. The very same post is never reposted twice, and native reposts are still recognised.",
    ),
    key(
        "dedup",
        "grace_seconds",
        count("seconds", 0, 86_400),
        "How long a copy waits for its original. The original is reposted in its place if it comes.",
    ),
    key(
        "dedup",
        "unseen_original",
        Kind::Choice(&["repost-copy", "originals-only"]),
        "When the original does not come: repost the copy, or nothing.",
    ),
    key(
        "filters",
        "languages",
        Kind::Languages,
        "Only posts in these languages; [] admits all, and posts without one.",
    ),
    key("filters", "blocked_authors", Kind::Handles, "Authors who are never reposted, with or without @, in any case."),
    key("filters", "replies", Kind::Flag, "Whether replies are reposted."),
    key("filters", "sensitive", Kind::Flag, "Whether posts marked as sensitive are reposted."),
    key("filters", "max_age_hours", count("hours", 1, 8_760), "Older posts are archived, and not reposted."),
    key("pace", "min_gap_seconds", count("seconds", 0, 86_400), "The least time between two reposts."),
    key("pace", "per_hour", count("reposts", 0, 200), "Reposts an hour; 0 for none. X itself allows 50 in 15 minutes."),
    key("pace", "per_day", count("reposts", 0, 4_800), "Reposts a day; 0 for none."),
    key("pace", "author_per_hour", count("reposts", 0, 200), "Reposts of one author an hour, against floods."),
    key("pace", "author_per_day", count("reposts", 0, 4_800), "Reposts of one author a day."),
    key(
        "log",
        "format",
        Kind::Choice(&["auto", "human", "json"]),
        "\"auto\": for people on a terminal, else one JSON object a line.",
    ),
    key("log", "filter", Kind::Text, "Which records: levels by module (error, warn, info, debug, trace)."),
    key(
        "account",
        "name",
        Kind::Text,
        "Your own name for the account: lower-case letters, digits, - and _.\n\
         It is part of the names of variables and files that hold its credentials.",
    ),
    key("account", "network", Kind::Choice(&["x"]), "The network."),
    key("account", "base_url", Kind::Text, "The server's address. https only."),
    key(
        "account",
        "allow_private",
        Kind::Flag,
        "Whether the server may have a private address; also permits http on loopback. For tests.",
    ),
    key(
        "account",
        "fields",
        Kind::Choice(&["tweet", "post"]),
        "By which names X's fields are asked for: \"tweet\", or \"post\" (since August 2026). Both are understood.",
    ),
    key("account", "watch", Kind::Hashtags, "The hashtags whose posts are reposted, with or without #, in any case."),
    key("account", "poll_seconds", count("seconds", 5, 86_400), "The time from one reading of a hashtag to the next."),
    key(
        "account",
        "backfill_hours",
        count("hours", 0, 168),
        "How far back the first reading of a new hashtag goes; 0 starts at \"now\". X keeps 7 days.",
    ),
    key(
        "account",
        "dollars_per_day",
        Kind::Dollars,
        "The most that reading and reposting may cost a day (UTC). Both stop before it is passed.",
    ),
    key("account", "dollars_per_month", Kind::Dollars, "The same for a calendar month (UTC)."),
    key("account", "read_price_dollars", Kind::Dollars, "What the network charges for each post that is read."),
    key("account", "repost_price_dollars", Kind::Dollars, "What the network charges for each repost."),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::{Account, Settings};

    #[test]
    fn the_table_holds_exactly_the_keys_of_the_settings() {
        let settings = Settings { account: vec![Account::default()], ..Settings::default() };
        let serde_json::Value::Object(sections) = serde_json::to_value(settings).unwrap() else { panic!("no map") };
        let mut paths = BTreeSet::new();
        for (section, keys) in &sections {
            let keys = if keys.is_array() { &keys[0] } else { keys };
            paths.extend(keys.as_object().unwrap().keys().map(|key| format!("{section}.{key}")));
        }
        assert_eq!(KEYS.iter().map(Key::path).collect::<BTreeSet<_>>(), paths);
        assert_eq!(KEYS.len(), paths.len(), "a key stands twice");
        let named: BTreeSet<_> = SECTIONS.iter().map(|(section, _)| (*section).to_owned()).collect();
        assert_eq!(named, sections.keys().cloned().collect());
    }

    #[test]
    fn every_default_lies_within_its_own_limits() {
        let account = Account { watch: vec![Hashtag::new("rustlang")], ..Account::default() };
        let settings = Settings { account: vec![account], ..Settings::default() };
        let value = Value::serialize(settings).unwrap();
        for key in KEYS {
            let section = match value.find_ref(key.section).unwrap() {
                Value::Array(_, accounts) => &accounts[0],
                section => section,
            };
            assert!(key.kind.admits(section.find_ref(key.name).unwrap()), "{}", key.path());
        }
    }

    #[test]
    fn hashtags_of_every_script_pass_and_phrases_do_not() {
        for tag in ["#rustlang", "ＲＵＳＴ", "हिन्दी", "日本", "#100daysofcode", "snake_case"] {
            assert!(is_hashtag(tag), "{tag}");
        }
        for tag in ["", "#", "rust lang", "rust-lang", "a#b", "rust,sqlite", "x OR from:y"] {
            assert!(!is_hashtag(tag), "{tag}");
        }
    }
}
