//! What two aligned payloads leave over, what it says, and whether it forbids the match.

use super::{Demands, Guard, Judged, Kind, Likeness, Measure};
use crate::text::{
    diff::Gap,
    script::is_mark,
    small_words::{count, deny, is_abbreviation, say_nothing},
    words::{Token, Words, letters},
};

/// What stands on one side only.
pub(super) struct LeftOver {
    left: u32,
    right: u32,
    /// What forbids the match however few letters it has.
    guard: Guard,
    /// What forbids it even where the letters are few enough.
    rewording: Guard,
    /// Whether words stand in the place of others.
    exchanged: bool,
}

impl LeftOver {
    pub(super) fn of(
        short: &Words<'_>,
        long: &Words<'_>,
        long_tokens: &[Token],
        gaps: &[Gap],
        demands: &Demands,
    ) -> Self {
        let mut sum = Self { left: 0, right: 0, guard: Guard::None, rewording: Guard::None, exchanged: false };
        for gap in gaps {
            let (left, right) = (&short.tokens[gap.left.clone()], &long_tokens[gap.right.clone()]);
            match kind_of(&texts(short, left), &texts(long, right)) {
                Kind::Spacing => continue,
                Kind::Number => sum.guard = Guard::Number,
                Kind::Mention => sum.guard = Guard::Mention,
                Kind::Denial if !demands.kept.rewording => sum.rewording = Guard::Denial,
                Kind::Exchange if !demands.exchange => {
                    // What is left of a word where a text was cut is none.
                    let cut = (short.cut && gap.left.end == short.tokens.len())
                        || (long.cut && gap.right.end == long_tokens.len());
                    sum.exchanged |= !cut;
                    if !cut && (is_label(&texts(short, left)) || is_label(&texts(long, right))) {
                        sum.rewording = Guard::Exchange;
                    }
                }
                Kind::Denial | Kind::Exchange | Kind::LeftOver | Kind::Beyond | Kind::Reply => {}
            }
            sum.left += letters(left);
            sum.right += letters(right);
        }
        sum
    }

    pub(super) fn weigh<'a>(
        &self,
        totals: (u32, u32),
        likeness: Likeness,
        needed_letters: u32,
        demands: &Demands,
    ) -> Judged<'a> {
        let matched = totals.0.saturating_sub(self.left);
        let (fewer, more) = (totals.0.min(totals.1), totals.0.max(totals.1));
        let similarity = f64::from(matched.min(more)) / f64::from(more.max(1));
        let measure = Measure {
            letters: [totals.0, totals.1],
            left_over: [self.left, self.right],
            ..Measure::weighed(matched, needed_letters, demands)
        };
        let judged = if self.guard != Guard::None {
            Judged::different(self.guard, similarity)
        } else if matched < needed_letters {
            Judged::different(Guard::TooShort, similarity)
        } else if self.left.min(self.right) > demands.kept.both_sides_letters
            || matched * 100 < fewer * demands.kept.shorter_percent
        {
            Judged::different(Guard::BothSides, similarity)
        } else if matched * 100 < more * measure.longer_percent {
            Judged::different(Guard::Addition, similarity)
        } else if self.rewording != Guard::None {
            Judged::different(self.rewording, similarity)
        } else if self.exchanged && demands.exchange_letters.is_none_or(|least| matched < least) {
            Judged::different(Guard::Exchange, similarity)
        } else {
            Judged::same(likeness, similarity)
        };
        judged.measured(measure)
    }
}

/// Some tokens as texts.
pub(super) fn texts<'a>(words: &Words<'a>, tokens: &[Token]) -> Vec<&'a str> {
    tokens.iter().map(|token| words.text(token)).collect()
}

/// What the words of a gap say.
pub(super) fn kind_of(left: &[&str], right: &[&str]) -> Kind {
    // The same letters, joined or split otherwise; "1 5" and "15" are other numbers, though.
    if left.concat() == right.concat() && numbers(left).eq(numbers(right)) {
        return Kind::Spacing;
    }
    let mentions = |tokens: &[&str]| tokens.iter().any(|token| token.starts_with('@'));
    if left.iter().chain(right).any(|token| is_number(token)) || (count(left) && count(right)) {
        Kind::Number
    } else if mentions(left) && mentions(right) {
        Kind::Mention
    } else if deny(left) != deny(right) {
        Kind::Denial
    } else if is_exchange(left, right) {
        Kind::Exchange
    } else {
        Kind::LeftOver
    }
}

/// Whether a single character is among the words: what stands in the place of a label ("pier A") or an ideograph says
/// something else.
fn is_label(words: &[&str]) -> bool {
    words.iter().any(|word| word.chars().nth(1).is_none_or(is_mark)) && !say_nothing(words)
}

/// Whether other words stand on one side than on the other, and not only how they are written.
fn is_exchange(left: &[&str], right: &[&str]) -> bool {
    let has_word = |tokens: &[&str]| tokens.iter().any(|token| !token.starts_with('@'));
    let abbreviated = matches!((left, right), ([a], [b]) if is_abbreviation(a, b));
    has_word(left) && has_word(right) && !abbreviated && !(say_nothing(left) && say_nothing(right))
}

/// The runs of digits in some tokens.
fn numbers<'a>(tokens: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    tokens.iter().flat_map(|token| token.split(|c: char| !c.is_numeric())).filter(|run| !run.is_empty())
}

/// Whether a token holds a digit, as numbers, dates, versions and counters do.
pub(super) fn is_number(token: &str) -> bool {
    !token.starts_with('@') && token.chars().any(char::is_numeric)
}
