//! Why a comparison came out as it did, for people: the figures that were weighed, and the words that differ.

use super::{
    Comparison, Demands, Guard, Judged, Side, Tokens, judge_sides,
    left_over::{kind_of, texts},
};
use crate::text::{
    diff::{Gap, gaps},
    limits::{MAX_EDITS, Thresholds},
    words::{Token, Words},
};

/// The letters that a comparison weighed, and what it asked of them. Of each pair the first is one's own side, the
/// second the other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Letters in common.
    pub matched: u32,
    /// Whether that is only the most it can be: a text that is too short to cover the other is not aligned with it.
    pub at_most: bool,
    /// Letters of each side, without what follows where the other was cut.
    pub letters: [u32; 2],
    /// Letters that stand on one side only.
    pub left_over: [u32; 2],
    /// Letters in common that are needed.
    pub needed_letters: u32,
    /// How much of the shorter side must be in common, in percent.
    pub shorter_percent: u32,
    /// How much of the longer side must be in common, in percent.
    pub longer_percent: u32,
    /// How many letters may be left over on both sides at once.
    pub both_sides_letters: u32,
}

impl Measure {
    /// Of words that are equal as far as they go.
    pub(super) fn equal(letters: u32, needed_letters: u32) -> Self {
        Self {
            matched: letters,
            at_most: false,
            letters: [letters, letters],
            left_over: [0, 0],
            needed_letters,
            shorter_percent: 100,
            longer_percent: 100,
            both_sides_letters: 0,
        }
    }

    /// Of so many letters in common; the sides' own figures are still those of equal words.
    pub(super) fn weighed(matched: u32, needed_letters: u32, demands: &Demands) -> Self {
        Self {
            shorter_percent: demands.kept.shorter_percent,
            longer_percent: demands.longer_percent(matched),
            both_sides_letters: demands.kept.both_sides_letters,
            ..Self::equal(matched, needed_letters)
        }
    }

    /// How much of the shorter and of the longer side is in common, in percent, rounded down.
    pub fn covered_percent(&self) -> [u32; 2] {
        let [a, b] = self.letters;
        [a.min(b), a.max(b)].map(|letters| (self.matched * 100).checked_div(letters).unwrap_or(100).min(100))
    }
}

/// What differs where two payloads differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words that one side has, or each has others; weighed by their letters.
    LeftOver,
    /// The same letters, joined or split otherwise; no difference.
    Spacing,
    /// What one side goes on to say where the other was cut; no difference.
    Beyond,
    /// A number, date or version, which forbids the match.
    Number,
    /// A word that denies, on one side only, which forbids the match unless names speak for it.
    Denial,
    /// Words in the place of others, which forbid the match unless names speak for it.
    Exchange,
    /// Mentions on both sides, which forbid the match.
    Mention,
    /// Other people answered, which forbids the match.
    Reply,
}

/// A place where two payloads differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is.
    pub kind: Kind,
    /// One's own words, and the other's, in canonical form; empty where a side has none.
    pub words: [String; 2],
}

/// A comparison with its reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// How it came out.
    pub comparison: Comparison,
    /// What was weighed; `None` if it was decided before any letters were counted.
    pub measure: Option<Measure>,
    /// Where the words differ, in order.
    pub differences: Vec<Difference>,
}

/// Compares two payloads as [`compare`](super::compare) does, and tells why. The figures and words of `mine` come first.
pub fn explain(mine: Side<'_>, theirs: Side<'_>, thresholds: &Thresholds) -> Explanation {
    let (my_tokens, their_tokens) = (Tokens::new(mine.variant), Tokens::new(theirs.variant));
    let judged = judge_sides((mine, &my_tokens), (theirs, &their_tokens), thresholds);
    let differences = differences(&judged);
    let (mut measure, mut differences) = (judged.measure, differences);
    if judged.swapped {
        if let Some(measure) = &mut measure {
            measure.letters.reverse();
            measure.left_over.reverse();
        }
        differences.iter_mut().for_each(|difference| difference.words.reverse());
    }
    Explanation { comparison: judged.comparison, measure, differences }
}

fn differences(judged: &Judged<'_>) -> Vec<Difference> {
    let Some([short, long]) = &judged.words else { return Vec::new() };
    let words = |side: &Words<'_>, tokens: &[Token]| texts(side, tokens).join(" ");
    if judged.comparison.guard == Guard::OtherReply {
        return vec![Difference { kind: Kind::Reply, words: [words(short, short.lead), words(long, long.lead)] }];
    }
    let difference = |gap: &Gap, kind: Option<Kind>| {
        let (left, right) = (&short.tokens[gap.left.clone()], &long.tokens[gap.right.clone()]);
        let kind = kind.unwrap_or_else(|| kind_of(&texts(short, left), &texts(long, right)));
        Difference { kind, words: [words(short, left), words(long, right)] }
    };
    if judged.gaps.is_empty() && judged.beyond.is_none() {
        // It was decided before the words were aligned; then what follows a beginning is all that differs.
        let kind = judged.comparison.likeness.map(|_| Kind::Beyond);
        let gaps = gaps(short.tokens, long.tokens, MAX_EDITS).unwrap_or_default();
        return gaps.iter().map(|gap| difference(gap, kind)).collect();
    }
    let beyond = judged.beyond.iter().map(|gap| difference(gap, Some(Kind::Beyond)));
    judged.gaps.iter().map(|gap| difference(gap, None)).chain(beyond).collect()
}
