//! Prepares texts and words for people's full-text search.
//!
//! The index splits words at spaces. Scripts that are written without them get one between characters, so that a
//! phrase of characters finds any substring; the same is done to a person's words.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

use super::{
    clean::cap,
    script::{is_mark, is_unspaced, is_word},
};

/// Words of a query that are looked for; more tell nothing new.
const MAX_TERMS: usize = 32;

/// Bytes of a query's words that are looked for, the length at which networks stop too.
const MAX_QUERY_BYTES: usize = 512;

/// The form in which a text is put into the index: at most 16 KiB of it, scripts without spaces split into characters.
pub fn index_text(text: &str) -> String {
    let text = cap(text);
    let mut out = String::with_capacity(text.len());
    let mut last_unspaced = false;
    for c in text.chars().filter(|&c| c != '\0') {
        let unspaced = is_unspaced(c);
        if (unspaced || last_unspaced) && !is_mark(c) && c != ' ' && !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
        out.push(c);
        last_unspaced = unspaced || (last_unspaced && is_mark(c));
    }
    out
}

/// A person's words as a query that is safe whatever they hold: every word must occur, runs of characters of a script
/// without spaces as phrases. `None` if there is no word.
pub fn query(words: &str) -> Option<String> {
    let words = &words[..words.floor_char_boundary(MAX_QUERY_BYTES)];
    let terms: Vec<String> =
        terms(words).map(|term| format!("\"{}\"", index_text(term).replace('"', "\"\""))).collect();
    (!terms.is_empty()).then(|| terms.join(" "))
}

fn terms(words: &str) -> impl Iterator<Item = &str> {
    words.split(|c: char| c.is_whitespace() || c == '\0').filter(|term| term.chars().any(is_word)).take(MAX_TERMS)
}

/// Where a person's words stand in a text: byte ranges, in order, none overlapping another.
pub fn highlight(text: &str, words: &str) -> Vec<Range<usize>> {
    let tokens = tokens(text);
    let words = &words[..words.floor_char_boundary(MAX_QUERY_BYTES)];
    let mut hits: Vec<Range<usize>> = Vec::new();
    for term in terms(words) {
        let wanted = self::tokens(term);
        for window in tokens.windows(wanted.len().max(1)) {
            if !wanted.is_empty() && window.iter().zip(&wanted).all(|((_, a), (_, b))| a == b) {
                hits.push(window[0].0.start..window[window.len() - 1].0.end);
            }
        }
    }
    hits.sort_unstable_by_key(|hit| (hit.start, hit.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(hits.len());
    for hit in hits {
        match merged.last_mut() {
            Some(last) if hit.start < last.end => last.end = last.end.max(hit.end),
            _ => merged.push(hit),
        }
    }
    merged
}

/// The words of a text with their places, folded as the index folds them: no case, no diacritics.
fn tokens(text: &str) -> Vec<(Range<usize>, String)> {
    let mut tokens: Vec<(Range<usize>, String)> = Vec::new();
    let mut open = false;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        if is_mark(c) {
            if let Some((range, _)) = tokens.last_mut().filter(|(range, _)| range.end == at) {
                range.end = end;
            }
            continue;
        }
        if !is_word(c) {
            open = false;
            continue;
        }
        if is_unspaced(c) || !open {
            tokens.push((at..at, String::new()));
        }
        open = !is_unspaced(c);
        if let Some((range, word)) = tokens.last_mut() {
            range.end = end;
            word.extend(c.nfd().filter(|&c| !is_mark(c)).flat_map(char::to_lowercase));
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scripts_without_spaces_are_split_into_characters() {
        assert_eq!(index_text("Rustで書いた bot"), "Rust で 書 い た bot");
        assert_eq!(index_text("ที่นี่"), "ที่ นี่");
    }

    #[test]
    fn query_syntax_in_a_persons_words_is_only_text() {
        assert_eq!(query("say \"hi\" NOT id:3 OR").unwrap(), "\"say\" \"\"\"hi\"\"\" \"NOT\" \"id:3\" \"OR\"");
        assert_eq!(query("東京 tower").unwrap(), "\"東 京\" \"tower\"");
        assert_eq!(query("a\0b").unwrap(), "\"a\" \"b\"");
        assert_eq!(query(" \" * - ( "), None);
    }

    #[test]
    fn a_query_is_bounded() {
        assert_eq!(query(&"x ".repeat(200)).unwrap().matches("\"x\"").count(), MAX_TERMS);
        assert!(query(&"y".repeat(100_000)).unwrap().len() <= MAX_QUERY_BYTES + 2);
    }

    #[test]
    fn hits_are_marked_in_the_text_as_it_was_written() {
        let text = "Café au lait, CAFE noir";
        let marked: Vec<_> = highlight(text, "café").into_iter().map(|hit| &text[hit]).collect();
        assert_eq!(marked, ["Café", "CAFE"]);
        let text = "東京都の東京駅";
        let marked: Vec<_> = highlight(text, "東京 京都").into_iter().map(|hit| &text[hit]).collect();
        assert_eq!(marked, ["東京都", "東京"]);
    }

    proptest! {
        #[test]
        fn any_text_and_any_words_are_taken(text in "\\PC{0,60}|[a-cA-Cé東京\u{301} \"\u{0}]{0,40}", words in "\\PC{0,30}|[a-c東京 \"\u{0}]{0,20}") {
            let mut end = 0;
            for hit in highlight(&text, &words) {
                prop_assert!(hit.start >= end && !text[hit.clone()].is_empty());
                end = hit.end;
            }
            if let Some(query) = query(&words) {
                prop_assert_eq!(query.matches('"').count() % 2, 0);
                prop_assert!(!query.contains('\0'));
            }
            prop_assert!(!index_text(&text).contains('\0'));
        }
    }
}
