//! The story of a post for programs. Names are stable; times are milliseconds since the Unix epoch.

use serde_json::{Value, json};

use super::{explain::Told, explain_pair, explain_words as words};
use crate::store::{
    story::{AccountStory, MEMBERS_COUNTED, Member},
    story_order::Order,
    story_post::StoredPost,
};

/// The whole story as one object.
pub(super) fn of(told: &Told<'_>) -> Value {
    let (story, thing) = (told.story, &told.story.thing);
    let nearest: Vec<_> = told
        .nearest
        .iter()
        .filter_map(|post| Some((post, explain_pair::compared(&story.post, post, told.policy)?)))
        .map(|(post, explained)| json!({ "post": of_post(post), "comparison": explain_pair::of(&explained) }))
        .collect();
    let sightings: Vec<_> = story
        .sightings
        .iter()
        .map(|sighting| {
            json!({ "account": sighting.account, "hashtag": sighting.hashtag, "seen_at_ms": sighting.seen_at })
        })
        .collect();
    json!({
        "post": of_post(&story.post),
        "sightings": sightings,
        "thing": {
            "id": thing.id,
            "first_seen_ms": thing.first_seen,
            "replayed": thing.replayed,
            "original": thing.original.as_ref().map(of_member),
            "post_count": thing.member_count,
            "post_count_is_complete": thing.member_count < MEMBERS_COUNTED,
            "posts": thing.members.iter().map(of_member).collect::<Vec<_>>(),
        },
        "verdicts": story.accounts.iter().map(|account| of_account(told, account)).collect::<Vec<_>>(),
        "nearest": nearest,
        "crowded": told.crowded,
    })
}

fn of_post(post: &StoredPost) -> Value {
    let variants: Vec<_> = post
        .variants
        .iter()
        .map(|variant| {
            json!({
                "kind": variant.kind.as_str(),
                "credited": variant.credited,
                "cut": variant.cut,
                "canonical": variant.canonical.as_str(),
            })
        })
        .collect();
    json!({
        "id": post.remote_id,
        "network": post.network,
        "provenance": post.provenance.as_str(),
        "author": post.author_handle(),
        "author_name": post.author.as_ref().map(|author| &author.display_name),
        "text": post.text,
        "text_cut": post.text_cut,
        "lang": post.lang,
        "created_at_ms": post.created_at,
        "seen_at_ms": post.seen_at,
        "attribution": post.attribution,
        "repost_of": post.repost_of,
        "facts": post.facts,
        "variants": variants,
    })
}

fn of_member(member: &Member) -> Value {
    json!({
        "id": member.remote_id,
        "network": member.network,
        "author": member.author,
        "created_at_ms": member.created_at,
        "seen_at_ms": member.seen_at,
        "copy": member.is_copy,
    })
}

fn of_account(told: &Told<'_>, account: &AccountStory) -> Value {
    let (story, now, verdict) = (told.story, told.now, &account.verdict);
    let matched = account.matched.as_ref();
    let comparison = matched.and_then(|matched| explain_pair::compared(&told.story.post, matched, told.policy));
    json!({
        "account": account.name,
        "action": verdict.action.as_str(),
        "rule": verdict.rule.as_str(),
        "words": words::verdict(story, account, now),
        "outcome": words::outcome(story, account),
        "decided_at_ms": account.decided_at,
        "hold_until_ms": verdict.hold_until,
        "similarity": verdict.similarity,
        "matched": account.matched.as_ref().map(of_post),
        "comparison": comparison.as_ref().map(explain_pair::of),
        "outbox": account.orders.iter().map(of_order).collect::<Vec<_>>(),
    })
}

fn of_order(order: &Order) -> Value {
    let events: Vec<_> = order
        .events
        .iter()
        .map(|event| json!({ "at_ms": event.at, "event": event.event, "detail": event.detail }))
        .collect();
    json!({
        "slot": order.slot,
        "kind": order.kind,
        "state": order.state,
        "post": order.post_remote_id,
        "post_author": order.post_author,
        "attempts": order.attempts,
        "maybe_sent": order.maybe_sent,
        "owner": order.owner,
        "lease_until_ms": order.lease_until,
        "not_before_ms": order.not_before,
        "ordered_at_ms": order.ordered_at,
        "finished_at_ms": order.finished_at,
        "repost_id": order.repost_remote_id,
        "events": events,
    })
}
