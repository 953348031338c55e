//! The thresholds of the text layer, each with its reason. Figures come from the measurements in `docs/duplicates.md`.

/// Bytes of a text that are analysed, before and after compatibility folding. The longest post of the three networks
/// has 25,000 characters on X; what is beyond this tells nothing new about whose text it is.
pub const MAX_TEXT_BYTES: usize = 16 * 1024;

/// Payloads kept of one post. A chain of more headers than this is noise.
pub const MAX_VARIANTS: usize = 6;

/// Letters from which on equal texts are one thing by themselves: below, people write the same words independently
/// ("good morning everybody").
pub const MIN_LETTERS: u32 = 25;

/// Letters from which on a cut or edited text is one thing with another if one names the other's author, or somebody
/// repeats their own post: "thanks!" is said again and again.
pub const MIN_LETTERS_WITH_EVIDENCE: u32 = 8;

/// Letters from which on a text that ends within a word of the other is taken as cut without an ellipsis.
pub const MIN_LETTERS_OF_UNMARKED_CUT: u32 = 60;

/// Letters that a mention counts for which both texts begin with.
pub const LETTERS_OF_A_MENTION: u32 = 4;

/// Letters of a text's beginning that make the key by which cut copies are found.
pub const PREFIX_LETTERS: u32 = 20;

/// Letters that a shingle carries at least; a character of a script without spaces counts as two.
pub const SHINGLE_LETTERS: u32 = 8;

/// Share of shingles, in percent, that near copies are required to have in common so that they are surely found.
pub const SHINGLE_OVERLAP_PERCENT: usize = 70;

/// Near keys of one variant. A longer text has only as many edits forgiven as this allows.
pub const MAX_NEAR_KEYS: usize = 24;

/// Near keys of a short variant, as far as it has shingles: one word changed spoils two or three of them.
pub const MIN_NEAR_KEYS: usize = 4;

/// Share of the shorter text's letters, in percent, that the longer text must contain in the same order.
pub const SHORTER_COVERED_PERCENT: u32 = 93;

/// Share of the longer text's letters, in percent, that the shorter text must contain, from so many letters in common
/// on: in a short text a few more words make another statement.
pub const LONGER_COVERED: [(u32, u32); 2] = [(45, 75), (0, 80)];

/// Letters that may be left over on both sides at once: an article, an ampersand written out.
pub const BOTH_SIDES_LETTERS: u32 = 3;

/// Tokens left over from which on two texts are not aligned to the end: bounds the work on long texts.
pub const MAX_EDITS: usize = 400;
