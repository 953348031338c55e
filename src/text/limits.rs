//! The thresholds of the text layer, each with its reason. Figures come from the measurements in `docs/duplicates.md`.

/// Bytes of a text that are analysed, before and after compatibility folding. The longest post of the three networks
/// has 25,000 characters on X; what is beyond this tells nothing new about whose text it is.
pub const MAX_TEXT_BYTES: usize = 16 * 1024;

/// Payloads kept of one post. A chain of more headers than this is noise.
pub const MAX_VARIANTS: usize = 6;

/// Letters below which a variant is also stored under its author. Part of the stored keys, and so the same in every mode.
pub const MIN_LETTERS: u32 = 25;

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

/// Tokens left over from which on two texts are not aligned to the end: bounds the work on long texts.
pub const MAX_EDITS: usize = 400;

/// What two texts that are not equal must have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Share of the shorter text's letters, in percent, that the longer text must contain in the same order.
    pub shorter_percent: u32,
    /// Share of the longer text's letters, in percent, that the shorter text must contain, from so many letters in common
    /// on: in a short text a few more words make another statement.
    pub longer_percent: [(u32, u32); 2],
    /// Letters that may be left over on both sides at once.
    pub both_sides_letters: u32,
    /// Whether, within those letters, words may stand in the place of others, and a denial on one side: "six boats are in"
    /// is neither "two boats are in" nor "six boats are not in".
    pub rewording: bool,
}

/// What two texts must have in common to be one thing: one point between letting a copy through and losing a thing.
///
/// Only the comparison of texts asks these. The keys under which a text is stored and looked up are the same in every
/// mode, so that the mode can be changed on an archive that is there. They set the limits of what a mode can find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Letters from which on equal texts are one thing by themselves: below, people write the same words independently
    /// ("good morning everybody").
    pub equal_letters: u32,
    /// The same for texts of which one was cut.
    pub cut_letters: u32,
    /// The same for texts of which one was edited.
    pub edited_letters: u32,
    /// Letters from which on equal texts are one thing if one names the other's author.
    pub equal_letters_with_evidence: u32,
    /// Letters from which on a cut or edited text is one thing with another if one names the other's author, or somebody
    /// repeats their own post: "thanks!" is said again and again.
    pub edited_letters_with_evidence: u32,
    /// Letters from which on a text that ends within a word of the other is taken as cut without an ellipsis; `None` if
    /// never.
    pub unmarked_cut_letters: Option<u32>,
    /// Letters in common from which on strangers' texts are one thing though a short word of one stands in the place of
    /// another; `None` if never. "Six boats are in" is not "two boats are in", but hardly anybody writes a whole paragraph
    /// that another has written but for a word.
    pub exchange_letters: Option<u32>,
    /// Letters from which on the same words to other people are one thing; `None` if never: "thank you so much for …" is
    /// said anew to each.
    pub broadcast_letters: Option<u32>,
    /// What an edited or cut text has to keep.
    pub kept: Kept,
    /// The same if one names the other's author.
    pub kept_with_evidence: Kept,
    /// Whether it counts that one names the other's author.
    pub evidence: bool,
}

/// Rather a copy let through than a thing lost, by measure: of the steps that were tried, those that found more copies
/// than they lost things.
pub const BALANCED: Thresholds = Thresholds {
    equal_letters: 25,
    cut_letters: 25,
    edited_letters: 25,
    equal_letters_with_evidence: 1,
    edited_letters_with_evidence: 8,
    // Where tools cut; a shorter text ends where its author ended it.
    unmarked_cut_letters: Some(60),
    exchange_letters: Some(60),
    broadcast_letters: None,
    kept: BALANCED_KEPT,
    kept_with_evidence: Kept { rewording: true, ..BALANCED_KEPT },
    evidence: true,
};

const BALANCED_KEPT: Kept = Kept {
    shorter_percent: 93,
    longer_percent: [(45, 75), (0, 80)],
    // An article, an ampersand written out.
    both_sides_letters: 3,
    rewording: false,
};

/// Only what is hardly written twice by chance.
pub const STRICT: Thresholds = Thresholds {
    // A sentence of eight words: set phrases and headlines of five or six are written independently.
    equal_letters: 40,
    cut_letters: 40,
    edited_letters: 40,
    // "Yes!" and "RT @ann: Yes!" may be about two of her posts.
    equal_letters_with_evidence: 8,
    edited_letters_with_evidence: 20,
    // An author may go on where another stopped; an ellipsis is a tool's mark.
    unmarked_cut_letters: None,
    exchange_letters: None,
    broadcast_letters: None,
    kept: Kept {
        // A label or a name may be added, nothing may be left out but a letter or two of a long text.
        shorter_percent: 98,
        longer_percent: [(80, 85), (0, 90)],
        // Whatever is said on both sides may be what the two posts differ in.
        both_sides_letters: 0,
        rewording: false,
    },
    kept_with_evidence: BALANCED_KEPT,
    evidence: true,
};

/// Rather a thing lost than a copy let through. A number, date or version that differs forbids a match here too:
/// templated posts would become one thing without it.
pub const EAGER: Thresholds = Thresholds {
    // The least that has keys of its own.
    equal_letters: PREFIX_LETTERS,
    cut_letters: PREFIX_LETTERS,
    edited_letters: 25,
    equal_letters_with_evidence: 1,
    edited_letters_with_evidence: 8,
    // Half of what balanced asks: some tools cut for a link and a name.
    unmarked_cut_letters: Some(30),
    // A dozen words: an appeal that is sent to everybody who may pass it on.
    exchange_letters: Some(30),
    broadcast_letters: Some(60),
    kept: Kept {
        // A sharer's remark half as long as the text.
        shorter_percent: 90,
        longer_percent: [(45, 66), (0, 75)],
        // A short word for another.
        both_sides_letters: 4,
        rewording: true,
    },
    // A name says whose words they are: here a text is known also when somebody has shortened and rewritten it ("MT").
    kept_with_evidence: Kept {
        shorter_percent: 75,
        longer_percent: [(45, 45), (0, 60)],
        both_sides_letters: 12,
        rewording: true,
    },
    evidence: true,
};
