//! `firsthand explain`: the whole story of one post.

use std::io::Write;

use super::{
    Exit,
    args::Explain,
    exit::{NotInArchive, WrongUsage},
    explain_json, explain_words as words, json,
    screen::Screen,
    side_by_side::{self, best_pair},
    style::{self, clock_time, escape_for_terminal, moment, paint, thousands},
};
use crate::{
    model::{NetworkKind, PostId, Provenance, RemoteId, TimeMs},
    store::{
        Store, StoreError, WriteLock,
        story::{self, AccountStory, MEMBERS_COUNTED, Story},
    },
};

/// Tells the story of a post, found by its id on its network, or by `network:id`.
///
/// # Errors
/// [`NotInArchive`] if there is no such post; [`WrongUsage`] if several networks have one of this id; any error of the
/// database or of `out`.
pub async fn run<L: WriteLock>(
    args: &Explain,
    store: &Store<L>,
    now: TimeMs,
    screen: &Screen,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let story = find(&args.id, store).await?;
    if args.json {
        json::write_pretty(out, &explain_json::of(&story, now))?;
        return Ok(Exit::Ok);
    }
    Printer { story: &story, now, screen }.print(out)?;
    Ok(Exit::Ok)
}

async fn find<L: WriteLock>(id: &str, store: &Store<L>) -> anyhow::Result<Story> {
    let id = id.trim();
    let (network, remote_id) = match id.split_once(':') {
        Some((network, rest)) if network.parse::<NetworkKind>().is_ok() => (Some(network.to_owned()), rest),
        _ => (None, id),
    };
    let remote_id = RemoteId::new(remote_id);
    let found = store
        .read("look for a post", move |conn| {
            let (remote_id, network) = (remote_id.clone(), network.clone());
            Box::pin(async move {
                let mut found = story::find(conn, &remote_id).await?;
                found.retain(|(_, name)| network.as_ref().is_none_or(|network| network == name));
                match found.as_slice() {
                    [(post, _)] => Ok(Ok(known(story::story(conn, *post).await?, *post)?)),
                    _ => Ok(Err(found)),
                }
            })
        })
        .await?;
    let shown = escape_for_terminal(id);
    match found {
        Ok(story) => Ok(story),
        Err(several) if several.is_empty() => {
            let error = NotInArchive(format!("post {shown} isn't in the archive"));
            Err(anyhow::Error::new(error).context("explain the post"))
        }
        Err(several) => {
            let names: Vec<_> = several.iter().map(|(_, network)| format!("{network}:{shown}")).collect();
            let error = WrongUsage(format!("several networks have a post {shown}; say which: {}", names.join(" or ")));
            Err(anyhow::Error::new(error).context("explain the post"))
        }
    }
}

fn known(story: Option<Story>, post: PostId) -> Result<Story, StoreError> {
    story.ok_or_else(|| StoreError::bad_value("posts.id", format!("post {post} was there a moment ago")))
}

struct Printer<'a> {
    story: &'a Story,
    now: TimeMs,
    screen: &'a Screen,
}

impl Printer<'_> {
    fn print(&self, out: &mut dyn Write) -> std::io::Result<()> {
        self.print_post(out)?;
        for account in &self.story.accounts {
            writeln!(out)?;
            self.print_account(account, out)?;
        }
        if self.story.accounts.is_empty() {
            writeln!(out, "\nNo account has decided about it.")?;
        }
        writeln!(out)?;
        self.print_thing(out)
    }

    fn print_post(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let post = &self.story.post;
        let title = escape_for_terminal(&format!("post {} on {}", post.remote_id, post.network));
        writeln!(out, "{}", paint(style::STRONG, title))?;
        let author = match &post.author {
            None => "somebody unknown".to_owned(),
            Some(author) if author.display_name.is_empty() => format!("@{}", author.handle),
            Some(author) => format!("@{} ({})", author.handle, style::excerpt(&author.display_name, 60)),
        };
        let mut rows = vec![
            ("by", escape_for_terminal(&author)),
            ("posted", moment(post.created_at, self.now)),
            ("archived", format!("{}, {}", clock_time(post.seen_at), came_by(post.provenance))),
        ];
        for sighting in &self.story.sightings {
            let watch = format!("#{} of account {}", sighting.hashtag, sighting.account);
            rows.push(("seen", format!("{} by {}", clock_time(sighting.seen_at), escape_for_terminal(&watch))));
        }
        if let Some(handle) = &post.attribution {
            rows.push(("credits", escape_for_terminal(&format!("@{handle}"))));
        }
        if let Some(original) = &post.repost_of {
            rows.push(("repost of", escape_for_terminal(original.as_str())));
        }
        if let Some(lang) = &post.lang {
            rows.push(("language", escape_for_terminal(lang)));
        }
        let payloads = post.variants.len();
        if payloads > 1 {
            let kinds: Vec<_> = post
                .variants
                .iter()
                .map(|variant| match &variant.credited {
                    Some(handle) => format!("{} crediting @{}", variant.kind, escape_for_terminal(handle.as_str())),
                    None => variant.kind.to_string(),
                })
                .collect();
            rows.push(("payloads", kinds.join(", ")));
        }
        write!(out, "{}", style::two_columns(rows))?;
        writeln!(out)?;
        let text = side_by_side::shown(&post.text);
        for line in self.screen.wrap(text, &[], style::STRONG, self.screen.columns - 4) {
            writeln!(out, "    {}", line.painted)?;
        }
        if text.len() < post.text.len() {
            let rest = post.text[text.len()..].chars().count();
            writeln!(
                out,
                "    {}",
                paint(style::FAINT, format!("… and {} more characters; --json has them", thousands(rest as i64)))
            )?;
        }
        if post.text_cut {
            writeln!(out, "    {}", paint(style::FAINT, "… the text was longer than what is kept"))?;
        }
        Ok(())
    }

    fn print_account(&self, account: &AccountStory, out: &mut dyn Write) -> std::io::Result<()> {
        let post = &self.story.post;
        let title = format!("for account {}", escape_for_terminal(&account.name));
        writeln!(out, "{}", paint(style::STRONG, title))?;
        self.paragraph(&words::verdict(self.story, account, self.now), out)?;
        if let Some(outcome) = words::outcome(self.story, account) {
            self.paragraph(&outcome, out)?;
        }
        let rule = account.verdict.rule;
        let similarity = account.verdict.similarity.map(|similarity| format!(", similarity {similarity:.2}"));
        let decided = clock_time(account.decided_at);
        let line = format!("rule {rule}{}, decided {decided}", similarity.unwrap_or_default());
        writeln!(out, "  {}", paint(style::FAINT, line))?;
        if let Some(matched) = &account.matched {
            writeln!(out)?;
            let other = words::by_whom(matched);
            side_by_side::print(("this post", &post.text), (&other, &matched.text), self.screen, out)?;
            if let Some(pair) = best_pair(post, matched) {
                self.paragraph(&pair.words(), out)?;
            }
        }
        for order in &account.orders {
            writeln!(out)?;
            self.paragraph(&words::order(order, post.id, self.now), out)?;
            for event in &order.events {
                let line = format!(
                    "{}  {}  {}",
                    clock_time(event.at),
                    words::event(&event.event),
                    style::excerpt(&event.detail, 400)
                );
                for (place, line) in
                    self.screen.wrap(&line, &[], style::STRONG, self.screen.columns - 6).into_iter().enumerate()
                {
                    writeln!(out, "{}{}", if place == 0 { "    " } else { "      " }, line.painted)?;
                }
            }
        }
        Ok(())
    }

    fn paragraph(&self, text: &str, out: &mut dyn Write) -> std::io::Result<()> {
        for line in self.screen.wrap(text, &[], style::STRONG, self.screen.columns - 2) {
            writeln!(out, "  {}", line.painted)?;
        }
        Ok(())
    }

    fn print_thing(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let thing = &self.story.thing;
        let count = match thing.member_count {
            1 => "this post alone".to_owned(),
            MEMBERS_COUNTED => format!("{} posts or more", thousands(MEMBERS_COUNTED)),
            count => format!("{} posts", thousands(count)),
        };
        writeln!(out, "{}", paint(style::STRONG, format!("its thing: {count}")))?;
        let replayed = if thing.replayed { ", brought by a replay or an import" } else { "" };
        writeln!(out, "  first seen {}{replayed}", moment(thing.first_seen, self.now))?;
        match &thing.original {
            Some(original) if original.post == self.story.post.id => writeln!(out, "  this post is its original")?,
            Some(original) => {
                let posted = clock_time(original.created_at);
                writeln!(out, "  its original is {}, posted {posted}", words::member(original))?;
            }
            None => writeln!(out, "  its original has not been seen")?,
        }
        if thing.member_count == 1 {
            return Ok(());
        }
        for member in &thing.members {
            let kind = if thing.original.as_ref().is_some_and(|original| original.post == member.post) {
                "original"
            } else if member.is_copy {
                "copy"
            } else {
                "same text"
            };
            let here = if member.post == self.story.post.id { " ← this post" } else { "" };
            let line = format!("{}  {kind:9}  {}{here}", clock_time(member.created_at), words::member(member));
            writeln!(out, "    {line}")?;
        }
        let shown = i64::try_from(thing.members.len()).unwrap_or(i64::MAX);
        if thing.member_count > shown {
            writeln!(out, "    … {} more", thousands(thing.member_count - shown))?;
        }
        Ok(())
    }
}

/// How a post came into the archive, in words.
fn came_by(provenance: Provenance) -> &'static str {
    match provenance {
        Provenance::Watch => "by a watch",
        Provenance::Embedded => "inside a native repost of it",
        Provenance::Lookup => "by a look-up of a copy's original",
        Provenance::Replay => "by a replay",
        Provenance::Import => "by an import",
    }
}
