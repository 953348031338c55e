//! What was decided about a post, in sentences.

use super::style::{clock_time, escape_for_terminal, relative_time, thousands};
use crate::{
    model::{Action, PostId, Rule, TimeMs},
    store::{
        story::{AccountStory, Member, Story},
        story_order::Order,
        story_post::StoredPost,
    },
};

/// The verdict of an account about the post, as one sentence; escaped.
pub(super) fn verdict(story: &Story, account: &AccountStory, now: TimeMs) -> String {
    let rule = account.verdict.rule.words();
    match account.verdict.action {
        Action::Skip => format!("skipped: {}", why_skipped(story, account)),
        Action::Hold => {
            let until = account.verdict.hold_until.unwrap_or(account.decided_at);
            let credits =
                story.post.attribution.as_ref().map(|handle| format!(" (it credits @{})", safe(handle.as_str())));
            format!(
                "held until {} ({}): {rule}{}",
                clock_time(until),
                relative_time(until, now),
                credits.unwrap_or_default()
            )
        }
        Action::Repost => match account.orders.iter().find(|order| order.post == story.post.id) {
            Some(order) => format!("{}: {rule}", fate(order)),
            None => format!("chosen, and nothing is sent for it: {rule}"),
        },
    }
}

fn why_skipped(story: &Story, account: &AccountStory) -> String {
    let post = &story.post;
    let words = account.verdict.rule.words();
    let matched = account.matched.as_ref();
    let other = matched.map(by_whom);
    match (account.verdict.rule, other) {
        (Rule::Attribution, Some(other)) => {
            let credited = matched.and_then(StoredPost::author_handle).unwrap_or_default();
            let id = matched.map_or("", |matched| matched.remote_id.as_str());
            if credited.is_empty() {
                return format!("{words}: {other}");
            }
            format!("credits @{}, whose own post is known: {}", safe(credited), safe(id))
        }
        (Rule::NativeRepost, Some(other)) => format!("a native repost of {other}"),
        (Rule::Exact, Some(other)) => format!("the same text as {other}"),
        (Rule::Truncated, Some(other)) => format!("the same text as {other}, one of them cut short"),
        (Rule::Near, Some(other)) => format!("nearly the same text as {other}"),
        (Rule::OriginalPreferred, Some(other)) => format!("its original came and goes out in its place: {other}"),
        (Rule::OriginalFiltered, Some(other)) => match account.matched_verdict {
            Some((_, rule)) => format!("its original may not be reposted: {other} is refused ({})", rule.words()),
            None => format!("{words}: {other}"),
        },
        (Rule::Language, _) => match &post.lang {
            Some(lang) => format!("{words} (it is in {})", safe(lang)),
            None => words.to_owned(),
        },
        (Rule::OwnPost | Rule::BlockedAuthor | Rule::AuthorCap, _) => match post.author_handle() {
            Some(author) => format!("{words} (@{})", safe(author)),
            None => words.to_owned(),
        },
        (Rule::BeforeStart | Rule::TooOld, _) => format!("{words} (posted {})", clock_time(post.created_at)),
        (_, Some(other)) => format!("{words} ({other})"),
        (_, None) => words.to_owned(),
    }
}

/// What became of the thing, where that is not said by the verdict itself; escaped.
pub(super) fn outcome(story: &Story, account: &AccountStory) -> Option<String> {
    if account.verdict.action != Action::Skip {
        return None;
    }
    let others = || account.orders.iter().filter(|order| order.post != story.post.id);
    if let Some(order) = others().find(|order| order.state == "done").or_else(|| others().next()) {
        let author = order.post_author.as_deref();
        return Some(format!("of its thing, {} is {}", post_of(author, order.post_remote_id.as_str()), fate(order)));
    }
    // Neither the original nor its copies go out; the verdict about the original says why.
    let refused = account.original_verdict.or(account.matched_verdict);
    match (refused, account.verdict.rule) {
        (_, Rule::OriginalFiltered) => None,
        (Some((Action::Skip, rule)), _) if !is_about_copies(rule) => {
            let original = story.thing.original.as_ref().map(member).or_else(|| account.matched.as_ref().map(by_whom));
            Some(format!(
                "nothing of this thing goes out: {} is refused ({})",
                original.unwrap_or_default(),
                rule.words()
            ))
        }
        (Some((Action::Hold, _)), _) => Some("a copy of this thing is held until its original comes".to_owned()),
        (Some((Action::Repost, _)), _) => Some("the other one was chosen; nothing is sent for it".to_owned()),
        _ => None,
    }
}

/// Whether a rule says that a post is a copy, not that it may not be reposted.
fn is_about_copies(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::Seen
            | Rule::NativeRepost
            | Rule::Attribution
            | Rule::Exact
            | Rule::Truncated
            | Rule::Near
            | Rule::OriginalPreferred
    )
}

/// What became of an order, as the beginning of a sentence.
fn fate(order: &Order) -> &'static str {
    match order.state.as_str() {
        "done" => "reposted",
        "ready" if order.attempts == 0 => "to be reposted",
        "ready" => "to be tried again",
        "claimed" => "being reposted",
        "uncertain" => "perhaps reposted, and asked for again since no answer came",
        "gone" => "not reposted, since the post is gone",
        "refused" => "not reposted, since the network forbids it",
        "dropped" => "not reposted, since a filter or a cap came in between",
        "parked" => "not reposted, and waiting for its operator",
        _ => "in an unknown state",
    }
}

/// An order, as one line; escaped.
pub(super) fn order(order: &Order, post: PostId, now: TimeMs) -> String {
    let what = if order.kind == "undo" { "undo of the repost" } else { "repost" };
    let of = if order.post == post {
        "this post".to_owned()
    } else {
        post_of(order.post_author.as_deref(), order.post_remote_id.as_str())
    };
    let second = if order.slot == 2 { ", besides the copy that went out before" } else { "" };
    let attempts = match order.attempts {
        1 => "1 attempt".to_owned(),
        attempts => format!("{} attempts", thousands(attempts)),
    };
    let mut line = format!("{what} of {of}{second}: {}, {attempts}", safe(&order.state));
    match (order.state.as_str(), order.lease_until) {
        ("claimed", Some(until)) => {
            let owner = order.owner.as_deref().unwrap_or("somebody");
            line.push_str(&format!(", claimed by {} until {}", safe(owner), clock_time(until)));
        }
        ("ready" | "uncertain", _) if order.not_before > now => {
            line.push_str(&format!(", not before {}", clock_time(order.not_before)));
        }
        _ => {}
    }
    if let Some(id) = &order.repost_remote_id {
        line.push_str(&format!(", as {}", safe(id.as_str())));
    }
    line
}

/// What an event led to, in a word.
pub(super) fn event(name: &str) -> String {
    // The row is ready to be sent once more.
    if name == "ready" { "again".to_owned() } else { safe(name) }
}

/// A post of a thing: `@ann's post 12`.
pub(super) fn member(member: &Member) -> String {
    post_of(member.author.as_deref(), member.remote_id.as_str())
}

/// The other post: `@ann's post 12`.
pub(super) fn by_whom(post: &StoredPost) -> String {
    post_of(post.author_handle(), post.remote_id.as_str())
}

fn post_of(author: Option<&str>, id: &str) -> String {
    match author {
        Some(author) => format!("@{}'s post {}", safe(author), safe(id)),
        None => format!("post {}", safe(id)),
    }
}

fn safe(text: &str) -> String {
    escape_for_terminal(text)
}
