//! One line of the timeline: a post, and what its author knows about it.

use serde::Deserialize;

use crate::model::{Hashtag, Link, RemoteId};

/// One line of `timeline.jsonl`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When it is posted, in seconds from the start of the timeline.
    pub at_s: u32,
    /// Its id: decimal, growing with time, the same in every run.
    pub id: RemoteId,
    /// Its author's handle, without `@`; a key of `authors.json`.
    pub author: String,
    /// BCP 47 language tag.
    pub lang: String,
    /// The text. Absent for a native repost, whose text is made of its original's, as networks do it.
    #[serde(default)]
    pub text: String,
    /// For a native repost: the original, an earlier line.
    #[serde(default)]
    pub repost_of: Option<RemoteId>,
    /// For a reply: the post that is answered, an earlier line.
    #[serde(default)]
    pub reply_to: Option<RemoteId>,
    /// The links in the text.
    #[serde(default)]
    pub links: Vec<Link>,
    /// The search never returns it; only a look at its author's posts does.
    #[serde(default)]
    pub unindexed: bool,
    /// What goes wrong when this post is reposted.
    #[serde(default)]
    pub fault: Option<Fault>,
    /// How it is written. For tests; the adapter never looks at it.
    pub form: Form,
    /// The situation that it belongs to, where the form does not tell. For tests.
    #[serde(default)]
    pub scene: Option<Scene>,
    /// What should become of it. For tests.
    pub expect: Expectation,
}

/// What goes wrong when a post is reposted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It is deleted by the time.
    Gone,
    /// The first attempt meets a rate limit.
    RateLimit,
    /// The first attempt has its effect, but the answer is lost.
    LostAnswer,
}

/// The ground truth of the timeline's author, under the default policy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// Whether the bot should decide to repost this very post, sooner or later. True also for the post that is gone when
    /// it comes to that.
    pub repost: bool,
    /// The thing's original (possibly a later line) or, if it never comes, the first copy; `None` for that post itself.
    pub same_as: Option<RemoteId>,
}

/// Declares [`Form`] together with the list of all its variants.
macro_rules! forms {
    ($($variant:ident $words:literal,)*) => {
        /// How a post is written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Form {
            $(#[doc = $words] $variant,)*
        }

        impl Form {
            /// Every form.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];
        }
    };
}

forms! {
    Original "Its author's own words.",
    Reply "An answer to another post.",
    NativeRepost "The network's own repost.",
    RtColon "`RT @a: text`",
    RtPlain "`RT @a text`",
    RtLower "`rt @a: text`",
    RtChain "`RT @b: RT @a: text`",
    RtComment "`comment RT @a: text`",
    RtNewline "`RT @a:`, with line breaks inside.",
    Mt "`MT @a: changed text`",
    Ht "`text HT @a`",
    HtSlash "`text h/t @a`",
    ViaParen "`text (via @a)`",
    ViaBare "`text via @a`",
    ViaTail "`text (via @a) and a comment`",
    ViaEs "`text vía @a`",
    PorEs "`text por @a`",
    Recycle "`♻ @a text`",
    QuoteAfter "`“text” @a`",
    QuoteBefore "`\"@a: text\"`",
    CutEllipsis "Cut short, ending in `…`.",
    CutDots "Cut short, ending in `...`.",
    CutWord "Cut short within a word, without a sign of it.",
    Near "Lightly edited.",
    Exact "The same words.",
    CrossTag "The same words with another hashtag.",
    SelfRepeat "The same words by the same author.",
    Template "One of many posts that share their wording but not what they say; none is a copy.",
    Short "Too short to be anybody's own; none is a copy.",
    Hostile "Text that breaks carelessly written software.",
    OtherTag "A longer hashtag that begins with the watched one.",
    FullWidth "The hashtag in full-width characters.",
    Own "By the bot's own account.",
}

/// The situation that a post belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scene {
    /// A copy; its original comes within the grace time.
    EarlyWithinGrace,
    /// A copy; its original comes after the grace time.
    EarlyAfterGrace,
    /// A copy whose original never comes.
    Orphan,
    /// Somebody is quicker than the author whom the post names.
    Troll,
    /// An original without the hashtag, or the copy that added it.
    UntaggedOriginal,
    /// A copy of an original that the search never returns.
    HiddenOriginal,
    /// A copy of a reply.
    OfReply,
    /// A copy of the bot's own post.
    OfOwn,
}

/// The hashtags in a text: `#` (or its full-width form) at the start or after something that is neither a letter, a
/// digit, `_` nor `&`, and then letters, digits and `_`.
pub(super) fn hashtags_in(text: &str) -> Vec<Hashtag> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut tags = Vec::new();
    let mut before = ' ';
    for (at, sign) in text.char_indices() {
        let opens = matches!(sign, '#' | '＃') && !is_word(before) && before != '&';
        before = sign;
        if !opens {
            continue;
        }
        let rest = &text[at + sign.len_utf8()..];
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let tag = Hashtag::new(&rest[..end]);
        if !tag.as_str().is_empty() && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashtags_are_read_from_the_text() {
        let tags = |text| hashtags_in(text).iter().map(|tag| tag.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!(tags("a #OpenSky, #opensky and ＃ＯｐｅｎＳｋｙ"), ["opensky"]);
        assert_eq!(tags("#openskynot"), ["openskynot"]);
        assert_eq!(tags("x#no &#39; # ## and (#yes)"), ["yes"]);
        assert_eq!(tags("夜空 #opensky。#星見"), ["opensky", "星見"]);
    }
}
