//! What the comparison of two posts says: in words and figures for people, and for programs.

use std::io::Write;

use serde_json::{Value, json};

use super::style::{self, escape_for_terminal, paint, thousands};
use crate::{
    dedup::{
        DedupPolicy,
        explain::{Explained, Payloads, explain},
    },
    model::Handle,
    store::story_post::StoredPost,
    text::{
        VariantKind,
        similarity::{Difference, Guard, Kind, Likeness, Measure},
    },
};

/// How many places where two texts differ are told.
const DIFFERENCES_TOLD: usize = 8;

/// How wide the words of one difference are, in characters.
const WORDS_WIDTH: usize = 60;

/// Compares two archived posts, as they are compared when `mine` comes in.
pub(super) fn compared(mine: &StoredPost, theirs: &StoredPost, policy: &DedupPolicy) -> Option<Explained> {
    let author = |post: &StoredPost| post.author_handle().map(Handle::new);
    let (my_author, their_author) = (author(mine), author(theirs));
    explain(payloads(mine, my_author.as_ref()), payloads(theirs, their_author.as_ref()), policy)
}

fn payloads<'a>(post: &'a StoredPost, author: Option<&'a Handle>) -> Payloads<'a> {
    Payloads { author, created_at: post.created_at, variants: &post.variants }
}

/// What decided, in one sentence; escaped.
pub(super) fn sentence(explained: &Explained, policy: &DedupPolicy) -> String {
    let comparison = &explained.explanation.comparison;
    let parts = format!("{} against {}", part(explained.mine), part(explained.theirs));
    let said = match comparison.likeness {
        Some(Likeness::Exact) => "the same words",
        Some(Likeness::Truncated) => "the same words, one side cut short",
        Some(Likeness::Near) => "nearly the same words",
        None => {
            let vetoed = match comparison.guard {
                Guard::Number | Guard::Mention | Guard::Denial | Guard::Exchange | Guard::OtherReply => {
                    vetoes(&explained.explanation.differences)
                }
                _ => String::new(),
            };
            let words = if vetoed.is_empty() { String::new() } else { format!(": {vetoed}") };
            return format!("not the same: {}{words} ({parts})", comparison.guard.words());
        }
    };
    let but = match (explained.forgotten, explained.rule) {
        (true, _) => {
            let days = policy.forget_after.map_or(0, |window| window.as_secs() / 86_400);
            format!("; but it is more than {} older, and forgotten", style::counted(days, "day"))
        }
        (_, None) => "; but the rule that says so is switched off".to_owned(),
        (_, Some(rule)) => format!(", by the rule {rule}"),
    };
    format!("{said}{but} ({parts})")
}

fn part(kind: VariantKind) -> &'static str {
    match kind {
        VariantKind::Whole => "the whole text",
        VariantKind::Body => "the copied part",
        VariantKind::Quote => "the quoted part",
    }
}

/// The words that forbid the match: `74 / 75`; escaped.
fn vetoes(differences: &[Difference]) -> String {
    let vetoes = differences.iter().filter(|difference| is_veto(difference.kind));
    let both = vetoes.map(both_sides);
    both.take(3).collect::<Vec<_>>().join(", ")
}

fn is_veto(kind: Kind) -> bool {
    matches!(kind, Kind::Number | Kind::Mention | Kind::Denial | Kind::Exchange | Kind::Reply)
}

fn both_sides(difference: &Difference) -> String {
    let shown = |words: &str| if words.is_empty() { "nothing".to_owned() } else { style::excerpt(words, WORDS_WIDTH) };
    format!("{} / {}", shown(&difference.words[0]), shown(&difference.words[1]))
}

/// Prints the figures, and what differs.
pub(super) fn print(explained: &Explained, out: &mut dyn Write) -> std::io::Result<()> {
    let mut rows: Vec<(&str, String)> = Vec::new();
    if let Some(measure) = &explained.explanation.measure {
        rows.extend(figures(measure, explained.explanation.comparison.guard));
    }
    let differences = &explained.explanation.differences;
    for difference in differences.iter().take(DIFFERENCES_TOLD) {
        rows.push(told(difference));
    }
    if differences.len() > DIFFERENCES_TOLD {
        let more = differences.len() - DIFFERENCES_TOLD;
        rows.push(("", format!("… and {} places more", thousands(more as i64))));
    }
    write!(out, "{}", style::two_columns(rows))
}

fn figures(measure: &Measure, guard: Guard) -> Vec<(&'static str, String)> {
    let needed = |found: u32, needed: u32, unit: &str| {
        let verdict = match found.checked_sub(needed) {
            Some(more) => format!("{more} more than needed"),
            None => paint(style::BAD, format!("{} too few", needed - found)),
        };
        format!("{found}{unit} ({needed}{unit} needed, {verdict})")
    };
    let [shorter, longer] = measure.covered_percent();
    let [here, there] = measure.left_over;
    let both = format!("{} may be on both sides at once", measure.both_sides_letters);
    let both = match guard {
        Guard::BothSides if here.min(there) > measure.both_sides_letters => paint(style::BAD, both),
        _ => both,
    };
    let at_most = if measure.at_most { "at most " } else { "" };
    let in_common = format!("{at_most}{}", needed(measure.matched, measure.needed_letters, ""));
    let mut rows = vec![("letters in common", in_common)];
    if [here, there] != [0, 0] {
        rows.push(("of the shorter text", needed(shorter, measure.shorter_percent, " %")));
        rows.push(("of the longer text", needed(longer, measure.longer_percent, " %")));
        rows.push(("letters left over", format!("{here} here, {there} there ({both})")));
    }
    rows
}

fn told(difference: &Difference) -> (&'static str, String) {
    let [here, there] = &difference.words;
    let one = |words: &str| style::excerpt(words, 2 * WORDS_WIDTH);
    let side = |here_name, there_name, both_name| match (here.is_empty(), there.is_empty()) {
        (false, true) => (here_name, one(here)),
        (true, false) => (there_name, one(there)),
        _ => (both_name, both_sides(difference)),
    };
    match difference.kind {
        Kind::Number => ("a number differs", paint(style::BAD, both_sides(difference))),
        Kind::Mention => ("a mention differs", paint(style::BAD, both_sides(difference))),
        Kind::Denial => ("one denies", paint(style::BAD, both_sides(difference))),
        Kind::Exchange => ("another word", both_sides(difference)),
        Kind::Reply => ("others are answered", paint(style::BAD, both_sides(difference))),
        Kind::LeftOver => side("only here", "only there", "here / there"),
        Kind::Spacing => ("only spaced otherwise", both_sides(difference)),
        Kind::Beyond => side("cut there", "cut here", "where it was cut"),
    }
}

/// The comparison for programs. Names are stable; of each pair the first is the post's own, the second the other's.
pub(super) fn of(explained: &Explained) -> Value {
    let Explained { mine, theirs, rule, forgotten, explanation } = explained;
    let differences: Vec<_> = explanation
        .differences
        .iter()
        .map(|difference| {
            let kind = match difference.kind {
                Kind::LeftOver => "left-over",
                Kind::Spacing => "spacing",
                Kind::Beyond => "beyond-cut",
                Kind::Number => "number",
                Kind::Mention => "mention",
                Kind::Denial => "denial",
                Kind::Exchange => "exchange",
                Kind::Reply => "reply",
            };
            json!({ "kind": kind, "words": difference.words, "vetoes": is_veto(difference.kind) })
        })
        .collect();
    let measure = explanation.measure.map(|measure| {
        let [shorter, longer] = measure.covered_percent();
        json!({
            "letters_in_common": measure.matched,
            "letters_in_common_at_most": measure.at_most,
            "letters_needed": measure.needed_letters,
            "letters": measure.letters,
            "left_over_letters": measure.left_over,
            "shorter_covered_percent": shorter,
            "shorter_needed_percent": measure.shorter_percent,
            "longer_covered_percent": longer,
            "longer_needed_percent": measure.longer_percent,
            "both_sides_letters_forgiven": measure.both_sides_letters,
        })
    });
    json!({
        "alike": explanation.comparison.likeness.map(|likeness| match likeness {
            Likeness::Exact => "exact",
            Likeness::Truncated => "truncated",
            Likeness::Near => "near",
        }),
        "rule": rule.map(|rule| rule.as_str()),
        "forgotten": forgotten,
        "guard": explanation.comparison.guard.as_str(),
        "guard_words": explanation.comparison.guard.words(),
        "similarity": explanation.comparison.similarity,
        "variant": mine.as_str(),
        "matched_variant": theirs.as_str(),
        "measure": measure,
        "differences": differences,
    })
}

/// What is said before the nearest posts, where a post was taken for no copy; escaped.
pub(super) fn heading(nearest: usize) -> String {
    escape_for_terminal(match nearest {
        0 => "nothing archived before it is near enough to be compared with it",
        1 => "the nearest that was archived before it, by the present configuration",
        _ => "the nearest that were archived before it, by the present configuration",
    })
}
