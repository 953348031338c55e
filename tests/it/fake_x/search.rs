//! Recent search: the newest first, in pages, over seven days.

use std::collections::HashMap;

use firsthand::model::{Handle, TimeMs};
use serde_json::{Value, json, value::RawValue};

use super::{
    BOT_ID,
    posts::Stored,
    routes::Answer,
    state::{Naming, State},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// X's ids hold the milliseconds since its own epoch above these bits.
const SNOWFLAKE_SHIFT: u32 = 22;
const SNOWFLAKE_EPOCH_MS: i64 = 1_288_834_974_657;

/// What may be asked for, by naming (the lists of specification 2.167 and of the one before, as far as they matter).
fn allowed(naming: Naming) -> [(&'static str, &'static [&'static str]); 2] {
    match naming {
        Naming::Tweet => [
            (
                "tweet.fields",
                &[
                    "created_at",
                    "lang",
                    "author_id",
                    "referenced_tweets",
                    "entities",
                    "note_tweet",
                    "conversation_id",
                    "in_reply_to_user_id",
                    "possibly_sensitive",
                ],
            ),
            (
                "expansions",
                &["author_id", "referenced_tweets.id", "referenced_tweets.id.author_id", "in_reply_to_user_id"],
            ),
        ],
        Naming::Post => [
            (
                "post.fields",
                &["created_at", "lang", "entities", "note_post", "conversation_id", "possibly_sensitive", "text"],
            ),
            ("expansions", &["author_id", "referenced_posts", "in_reply_to_user_id"]),
        ],
    }
}

/// Checks the parameters as X does.
fn check(state: &State, parameters: &HashMap<String, String>, now: TimeMs) -> Result<(), Answer> {
    let known = allowed(state.naming);
    for (name, value) in parameters {
        let others = ["query", "max_results", "since_id", "start_time", "next_token", "user.fields"];
        match known.iter().find(|(known, _)| known == name) {
            Some((_, allowed)) => {
                if let Some(wrong) = value.split(',').find(|field| !allowed.contains(field)) {
                    return Err(Answer::invalid(name, value, &format!("invalid value '{wrong}'")));
                }
            }
            None if others.contains(&name.as_str()) => {}
            None => {
                return Err(Answer::invalid(name, value, &format!("The query parameter [{name}] is not one of ours")));
            }
        }
    }
    let query = parameters.get("query").map_or("", String::as_str);
    if query.is_empty() || query.chars().count() > 512 {
        return Err(Answer::invalid("query", query, "query must have 1 to 512 characters"));
    }
    let max_results = parameters.get("max_results").map_or("10", String::as_str);
    if !max_results.parse().is_ok_and(|n: u32| (10..=100).contains(&n)) {
        return Err(Answer::invalid("max_results", max_results, "max_results must be between 10 and 100"));
    }
    if let Some(start) = parameters.get("start_time") {
        let at: TimeMs = start.parse().map_err(|_| Answer::invalid("start_time", start, "start_time is not a time"))?;
        if at.0 < now.0 - 7 * DAY_MS {
            return Err(Answer::invalid(
                "start_time",
                start,
                "Invalid 'start_time': it must be on or after 7 days ago",
            ));
        }
        if at.0 > now.0 - 10_000 {
            return Err(Answer::invalid("start_time", start, "'start_time' must be 10 seconds before the request"));
        }
        if parameters.contains_key("since_id") {
            return Err(Answer::invalid(
                "start_time",
                start,
                "Invalid use of 'since_id' in conjunction with 'start_time'",
            ));
        }
    }
    if let Some(id) = parameters.get("since_id") {
        let made = id.parse::<i64>().map_or(i64::MAX, |id| (id >> SNOWFLAKE_SHIFT) + SNOWFLAKE_EPOCH_MS);
        if made < now.0 - 7 * DAY_MS {
            return Err(Answer::invalid("since_id", id, "'since_id' must be a tweet id created after 7 days ago"));
        }
    }
    Ok(())
}

/// Answers a search.
pub(super) fn search(state: &State, parameters: &HashMap<String, String>, now: TimeMs) -> Answer {
    if let Err(refused) = check(state, parameters, now) {
        return refused;
    }
    let parameter = |name: &str| parameters.get(name).map(String::as_str);
    let mut found: Vec<&Stored> = state
        .posts
        .iter()
        .filter(|post| post.created_at.0 > now.0 - 7 * DAY_MS && matches(state, post, &parameters["query"]))
        .filter(|post| state.searches_reposts || post.post.repost_of.is_none())
        .filter(|post| parameter("since_id").is_none_or(|id| post.is_above(id)))
        .filter(|post| {
            parameter("start_time")
                .and_then(|time| time.parse().ok())
                .is_none_or(|start: TimeMs| post.created_at >= start)
        })
        .collect();
    found.sort_by(|a, b| if a.is_above(&b.id) { std::cmp::Ordering::Less } else { std::cmp::Ordering::Greater });
    if let Some(token) = parameter("next_token") {
        let Some(last) = token.strip_prefix("after-") else {
            return Answer::invalid("next_token", token, "next_token is not valid");
        };
        found.retain(|post| post.id != last && !post.is_above(last));
    }
    let size = parameter("max_results").and_then(|size| size.parse().ok()).unwrap_or(10);
    let has_more = found.len() > size;
    found.truncate(size);
    page(state, &found, has_more)
}

/// Matches as loosely as X: a tag also by its beginning, and every handle and word without regard to case.
fn matches(state: &State, post: &Stored, query: &str) -> bool {
    if let Some(rest) = query.strip_prefix("from:") {
        let (handle, phrase) = rest.split_once(' ').unwrap_or((rest, ""));
        let by = state.user(&post.author_id).is_some_and(|user| Handle::new(&user.handle) == Handle::new(handle));
        return by && words(&post.post.text).contains(&words(phrase));
    }
    let text: String = post.post.text.to_lowercase().replace('＃', "#");
    text.contains(&query.to_lowercase())
}

fn words(text: &str) -> String {
    let plain: String = text.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn page(state: &State, found: &[&Stored], has_more: bool) -> Answer {
    let (Some(newest), Some(oldest)) = (found.first(), found.last()) else {
        return Answer {
            status: 200,
            body: json!({ "meta": { "newest_id": "", "oldest_id": "", "result_count": 0 } }),
        };
    };
    let reply_author = |post: &Stored| {
        let answered = post.post.reply_to.as_ref()?;
        state.find(answered).map(|answered| answered.author_id.clone())
    };
    let mut data: Vec<Value> = found.iter().map(|post| post.json(state.naming, reply_author(post))).collect();
    if state.shuffled {
        // Every second one from the front, then the others from the back: no order that a reader could lean on.
        let (even, odd): (Vec<_>, Vec<_>) = data.into_iter().enumerate().partition(|(at, _)| at % 2 == 0);
        data = even.into_iter().chain(odd.into_iter().rev()).map(|(_, element)| element).collect();
    }
    let references = |post: &&&Stored| post.post.repost_of.clone().or_else(|| post.post.reply_to.clone());
    let referenced: Vec<&Stored> =
        found.iter().filter_map(|post| references(&post)).filter_map(|id| state.find(&id)).collect();
    let included: Vec<Value> = referenced.iter().map(|post| post.json(state.naming, reply_author(post))).collect();
    let mut authors: Vec<&str> = found.iter().chain(&referenced).map(|post| post.author_id.as_str()).collect();
    authors.sort_unstable();
    authors.dedup();
    let users: Vec<Value> = authors.into_iter().filter(|id| *id != BOT_ID).filter_map(|id| user(state, id)).collect();
    let mut meta = json!({ "newest_id": newest.id, "oldest_id": oldest.id, "result_count": found.len() });
    if has_more {
        meta["next_token"] = json!(format!("after-{}", oldest.id));
    }
    let mut body = json!({ "includes": { "users": users }, "meta": meta });
    if !included.is_empty() {
        body["includes"][state.naming.pick("tweets", "posts")] = json!(included);
    }
    Answer { status: 200, body: with_data(body, data, &state.raw_elements) }
}

/// Puts raw elements, which need not be readable, into the middle of the page. The result is a string then, which is
/// sent as it is.
fn with_data(mut body: Value, data: Vec<Value>, raw_elements: &[String]) -> Value {
    if raw_elements.is_empty() {
        body["data"] = json!(data);
        return body;
    }
    let mut elements: Vec<String> = data.iter().map(Value::to_string).collect();
    let middle = elements.len() / 2;
    elements.splice(middle..middle, raw_elements.iter().cloned());
    let includes = serde_json::value::to_raw_value(&body["includes"]).unwrap();
    let meta: Box<RawValue> = serde_json::value::to_raw_value(&body["meta"]).unwrap();
    Value::String(format!(r#"{{"data":[{}],"includes":{includes},"meta":{meta}}}"#, elements.join(",")))
}

fn user(state: &State, id: &str) -> Option<Value> {
    let user = state.user(id)?;
    Some(json!({ "id": id, "username": user.handle, "name": user.name, "protected": user.protected }))
}
