//! What is asked of X's search.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    model::{Hashtag, TimeMs},
    network::{OriginalQuery, Since},
};

/// The longest query that recent search takes (docs.x.com, "Build a query", 2026-08).
const QUERY_LIMIT_CHARS: usize = 512;
/// How far back recent search goes.
const SEARCH_WINDOW: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// `start_time` must lie at least 10 seconds before the request; the rest is for clocks that differ.
const START_MARGIN: Duration = Duration::from_secs(30);
/// How many words of a copy are looked for: enough to be telling, few enough to stay in front of a cut.
const LOOKUP_WORDS: usize = 6;
/// Scripts without spaces make one long word of a sentence.
const LOOKUP_LIMIT_CHARS: usize = 100;
/// When X began to count its ids from its own epoch (github.com/twitter-archive/snowflake).
const SNOWFLAKE_EPOCH_MS: i64 = 1_288_834_974_657;
/// Where the milliseconds stand in an id.
const SNOWFLAKE_TIME_SHIFT: u32 = 22;

/// Which names of fields are asked for. Specification 2.167 (August 2026) renamed them; whether the live API takes the
/// new ones is unknown, so the old ones are the default. Answers are read in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldNames {
    /// `tweet.fields`, `referenced_tweets`, `note_tweet`.
    #[default]
    Tweet,
    /// `post.fields`, `referenced_posts`, `note_post`.
    Post,
}

impl FieldNames {
    /// The parameters that ask for everything an intake needs.
    pub(super) fn parameters(self) -> [(&'static str, &'static str); 3] {
        let users = ("user.fields", "username,name,protected");
        match self {
            Self::Tweet => [
                (
                    "tweet.fields",
                    "created_at,lang,author_id,referenced_tweets,entities,note_tweet,conversation_id,\
                     in_reply_to_user_id,possibly_sensitive",
                ),
                ("expansions", "author_id,referenced_tweets.id,referenced_tweets.id.author_id"),
                users,
            ],
            // In 2.167, author and references come with their expansions and are refused among the fields.
            Self::Post => [
                ("post.fields", "created_at,lang,entities,note_post,conversation_id,possibly_sensitive"),
                ("expansions", "author_id,referenced_posts,in_reply_to_user_id"),
                users,
            ],
        }
    }
}

/// The query for a hashtag. Nothing else is asked for: reposts and replies are told apart by the answer, and operators
/// would only make the query differ between servers.
pub(super) fn hashtag_query(hashtag: &Hashtag) -> String {
    let query = format!("#{hashtag}");
    query.chars().take(QUERY_LIMIT_CHARS).collect()
}

/// The query for the post that a copy credits: a few words, in their order, by that author. `None` if the handle cannot
/// be one of X's or the text holds no word: then there is nothing to look for.
pub(super) fn original_query(query: &OriginalQuery) -> Option<String> {
    let handle = query.author.as_str();
    let is_handle = (1..=15).contains(&handle.len()) && handle.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_handle {
        return None;
    }
    // Links are shortened anew in each post, and mentions may belong to the copy.
    let text = query.text.split_whitespace().filter(|word| !word.contains("://") && !word.starts_with('@'));
    // Letters and digits only: nothing that is left can end the quotation or be taken for an operator.
    let plain: String = text.flat_map(|word| word.chars().chain([' '])).map(letter_or_space).collect();
    let words: Vec<&str> = plain.split_whitespace().take(LOOKUP_WORDS).collect();
    let phrase: String = words.join(" ").chars().take(LOOKUP_LIMIT_CHARS).collect();
    (!phrase.trim().is_empty()).then(|| format!("from:{handle} \"{}\"", phrase.trim()))
}

fn letter_or_space(c: char) -> char {
    let keeps = c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c);
    if keeps { c } else { ' ' }
}

/// A start time as X takes it: not too close to now. Somewhat older posts do no harm, since the start of a watch is
/// checked again for each post.
pub(super) fn start_time(start: TimeMs, now: TimeMs) -> String {
    start.min(now.minus(START_MARGIN)).to_string()
}

/// The beginning of what recent search can still reach. On a full hour, so that all pages of a chain begin at the same.
pub(super) fn window_start(now: TimeMs) -> String {
    TimeMs((now.minus(SEARCH_WINDOW).hour() + 1).saturating_mul(3_600_000)).to_string()
}

/// Whether a beginning lies before what recent search can still reach, or so close to it that the clocks may differ.
pub(super) fn is_out_of_reach(since: &Since, now: TimeMs) -> bool {
    let begins = match since {
        Since::Post(id) => id_time(id.as_str()),
        Since::Time(time) => Some(*time),
    };
    begins.is_some_and(|begins| begins < now.minus(SEARCH_WINDOW).plus(Duration::from_secs(60 * 60)))
}

/// When an id was made, as X's ids tell. `None` for one that does not fit into 63 bits.
pub(super) fn id_time(id: &str) -> Option<TimeMs> {
    let id: i64 = id.parse().ok()?;
    Some(TimeMs((id >> SNOWFLAKE_TIME_SHIFT).saturating_add(SNOWFLAKE_EPOCH_MS)))
}

/// The id that lies `overlap` before `id`, so that posts which became searchable late are found. An id that is too
/// small to hold a time (of a test server, say) is returned as it is.
pub(super) fn id_before(id: &str, overlap: Duration) -> String {
    // Ids with less than a day of milliseconds in them were made before X had any.
    const FIRST_WITH_TIME: i64 = 86_400_000 << SNOWFLAKE_TIME_SHIFT;
    let Some(number) = id.parse::<i64>().ok().filter(|id| *id >= FIRST_WITH_TIME) else { return id.to_owned() };
    let ids_of_overlap = i64::try_from(overlap.as_millis()).unwrap_or(0).saturating_mul(1 << SNOWFLAKE_TIME_SHIFT);
    number.saturating_sub(ids_of_overlap).max(1).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Handle;

    fn lookup(author: &str, text: &str) -> Option<String> {
        original_query(&OriginalQuery { author: Handle::new(author), text: text.to_owned() })
    }

    #[test]
    fn an_original_is_looked_for_by_author_and_a_few_words() {
        assert_eq!(
            lookup("Ada_L", "The #engine weaves, she said, algebraic patterns https://t.co/x @bob as looms do")
                .unwrap(),
            r#"from:ada_l "The engine weaves she said algebraic""#
        );
        assert_eq!(
            lookup("kenji", "新しい機関の説明を書きました。").unwrap(),
            r#"from:kenji "新しい機関の説明を書きました""#
        );
    }

    #[test]
    fn without_a_possible_handle_or_a_word_nothing_is_looked_for() {
        assert_eq!(lookup("someone@example.social", "plain words"), None);
        assert_eq!(lookup("a OR b", "plain words"), None);
        assert_eq!(lookup("ada", "!!! … https://t.co/abc @bob"), None);
    }

    #[test]
    fn ids_tell_their_time_and_step_back() {
        let id = "2124362006306750464";
        let time = id_time(id).unwrap();
        assert_eq!(time.to_string(), "2026-11-22T04:39:05Z");
        let before = id_before(id, Duration::from_secs(600));
        assert_eq!(time.since(id_time(&before).unwrap()), Duration::from_secs(600));
        assert_eq!(id_before("105", Duration::from_secs(600)), "105");
        assert_eq!(id_before("99999999999999999999999", Duration::from_secs(600)), "99999999999999999999999");
    }

    #[test]
    fn a_start_time_keeps_its_distance_from_now() {
        let now: TimeMs = "2026-11-22T12:00:00Z".parse().unwrap();
        assert_eq!(start_time(now, now), "2026-11-22T11:59:30Z");
        assert_eq!(start_time("2026-11-21T00:00:00Z".parse().unwrap(), now), "2026-11-21T00:00:00Z");
        assert_eq!(window_start(now), "2026-11-15T13:00:00Z");
        assert!(is_out_of_reach(&Since::Time("2026-11-15T12:30:00Z".parse().unwrap()), now));
        assert!(!is_out_of_reach(&Since::Time("2026-11-15T13:30:00Z".parse().unwrap()), now));
        assert!(is_out_of_reach(&Since::Post(crate::model::RemoteId::new("2120000000000000000")), now));
        assert!(!is_out_of_reach(&Since::Post(crate::model::RemoteId::new("2124362006306750464")), now));
    }

    proptest! {
        #[test]
        fn no_text_breaks_out_of_the_quotation(text: String, author: String) {
            if let Some(query) = lookup(&author, &text) {
                prop_assert!(query.chars().count() <= QUERY_LIMIT_CHARS);
                let (head, rest) = query.split_once('"').unwrap();
                prop_assert!(head.starts_with("from:") && head.len() <= 21);
                let phrase = rest.strip_suffix('"').unwrap();
                prop_assert!(!phrase.contains(['"', '\\', '(', ')', ':']));
            }
        }
    }
}
