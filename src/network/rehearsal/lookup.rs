//! A small full-text search: which of an author's posts look like the text that is asked for.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;

/// The share of the query's character trigrams that a post must hold. Low, because the search only proposes: the text
/// that is asked for may be cut, edited, or carry a comment, and whoever asked compares for themselves.
const LIKENESS: f64 = 0.5;

/// A text that is searched for.
#[derive(Debug)]
pub(super) struct Wanted {
    trigrams: HashSet<[char; 3]>,
}

impl Wanted {
    /// Prepares a search for `text`.
    pub(super) fn new(text: &str) -> Self {
        Self { trigrams: trigrams(text) }
    }

    /// Whether `text` holds enough of what is searched for. A query without three letters is found in every text.
    pub(super) fn is_like(&self, text: &str) -> bool {
        let held = trigrams(text);
        let shared = self.trigrams.iter().filter(|trigram| held.contains(*trigram)).count();
        shared as f64 >= LIKENESS * self.trigrams.len() as f64
    }
}

/// The character trigrams of a text's letters and digits: these serve scripts with and without spaces alike.
fn trigrams(text: &str) -> HashSet<[char; 3]> {
    let letters: Vec<char> = text.nfkc().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).collect();
    letters.windows(3).map(|window| [window[0], window[1], window[2]]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_or_folded_text_finds_its_post_and_no_other() {
        let post = "Found Saturn! Nobody spoke for a minute. #opensky";
        assert!(Wanted::new("found saturn nobody spo").is_like(post));
        assert!(Wanted::new("土星を見て").is_like("おじさんが土星を見て笑った"));
        assert!(!Wanted::new("the moon is a lamp that somebody forgot").is_like(post));
        assert!(Wanted::new("").is_like(post));
    }
}
