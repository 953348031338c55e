//! A payload made ready to be compared many times.

use super::{Variant, canonical::token_letters};

/// One token: equal tokens have equal hashes, so that alignment compares numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    hash: u64,
    start: u32,
    end: u32,
    /// How many letters it is worth.
    pub(super) letters: u32,
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

/// The tokens of a payload, split once.
#[derive(Clone, Debug)]
pub struct Tokens {
    all: Vec<Token>,
    /// How many mentions stand in front.
    lead: usize,
    letters: u32,
}

impl Tokens {
    /// Splits a payload.
    pub fn new(variant: &Variant) -> Self {
        let text = variant.canonical.as_str();
        let position = |part: &str| u32::try_from(part.as_ptr() as usize - text.as_ptr() as usize).unwrap_or(u32::MAX);
        let mut all: Vec<Token> = variant
            .canonical
            .tokens()
            .map(|token| {
                let start = position(token);
                let end = start + u32::try_from(token.len()).unwrap_or(u32::MAX);
                Token { hash: hash(token), start, end, letters: token_letters(token) }
            })
            .collect();
        let is_mention = |token: &Token| text.as_bytes()[token.start as usize] == b'@';
        // A mention at the end of a cut text is itself cut, or was there only to fill it.
        if variant.cut && all.len() > 1 {
            all.pop_if(|last| is_mention(last));
        }
        let lead = all.iter().take_while(|token| is_mention(token)).count();
        let letters = all.iter().map(|token| token.letters).sum();
        Self { all, lead, letters }
    }
}

/// A payload with its tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a> {
    text: &'a str,
    /// The mentions in front.
    pub(super) lead: &'a [Token],
    /// What follows them.
    pub(super) tokens: &'a [Token],
    /// The letters of all tokens.
    pub(super) letters: u32,
    /// Whether the payload was cut.
    pub(super) cut: bool,
}

impl<'a> Words<'a> {
    pub(super) fn new(variant: &'a Variant, tokens: &'a Tokens) -> Self {
        let (lead, rest) = tokens.all.split_at(tokens.lead);
        Self { text: variant.canonical.as_str(), lead, tokens: rest, letters: tokens.letters, cut: variant.cut }
    }

    /// A token of this payload as text.
    pub(super) fn text(&self, token: &Token) -> &'a str {
        &self.text[token.start as usize..token.end as usize]
    }

    /// The tokens up to so many letters.
    pub(super) fn within(&self, max_letters: u32) -> &'a [Token] {
        let mut letters = 0;
        let end = self.tokens.iter().position(|token| {
            letters += token.letters;
            letters > max_letters
        });
        &self.tokens[..end.unwrap_or(self.tokens.len())]
    }
}

/// How many letters some tokens have.
pub(super) fn letters(tokens: &[Token]) -> u32 {
    tokens.iter().map(|token| token.letters).sum()
}

/// FNV-1a: only equality within one run counts.
fn hash(token: &str) -> u64 {
    token.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
