//! Whether two payloads are the same words, and which guard decided.

pub use super::words::Tokens;
use super::{
    Variant, VariantKind,
    diff::{Gap, gaps},
    limits::{
        BOTH_SIDES_LETTERS, LETTERS_OF_A_MENTION, LONGER_COVERED, MAX_EDITS, MIN_LETTERS, MIN_LETTERS_OF_UNMARKED_CUT,
        MIN_LETTERS_WITH_EVIDENCE, SHORTER_COVERED_PERCENT,
    },
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
    /// Both sides say something that the other doesn't.
    BothSides,
    /// One says much more than the other.
    Addition,
    /// Two people quote what was said aloud.
    Witnesses,
}

impl Guard {
    /// The reason in plain words.
    pub fn words(self) -> &'static str {
        match self {
            Self::None => "nothing stood against it",
            Self::TooShort => "too short to be one thing by itself",
            Self::OtherReply => "they answer different people",
            Self::Number => "a number differs",
            Self::Mention => "a mention differs",
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

impl Comparison {
    fn same(likeness: Likeness, similarity: f64) -> Self {
        Self { likeness: Some(likeness), guard: Guard::None, similarity }
    }

    fn different(guard: Guard, similarity: f64) -> Self {
        Self { likeness: None, guard, similarity }
    }
}

/// Whether the authors speak for the two being one thing: one side names the other's author, or both repeat a post of
/// the same author.
pub fn has_evidence(a: Side<'_>, b: Side<'_>) -> bool {
    let credits = |x: Side<'_>, y: Side<'_>| x.variant.credited.is_some() && x.variant.credited.as_ref() == y.author;
    let repeats = |x: Side<'_>| x.variant.kind == VariantKind::Body && x.variant.credited.is_some();
    credits(a, b) || credits(b, a) || (repeats(a) && repeats(b) && a.variant.credited == b.variant.credited)
}

/// How many letters two payloads need to be one thing.
fn min_letters(a: Side<'_>, b: Side<'_>) -> MinLetters {
    let same_author = a.author.is_some() && a.author == b.author;
    match (has_evidence(a, b), same_author) {
        (false, _) => MinLetters { equal: MIN_LETTERS, edited: MIN_LETTERS },
        (true, true) => MinLetters { equal: MIN_LETTERS_WITH_EVIDENCE, edited: MIN_LETTERS_WITH_EVIDENCE },
        (true, false) => MinLetters { equal: 1, edited: MIN_LETTERS_WITH_EVIDENCE },
    }
}

/// How many letters are needed if the words are equal, and if they were cut or edited.
#[derive(Clone, Copy, Debug)]
struct MinLetters {
    equal: u32,
    edited: u32,
}

/// Compares two payloads. Symmetric.
pub fn compare(a: Side<'_>, b: Side<'_>) -> Comparison {
    compare_tokens((a, &Tokens::new(a.variant)), (b, &Tokens::new(b.variant)))
}

/// Compares two payloads whose tokens were split before, each with its own.
pub fn compare_tokens((a, a_tokens): (Side<'_>, &Tokens), (b, b_tokens): (Side<'_>, &Tokens)) -> Comparison {
    let min = min_letters(a, b);
    if a.variant.kind == VariantKind::Quote && b.variant.kind == VariantKind::Quote {
        return Comparison::different(Guard::Witnesses, 0.0);
    }
    if a.variant.canonical == b.variant.canonical {
        return if a.variant.canonical.letters() >= min.equal {
            Comparison::same(Likeness::Exact, 1.0)
        } else {
            Comparison::different(Guard::TooShort, 1.0)
        };
    }
    let (x, y) = (Words::new(a.variant, a_tokens), Words::new(b.variant, b_tokens));
    let order = |w: &Words<'_>| (w.letters, !w.cut, w.tokens.len());
    let by_text = || a.variant.canonical.as_str().cmp(b.variant.canonical.as_str());
    let (short, long) = if order(&x).cmp(&order(&y)).then_with(by_text).is_gt() { (&y, &x) } else { (&x, &y) };
    if !short.lead.is_empty() && !long.lead.is_empty() && !short.lead.iter().any(|m| long.lead.contains(m)) {
        return Comparison::different(Guard::OtherReply, 0.0);
    }
    judge(short, long, min)
}

fn judge(short: &Words<'_>, long: &Words<'_>, min: MinLetters) -> Comparison {
    // People who are answered in the same order say as much as words do.
    let lead = LETTERS_OF_A_MENTION
        * u32::try_from(short.lead.iter().zip(long.lead).take_while(|(x, y)| x == y).count()).unwrap_or(0);
    if short.tokens.is_empty() {
        // Nothing but people; what was shown to them may differ, unless the words were cut off.
        return if short.cut && lead >= min.edited && long.lead.starts_with(short.lead) {
            Comparison::same(Likeness::Truncated, 1.0)
        } else {
            Comparison::different(Guard::TooShort, 0.0)
        };
    }
    if short.tokens == long.tokens {
        return if short.letters + lead >= min.equal {
            Comparison::same(Likeness::Exact, 1.0)
        } else {
            Comparison::different(Guard::TooShort, 1.0)
        };
    }
    if short.letters + lead < min.edited {
        return Comparison::different(Guard::TooShort, 0.0);
    }
    if let Some((last, front)) = short.tokens.split_last()
        && long.tokens.len() >= short.tokens.len()
        && front == &long.tokens[..front.len()]
        && let (last, word) = (short.text(last), long.text(&long.tokens[front.len()]))
        && word.starts_with(last)
        && (short.cut || is_cut_word(last, word, short.letters))
    {
        return Comparison::same(Likeness::Truncated, 1.0);
    }
    if !short.cut && !long.cut && short.letters * 100 < long.letters * longer_covered_percent(short.letters) {
        return Comparison::different(Guard::Addition, f64::from(short.letters) / f64::from(long.letters));
    }
    let long_tokens = if short.cut { long.within(short.letters + short.letters / 5) } else { long.tokens };
    let Some(mut gaps) = gaps(short.tokens, long_tokens, max_edits(short, long, long_tokens)) else {
        return Comparison::different(Guard::BothSides, 0.0);
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
    if beyond != (0, 0) {
        gaps.pop();
    }
    let left_over = LeftOver::of(short, long, long_tokens, &gaps);
    let totals = (short.letters - beyond.0, letters(long_tokens) - beyond.1);
    left_over.weigh(totals, likeness, min.edited.saturating_sub(lead))
}

/// More tokens than this left over can't be one thing. Where nothing was cut, one side may have only
/// [`BOTH_SIDES_LETTERS`] letters left over, so the other has not many more than it is longer; words that were joined
/// or split, and mentions, have no letters and are given some room.
fn max_edits(short: &Words<'_>, long: &Words<'_>, long_tokens: &[Token]) -> usize {
    let bound = if short.cut || long.cut {
        (short.tokens.len() + long_tokens.len()) / 3 + 2
    } else {
        let silent = |tokens: &[Token]| tokens.iter().filter(|token| token.letters == 0).count();
        let room = BOTH_SIDES_LETTERS as usize + silent(short.tokens) + silent(long_tokens) + 4;
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
fn is_cut_word(last: &str, word: &str, text_letters: u32) -> bool {
    last != word && !is_number(word) && text_letters >= MIN_LETTERS_OF_UNMARKED_CUT
}

/// What stands on one side only.
struct LeftOver {
    left: u32,
    right: u32,
    guard: Guard,
}

impl LeftOver {
    fn of(short: &Words<'_>, long: &Words<'_>, long_tokens: &[Token], gaps: &[Gap]) -> Self {
        let mut sum = Self { left: 0, right: 0, guard: Guard::None };
        for gap in gaps {
            let (left, right) = (&short.tokens[gap.left.clone()], &long_tokens[gap.right.clone()]);
            let left_text: Vec<&str> = left.iter().map(|token| short.text(token)).collect();
            let right_text: Vec<&str> = right.iter().map(|token| long.text(token)).collect();
            // The same letters, joined or split otherwise; "1 5" and "15" are other numbers, though.
            if left_text.concat() == right_text.concat() && numbers(&left_text).eq(numbers(&right_text)) {
                continue;
            }
            let mentions = |tokens: &[&str]| tokens.iter().any(|token| token.starts_with('@'));
            if left_text.iter().chain(&right_text).any(|token| is_number(token)) {
                sum.guard = Guard::Number;
            } else if mentions(&left_text) && mentions(&right_text) {
                sum.guard = Guard::Mention;
            }
            sum.left += letters(left);
            sum.right += letters(right);
        }
        sum
    }

    fn weigh(&self, totals: (u32, u32), likeness: Likeness, min_letters: u32) -> Comparison {
        let matched = totals.0.saturating_sub(self.left);
        let (fewer, more) = (totals.0.min(totals.1), totals.0.max(totals.1));
        let similarity = f64::from(matched.min(more)) / f64::from(more.max(1));
        if self.guard != Guard::None {
            Comparison::different(self.guard, similarity)
        } else if matched < min_letters {
            Comparison::different(Guard::TooShort, similarity)
        } else if self.left.min(self.right) > BOTH_SIDES_LETTERS || matched * 100 < fewer * SHORTER_COVERED_PERCENT {
            Comparison::different(Guard::BothSides, similarity)
        } else if matched * 100 < more * longer_covered_percent(matched) {
            Comparison::different(Guard::Addition, similarity)
        } else {
            Comparison::same(likeness, similarity)
        }
    }
}

/// The runs of digits in some tokens.
fn numbers<'a>(tokens: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    tokens.iter().flat_map(|token| token.split(|c: char| !c.is_numeric())).filter(|run| !run.is_empty())
}

/// Whether a token holds a digit, as numbers, dates, versions and counters do.
fn is_number(token: &str) -> bool {
    !token.starts_with('@') && token.chars().any(char::is_numeric)
}

/// The share of the longer text, in percent, that so many letters in common must cover.
fn longer_covered_percent(matched: u32) -> u32 {
    LONGER_COVERED.iter().find(|(letters, _)| matched >= *letters).map_or(100, |(_, percent)| *percent)
}

#[cfg(test)]
mod tests;
