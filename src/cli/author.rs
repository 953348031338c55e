//! `firsthand author`: what the archive knows of an author.

use std::io::Write;

use serde_json::json;

use super::{
    Exit,
    args::Author,
    exit::NotInArchive,
    json,
    screen::Screen,
    search::verdict,
    style::{self, counted, escape_for_terminal, moment, paint, relative_time},
};
use crate::{
    model::{AuthorId, Handle, TimeMs},
    store::{
        Store, WriteLock,
        authors::{self, AuthorRecord},
        search::{self, Found, Order, Query},
    },
};

/// How many of an author's posts are shown.
const POSTS_SHOWN: u32 = 10;

/// Shows an author: one record for each network that knows the handle.
///
/// # Errors
/// [`NotInArchive`] if no network does; any error of the database or of `out`.
pub async fn run<L: WriteLock>(
    args: &Author,
    store: &Store<L>,
    now: TimeMs,
    screen: &Screen,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let handle = Handle::new(&args.handle);
    let wanted = handle.clone();
    let records = store
        .read("look for an author", move |conn| {
            let handle = wanted.clone();
            Box::pin(async move {
                let mut records = Vec::new();
                for record in authors::by_handle(conn, &handle).await? {
                    let author = Some(AuthorId(record.id));
                    let posts = match Query::of_author(&handle) {
                        Some(query) => search::search(conn, &query, author, Order::Newest, POSTS_SHOWN).await?,
                        None => Vec::new(),
                    };
                    records.push((record, posts));
                }
                Ok(records)
            })
        })
        .await?;
    if records.is_empty() {
        return Err(anyhow::Error::new(NotInArchive(format!("author @{handle} isn't in the archive")))
            .context("show the author"));
    }
    if args.json {
        json::write_pretty(out, &as_json(&handle, &records))?;
        return Ok(Exit::Ok);
    }
    for (place, (record, posts)) in records.iter().enumerate() {
        if place > 0 {
            writeln!(out)?;
        }
        print(record, posts, now, screen, out)?;
    }
    Ok(Exit::Ok)
}

fn print(
    record: &AuthorRecord,
    posts: &[Found],
    now: TimeMs,
    screen: &Screen,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let handle = paint(style::STRONG, format!("@{}", escape_for_terminal(&record.handle)));
    let name = match record.display_name.as_str() {
        "" => String::new(),
        name => format!(" ({})", style::excerpt(name, 60)),
    };
    writeln!(out, "{handle}{name} on {}", escape_for_terminal(&record.network))?;
    let count = |number: i64| style::thousands(number);
    let rows = [
        ("first seen", moment(TimeMs(record.first_seen_ms), now)),
        ("last seen", moment(TimeMs(record.last_seen_ms), now)),
        ("posts seen", format!("{}, {} of them second-hand", count(record.post_count), count(record.copy_count))),
        ("reposted", count(record.reposted_count)),
    ];
    write!(out, "{}", style::two_columns(rows))?;
    if posts.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n  {}", paint(style::STRONG, "newest posts"))?;
    for post in posts {
        let id = escape_for_terminal(post.remote_id.as_str());
        writeln!(out, "  {}  {}", relative_time(post.created_at, now), verdict(post))?;
        for line in screen.wrap(&style::excerpt(&post.text, 240), &[], style::STRONG, screen.columns - 4) {
            writeln!(out, "    {}", line.painted)?;
        }
        writeln!(out, "    {}", paint(style::FAINT, id))?;
    }
    let shown = u64::try_from(posts.len()).unwrap_or(u64::MAX);
    if record.post_count > i64::try_from(shown).unwrap_or(i64::MAX) {
        writeln!(out, "  {} of {}", counted(shown, "post"), count(record.post_count))?;
    }
    Ok(())
}

/// Stable names; times in milliseconds since the Unix epoch.
fn as_json(handle: &Handle, records: &[(AuthorRecord, Vec<Found>)]) -> serde_json::Value {
    let records: Vec<_> = records
        .iter()
        .map(|(record, posts)| {
            let newest: Vec<_> = posts
                .iter()
                .map(|post| {
                    json!({
                        "id": post.remote_id,
                        "text": post.text,
                        "created_at_ms": post.created_at,
                        "attribution": post.attribution,
                        "action": post.verdict.map(|(action, _)| action.as_str()),
                        "rule": post.verdict.map(|(_, rule)| rule.as_str()),
                        "outbox_state": post.outbox_state,
                    })
                })
                .collect();
            json!({
                "network": record.network,
                "handle": record.handle,
                "display_name": record.display_name,
                "first_seen_ms": record.first_seen_ms,
                "last_seen_ms": record.last_seen_ms,
                "post_count": record.post_count,
                "copy_count": record.copy_count,
                "reposted_count": record.reposted_count,
                "newest": newest,
            })
        })
        .collect();
    json!({ "handle": handle, "records": records })
}
