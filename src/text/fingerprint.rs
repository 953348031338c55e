//! The terms under which a variant is stored, and those by which it is looked up.
//!
//! Every term is a hash of one aspect of a variant, written in eight characters, so that the index of terms stays
//! small and the words of a query can't be mistaken for syntax. The near terms are a *prefix filter* (Chaudhuri,
//! Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007; Xiao et al. 2008): see `near_keys`.

use super::{
    Canonical, Variant, VariantKind,
    canonical::token_letters,
    limits::{MAX_NEAR_KEYS, MIN_LETTERS, MIN_NEAR_KEYS, PREFIX_LETTERS, SHINGLE_LETTERS, SHINGLE_OVERLAP_PERCENT},
    script::{is_unspaced, spaced_letters, unspaced_letters},
};
use crate::model::Handle;

/// One term of the index: eight characters of `0-9a-v`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 8]);

impl Key {
    fn new(hash: u64) -> Self {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
        let mut term = [0; 8];
        for (i, byte) in term.iter_mut().enumerate() {
            *byte = DIGITS[usize::from((hash >> (35 - 5 * i)).to_le_bytes()[0] & 31)];
        }
        Self(term)
    }

    /// The term as a number whose bits are all as good as random: for filters and tables in memory.
    pub fn spread(&self) -> u64 {
        mix(u64::from_le_bytes(self.0))
    }

    /// The term as it stands in the index.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The aspects that are hashed, each with its own seed.
#[derive(Clone, Copy)]
enum Aspect {
    Exact = 1,
    Prefix = 2,
    Author = 3,
    Near = 4,
}

/// FNV-1a with a final mix: stable over versions, since its values are stored.
struct Hash(u64);

impl Hash {
    fn new(aspect: Aspect) -> Self {
        Self((0xcbf2_9ce4_8422_2325 ^ aspect as u64).wrapping_mul(0x0000_0100_0000_01b3))
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        mix(self.0)
    }
}

/// Lets every bit of a number depend on all of them.
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}

/// The terms under which a variant of a post by `author` is stored. The same terms look it up: whatever two variants
/// share, either finds the other by it, whichever came first.
pub fn terms(variant: &Variant, author: Option<&Handle>) -> Vec<Key> {
    let tokens: Vec<&str> = variant.canonical.tokens().filter(|t| !t.starts_with('@')).collect();
    let letters: u32 = tokens.iter().map(|t| token_letters(t)).sum();
    let mut keys = Vec::with_capacity(12);
    if letters >= PREFIX_LETTERS {
        keys.push(exact_key(&tokens));
        keys.push(prefix_key(&tokens));
        keys.extend(near_keys(&shingles(&tokens)).iter().map(|&hash| Key::new(hash)));
    }
    // A text that begins with mentions may be cut before it has said enough for the other keys.
    if letters < MIN_LETTERS || variant.canonical.as_str().starts_with('@') {
        let own = (variant.kind == VariantKind::Whole).then_some(author).flatten();
        for handle in variant.credited.iter().chain(own) {
            keys.push(author_key(handle, &variant.canonical));
        }
    }
    keys
}

/// The terms by which a variant is looked up.
pub fn queries(variant: &Variant, author: Option<&Handle>) -> Vec<Key> {
    terms(variant, author)
}

/// The whole text, mentions aside.
fn exact_key(tokens: &[&str]) -> Key {
    let mut hash = Hash::new(Aspect::Exact);
    tokens.iter().for_each(|token| hash.write(token.as_bytes()));
    Key::new(hash.finish())
}

/// The text's first letters, which a copy keeps wherever it is cut.
fn prefix_key(tokens: &[&str]) -> Key {
    let mut hash = Hash::new(Aspect::Prefix);
    let mut letters = 0;
    'tokens: for token in tokens {
        for c in token.chars() {
            if letters >= PREFIX_LETTERS {
                break 'tokens;
            }
            hash.write(c.encode_utf8(&mut [0; 4]).as_bytes());
            letters += if is_unspaced(c) { unspaced_letters(c) } else { spaced_letters(c) };
        }
    }
    Key::new(hash.finish())
}

/// A text's first two tokens together with whose it is said to be.
fn author_key(handle: &Handle, canonical: &Canonical) -> Key {
    let mut hash = Hash::new(Aspect::Author);
    hash.write(handle.as_str().as_bytes());
    hash.write(b" ");
    canonical.tokens().take(2).for_each(|t| hash.write(t.as_bytes()));
    Key::new(hash.finish())
}

/// Runs of consecutive tokens, each extended until it carries enough letters; hashed, in their global order, without
/// repetitions.
fn shingles(tokens: &[&str]) -> Vec<u64> {
    let mut hashes = Vec::with_capacity(tokens.len());
    for start in 0..tokens.len() {
        let mut hash = Hash::new(Aspect::Near);
        let (mut letters, mut rarity) = (0, 0);
        for (count, token) in tokens[start..].iter().enumerate() {
            hash.write(token.as_bytes());
            hash.write(b" ");
            letters += token_letters(token);
            rarity += rarity_of(token);
            if count > 0 && letters >= SHINGLE_LETTERS {
                // The rarest first: the top bits order, the others tell apart.
                let class = u64::from(7_u32.saturating_sub(rarity));
                hashes.push(class << 61 | hash.finish() >> 3);
                break;
            }
        }
    }
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// A guess at how rare a token is, by what it looks like and not by counting, so that it is the same everywhere and
/// for ever. It decides only how many texts are looked at in vain.
fn rarity_of(token: &str) -> u32 {
    match token.chars().next() {
        // Hiragana are grammar more often than not.
        Some('\u{3041}'..='\u{309F}') => 0,
        Some(c) if is_unspaced(c) => 2,
        _ => match token_letters(token) {
            0..=4 => 0,
            5..=6 => 1,
            7..=8 => 2,
            _ => 4,
        },
    }
}

/// The first elements of a set in an order that is the same for all sets (rarity class, then hash).
///
/// Of a set of `n` the first `n − required_overlap(n) + 1` are taken. Say X and Y share `o` elements, `o` not below the
/// required overlap of either. The smallest element that they share has at most `|X| − o` elements of X before it, and
/// at most `|Y| − o` of Y: so it stands among those taken of both. No such pair is ever missed.
fn near_keys(sorted: &[u64]) -> &[u64] {
    if sorted.is_empty() { sorted } else { &sorted[..sorted.len() - required_overlap(sorted.len()) + 1] }
}

/// How many of its `count` shingles a variant must share with another to be surely found by it.
pub fn required_overlap(count: usize) -> usize {
    let share = (count * SHINGLE_OVERLAP_PERCENT).div_ceil(100);
    share.min(count.saturating_sub(MIN_NEAR_KEYS - 1)).max((count + 1).saturating_sub(MAX_NEAR_KEYS)).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

    use super::*;
    use crate::text::analyse;

    /// The shingles of a text, as its keys see them.
    fn shingles_of(variant: &Variant) -> Vec<u64> {
        shingles(&variant.canonical.tokens().filter(|t| !t.starts_with('@')).collect::<Vec<_>>())
    }

    /// Pairs that share as many shingles as is promised to be found, and of these, those that no near key joins. One
    /// side is stored under `stored`, the other is looked up by `queried`; both ways round.
    fn promised_and_missed(
        texts: &[String],
        stored: impl Fn(&[u64]) -> Vec<u64>,
        queried: impl Fn(&[u64]) -> Vec<u64>,
    ) -> (usize, usize) {
        let sets: Vec<Vec<u64>> =
            texts.iter().filter_map(|text| analyse(text, None).variants.first().map(shingles_of)).collect();
        let (mut promised, mut missed) = (0, 0);
        for x in &sets {
            for y in &sets {
                let overlap = x.iter().filter(|hash| y.binary_search(hash).is_ok()).count();
                if !x.is_empty() && overlap >= required_overlap(x.len()).max(required_overlap(y.len())) {
                    promised += 1;
                    let (stored, queried) = (stored(x), queried(y));
                    missed += usize::from(!queried.iter().any(|hash| stored.contains(hash)));
                }
            }
        }
        (promised, missed)
    }

    /// Texts of few words, so that many pairs are near: short and long, with common words, repeated words, and
    /// without spaces; each with a few edits of itself.
    fn near_texts() -> impl Strategy<Value = Vec<String>> {
        let word = prop_oneof![
            4 => proptest::sample::select(vec!["the", "a", "and", "of", "to"]),
            6 => proptest::sample::select(vec!["harbour", "lantern", "seven", "bridge", "kettle", "marble", "window", "ember"]),
            1 => Just("over and over"),
        ];
        let spaced = |words| proptest::collection::vec(word.clone(), words).prop_map(|words| words.join(" "));
        let unspaced = proptest::collection::vec(
            proptest::sample::select("港の灯台七橋釜硝子窓残火".chars().collect::<Vec<_>>()),
            10..60,
        )
        .prop_map(String::from_iter);
        let base = prop_oneof![4 => spaced(6..30), 1 => spaced(60..220), 2 => unspaced];
        let edits = proptest::collection::vec((any::<proptest::sample::Index>(), 0_u8..3), 0..4);
        proptest::collection::vec((base, proptest::collection::vec(edits, 1..4)), 1..6).prop_map(|families| {
            let edited = |base: &str, edits: Vec<(proptest::sample::Index, u8)>| {
                let mut chars: Vec<String> = base.split_inclusive(' ').map(str::to_owned).collect();
                if chars.len() == 1 {
                    chars = base.chars().map(String::from).collect();
                }
                for (index, edit) in edits {
                    let at = index.index(chars.len());
                    match edit {
                        0 if chars.len() > 1 => drop(chars.remove(at)),
                        1 => chars.insert(at, "extra ".to_owned()),
                        _ => chars[at] = "other ".to_owned(),
                    }
                }
                chars.concat()
            };
            families
                .into_iter()
                .flat_map(|(base, variants)| {
                    let copies: Vec<String> = variants.into_iter().map(|edits| edited(&base, edits)).collect();
                    std::iter::once(base).chain(copies)
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn no_pair_with_the_promised_overlap_is_missed(texts in near_texts()) {
            let keys = |set: &[u64]| near_keys(set).to_vec();
            let (_, missed) = promised_and_missed(&texts, keys, keys);
            prop_assert_eq!(missed, 0);
        }

        #[test]
        fn terms_are_plain_words_and_few(text in "\\PC{0,200}") {
            for variant in analyse(&text, None).variants {
                let keys = terms(&variant, Some(&Handle::new("ann")));
                prop_assert!(keys.len() <= MAX_NEAR_KEYS + 4);
                prop_assert!(keys.iter().all(|key| key.as_str().bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())));
            }
        }
    }

    #[test]
    fn without_one_of_the_queried_keys_pairs_would_be_missed() {
        let mut runner = TestRunner::deterministic();
        let strategy = near_texts();
        let (mut promised, mut missed, mut missed_in_fact) = (0, 0, 0);
        for _ in 0..400 {
            let texts = strategy.new_tree(&mut runner).unwrap().current();
            let keys = |set: &[u64]| near_keys(set).to_vec();
            let fewer = |set: &[u64]| near_keys(set)[1..].to_vec();
            let (all, none) = promised_and_missed(&texts, keys, keys);
            promised += all;
            missed_in_fact += none;
            missed += promised_and_missed(&texts, keys, fewer).1;
        }
        assert!(promised > 1_000, "{promised} pairs are no test");
        assert_eq!(missed_in_fact, 0);
        assert!(missed > 0, "{missed} of {promised} pairs are missed without the first key");
    }

    #[test]
    fn cut_copies_share_the_key_of_their_beginning() {
        let keys = |text: &str| terms(&analyse(text, None).variants[0], None);
        let whole = keys("The lighthouse keeper counted seven ships before breakfast");
        let cut = keys("RT @ann: The lighthouse keeper counted sev…");
        assert!(cut.iter().any(|key| whole.contains(key)));
        let japanese = keys("灯台守は朝食の前に七隻の船を数えた。港は静かだった");
        assert!(keys("灯台守は朝食の前に七隻の…").iter().any(|key| japanese.contains(key)));
    }

    #[test]
    fn terms_stay_the_same_since_they_are_stored() {
        let variant = &analyse("The lighthouse keeper counted seven ships", None).variants[0];
        insta::assert_debug_snapshot!(terms(variant, None));
    }
}
