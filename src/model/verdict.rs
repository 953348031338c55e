//! What was decided about a post, and by which rule.

use std::{fmt, str::FromStr};

use super::{PostId, ThingId, TimeMs};

/// What happens to a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// It is reposted.
    Repost,
    /// It is not reposted; the rule says why.
    Skip,
    /// It waits for its original, until the grace time is over.
    Hold,
}

impl Action {
    /// The name as it stands in the archive and in `--verdicts`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Repost => "repost",
            Self::Skip => "skip",
            Self::Hold => "hold",
        }
    }
}

impl FromStr for Action {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [Self::Repost, Self::Skip, Self::Hold]
            .into_iter()
            .find(|action| action.as_str() == name)
            .ok_or_else(|| format!("unknown action {name:?}"))
    }
}

/// Declares [`Rule`] with the name and the plain words of each variant in one place.
macro_rules! rules {
    ($($variant:ident $name:literal $words:literal,)*) => {
        /// The rule that decided. Its name stands in the archive, in `--verdicts` and in counters.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule {
            $(#[doc = $words] $variant,)*
        }

        impl Rule {
            /// Every rule, in the order of the ladder.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name as it stands in the archive.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The rule in plain words.
            pub fn words(self) -> &'static str {
                match self { $(Self::$variant => $words,)* }
            }
        }
    };
}

rules! {
    // Reposted.
    FirstHand "first-hand" "first seen here, in its author's own words",
    OriginalArrived "original-arrived" "the original of a copy that was seen earlier",
    OriginalMissing "original-missing" "a copy whose original did not come within the grace time",
    // Held.
    AwaitingOriginal "awaiting-original" "a copy whose original has not been seen yet",
    // The duplicate ladder.
    Seen "seen" "this very post was seen before",
    NativeRepost "native-repost" "a native repost of another post",
    Attribution "attribution" "credits an author whose own post is known",
    Exact "exact" "the same text as an earlier post",
    Truncated "truncated" "the same text as another post, one of them cut short",
    Near "near" "nearly the same text as an earlier post",
    OriginalPreferred "original-preferred" "its original came and goes out in its place",
    OriginalsOnly "originals-only" "a copy without its original, and only originals are wanted",
    AlreadyShared "already-shared" "brought by a replay or an import, so it counts as shared",
    // Filters, applied to the post that would be reposted.
    OwnPost "own-post" "by our own account",
    BlockedAuthor "blocked-author" "its author is on the blocklist",
    Language "language" "not in a wanted language",
    Reply "reply" "an answer to another post",
    HashtagMissing "hashtag-missing" "the watched hashtag does not stand in the post",
    NotPublic "not-public" "not public",
    Sensitive "sensitive" "marked as sensitive",
    BeforeStart "before-start" "older than the start of the watch",
    TooOld "too-old" "too old to be worth sharing",
    AuthorCap "author-cap" "its author has reached the cap",
    OriginalFiltered "original-filtered" "its original may not be reposted",
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A rule's name that this version does not know.
#[derive(Debug, thiserror::Error)]
#[error("unknown rule {0:?}; the archive was written by a newer version")]
pub struct UnknownRule(pub String);

impl FromStr for Rule {
    type Err = UnknownRule;

    fn from_str(name: &str) -> Result<Self, UnknownRule> {
        Self::ALL.iter().copied().find(|rule| rule.as_str() == name).ok_or_else(|| UnknownRule(name.to_owned()))
    }
}

/// Which of a thing's reposts an outbox row is: the database refuses a second row for the same slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The thing's one repost.
    First,
    /// The named author's original, after a copy of it went out.
    NamedOriginal,
}

impl Slot {
    /// The number as it stands in the archive.
    pub fn number(self) -> i64 {
        match self {
            Self::First => 1,
            Self::NamedOriginal => 2,
        }
    }
}

/// The decision about one post for one account.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The post that was decided about.
    pub post: PostId,
    /// The thing it belongs to.
    pub thing: ThingId,
    /// What happens to it.
    pub action: Action,
    /// Why.
    pub rule: Rule,
    /// The post that it was matched with.
    pub matched: Option<PostId>,
    /// How similar the two texts are, 0 to 1; `None` where no texts were compared.
    pub similarity: Option<f64>,
    /// For [`Action::Hold`]: when the grace time ends.
    pub hold_until: Option<TimeMs>,
    /// For [`Action::Repost`]: which of the thing's reposts this is.
    pub slot: Option<Slot>,
}
