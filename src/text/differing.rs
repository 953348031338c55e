//! Which words of two texts differ: for people who look at them side by side.

use std::{collections::HashSet, ops::Range};

use super::{
    Canonical,
    clean::cap,
    diff::gaps,
    script::{is_mark, is_unspaced},
};

/// Words left over on either side up to which two texts are aligned; beyond it a word differs if the other text does not
/// have it anywhere. Bounds the alignment to a few megabytes.
const MAX_EDITS: usize = 1_000;

/// The words that stand in one of the texts only: byte ranges of the left one and of the right one, in order. Words are
/// compared in canonical form; what has none (links, punctuation, emoji) never differs. Looks at the first 16 KiB.
pub fn differing(left: &str, right: &str) -> [Vec<Range<usize>>; 2] {
    let (left, right) = (words(cap(left)), words(cap(right)));
    let keys = |words: &[Word]| words.iter().map(|word| word.canonical.clone()).collect::<Vec<_>>();
    let (left_keys, right_keys) = (keys(&left), keys(&right));
    match gaps(&left_keys, &right_keys, MAX_EDITS) {
        Some(gaps) => [
            gaps.iter().flat_map(|gap| &left[gap.left.clone()]).map(|word| word.place.clone()).collect(),
            gaps.iter().flat_map(|gap| &right[gap.right.clone()]).map(|word| word.place.clone()).collect(),
        ],
        None => [missing_in(&left, &right), missing_in(&right, &left)],
    }
}

/// A word and where it stands.
struct Word {
    place: Range<usize>,
    canonical: Canonical,
}

fn missing_in(words: &[Word], others: &[Word]) -> Vec<Range<usize>> {
    let others: HashSet<&Canonical> = others.iter().map(|word| &word.canonical).collect();
    words.iter().filter(|word| !others.contains(&word.canonical)).map(|word| word.place.clone()).collect()
}

/// The words of a text: what stands between spaces, and each character of a script without them.
fn words(text: &str) -> Vec<Word> {
    let mut places: Vec<Range<usize>> = Vec::new();
    let mut open = false;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        if c.is_whitespace() || c == '\0' {
            open = false;
            continue;
        }
        let follows = places.last().is_some_and(|place| place.end == at);
        if !(follows && is_mark(c)) {
            if !open || is_unspaced(c) {
                places.push(at..at);
            }
            open = !is_unspaced(c);
        }
        if let Some(place) = places.last_mut() {
            place.end = end;
        }
    }
    places
        .into_iter()
        .map(|place| Word { canonical: Canonical::new(&text[place.clone()]), place })
        .filter(|word| !word.canonical.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn differing_words<'a>(left: &'a str, right: &'a str) -> [Vec<&'a str>; 2] {
        let [a, b] = differing(left, right);
        [a.into_iter().map(|place| &left[place]).collect(), b.into_iter().map(|place| &right[place]).collect()]
    }

    #[test]
    fn words_of_one_side_differ_and_links_case_and_punctuation_do_not() {
        assert_eq!(
            differing_words(
                "RT @ann: The tide is out, at last! https://a.example/1",
                "the tide is OUT again at last https://b.example/2"
            ),
            [vec!["RT", "@ann:"], vec!["again"]]
        );
        assert_eq!(differing_words("今日は晴れです", "今日は雨です"), [vec!["晴", "れ"], vec!["雨"]]);
        assert_eq!(differing_words("", "same"), [vec![], vec!["same"]]);
    }

    #[test]
    fn texts_too_different_to_be_aligned_are_compared_by_their_words_alone() {
        let numbers = |from: usize| (from..from + 1_500).map(|n| format!("w{n} ")).collect::<String>();
        let (left, right) = (numbers(0), numbers(1_490));
        let [a, b] = differing_words(&left, &right);
        assert_eq!((a.len(), b.len()), (1_490, 1_490));
        assert!(!a.contains(&"w1495") && !b.contains(&"w1495"));
    }

    proptest! {
        #[test]
        fn places_are_in_order_and_equal_texts_have_none(
            left in "\\PC{0,60}|[ab東ิ\u{301} \u{0}#@]{0,40}",
            right in "\\PC{0,60}|[ab東ิ\u{301} \u{0}#@]{0,40}",
        ) {
            for (places, text) in differing(&left, &right).iter().zip([&left, &right]) {
                prop_assert!(places.is_sorted_by(|a, b| a.end <= b.start));
                prop_assert!(places.iter().all(|place| !text[place.clone()].is_empty()));
            }
            prop_assert!(differing(&left, &left).iter().all(Vec::is_empty));
        }
    }
}
