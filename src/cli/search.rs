//! `firsthand search`: looks into the archive's text.

use std::{io::Write, ops::Range};

use serde_json::json;

use super::{
    Exit,
    args::Search,
    exit::WrongUsage,
    json,
    screen::Screen,
    style::{self, counted, escape_for_terminal, paint, relative_time},
};
use crate::{
    model::{Action, TimeMs},
    store::{
        Store, WriteLock,
        search::{self, Found, Order, Query},
    },
    text::search_form,
};

/// How much of a text a snippet shows, in bytes, and how much of that stands in front of the first hit.
const SNIPPET_BYTES: usize = 320;
const SNIPPET_BEFORE_BYTES: usize = 80;

/// Searches the archive and prints what was found.
///
/// # Errors
/// [`WrongUsage`] if there is no word to look for; any error of the database or of `out`.
pub async fn run<L: WriteLock>(
    args: &Search,
    store: &Store<L>,
    now: TimeMs,
    screen: &Screen,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let words = args.words.join(" ");
    let query = Query::of_words(&words).ok_or_else(|| {
        WrongUsage(format!("search for {words:?}: it has neither letter nor digit; give at least one word"))
    })?;
    let order = if args.best { Order::Best } else { Order::Newest };
    let limit = args.limit;
    let found = store
        .read("search", move |conn| {
            let query = query.clone();
            Box::pin(async move { search::search(conn, &query, None, order, limit).await })
        })
        .await?;
    if args.json {
        for post in &found {
            json::write_line(out, &as_json(post, &words))?;
        }
        return Ok(Exit::Ok);
    }
    let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
    let shown = escape_for_terminal(&words);
    if found.is_empty() {
        writeln!(out, "Nothing in the archive holds {}.", paint(style::STRONG, shown))?;
        return Ok(Exit::Ok);
    }
    for post in &found {
        print(post, &words, now, screen, out)?;
    }
    let which = if args.best { "best first" } else { "newest first" };
    let more = if count == u64::from(limit) {
        format!("; --limit {} shows more", limit.saturating_mul(2))
    } else {
        String::new()
    };
    writeln!(out, "{} with {}, {which}{more}", counted(count, "post"), paint(style::STRONG, shown))?;
    Ok(Exit::Ok)
}

/// A post of a list: who, when and what was decided; the text with its hits; the id.
fn print(post: &Found, words: &str, now: TimeMs, screen: &Screen, out: &mut dyn Write) -> std::io::Result<()> {
    let who = escape_for_terminal(&who(post));
    let when = relative_time(post.created_at, now);
    writeln!(out, "{}  {when}  {}", paint(style::STRONG, who), verdict(post))?;
    let (text, hits) = snippet(&post.text, words);
    for line in screen.wrap(&text, &hits, style::WAITING.bold().underline(), screen.columns - 2) {
        writeln!(out, "  {}", line.painted)?;
    }
    let id = escape_for_terminal(&format!("{} on {}", post.remote_id, post.network));
    writeln!(out, "  {}\n", paint(style::FAINT, id))
}

fn who(post: &Found) -> String {
    match (&post.author, post.author_name.as_deref()) {
        (Some(handle), None | Some("")) => format!("@{handle}"),
        (Some(handle), Some(name)) => format!("@{handle} ({})", style::excerpt(name, 40)),
        (None, _) => "somebody".to_owned(),
    }
}

/// The verdict about a post of a list, in a few words and its colour.
pub(super) fn verdict(post: &Found) -> String {
    match post.verdict {
        Some((Action::Repost, _)) if post.outbox_state.as_deref() == Some("done") => paint(style::GOOD, "reposted"),
        None => paint(style::FAINT, "not decided about"),
        Some((Action::Repost, _)) => paint(style::GOOD, "chosen"),
        Some((Action::Hold, _)) => paint(style::WAITING, "held for its original"),
        Some((Action::Skip, rule)) => format!("skipped: {}", rule.words()),
    }
}

/// The part of a text around the first hit, on one line, with the hits in it.
fn snippet(text: &str, words: &str) -> (String, Vec<Range<usize>>) {
    let hits = search_form::highlight(text, words);
    let first = hits.first().map_or(0, |hit| hit.start);
    let start = if text.len() <= SNIPPET_BYTES {
        0
    } else {
        text.floor_char_boundary(first.saturating_sub(SNIPPET_BEFORE_BYTES))
    };
    let end = text.floor_char_boundary(start + SNIPPET_BYTES);
    let front = if start > 0 { "…" } else { "" };
    let back = if end < text.len() { "…" } else { "" };
    // One byte for one byte, so that the hits stay where they are.
    let line = text[start..end].replace(['\n', '\r', '\t'], " ");
    let inside = hits.into_iter().filter(|hit| hit.start >= start && hit.end <= end);
    let moved = inside.map(|hit| hit.start - start + front.len()..hit.end - start + front.len()).collect();
    (format!("{front}{line}{back}"), moved)
}

/// Stable names; times in milliseconds since the Unix epoch, hits as byte ranges of `text`.
fn as_json(post: &Found, words: &str) -> serde_json::Value {
    let hits: Vec<_> = search_form::highlight(&post.text, words).into_iter().map(|hit| [hit.start, hit.end]).collect();
    json!({
        "id": post.remote_id,
        "network": post.network,
        "author": post.author,
        "author_name": post.author_name,
        "text": post.text,
        "created_at_ms": post.created_at,
        "seen_at_ms": post.seen_at,
        "attribution": post.attribution,
        "action": post.verdict.map(|(action, _)| action.as_str()),
        "rule": post.verdict.map(|(_, rule)| rule.as_str()),
        "outbox_state": post.outbox_state,
        "hits_bytes": hits,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, words: &str) -> (String, Vec<String>) {
        let (line, hits) = snippet(text, words);
        let hits = hits.into_iter().map(|hit| line[hit].to_owned()).collect();
        (line, hits)
    }

    #[test]
    fn a_snippet_shows_the_first_hit_of_a_long_text_on_one_line() {
        assert_eq!(marked("low\ntide", "tide"), ("low tide".to_owned(), vec!["tide".to_owned()]));
        let long = format!("{}Ebbe und Flut{}", "wörter ".repeat(90), " danach".repeat(90));
        let (line, hits) = marked(&long, "flut");
        assert_eq!(hits, ["Flut"]);
        assert!(line.starts_with('…') && line.ends_with('…') && line.len() <= SNIPPET_BYTES + 6, "{line}");
        assert_eq!(marked(&long, "nothing like it").1, Vec::<String>::new());
    }
}
