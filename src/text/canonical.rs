//! The folded form that two copies of a text share.

use super::{
    clean::clean,
    scan::{link_len, mention},
    script::{is_dropped_mark, is_mark, is_unspaced, is_word, spaced_letters, unspaced_letters},
};

/// A text folded to what its words are: compatibility forms and case folded, punctuation, emoji and links gone, `#`
/// gone, words separated by one space, mentions as `@handle`. Folding it again changes nothing, as long as it is within
/// [`MAX_TEXT_BYTES`](super::limits::MAX_TEXT_BYTES).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Canonical(String);

impl Canonical {
    /// Folds a text.
    pub fn new(text: &str) -> Self {
        Self::of_clean(&clean(text))
    }

    /// Takes a canonical text back from the archive.
    pub fn from_stored(canonical: String) -> Self {
        Self(canonical)
    }

    /// Folds a part of a text that is clean already.
    pub(super) fn of_clean(text: &str) -> Self {
        let mut folder = Folder { out: String::with_capacity(text.len()), last: Last::Gap };
        folder.fold(text);
        if folder.out.is_ascii() {
            return Self(folder.out);
        }
        // Lower case can leave a composition undone; a second pass settles it.
        let settled = clean(&folder.out);
        if settled == folder.out {
            return Self(folder.out);
        }
        let mut folder = Folder { out: String::with_capacity(settled.len()), last: Last::Gap };
        folder.fold(&settled);
        Self(folder.out)
    }

    /// The words of the links in a text that is clean already: for texts that say nothing else.
    pub(super) fn of_links(text: &str) -> Self {
        let links = text.split_whitespace().filter(|piece| link_len(piece, true) > 0);
        let words: Vec<String> = links
            .map(|link| link.split_once("://").map_or(link, |(_, rest)| rest).replace(|c: char| !is_word(c), " "))
            .collect();
        Self::of_clean(&words.join(" "))
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tokens: words, mentions (with their `@`), and single characters of scripts without spaces.
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens { rest: &self.0 }
    }

    /// How many letters the words have, mentions not counted.
    pub fn letters(&self) -> u32 {
        self.tokens().map(token_letters).sum()
    }
}

/// How many letters a token is worth; a mention none, since it is the part of a post that copies change.
pub fn token_letters(token: &str) -> u32 {
    if token.starts_with('@') {
        return 0;
    }
    match token.chars().next() {
        // The signs of vowels that stand over, under and around a consonant are written as marks, and are letters.
        Some(first) if is_unspaced(first) => {
            let vowels = token.chars().skip(1).filter(|c| c.is_alphanumeric()).count();
            unspaced_letters(first) + u32::try_from(vowels).unwrap_or(u32::MAX)
        }
        _ if token.is_ascii() => u32::try_from(token.len()).unwrap_or(u32::MAX), // Letters and digits only.
        _ => token.chars().map(spaced_letters).sum(),
    }
}

/// Iterates over the tokens of a [`Canonical`].
#[derive(Clone, Debug)]
pub struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.rest = self.rest.trim_start_matches(' ');
        let first = self.rest.chars().next()?;
        let end = if is_unspaced(first) {
            let after = first.len_utf8();
            after + self.rest[after..].find(|c| !is_mark(c)).unwrap_or(self.rest.len() - after)
        } else {
            self.rest.find(|c: char| c == ' ' || (!c.is_ascii() && is_unspaced(c))).unwrap_or(self.rest.len())
        };
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(token)
    }
}

/// What was written last, which decides whether a space comes before the next character.
#[derive(Clone, Copy, PartialEq)]
enum Last {
    /// A gap between words.
    Gap,
    /// A letter of a spaced script.
    Spaced,
    /// A character of an unspaced script; a gap after one counts only before another script.
    Unspaced,
}

struct Folder {
    out: String,
    last: Last,
}

impl Folder {
    fn fold(&mut self, text: &str) {
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            let rest = &text[at..];
            let width = c.len_utf8();
            let word_start = self.last != Last::Spaced;
            if (c.is_ascii_alphanumeric()) && (word_start || matches!(c, 'h' | 'H')) {
                let link = link_len(rest, word_start);
                if link > 0 {
                    self.gap();
                    at += link;
                    continue;
                }
            }
            if c == '@'
                && word_start
                && let Some(handle) = mention(rest)
            {
                self.space();
                self.out.push('@');
                self.out.extend(handle.chars().map(|c| c.to_ascii_lowercase()));
                self.last = Last::Spaced;
                self.gap();
                at += 1 + handle.len();
                continue;
            }
            self.push(c, rest[width..].chars().next());
            at += width;
        }
        // A link that was cut right after its scheme.
        while let Some(kept) = self.out.strip_suffix("http").or_else(|| self.out.strip_suffix("https")) {
            if !(kept.is_empty() || kept.ends_with(' ')) {
                break;
            }
            self.out.truncate(kept.trim_end().len());
        }
    }

    fn push(&mut self, c: char, next: Option<char>) {
        if c.is_ascii_alphanumeric() {
            self.start_word();
            self.out.push(c.to_ascii_lowercase());
        } else if matches!(c, '\'' | '’' | '‘' | 'ʼ') {
            // An apostrophe inside a word is left out as often as it is typed.
            if !(self.last == Last::Spaced && next.is_some_and(|next| is_word(next) && !is_unspaced(next))) {
                self.gap();
            }
        } else if c.is_ascii() {
            self.gap();
        } else if is_mark(c) {
            if self.last != Last::Gap && !is_dropped_mark(c) && !self.out.is_empty() {
                self.out.push(c);
            }
        } else if is_unspaced(c) && is_word(c) {
            if self.last == Last::Spaced || (self.last == Last::Gap && self.ends_spaced()) {
                self.space();
            }
            self.out.push(c);
            self.last = Last::Unspaced;
        } else if is_word(c) {
            self.start_word();
            match c {
                'ß' | 'ẞ' => self.out.push_str("ss"),
                'ς' => self.out.push('σ'),
                'ı' => self.out.push('i'),
                _ => self.out.extend(c.to_lowercase().filter(|&c| !is_dropped_mark(c))),
            }
        } else {
            self.gap();
        }
    }

    /// Before a letter of a spaced script.
    fn start_word(&mut self) {
        if self.last != Last::Spaced {
            self.space();
            self.last = Last::Spaced;
        }
    }

    fn ends_spaced(&self) -> bool {
        self.out.chars().rev().find(|&c| !is_mark(c)).is_some_and(|c| !is_unspaced(c))
    }

    fn space(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with(' ') {
            self.out.push(' ');
        }
    }

    fn gap(&mut self) {
        self.last = Last::Gap;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fold(text: &str) -> String {
        Canonical::new(text).0
    }

    #[test]
    fn case_punctuation_emoji_hashes_links_and_entities_are_folded() {
        assert_eq!(fold("Don’t PANIC!! 🎉 #Towel &amp; tea: https://a.example/1?x=2"), "dont panic towel tea");
        assert_eq!(fold("Straße ΣΟΦΟΣ İstanbul ＦＵＬＬ"), "strasse σοφοσ istanbul full");
        assert_eq!(fold("cut link http…"), "cut link");
    }

    #[test]
    fn mentions_stay_and_mail_addresses_are_words() {
        assert_eq!(fold("cc @Ann_B, me@mail.example"), "cc @ann_b me mail example");
        assert_eq!(fold("ask @ann@social.example."), "ask @ann@social.example");
    }

    #[test]
    fn scripts_without_spaces_close_up_and_split_into_characters() {
        assert_eq!(fold("今日は、 晴れ です。RustのLT"), "今日は晴れです rust の lt");
        let canonical = Canonical::new("RustのLT です");
        assert_eq!(canonical.tokens().collect::<Vec<_>>(), ["rust", "の", "lt", "で", "す"]);
        assert_eq!(canonical.letters(), 12);
        assert_eq!(Canonical::new("สวัสดี").tokens().collect::<Vec<_>>(), ["ส", "วั", "ส", "ดี"]);
    }

    #[test]
    fn points_vowels_and_tatweel_are_dropped() {
        assert_eq!(fold("שָׁלוֹם"), fold("שלום"));
        assert_eq!(fold("مَرْحَبًا"), fold("مرحبا"));
        assert_eq!(fold("مـــرحبا"), fold("مرحبا"));
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,80}|[ -~]{0,80}|[a@.:/ htps…#'İßς\u{301}\u{307}ก้あア漢]{0,60}") {
            let once = Canonical::new(&text);
            prop_assert_eq!(&Canonical::new(once.as_str()), &once);
        }

        #[test]
        fn tokens_put_together_are_the_text(text in "\\PC{0,80}") {
            let canonical = Canonical::new(&text);
            let glued: String = canonical.tokens().collect();
            prop_assert_eq!(glued, canonical.as_str().replace(' ', ""));
        }
    }
}
