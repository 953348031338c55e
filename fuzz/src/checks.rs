//! What has to hold of the text layer, and of what reads strangers' bytes, whatever the bytes are. Each check panics if
//! it doesn't.
//!
//! An input that stands for several texts has them separated by U+001E, the record separator of ASCII.

use std::{borrow::Cow, io::Cursor, ops::Range};

use firsthand::{
    config::{self, Environment, Flags},
    model::{Handle, TimeMs},
    pipeline::replay::ReplayInput,
    text::{
        self, Canonical, Variant, VariantKind,
        fingerprint::{self, Key},
        limits::{BALANCED, EAGER, MAX_NEAR_KEYS, MAX_TEXT_BYTES, MAX_VARIANTS, MIN_LETTERS, STRICT},
        search_form,
        similarity::{Comparison, Guard, Likeness, Side, compare},
    },
};

/// Folding can lengthen a text (spaces between scripts, letters whose small form is longer), but at most so much.
const MAX_CANONICAL_BYTES: usize = 2 * MAX_TEXT_BYTES;

/// Keys that a variant has besides its near keys: exact, prefix, and two of authors.
const OTHER_KEYS: usize = 4;

/// Panics if something does not hold of an input.
pub type Check = fn(&[u8]);

/// The checks, by the names of their targets.
pub const CHECKS: [(&str, Check); 8] = [
    ("analyse", analyse),
    ("fold", fold),
    ("similarity", similarity),
    ("fingerprint", fingerprint),
    ("search_query", search_query),
    ("differing", differing),
    ("replay_line", replay_line),
    ("config_file", config_file),
];

/// A text (and its author) is taken apart into few bounded payloads, and the same ones each time.
pub fn analyse(input: &[u8]) {
    let [text, author] = records(input);
    let author = author_of(&author);
    let analysis = text::analyse(&text, author.as_ref());
    assert!(analysis.variants.len() <= MAX_VARIANTS);
    for (at, variant) in analysis.variants.iter().enumerate() {
        check_canonical(&variant.canonical);
        assert!(!variant.canonical.is_empty());
        assert!(!analysis.variants[..at].contains(variant), "a payload stands twice");
        let credited = variant.credited.as_ref().map(Handle::as_str);
        assert!(credited.is_none_or(|handle| !handle.is_empty() && !handle.starts_with('@')));
    }
    assert!(author.is_none() || analysis.attribution != author, "crediting oneself makes no copy");
    assert_eq!(analysis, text::analyse(&text, author.as_ref()));
}

/// Folding twice is folding once.
pub fn fold(input: &[u8]) {
    let canonical = Canonical::new(&String::from_utf8_lossy(input));
    check_canonical(&canonical);
}

/// Comparing is symmetric, and a text of enough letters is the same as itself.
pub fn similarity(input: &[u8]) {
    let [left, left_author, right, right_author] = records(input);
    let authors = [author_of(&left_author), author_of(&right_author)];
    let (left, right) =
        (text::analyse(&left, authors[0].as_ref()).variants, text::analyse(&right, authors[1].as_ref()).variants);
    for variant in left.iter().chain(&right) {
        let side = Side { variant, author: None };
        let own = check_comparison(side, side);
        if variant.kind != VariantKind::Quote && variant.canonical.letters() >= MIN_LETTERS {
            assert_eq!((own.likeness, own.similarity), (Some(Likeness::Exact), 1.0), "{variant:?}");
        }
    }
    for (left, right) in pairs(&left, &right) {
        let comparison = check_comparison(
            Side { variant: left, author: authors[0].as_ref() },
            Side { variant: right, author: authors[1].as_ref() },
        );
        let enough = left.canonical.letters() >= MIN_LETTERS;
        if left.canonical == right.canonical && enough && comparison.guard != Guard::Witnesses {
            assert_eq!(comparison.likeness, Some(Likeness::Exact));
        }
    }
}

/// Keys are few and plain, the same each time, and those of equal texts meet.
pub fn fingerprint(input: &[u8]) {
    let [left, left_author, right, right_author] = records(input);
    let authors = [author_of(&left_author), author_of(&right_author)];
    let (left, right) =
        (text::analyse(&left, authors[0].as_ref()).variants, text::analyse(&right, authors[1].as_ref()).variants);
    for (variants, author) in [(&left, &authors[0]), (&right, &authors[1])] {
        for variant in variants {
            let keys = fingerprint::terms(variant, author.as_ref());
            assert!(keys.len() <= MAX_NEAR_KEYS + OTHER_KEYS, "{} keys", keys.len());
            assert!(keys.iter().all(is_plain), "{keys:?}");
            assert_eq!(keys, fingerprint::queries(variant, author.as_ref()));
        }
    }
    for (left, right) in pairs(&left, &right) {
        let sides = [left, right].map(|variant| Side { variant, author: None });
        let enough = left.canonical.letters().min(right.canonical.letters()) >= MIN_LETTERS;
        if enough && compare(sides[0], sides[1], &BALANCED).likeness == Some(Likeness::Exact) {
            let keys = fingerprint::terms(left, None);
            let met = fingerprint::queries(right, None).iter().any(|key| keys.contains(key));
            assert!(met, "{left:?} and {right:?} share no key");
        }
    }
}

/// A person's words become a bounded query in which they are only text, and are marked where they stand.
pub fn search_query(input: &[u8]) {
    let [words, text] = records(input);
    if let Some(query) = search_form::query(&words) {
        assert!(query.len() <= 8 * 1024 && !query.contains('\0'));
        // Quoted phrases with spaces between them, and nothing else.
        let mut quoted = false;
        for c in query.chars() {
            quoted ^= c == '"';
            assert!(quoted || matches!(c, '"' | ' '), "{query}");
        }
        assert!(!quoted, "{query}");
    }
    let indexed = search_form::index_text(&text);
    assert!(indexed.len() <= 2 * MAX_TEXT_BYTES && !indexed.contains('\0'));
    check_places(&text, &search_form::highlight(&text, &words));
}

/// The words that differ have places in their text, in order; a text does not differ from itself.
pub fn differing(input: &[u8]) {
    let [left, right] = records(input);
    let [in_left, in_right] = text::differing::differing(&left, &right);
    check_places(&left, &in_left);
    check_places(&right, &in_right);
    assert!(text::differing::differing(&left, &left).iter().all(Vec::is_empty));
}

/// Whatever a file of posts holds, it is read to its end, line by line.
pub fn replay_line(input: &[u8]) {
    let Ok(mut lines) = ReplayInput::new("input".to_owned(), Cursor::new(input.to_vec())) else { return };
    let mut before = TimeMs(0);
    let mut last = 0;
    // A damaged gzip stream is an error that ends the reading.
    while let Ok(Some(line)) = lines.next(before) {
        match line {
            Ok(post) => {
                assert!(!post.remote_id.as_str().is_empty());
                before = post.created_at;
            }
            Err(bad) => {
                assert!(bad.number > last && !bad.reason.is_empty());
                last = bad.number;
            }
        }
    }
}

/// Whatever a configuration file holds, it is taken or refused in words.
pub fn config_file(input: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder for the configuration");
    std::fs::write(folder.path().join("firsthand.toml"), input).expect("write the configuration");
    let environment = Environment::new(folder.path(), [("", ""); 0]);
    match config::load(&environment, &Flags::default()) {
        Ok(loaded) => {
            assert!(loaded.file.is_some());
            let shown = format!("{loaded:?}");
            assert!(!shown.is_empty());
        }
        Err(refused) => assert!(!refused.to_string().is_empty()),
    }
}

/// The records of an input; those that it lacks are empty.
fn records<const COUNT: usize>(input: &[u8]) -> [Cow<'_, str>; COUNT] {
    let mut parts = input.splitn(COUNT, |&byte| byte == 0x1e);
    std::array::from_fn(|_| String::from_utf8_lossy(parts.next().unwrap_or_default()))
}

fn author_of(record: &str) -> Option<Handle> {
    Some(Handle::new(record)).filter(|handle| !handle.as_str().is_empty())
}

fn pairs<'a>(left: &'a [Variant], right: &'a [Variant]) -> impl Iterator<Item = (&'a Variant, &'a Variant)> {
    left.iter().flat_map(move |left| right.iter().map(move |right| (left, right)))
}

fn check_canonical(canonical: &Canonical) {
    let text = canonical.as_str();
    assert!(text.len() <= MAX_CANONICAL_BYTES, "{} bytes", text.len());
    assert!(!text.starts_with(' ') && !text.ends_with(' ') && !text.contains("  "), "{text:?}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
    let tokens: Vec<&str> = canonical.tokens().collect();
    assert_eq!(tokens.concat(), text.replace(' ', ""));
    assert_eq!(canonical.letters(), tokens.iter().map(|token| text::canonical::token_letters(token)).sum::<u32>());
    assert_eq!(Canonical::from_stored(text.to_owned()), *canonical);
    // A longer one would be capped before it is folded again.
    if text.len() <= MAX_TEXT_BYTES {
        assert_eq!(Canonical::new(text), *canonical);
    }
}

/// Checks the comparison in every mode; returns that of the balanced one.
fn check_comparison(left: Side<'_>, right: Side<'_>) -> Comparison {
    let [balanced, ..] = [BALANCED, STRICT, EAGER].map(|thresholds| {
        let comparison = compare(left, right, &thresholds);
        assert_eq!(comparison, compare(right, left, &thresholds), "{left:?} and {right:?}");
        assert_eq!(comparison.likeness.is_some(), comparison.guard == Guard::None);
        assert!((0.0..=1.0).contains(&comparison.similarity), "{comparison:?}");
        comparison
    });
    balanced
}

fn is_plain(key: &Key) -> bool {
    key.as_str().len() == 8 && key.as_str().bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'v'))
}

fn check_places(text: &str, places: &[Range<usize>]) {
    let mut end = 0;
    for place in places {
        assert!(place.start >= end && !text[place.clone()].is_empty(), "{places:?} in {text:?}");
        end = place.end;
    }
}
