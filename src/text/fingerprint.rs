//! The terms under which a variant is stored, and those by which it is looked up.
//!
//! Every term is a hash of one aspect of a variant, written in eight characters, so that the index of terms stays
//! small and the words of a query can't be mistaken for syntax. The near terms are a *prefix filter* (Chaudhuri,
//! Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007; Xiao et al. 2008): see [`near_keys`].

use super::{
    Canonical, Variant, VariantKind,
    canonical::token_letters,
    limits::{MAX_NEAR_KEYS, MIN_LETTERS, MIN_NEAR_KEYS, PREFIX_LETTERS, SHINGLE_LETTERS, SHINGLE_OVERLAP_PERCENT},
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
            *byte = DIGITS[usize::from((hash >> (59 - 5 * i)).to_le_bytes()[0] & 31)];
        }
        Self(term)
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
        let mut hash = self.0;
        hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        hash ^ (hash >> 32)
    }
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
            letters += if super::script::is_unspaced(c) { super::script::unspaced_letters(c) } else { 1 };
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

/// Runs of consecutive tokens, each extended until it carries enough letters; hashed, sorted, without repetitions.
fn shingles(tokens: &[&str]) -> Vec<u64> {
    let mut hashes = Vec::with_capacity(tokens.len());
    for start in 0..tokens.len() {
        let mut hash = Hash::new(Aspect::Near);
        let mut letters = 0;
        for (count, token) in tokens[start..].iter().enumerate() {
            hash.write(token.as_bytes());
            hash.write(b" ");
            letters += token_letters(token);
            if count > 0 && letters >= SHINGLE_LETTERS {
                hashes.push(hash.finish());
                break;
            }
        }
    }
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// The first keys of a set in an order that is the same for all sets (that of the hashes).
///
/// If two sets share `o` elements, then among the first `|X| − o + 1` of one and the first `|Y| − o + 1` of the other
/// there is a common one: the smallest shared element has at most `|X| − o` elements of X before it, and likewise in
/// Y. With `o` not below [`required_overlap`] of either set, these keys therefore never miss a pair.
fn near_keys(sorted: &[u64]) -> &[u64] {
    if sorted.is_empty() { sorted } else { &sorted[..sorted.len() - required_overlap(sorted.len()) + 1] }
}

/// How many of its `count` shingles a variant must share with another to be surely found by it.
pub fn required_overlap(count: usize) -> usize {
    let share = (count * SHINGLE_OVERLAP_PERCENT).div_ceil(100);
    share.min(count.saturating_sub(MIN_NEAR_KEYS - 1)).max((count + 1).saturating_sub(MAX_NEAR_KEYS)).max(1)
}
