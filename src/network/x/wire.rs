//! The forms in which X's answers come, in both namings. Each element is read on its own, so that one which cannot be
//! read takes no other with it.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::value::RawValue;

use crate::{model::BadElement, network::http::cut_at_boundary};

/// How much of an unreadable element is kept.
const RAW_LIMIT_BYTES: usize = 64 * 1024;
/// The longest id that is believed. X's have 19 digits.
const ID_LIMIT_DIGITS: usize = 64;

/// The outermost document of every answer; its parts stay unread.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Envelope<'a> {
    /// The posts.
    #[serde(borrow, default)]
    pub(super) data: Option<&'a RawValue>,
    /// What came along.
    #[serde(borrow, default)]
    pub(super) includes: Option<&'a RawValue>,
    /// Where the page stands in its chain.
    #[serde(borrow, default)]
    pub(super) meta: Option<&'a RawValue>,
}

/// What came along with the posts.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Includes<'a> {
    /// Posts that are referred to, by the old name.
    #[serde(borrow, default)]
    pub(super) tweets: Option<&'a RawValue>,
    /// Posts that are referred to, by the new name.
    #[serde(borrow, default)]
    pub(super) posts: Option<&'a RawValue>,
    /// The authors.
    #[serde(borrow, default)]
    pub(super) users: Option<&'a RawValue>,
}

/// Where a page stands in its chain.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Meta {
    /// May be the empty string.
    #[serde(default)]
    pub(super) newest_id: Option<String>,
    /// Leads to the next (older) page; absent on the last.
    #[serde(default)]
    pub(super) next_token: Option<String>,
}

/// An id: digits, of any length, as a string or bare.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct WireId(pub(super) String);

impl WireId {
    /// Whether a text can be an id.
    pub(super) fn is_id(text: &str) -> bool {
        (1..=ID_LIMIT_DIGITS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    }
}

impl<'de> Deserialize<'de> for WireId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A bare number may be beyond every integer type, so its digits are taken as they stand.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let id = serde_json::from_str::<String>(raw.get()).unwrap_or_else(|_| raw.get().to_owned());
        if Self::is_id(&id) { Ok(Self(id)) } else { Err(D::Error::custom("an id is not a number")) }
    }
}

/// A post.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct WirePost {
    /// Grows with time.
    pub(super) id: WireId,
    /// HTML-escaped; of a long post only the beginning.
    pub(super) text: String,
    /// Who posted it; comes only if asked for.
    #[serde(default)]
    pub(super) author_id: Option<WireId>,
    /// RFC 3339.
    #[serde(default)]
    pub(super) created_at: Option<String>,
    /// BCP 47, or one of X's own tags.
    #[serde(default)]
    pub(super) lang: Option<String>,
    /// Marked by author or network.
    #[serde(default)]
    pub(super) possibly_sensitive: Option<bool>,
    /// The author who is answered.
    #[serde(default)]
    pub(super) in_reply_to_user_id: Option<WireId>,
    /// What X sees in `text`.
    #[serde(default)]
    pub(super) entities: Option<Entities>,
    // Two fields each and not two names for one: an answer with both would be refused as a repetition.
    #[serde(default)]
    referenced_tweets: Option<Vec<Reference>>,
    #[serde(default)]
    referenced_posts: Option<Vec<Reference>>,
    #[serde(default)]
    note_tweet: Option<Note>,
    #[serde(default)]
    note_post: Option<Note>,
}

impl WirePost {
    /// The whole text of a long post.
    pub(super) fn note(&self) -> Option<&Note> {
        self.note_tweet.as_ref().or(self.note_post.as_ref())
    }

    /// The post that this one refers to in one of the given ways.
    pub(super) fn reference(&self, kinds: &[&str]) -> Option<&WireId> {
        let all = self.referenced_tweets.iter().chain(&self.referenced_posts).flatten();
        all.filter(|reference| kinds.contains(&reference.kind.as_str())).map(|reference| &reference.id).next()
    }
}

/// That a post refers to another.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Reference {
    /// `retweeted` or `reposted`, `replied_to`, `quoted`.
    #[serde(rename = "type")]
    kind: String,
    /// The other post.
    id: WireId,
}

/// The whole text of a long post, with its own entities.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Note {
    /// HTML-escaped.
    pub(super) text: String,
    /// What X sees in it.
    #[serde(default)]
    pub(super) entities: Option<Entities>,
}

/// What X sees in a text.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Entities {
    /// Hashtags.
    #[serde(default)]
    hashtags: Option<Vec<WireTag>>,
    /// Links.
    #[serde(default)]
    pub(super) urls: Option<Vec<WireUrl>>,
}

impl Entities {
    /// The tags, if X lists any.
    pub(super) fn tags(&self) -> Option<Vec<String>> {
        let tags = self.hashtags.as_ref()?;
        Some(tags.iter().map(|tag| tag.tag.clone()).collect())
    }
}

#[derive(Clone, Debug, Deserialize)]
struct WireTag {
    /// Some answers of older versions call it `text`.
    #[serde(alias = "text")]
    tag: String,
}

/// A link: as it stands in the text, and where it leads.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct WireUrl {
    /// The short form.
    pub(super) url: String,
    /// Where it leads.
    #[serde(default)]
    pub(super) expanded_url: Option<String>,
    /// Where the expanded link leads in the end, where X has followed it.
    #[serde(default)]
    pub(super) unwound_url: Option<String>,
}

/// A user.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct WireUser {
    /// Stays when the handle changes.
    pub(super) id: WireId,
    /// The handle.
    pub(super) username: String,
    /// The display name.
    #[serde(default)]
    pub(super) name: Option<String>,
    /// Only followers see the posts.
    #[serde(default)]
    pub(super) protected: Option<bool>,
}

/// Reads an array element by element; what cannot be read, or does not pass `check`, goes to `bad`. Nothing at all is
/// no elements.
pub(super) fn elements<T: for<'de> Deserialize<'de>>(
    array: Option<&RawValue>,
    what: &str,
    check: impl Fn(&T) -> Result<(), &'static str>,
    bad: &mut Vec<BadElement>,
) -> Vec<T> {
    let Some(array) = array else { return Vec::new() };
    let raws = match serde_json::from_str::<Option<Vec<&RawValue>>>(array.get()) {
        Ok(raws) => raws.unwrap_or_default(),
        Err(error) => {
            bad.push(quarantined(what, &error, array.get()));
            return Vec::new();
        }
    };
    let mut good = Vec::with_capacity(raws.len());
    for raw in raws {
        match read_object::<T>(raw.get()) {
            Ok(element) => match check(&element) {
                Ok(()) => good.push(element),
                Err(reason) => bad.push(quarantined(what, &reason, raw.get())),
            },
            Err(error) => bad.push(quarantined(what, &error, raw.get())),
        }
    }
    good
}

/// Reads an object. An array is refused: serde would read its elements as the fields, in order.
///
/// # Errors
/// If it is none, or not of this form.
pub(super) fn read_object<'a, T: Deserialize<'a>>(json: &'a str) -> serde_json::Result<T> {
    if json.trim_start().starts_with('[') {
        return Err(serde_json::Error::custom("an object was expected, not an array"));
    }
    serde_json::from_str(json)
}

/// Keeps what could not be read.
pub(super) fn quarantined(what: &str, reason: &impl std::fmt::Display, raw: &str) -> BadElement {
    BadElement {
        reason: format!("{what} cannot be read: {reason}"),
        raw: cut_at_boundary(raw, RAW_LIMIT_BYTES).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> (Vec<WirePost>, Vec<BadElement>) {
        let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
        let mut bad = Vec::new();
        (elements(Some(&raw), "a post", |_| Ok(()), &mut bad), bad)
    }

    #[test]
    fn ids_of_any_length_are_kept_and_other_types_quarantined() {
        let (posts, bad) = read(
            r#"[{"id":"1","text":"a"},["3","by position"],{"id":98765432109876543210987654321,"text":"b"},{"id":1.5,"text":"c"},
               {"id":"x1","text":"d"},{"id":null,"text":"e"},{"id":{"n":1},"text":"f"},{"text":"g"}]"#,
        );
        let ids: Vec<&str> = posts.iter().map(|post| post.id.0.as_str()).collect();
        assert_eq!(ids, ["1", "98765432109876543210987654321"]);
        assert_eq!(bad.len(), 6);
        assert!(bad[1].raw.contains(r#""text":"c""#), "{bad:?}");
    }

    #[test]
    fn an_answer_in_both_namings_is_read() {
        let (posts, bad) = read(
            r#"[{"id":"1","text":"a","referenced_tweets":[{"type":"retweeted","id":"5"}],"referenced_posts":[{"type":"reposted","id":"5"}],
                "note_tweet":{"text":"long"},"note_post":{"text":"long"}}]"#,
        );
        assert_eq!(bad, []);
        assert_eq!(posts[0].reference(&["retweeted", "reposted"]), Some(&WireId("5".to_owned())));
        assert_eq!(posts[0].note().unwrap().text, "long");
    }

    #[test]
    fn deep_nesting_and_a_data_that_is_no_array_are_quarantined() {
        let deep = format!(r#"[{{"id":"1","text":"a","entities":{}1{}}}]"#, "[".repeat(5000), "]".repeat(5000));
        assert_eq!(read(&deep).1.len(), 1);
        assert_eq!(read(r#""none""#).1.len(), 1);
        let null: Box<RawValue> = serde_json::from_str("null").unwrap();
        let mut bad = Vec::new();
        assert!(elements::<WirePost>(Some(&null), "a post", |_| Ok(()), &mut bad).is_empty() && bad.is_empty());
    }

    #[test]
    fn what_is_kept_of_a_bad_element_is_capped() {
        let long = format!(r#"[{{"id":"none","text":"{}"}}]"#, "é".repeat(100_000));
        let (_, bad) = read(&long);
        assert!(bad[0].raw.len() <= RAW_LIMIT_BYTES && bad[0].raw.len() > RAW_LIMIT_BYTES - 4);
    }
}
