//! Whose text is this: the marks by which people say that they repeat somebody else.
//!
//! Every mark stands beside a mention, so the mentions of a text are visited one by one and what stands in front of
//! and behind each is read. Three kinds are told apart: a *header* ("RT @a: …"), after which the repeated text comes;
//! a *quote* ("“@a: …”" or "“…” @a"), which holds it; and a *credit* ("… (via @a)"), which follows it.

use super::{
    credit::credit,
    credit_words::{ASKING, HEADER_WORDS, HEADERS},
    scan::mention,
    script::{closes_quote, is_word, opens_quote},
};
use crate::model::Handle;

/// A part of a text that repeats somebody else's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Payload {
    /// Where the repeated text begins and ends, in bytes of the cleaned text.
    pub(super) range: std::ops::Range<usize>,
    /// A parenthesised credit inside the range, which is no part of the repeated text.
    pub(super) hole: Option<std::ops::Range<usize>>,
    /// Who is credited.
    pub(super) credited: Option<Handle>,
    /// By which kind of mark.
    pub(super) mark: Mark,
    /// Whether this says for certain that the text is somebody else's: "@a: …" alone may be an answer to @a.
    pub(super) certain: bool,
}

/// The kinds of marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// In front of the text: "RT @a: …".
    Header,
    /// Around the text, with the name inside: "“@a: …”".
    QuotedPost,
    /// Around the text, with the name behind: "“…” @a". It may repeat what was said aloud.
    Quotation,
    /// Behind the text: "… (via @a)".
    Credit,
}

/// Finds the repeated parts of a cleaned text, outermost first.
pub(super) fn payloads(text: &str) -> Vec<Payload> {
    let mut found: Vec<Payload> = Vec::new();
    let mut quotes: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(offset) = text[at..].find('@') {
        let start = at + offset;
        at = start + 1;
        let joined = text[..start].chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric());
        if joined && !ends_with_word(&text[..start], "rt") {
            continue;
        }
        let Some(handle) = mention(&text[start..]) else { continue };
        let end = start + 1 + handle.len();
        at = end;
        quotes.retain(|&close| close > start);
        let limit = quotes.last().copied().unwrap_or(text.len());
        if let Some(payload) = read(text, start, end, limit, handle) {
            if payload.mark == Mark::QuotedPost {
                quotes.push(payload.range.end);
            }
            found.push(payload);
        }
    }
    if let Some(credit) = found.iter().rposition(|p| p.range.end <= text.len() && is_credit(p))
        && credit > 0
    {
        // A credit at the end belongs to the innermost text, not to the comment in front of the headers.
        let inner = found[..credit].iter().rev().find(|p| !is_credit(p)).map_or(0, |p| p.range.start);
        let payload = &mut found[credit];
        if payload.range.start == 0 && inner < payload.range.end {
            payload.range.start = inner;
        }
    }
    found
}

/// Whether a payload stands in front of the mention that credits it.
fn is_credit(payload: &Payload) -> bool {
    payload.mark == Mark::Credit
}

/// Reads what stands around one mention.
fn read(text: &str, start: usize, end: usize, limit: usize, handle: &str) -> Option<Payload> {
    let before = text[..start].trim_end();
    let body_start = end
        + text[end..].find(|c: char| !(c.is_whitespace() || matches!(c, ':' | '»' | '>'))).unwrap_or(text.len() - end);
    let colon = text[end..].trim_start().starts_with(':');
    let credited = Some(Handle::new(handle));
    let has_body = body_start < limit && text[body_start..limit].chars().any(is_word);

    if has_body && is_header(before, colon) {
        return Some(Payload { range: body_start..limit, hole: None, credited, mark: Mark::Header, certain: true });
    }
    if has_body && let Some(quote) = before.chars().next_back().filter(|&c| opens_quote(c)) {
        let outside = &before[..before.len() - quote.len_utf8()];
        // Straight marks and marks that also close need a gap in front; the others can only open here.
        let gap = outside.chars().next_back().is_none_or(|c| !is_word(c) && !is_stop(c));
        let opens =
            before.len() == start && (gap || matches!(quote, '“' | '«' | '「' | '『') && !outside.contains('„'));
        if opens && (colon || quote != '\'') {
            let close = closing(&text[body_start..limit], quote).map_or(limit, |at| body_start + at);
            return (close > body_start).then_some(Payload {
                range: body_start..close,
                hole: None,
                credited,
                mark: Mark::QuotedPost,
                certain: true,
            });
        }
    }
    if let Some(payload) = credit(text, before, end, handle) {
        return Some(payload);
    }
    if let Some(range) = quote_in_front(before) {
        return Some(Payload { range, hole: None, credited, mark: Mark::Quotation, certain: true });
    }
    (has_body && colon && before.is_empty()).then_some(Payload {
        range: body_start..limit,
        hole: None,
        credited,
        mark: Mark::Header,
        certain: false,
    })
}

/// Where a quotation ends that was opened by `open`: straight marks at the last one that can close (quotations inside
/// it use the same), others where as many are closed as were opened.
fn closing(text: &str, open: char) -> Option<usize> {
    if matches!(open, '"' | '\'') {
        // The same mark opens and closes: one between a gap and a word opens another quotation inside.
        let mut depth = 1_u32;
        for (at, _) in text.match_indices(open) {
            let word_before = text[..at].chars().next_back().is_some_and(|c| !c.is_whitespace());
            let word_behind = text[at + 1..].chars().next().is_some_and(is_word);
            match (word_before, word_behind) {
                (false, true) => depth += 1,
                (true, true) if open == '\'' => {}
                _ => depth -= 1,
            }
            if depth == 0 {
                return Some(at);
            }
        }
        return text.rfind(open);
    }
    let mut depth = 1_u32;
    for (at, c) in text.char_indices() {
        // An apostrophe is written like a closing mark.
        let inside_word = || text[at + c.len_utf8()..].chars().next().is_some_and(is_word);
        if closes_quote(c) && !matches!(c, '"' | '\'') && c != open && !(c == '’' && (open != '‘' || inside_word()))
        {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        } else if c == open {
            depth += 1;
        }
    }
    None
}

fn is_stop(c: char) -> bool {
    matches!(c, '.' | '!' | '?')
}

/// Whether the text in front of a mention ends in a word that announces a repeated text.
fn is_header(before: &str, colon: bool) -> bool {
    let before = before.trim_end_matches([':', '-', ' ', '(', '[']);
    if before.ends_with("//") && colon && !before.ends_with("://") {
        return true;
    }
    let Some(word) = HEADERS.iter().chain(HEADER_WORDS).find(|word| ends_with_word(before, word)) else { return false };
    let front = before[..before.len() - tail_len(before, word)].trim_end();
    if HEADER_WORDS.contains(word) && !(colon || front.is_empty()) {
        return false;
    }
    !ASKING.iter().any(|asking| ends_with_word(front, asking))
}

/// Whether `text` ends in `word`, whatever its case, as a word of its own.
pub(super) fn ends_with_word(text: &str, word: &str) -> bool {
    let len = tail_len(text, word);
    if len == 0 {
        return false;
    }
    // A script without spaces may stand directly in front of an alphabetic mark.
    let front = text[..text.len() - len].chars().next_back();
    let joined = |c: char| if word.is_ascii() { c.is_ascii_alphanumeric() || c == '_' || c == '#' } else { is_word(c) };
    !front.is_some_and(joined)
}

/// The bytes of `text`'s end that are `word` in any case; 0 if it ends otherwise.
pub(super) fn tail_len(text: &str, word: &str) -> usize {
    let mut wanted = word.chars().rev();
    let mut len = 0;
    for c in text.chars().rev() {
        let Some(w) = wanted.next() else { return len };
        if c != w && !c.to_lowercase().eq([w]) {
            return 0;
        }
        len += c.len_utf8();
    }
    if wanted.next().is_none() { len } else { 0 }
}

/// The inside of a quote that ends right in front of a mention: `“…” @a`, `“…” - @a`, `“…” (@a`.
fn quote_in_front(before: &str) -> Option<std::ops::Range<usize>> {
    let trimmed = before.trim_end_matches(['-', '–', '—', '~', '(', '[', ' ', ',', '―']);
    let close = trimmed.chars().next_back().filter(|&c| closes_quote(c) && c != '\'' && c != '’')?;
    let inside_end = trimmed.len() - close.len_utf8();
    let open = trimmed[..inside_end].find(|c| opens_quote(c) && c != '\'' && c != '‘')?;
    let inside = open + trimmed[open..].chars().next().map_or(1, char::len_utf8);
    // A word in quotation marks in front of a mention is emphasis.
    let words = trimmed[inside..inside_end].chars().filter(|&c| is_word(c)).count();
    let set_apart = trimmed[..open].trim().is_empty() || trimmed.len() < before.len();
    (words >= 12 && set_apart).then_some(inside..inside_end)
}
