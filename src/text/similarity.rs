//! Whether two payloads are the same words, and which guard decided.

mod explanation;
mod left_over;

pub use explanation::{Difference, Explanation, Kind, Measure, explain};
use left_over::{LeftOver, is_number};

pub use super::words::Tokens;
use super::{
    Variant, VariantKind,
    diff::{Gap, gaps},
    limits::{Kept, LETTERS_OF_A_MENTION, MAX_EDITS, Thresholds},
    words::{Token, Words, letters},
};
use crate::model::Handle;

/// One side of a comparison: a payload and who posted it.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The payload.
    pub variant: &'a Variant,
    /// Who posted it, where that is known.
    pub author: Option<&'a Handle>,
}

/// In which way two payloads are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Likeness {
    /// The same words.
    Exact,
    /// The same words, one of them cut short.
    Truncated,
    /// Nearly the same words.
    Near,
}

/// What decided a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guard {
    /// Nothing stood against it.
    None,
    /// Too few letters to be one thing without evidence from authors.
    TooShort,
    /// They answer different people.
    OtherReply,
    /// A number, date or version differs.
    Number,
    /// A mention inside the text differs.
    Mention,
    /// One side denies something.
    Denial,
    /// A word stands in the place of another.
    Exchange,
    /// Both sides say something that the other doesn't.
    BothSides,
    /// One says much more than the other.
    Addition,
    /// Two people quote what was said aloud.
    Witnesses,
}

impl Guard {
    /// The name for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::TooShort => "too-short",
            Self::OtherReply => "other-reply",
            Self::Number => "number",
            Self::Mention => "mention",
            Self::Denial => "denial",
            Self::Exchange => "exchange",
            Self::BothSides => "both-sides",
            Self::Addition => "addition",
            Self::Witnesses => "witnesses",
        }
    }

    /// The reason in plain words.
    pub fn words(self) -> &'static str {
        match self {
            Self::None => "nothing stood against it",
            Self::TooShort => "too short to be one thing by itself",
            Self::OtherReply => "they answer different people",
            Self::Number => "a number differs",
            Self::Mention => "a mention differs",
            Self::Denial => "one denies something",
            Self::Exchange => "a word stands in the place of another",
            Self::BothSides => "both say something that the other doesn't",
            Self::Addition => "one says much more than the other",
            Self::Witnesses => "two people quote what somebody said",
        }
    }
}

/// The outcome of a comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// How they are alike; `None` if they are different things.
    pub likeness: Option<Likeness>,
    /// What decided; [`Guard::None`] if they are alike.
    pub guard: Guard,
    /// The share of letters in common, 0 to 1.
    pub similarity: f64,
}

/// A comparison with what it was made from, so that it can be explained without being made a second time.
#[derive(Debug)]
struct Judged<'a> {
    comparison: Comparison,
    /// The words of the shorter and of the longer side, as far as it came to words.
    words: Option<[Words<'a>; 2]>,
    /// Whether the shorter side is the second one.
    swapped: bool,
    measure: Option<Measure>,
    /// Where the words differ, as places in `words`.
    gaps: Vec<Gap>,
    /// The part of `gaps` that was not weighed, because one side was cut there.
    beyond: Option<Gap>,
}

impl Judged<'_> {
    fn new(likeness: Result<Likeness, Guard>, similarity: f64) -> Self {
        let (likeness, guard) = match likeness {
            Ok(likeness) => (Some(likeness), Guard::None),
            Err(guard) => (None, guard),
        };
        let comparison = Comparison { likeness, guard, similarity };
        Self { comparison, words: None, swapped: false, measure: None, gaps: Vec::new(), beyond: None }
    }

    fn same(likeness: Likeness, similarity: f64) -> Self {
        Self::new(Ok(likeness), similarity)
    }

    fn different(guard: Guard, similarity: f64) -> Self {
        Self::new(Err(guard), similarity)
    }

    fn measured(self, measure: Measure) -> Self {
        Self { measure: Some(measure), ..self }
    }
}

/// Whether the authors speak for the two being one thing: one side names the other's author, or both repeat a post of
/// the same author.
pub fn has_evidence(a: Side<'_>, b: Side<'_>) -> bool {
    let credits = |x: Side<'_>, y: Side<'_>| x.variant.credited.is_some() && x.variant.credited.as_ref() == y.author;
    let repeats = |x: Side<'_>| x.variant.kind == VariantKind::Body && x.variant.credited.is_some();
    credits(a, b) || credits(b, a) || (repeats(a) && repeats(b) && a.variant.credited == b.variant.credited)
}

/// What two payloads need to be one thing.
#[derive(Clone, Copy, Debug)]
struct Demands {
    /// Letters, if the words are equal.
    equal_letters: u32,
    /// Letters in common, if one was cut.
    cut_letters: u32,
    /// Letters in common, if one was edited.
    edited_letters: u32,
    /// Letters of a cut that nobody marked.
    unmarked_cut_letters: Option<u32>,
    kept: Kept,
    /// Whether words may stand in the place of others, as far as `kept` lets them: who posts a text again mends it, where
    /// two people who chose other words saw other things.
    exchange: bool,
    /// Letters in common from which on they may in any case.
    exchange_letters: Option<u32>,
}

impl Demands {
    fn of(a: Side<'_>, b: Side<'_>, thresholds: &Thresholds) -> Self {
        let t = thresholds;
        let same_author = a.author.is_some() && a.author == b.author;
        let words_alone = Self {
            exchange: t.kept.rewording || same_author,
            exchange_letters: t.exchange_letters,
            equal_letters: t.equal_letters,
            cut_letters: t.cut_letters,
            edited_letters: t.edited_letters,
            unmarked_cut_letters: t.unmarked_cut_letters,
            kept: t.kept,
        };
        if !t.evidence || !has_evidence(a, b) {
            return words_alone;
        }
        let least = t.edited_letters_with_evidence;
        let named = Self { cut_letters: least, edited_letters: least, ..words_alone };
        if same_author {
            return Self { equal_letters: least, ..named };
        }
        let kept = t.kept_with_evidence;
        Self { equal_letters: t.equal_letters_with_evidence, kept, exchange: kept.rewording, ..named }
    }

    /// The share of the longer text, in percent, that so many letters in common must cover.
    fn longer_percent(&self, matched: u32) -> u32 {
        let steps = &self.kept.longer_percent;
        steps.iter().find(|(letters, _)| matched >= *letters).map_or(100, |(_, percent)| *percent)
    }
}

/// Compares two payloads. Symmetric.
pub fn compare(a: Side<'_>, b: Side<'_>, thresholds: &Thresholds) -> Comparison {
    compare_tokens((a, &Tokens::new(a.variant)), (b, &Tokens::new(b.variant)), thresholds)
}

/// Compares two payloads whose tokens were split before, each with its own.
pub fn compare_tokens(a: (Side<'_>, &Tokens), b: (Side<'_>, &Tokens), thresholds: &Thresholds) -> Comparison {
    judge_sides(a, b, thresholds).comparison
}

fn judge_sides<'a>(
    (a, a_tokens): (Side<'a>, &'a Tokens),
    (b, b_tokens): (Side<'a>, &'a Tokens),
    thresholds: &Thresholds,
) -> Judged<'a> {
    let demands = Demands::of(a, b, thresholds);
    if a.variant.kind == VariantKind::Quote && b.variant.kind == VariantKind::Quote {
        return Judged::different(Guard::Witnesses, 0.0);
    }
    if a.variant.canonical == b.variant.canonical {
        let letters = a.variant.canonical.letters();
        return equal(letters, letters, &demands);
    }
    let (x, y) = (Words::new(a.variant, a_tokens), Words::new(b.variant, b_tokens));
    let order = |w: &Words<'_>| (w.letters, !w.cut, w.tokens.len());
    let by_text = || a.variant.canonical.as_str().cmp(b.variant.canonical.as_str());
    let swapped = order(&x).cmp(&order(&y)).then_with(by_text).is_gt();
    let (short, long) = if swapped { (&y, &x) } else { (&x, &y) };
    let answer_others =
        !short.lead.is_empty() && !long.lead.is_empty() && !short.lead.iter().any(|m| long.lead.contains(m));
    let is_broadcast = thresholds.broadcast_letters.is_some_and(|least| short.letters >= least);
    let judged = if answer_others && !is_broadcast {
        Judged::different(Guard::OtherReply, 0.0)
    } else {
        judge(short, long, &demands)
    };
    Judged { words: Some([*short, *long]), swapped, ..judged }
}

/// Equal words: there need only be enough of them.
fn equal<'a>(letters: u32, letters_with_lead: u32, demands: &Demands) -> Judged<'a> {
    let judged = if letters_with_lead >= demands.equal_letters {
        Judged::same(Likeness::Exact, 1.0)
    } else {
        Judged::different(Guard::TooShort, 1.0)
    };
    judged.measured(Measure::equal(letters, demands.equal_letters.saturating_sub(letters_with_lead - letters)))
}

fn judge<'a>(short: &Words<'a>, long: &Words<'a>, demands: &Demands) -> Judged<'a> {
    // People who are answered in the same order say as much as words do.
    let lead = LETTERS_OF_A_MENTION
        * u32::try_from(short.lead.iter().zip(long.lead).take_while(|(x, y)| x == y).count()).unwrap_or(0);
    if short.tokens.is_empty() {
        // Nothing but people; what was shown to them may differ, unless the words were cut off.
        return if short.cut && lead >= demands.cut_letters && long.lead.starts_with(short.lead) {
            Judged::same(Likeness::Truncated, 1.0)
        } else {
            Judged::different(Guard::TooShort, 0.0)
        };
    }
    if short.tokens == long.tokens {
        return equal(short.letters, short.letters + lead, demands);
    }
    let least = if short.cut || long.cut { demands.cut_letters } else { demands.edited_letters };
    let needed = least.saturating_sub(lead);
    if short.letters < needed {
        return Judged::different(Guard::TooShort, 0.0).measured(Measure::equal(short.letters, needed));
    }
    if let Some((last, front)) = short.tokens.split_last()
        && long.tokens.len() >= short.tokens.len()
        && front == &long.tokens[..front.len()]
        && let (last, word) = (short.text(last), long.text(&long.tokens[front.len()]))
        && word.starts_with(last)
        && (short.cut || is_cut_word(last, word, short.letters, demands))
    {
        return Judged::same(Likeness::Truncated, 1.0).measured(Measure::equal(short.letters, needed));
    }
    let longer_percent = demands.longer_percent(short.letters);
    if !short.cut && !long.cut && short.letters * 100 < long.letters * longer_percent {
        let measure = Measure {
            at_most: true,
            letters: [short.letters, long.letters],
            left_over: [0, long.letters - short.letters],
            longer_percent,
            ..Measure::weighed(short.letters, needed, demands)
        };
        let similarity = f64::from(short.letters) / f64::from(long.letters);
        return Judged::different(Guard::Addition, similarity).measured(measure);
    }
    let long_tokens = if short.cut { long.within(short.letters + short.letters / 5) } else { long.tokens };
    let max_edits = max_edits(short, long, long_tokens, demands);
    let Some(mut gaps) = gaps(short.tokens, long_tokens, max_edits) else {
        return Judged::different(Guard::BothSides, 0.0);
    };
    // Where one side was cut, what the other goes on to say is no difference.
    let beyond = gaps.last().map_or((0, 0), |gap| {
        let (left, right) = (&short.tokens[gap.left.clone()], &long_tokens[gap.right.clone()]);
        let at_end = gap.left.end == short.tokens.len() && gap.right.end == long_tokens.len();
        match at_end {
            true if short.cut && ends_in(left, short, right, long) => (0, letters(right)),
            true if long.cut && ends_in(right, long, left, short) => (letters(left), 0),
            _ => (0, 0),
        }
    });
    let likeness = if short.cut || beyond != (0, 0) { Likeness::Truncated } else { Likeness::Near };
    let beyond_gap = if beyond == (0, 0) { None } else { gaps.pop() };
    let left_over = LeftOver::of(short, long, long_tokens, &gaps, demands);
    let totals = (short.letters - beyond.0, letters(long_tokens) - beyond.1);
    Judged { gaps, beyond: beyond_gap, ..left_over.weigh(totals, likeness, needed, demands) }
}

/// More tokens than this left over can't be one thing. Where nothing was cut, one side may have only few letters left
/// over, so the other has not many more than it is longer; words that were joined or split, and mentions, have no
/// letters and are given some room.
fn max_edits(short: &Words<'_>, long: &Words<'_>, long_tokens: &[Token], demands: &Demands) -> usize {
    let bound = if short.cut || long.cut {
        (short.tokens.len() + long_tokens.len()) / 3 + 2
    } else {
        let silent = |tokens: &[Token]| tokens.iter().filter(|token| token.letters == 0).count();
        let room = demands.kept.both_sides_letters as usize + silent(short.tokens) + silent(long_tokens) + 4;
        short.tokens.len().abs_diff(long_tokens.len()) + 2 * room
    };
    bound.min(MAX_EDITS)
}

/// Whether `rest`, where a cut text ends, is nothing or the beginning of the word with which the other goes on.
fn ends_in(rest: &[Token], cut: &Words<'_>, other: &[Token], whole: &Words<'_>) -> bool {
    match rest {
        [] => true,
        [last] => other.first().is_some_and(|word| whole.text(word).starts_with(cut.text(last))),
        _ => false,
    }
}

/// Whether a text that nobody marked as cut ends within a word of the other. Tools cut at lengths where posts end; a
/// shorter text ends where its author ended it.
fn is_cut_word(last: &str, word: &str, text_letters: u32, demands: &Demands) -> bool {
    last != word && !is_number(word) && demands.unmarked_cut_letters.is_some_and(|least| text_letters >= least)
}

#[cfg(test)]
mod tests;
