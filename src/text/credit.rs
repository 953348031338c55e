//! Credits: the marks that follow a repeated text, as "… (via @a)" does.

use std::ops::Range;

use super::{
    attribution::{Mark, Payload, ends_with_word, tail_len},
    credit_words::{CREDITS, CREDITS_APART, CREDITS_BEHIND, CREDITS_BEHIND_APART, CREDITS_BRACKETED, SHARE_BUTTONS},
    scan::{link_len, mention},
    script::is_word,
};
use crate::model::Handle;

/// Reads `… (via @a) …`, `… via @a`, `via @a: …` and `… @aさんから`: the mention ends at `end`, `before` is what stands
/// in front of it.
pub(super) fn credit(text: &str, before: &str, end: usize, handle: &str) -> Option<Payload> {
    // A share button's own account is nobody whose words are repeated, but its mark is still no part of the text.
    let shared = SHARE_BUTTONS.contains(&handle.to_ascii_lowercase().as_str());
    let credited = (!shared).then(|| Handle::new(handle));
    let (mark, range, hole) = in_front(text, before, end).or_else(|| behind(text, before, end))?;
    Some(Payload { range, hole, credited, mark, certain: !shared })
}

type Found = (Mark, Range<usize>, Option<Range<usize>>);

/// A credit whose words stand in front of the mention.
fn in_front(text: &str, before: &str, end: usize) -> Option<Found> {
    let word_end = before.trim_end_matches([':', '៖', ' ', '-']);
    let word = [CREDITS, CREDITS_APART, CREDITS_BRACKETED].into_iter().find_map(|words| {
        words.iter().copied().filter(|word| ends_with_word(word_end, word)).max_by_key(|word| word.len())
    })?;
    let front = word_end[..word_end.len() - tail_len(word_end, word)].trim_end();
    let open = front.chars().next_back().filter(|c| matches!(c, '(' | '[' | '{' | '/' | '|'));
    let content = open.map_or(front, |open| front[..front.len() - open.len_utf8()].trim_end());
    let after = &text[end..];
    if matches!(open, Some('(' | '[' | '{')) {
        let close = after.find([')', ']', '}'])?;
        if after[..close].contains(['.', '!', '?']) {
            return None;
        }
        let hole = content.len()..end + close + 1;
        return Some(if text[hole.end..].trim().is_empty() {
            (Mark::Credit, 0..content.len(), None)
        } else {
            (Mark::Credit, 0..text.len(), Some(hole))
        });
    }
    let stands_alone = CREDITS.contains(&word) || (CREDITS_APART.contains(&word) && is_apart(content));
    if !stands_alone {
        return None;
    }
    if front.is_empty() {
        let skip = after.find(|c: char| !(c.is_whitespace() || matches!(c, ':' | '-')))?;
        let announces = after.trim_start().starts_with(':') && after[skip..].chars().any(is_word);
        return announces.then_some((Mark::Header, end + skip..text.len(), None));
    }
    let content = content.trim_end_matches(['-', '–', '—', '~', '|', ' ']);
    only_tags(after).then_some((Mark::Credit, 0..content.len(), None))
}

/// A credit whose words stand behind the mention.
fn behind(text: &str, before: &str, end: usize) -> Option<Found> {
    let after = text[end..].trim_start();
    let words = CREDITS_BEHIND.iter().chain(CREDITS_BEHIND_APART).copied();
    let word = words.filter(|word| after.starts_with(word)).max_by_key(|word| word.len())?;
    let open = before.chars().next_back().filter(|c| matches!(c, '(' | '['));
    let content = open.map_or(before, |open| &before[..before.len() - open.len_utf8()]).trim_end();
    let rest = after[word.len()..].trim_start_matches([')', ']', ' ', '。', '.']);
    let stands_alone = open.is_some() || CREDITS_BEHIND.contains(&word) || is_apart(content);
    let is_credit = !content.is_empty() && stands_alone && only_tags(rest);
    is_credit.then_some((Mark::Credit, 0..content.len(), None))
}

/// Whether a part ends in something that sets apart what follows: punctuation, a link, a line.
fn is_apart(front: &str) -> bool {
    let last = front.rsplit(char::is_whitespace).next().unwrap_or("");
    front.chars().next_back().is_none_or(|c| !is_word(c)) || link_len(last, true) > 0 || last.starts_with('#')
}

/// Whether nothing but hashtags, links, mentions and punctuation is left.
fn only_tags(rest: &str) -> bool {
    rest.split_whitespace().all(|piece| {
        piece.starts_with('#') || link_len(piece, true) > 0 || mention(piece).is_some() || !piece.chars().any(is_word)
    })
}
