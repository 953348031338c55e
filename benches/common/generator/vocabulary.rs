//! The words: a fixed vocabulary, drawn from by Zipf's law, and words that nobody has used before.

use std::collections::HashSet;

use rand::{
    RngExt, SeedableRng,
    distr::{Distribution, weighted::WeightedIndex},
    rngs::Xoshiro256PlusPlus,
    seq::IndexedRandom,
};

/// How many words the vocabulary has: about what a large dictionary of English has.
pub(super) const WORDS: usize = 200_000;

/// The seed of the vocabulary itself, which is the same in every stream.
const SEED: u64 = 0x0077_6f72_6473;

/// Beginnings of syllables. None has an `x`: that is what unseen words begin with.
const ONSETS: [&str; 26] = [
    "b", "c", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z", "br", "dr", "fl", "gr", "kl",
    "pr", "st", "tr", "sh",
];
const VOWELS: [&str; 8] = ["a", "e", "i", "o", "u", "ai", "ea", "oo"];
/// Ends of syllables; half of them are open.
const ENDS: [&str; 12] = ["", "", "", "", "", "", "n", "r", "s", "l", "th", "nd"];

/// Letters of the syllables of unseen words: a hundred syllables of two letters.
const CONSONANTS: &[u8; 20] = b"bcdfghjklmnpqrstvwyz";
const OPEN_VOWELS: &[u8; 5] = b"aeiou";

/// All words, and how often each is used.
pub(super) struct Vocabulary {
    words: Vec<Box<str>>,
    /// Zipf's law with exponent 1: the word of rank r has the weight 1/r.
    ranks: WeightedIndex<f64>,
}

impl Vocabulary {
    /// Makes the words. Length and rank are independent but for this: there are few words of one syllable, so they are
    /// used up by the first ranks. A natural language abbreviates its common words more, and would be kinder to an index
    /// that guesses at rarity by looks.
    pub(super) fn new() -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(SEED);
        let mut taken: HashSet<Box<str>> = HashSet::with_capacity(WORDS);
        let mut words = Vec::with_capacity(WORDS);
        while words.len() < WORDS {
            let syllables = rng.random_range(1..=3);
            let word: String = (0..syllables).flat_map(|_| syllable(&mut rng)).collect();
            let word = word.into_boxed_str();
            if taken.insert(word.clone()) {
                words.push(word);
            }
        }
        let weights = (1..=WORDS).map(|rank| 1.0 / rank as f64);
        let ranks = WeightedIndex::new(weights).expect("there are words, and their weights are positive");
        Self { words, ranks }
    }

    /// A word of the vocabulary.
    pub(super) fn draw(&self, rng: &mut Xoshiro256PlusPlus) -> &str {
        &self.words[self.ranks.sample(rng)]
    }

    /// The word of this rank, counted from 0.
    pub(super) fn word(&self, rank: usize) -> &str {
        &self.words[rank]
    }
}

fn syllable(rng: &mut Xoshiro256PlusPlus) -> [&'static str; 3] {
    [&ONSETS[..], &VOWELS, &ENDS].map(|part| part.choose(rng).copied().unwrap_or_default())
}

/// The word that only this number has, and that the vocabulary does not have.
pub(super) fn unseen(number: u32) -> String {
    // Multiplying by an odd number only permutes the numbers; neighbours get words that do not look alike.
    let mut scattered = number.wrapping_mul(0x9e37_79b1);
    let mut word = String::from("x");
    while scattered > 0 {
        let syllable = (scattered % 100) as usize;
        word.push(char::from(CONSONANTS[syllable / 5]));
        word.push(char::from(OPEN_VOWELS[syllable % 5]));
        scattered /= 100;
    }
    word
}
