//! Whether two payloads are the same words, and which guard decided.

use super::{
    Canonical, Variant, VariantKind,
    canonical::token_letters,
    diff::{Gap, gaps},
    limits::{
        BOTH_SIDES_LETTERS, LETTERS_OF_A_MENTION, LONGER_COVERED, MIN_LETTERS, MIN_LETTERS_OF_UNMARKED_CUT,
        MIN_LETTERS_WITH_EVIDENCE, SHORTER_COVERED_PERCENT,
    },
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

#[derive(Debug)]
struct Words<'a> {
    lead: Vec<&'a str>,
    tokens: Vec<&'a str>,
    letters: u32,
    cut: bool,
}

impl<'a> Words<'a> {
    fn new(canonical: &'a Canonical, cut: bool) -> Self {
        let mut tokens: Vec<_> = canonical.tokens().collect();
        // A mention at the end of a cut text is itself cut, or was there only to fill it.
        if cut && tokens.len() > 1 {
            tokens.pop_if(|last| last.starts_with('@'));
        }
        let lead = tokens.iter().take_while(|t| t.starts_with('@')).count();
        let lead = tokens.drain(..lead).collect();
        let letters = tokens.iter().map(|t| token_letters(t)).sum();
        Self { lead, tokens, letters, cut }
    }
}

/// Compares two payloads. Symmetric.
pub fn compare(a: Side<'_>, b: Side<'_>) -> Comparison {
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
    let (x, y) = (Words::new(&a.variant.canonical, a.variant.cut), Words::new(&b.variant.canonical, b.variant.cut));
    let order = |w: &Words<'_>| (w.letters, !w.cut, w.tokens.len());
    let (short, long) =
        match order(&x).cmp(&order(&y)).then_with(|| a.variant.canonical.as_str().cmp(b.variant.canonical.as_str())) {
            std::cmp::Ordering::Greater => (&y, &x),
            _ => (&x, &y),
        };
    if !short.lead.is_empty() && !long.lead.is_empty() && !short.lead.iter().any(|m| long.lead.contains(m)) {
        return Comparison::different(Guard::OtherReply, 0.0);
    }
    judge(short, long, min)
}

fn judge(short: &Words<'_>, long: &Words<'_>, min: MinLetters) -> Comparison {
    // People who are answered in the same order say as much as words do.
    let lead = LETTERS_OF_A_MENTION
        * u32::try_from(short.lead.iter().zip(&long.lead).take_while(|(x, y)| x == y).count()).unwrap_or(0);
    if short.tokens.is_empty() {
        // Nothing but people; what was shown to them may differ, unless the words were cut off.
        return if short.cut && lead >= min.edited && long.lead.starts_with(&short.lead) {
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
        && long.tokens[front.len()].starts_with(last)
        && (short.cut || is_cut_word(last, long.tokens[front.len()], short.letters))
    {
        return Comparison::same(Likeness::Truncated, 1.0);
    }
    let long_tokens = if short.cut { within(&long.tokens, short.letters + short.letters / 5) } else { &long.tokens };
    let max_edits = (short.tokens.len() + long_tokens.len()) / 3 + 2;
    let Some(mut gaps) = gaps(&short.tokens, long_tokens, max_edits) else {
        return Comparison::different(Guard::BothSides, 0.0);
    };
    // Where one side was cut, what the other goes on to say is no difference.
    let last = gaps.last().map(|gap| (&short.tokens[gap.left.clone()], &long_tokens[gap.right.clone()]));
    let at_end = gaps.last().is_some_and(|g| g.left.end == short.tokens.len() && g.right.end == long_tokens.len());
    let beyond = match last {
        Some((left, right)) if at_end && short.cut && ends_in(left, right) => (0, letters(right)),
        Some((left, right)) if at_end && long.cut && ends_in(right, left) => (letters(left), 0),
        _ => (0, 0),
    };
    let likeness = if short.cut || beyond != (0, 0) { Likeness::Truncated } else { Likeness::Near };
    if beyond != (0, 0) {
        gaps.pop();
    }
    let totals = (short.letters - beyond.0, letters(long_tokens) - beyond.1);
    weigh(&short.tokens, long_tokens, &gaps, totals, likeness, min.edited.saturating_sub(lead))
}

/// Whether `rest`, where a cut text ends, is nothing or the beginning of the word with which the other goes on.
fn ends_in(rest: &[&str], other: &[&str]) -> bool {
    rest.is_empty() || (rest.len() == 1 && other.first().is_some_and(|word| word.starts_with(rest[0])))
}

/// Whether a text that nobody marked as cut ends within a word of the other. Tools cut at lengths where posts end; a
/// shorter text ends where its author ended it.
fn is_cut_word(last: &str, word: &str, text_letters: u32) -> bool {
    last != word && !is_number(word) && text_letters >= MIN_LETTERS_OF_UNMARKED_CUT
}

/// The tokens up to so many letters.
fn within<'a, 'b>(tokens: &'a [&'b str], max_letters: u32) -> &'a [&'b str] {
    let mut letters = 0;
    let end = tokens.iter().position(|token| {
        letters += token_letters(token);
        letters > max_letters
    });
    &tokens[..end.unwrap_or(tokens.len())]
}

fn letters(tokens: &[&str]) -> u32 {
    tokens.iter().map(|token| token_letters(token)).sum()
}

fn weigh(
    short: &[&str],
    long: &[&str],
    gaps: &[Gap],
    totals: (u32, u32),
    likeness: Likeness,
    min_letters: u32,
) -> Comparison {
    let (mut left_over, mut right_over) = (0, 0);
    let mut guard = Guard::None;
    for gap in gaps {
        let (left, right) = (&short[gap.left.clone()], &long[gap.right.clone()]);
        if left.concat() == right.concat() {
            continue;
        }
        let mention = |t: &&str| t.starts_with('@');
        if left.iter().chain(right).any(|t| is_number(t)) {
            guard = Guard::Number;
        } else if left.iter().any(mention) && right.iter().any(mention) {
            guard = Guard::Mention;
        }
        left_over += letters(left);
        right_over += letters(right);
    }
    let matched = totals.0 - left_over;
    let (fewer, more) = (totals.0.min(totals.1), totals.0.max(totals.1));
    let similarity = f64::from(matched) / f64::from(more.max(1));
    if guard != Guard::None {
        return Comparison::different(guard, similarity);
    }
    if matched < min_letters {
        return Comparison::different(Guard::TooShort, similarity);
    }
    if left_over.min(right_over) > BOTH_SIDES_LETTERS || matched * 100 < fewer * SHORTER_COVERED_PERCENT {
        return Comparison::different(Guard::BothSides, similarity);
    }
    if matched * 100 < more * longer_covered_percent(matched) {
        return Comparison::different(Guard::Addition, similarity);
    }
    Comparison::same(likeness, similarity)
}

/// Whether a token holds a digit, as numbers, dates, versions and counters do.
fn is_number(token: &str) -> bool {
    !token.starts_with('@') && token.chars().any(char::is_numeric)
}

/// The share of the longer text, in percent, that so many letters in common must cover.
fn longer_covered_percent(matched: u32) -> u32 {
    LONGER_COVERED.iter().find(|(letters, _)| matched >= *letters).map_or(100, |(_, percent)| *percent)
}
