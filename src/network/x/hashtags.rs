//! Which hashtags really stand in a text.
//!
//! X's search also returns posts whose tag merely begins with the one that was asked for, so the text is read here, by
//! the rules of twitter-text (github.com/twitter/twitter-text, "Hashtag"), for every script.

use unicode_normalization::char::is_combining_mark;

use crate::model::Hashtag;

/// Characters that are neither letters nor digits, yet belong to a hashtag (twitter-text, `hashtagSpecialChars`).
const SPECIAL: &[char] = &[
    '_', '\u{200c}', '\u{200d}', '\u{a67e}', '\u{05be}', '\u{05f3}', '\u{05f4}', '\u{ff5e}', '\u{301c}', '\u{309b}',
    '\u{309c}', '\u{30a0}', '\u{30fb}', '\u{3003}', '\u{0f0b}', '\u{0f0c}', '\u{00b7}',
];

/// The hashtags of a post, folded, each once. A tag counts if it stands in the text and, where the network lists the
/// tags that it sees there, if it is listed too.
pub(super) fn verified_hashtags(text: &str, listed: Option<&[String]>) -> Vec<Hashtag> {
    let listed: Option<Vec<Hashtag>> = listed.map(|tags| tags.iter().map(|tag| Hashtag::new(tag)).collect());
    let mut found = Vec::new();
    for tag in tags_in(text) {
        let tag = Hashtag::new(tag);
        let known = listed.as_ref().is_none_or(|listed| listed.contains(&tag));
        if known && !found.contains(&tag) {
            found.push(tag);
        }
    }
    found
}

/// The hashtags in a text, without their `#`.
fn tags_in(text: &str) -> impl Iterator<Item = &str> {
    let mut rest_from = 0;
    std::iter::from_fn(move || {
        while let Some((start, sign)) = next_sign(text, rest_from) {
            let body_from = start + sign.len_utf8();
            let body = &text[body_from..];
            let length = body.find(|c| !is_tag_char(c)).unwrap_or(body.len());
            rest_from = body_from + length;
            let (tag, after) = body.split_at(length);
            let goes_on = after.starts_with(['#', '＃']) || after.starts_with("://");
            if tag.chars().any(char::is_alphabetic) && begins_tag(text, start) && !goes_on {
                return Some(tag);
            }
        }
        None
    })
}

/// The next `#` outside links.
fn next_sign(text: &str, mut from: usize) -> Option<(usize, char)> {
    loop {
        let rest = &text[from..];
        let sign = rest.find(['#', '＃'])?;
        let link = ["http://", "https://"].into_iter().filter_map(|scheme| rest.find(scheme)).min();
        match link.filter(|&link| link < sign) {
            Some(link) => {
                let end = rest[link..].find(char::is_whitespace)?;
                from += link + end;
            }
            None => return rest[sign..].chars().next().map(|c| (from + sign, c)),
        }
    }
}

/// Whether a `#` at `start` can begin a hashtag: not in the middle of a word or of an entity such as `&#39;`.
fn begins_tag(text: &str, start: usize) -> bool {
    text[..start].chars().next_back().is_none_or(|before| {
        // Variation selectors end an emoji, they are no part of a word.
        matches!(before, '\u{fe0e}' | '\u{fe0f}') || !(is_tag_char(before) || before == '&')
    })
}

fn is_tag_char(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c) || SPECIAL.contains(&c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tags(text: &str) -> Vec<String> {
        verified_hashtags(text, None).iter().map(|tag| tag.as_str().to_owned()).collect()
    }

    #[test]
    fn a_longer_tag_is_another_tag() {
        assert_eq!(tags("about #rustnot, #rust2 and #rust_lang"), ["rustnot", "rust2", "rust_lang"]);
        assert_eq!(tags("#rust! (#go) #c. #d"), ["rust", "go", "c", "d"]);
    }

    #[test]
    fn tags_are_found_in_every_script_case_and_width() {
        assert_eq!(tags("＃Ｒｕｓｔ #RUST #Rust"), ["rust"]);
        assert_eq!(tags("今日の#写真。#日本語タグ"), ["日本語タグ"], "in the middle of a word is no tag");
        assert_eq!(tags("今日の #写真、#日本語タグ。"), ["写真", "日本語タグ"]);
        assert_eq!(tags("عن #لغة_البرمجة اليوم"), ["لغة_البرمجة"]);
        assert_eq!(tags("#हिन्दी और #straße"), ["हिन्दी", "straße"]);
        assert_eq!(tags("❤️#rust"), ["rust"]);
    }

    #[test]
    fn what_only_looks_like_a_tag_is_none() {
        for text in
            ["#1 and #2026", "a#rust", "&#rust", "#rust#go", "#rust://x", "# rust", "#", "http://a.example/#rust"]
        {
            assert!(!tags(text).contains(&"rust".to_owned()), "{text}: {:?}", tags(text));
        }
        assert_eq!(tags("https://a.example/x#rust #go"), ["go"]);
    }

    #[test]
    fn a_tag_must_also_be_listed_where_the_network_lists_tags() {
        let listed = ["Rust".to_owned(), "absent".to_owned()];
        let found = verified_hashtags("#rust #go", Some(&listed));
        assert_eq!(found, [Hashtag::new("rust")]);
    }

    proptest! {
        #[test]
        fn a_tag_between_spaces_is_always_found_and_nothing_panics(before: String, after: String) {
            let before = before.replace("http", "");
            let text = format!("{before} #firsthand {after}");
            prop_assert!(tags(&text).contains(&"firsthand".to_owned()));
        }
    }
}
