//! `firsthand explain`: the whole story of one post.

use std::io::Write;

use super::{
    Exit,
    args::Explain,
    exit::{NotInArchive, WrongUsage},
    explain_json, explain_pair, explain_words as words, json,
    screen::Screen,
    side_by_side,
    style::{self, clock_time, escape_for_terminal, moment, paint, thousands},
};
use crate::{
    dedup::{
        DedupPolicy, Incoming,
        explain::{Nearest, nearest},
    },
    model::{Handle, NetworkKind, PostId, Provenance, RemoteId, TimeMs},
    store::{
        Store, StoreError, WriteLock,
        story::{self, AccountStory, MEMBERS_COUNTED, Story},
        story_post::{self, StoredPost},
    },
    text::Analysis,
};

/// How many posts are told that a post was compared with and is no copy of.
const NEAREST_TOLD: usize = 3;

/// A story, and what it is told by.
pub(super) struct Told<'a> {
    pub(super) story: &'a Story,
    /// How copies are recognised at present.
    pub(super) policy: &'a DedupPolicy,
    /// If it was taken for a copy of nothing: the earlier posts that are nearest to it.
    pub(super) nearest: Vec<StoredPost>,
    /// Whether there may be nearer ones that were not looked at.
    pub(super) crowded: bool,
    pub(super) now: TimeMs,
}

/// Tells the story of a post, found by its id on its network, or by `network:id`. Comparisons are made anew by `policy`.
///
/// # Errors
/// [`NotInArchive`] if there is no such post; [`WrongUsage`] if several networks have one of this id; any error of the
/// database or of `out`.
pub async fn run<L: WriteLock>(
    args: &Explain,
    store: &Store<L>,
    policy: &DedupPolicy,
    now: TimeMs,
    screen: &Screen,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let story = find(&args.id, store).await?;
    let (nearest, crowded) =
        if is_like_nothing(&story) { find_nearest(&story.post, store).await? } else { Default::default() };
    let told = Told { story: &story, policy, nearest, crowded, now };
    if args.json {
        json::write_pretty(out, &explain_json::of(&told))?;
        return Ok(Exit::Ok);
    }
    Printer { story: &story, told: &told, now, screen }.print(out)?;
    Ok(Exit::Ok)
}

/// Whether the post was compared with others and taken for a copy of none. A native repost says itself what it is.
fn is_like_nothing(story: &Story) -> bool {
    story.post.repost_of.is_none() && story.accounts.iter().all(|account| account.matched.is_none())
}

/// The earlier posts that are nearest to this one, and whether there may be nearer ones.
async fn find_nearest<L: WriteLock>(
    post: &StoredPost,
    store: &Store<L>,
) -> Result<(Vec<StoredPost>, bool), StoreError> {
    let analysis = Analysis { variants: post.variants.clone(), attribution: post.attribution.clone() };
    let author = post.author_handle().map(Handle::new);
    let links = post.facts.links.clone();
    let incoming = Incoming::new(post.id, post.thing, author, post.created_at, links, analysis);
    store
        .read("look for what is near", move |conn| {
            let incoming = incoming.clone();
            Box::pin(async move {
                let Nearest { posts, crowded } = nearest(conn, &incoming, NEAREST_TOLD).await?;
                let mut found = story_post::load(conn, &posts).await?;
                found.sort_by_key(|post| posts.iter().position(|id| *id == post.id));
                Ok((found, crowded))
            })
        })
        .await
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
    told: &'a Told<'a>,
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
        self.print_nearest(out)?;
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
            self.print_pair(matched, out)?;
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

    /// The two texts, what decided between them, and by how much.
    fn print_pair(&self, other: &StoredPost, out: &mut dyn Write) -> std::io::Result<()> {
        let post = &self.story.post;
        let heading = words::by_whom(other);
        side_by_side::print(("this post", &post.text), (&heading, &other.text), self.screen, out)?;
        if let Some(explained) = explain_pair::compared(post, other, self.told.policy) {
            self.paragraph(&explain_pair::sentence(&explained, self.told.policy), out)?;
            explain_pair::print(&explained, out)?;
        }
        Ok(())
    }

    /// What a post was compared with that was taken for a copy of nothing.
    fn print_nearest(&self, out: &mut dyn Write) -> std::io::Result<()> {
        if !is_like_nothing(self.story) {
            return Ok(());
        }
        writeln!(out, "\n{}", paint(style::STRONG, explain_pair::heading(self.told.nearest.len())))?;
        for (place, other) in self.told.nearest.iter().enumerate() {
            if place > 0 {
                writeln!(out)?;
            }
            self.print_pair(other, out)?;
        }
        if self.told.crowded {
            self.paragraph("so many posts are like it that only the first and the newest were looked at", out)?;
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
