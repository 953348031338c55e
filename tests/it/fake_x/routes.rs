//! How the fake answers.

use std::{collections::HashMap, io::Write as _};

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use firsthand::model::TimeMs;
use serde_json::{Value, json};

use super::{
    ACCESS_TOKEN, BOT_HANDLE, BOT_ID,
    connection::Connection,
    oauth,
    search::search,
    state::{Fault, Logged, Route, Shared, State},
};

/// Marks an answer that is never given.
#[derive(Clone, Copy)]
pub(super) struct Silent;

/// What an answer consists of.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Answer {
    /// A problem document as X writes them.
    pub(super) fn problem(status: u16, kind: &str, title: &str, detail: &str) -> Self {
        let kind =
            if kind.is_empty() { "about:blank".to_owned() } else { format!("https://api.x.com/2/problems/{kind}") };
        Self { status, body: json!({ "type": kind, "title": title, "detail": detail, "status": status }) }
    }

    /// The refusal of a parameter.
    pub(super) fn invalid(parameter: &str, value: &str, why: &str) -> Self {
        Self {
            status: 400,
            body: json!({
                "errors": [{ "parameters": { parameter: [value] }, "message": why }],
                "title": "Invalid Request",
                "detail": "One or more parameters to your request was invalid.",
                "type": "https://api.x.com/2/problems/invalid-request",
            }),
        }
    }

    fn ok(body: Value) -> Self {
        Self { status: 200, body }
    }
}

/// Answers a request.
pub(super) async fn answer(shared: &Shared, connection: &Connection, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let (method, path) = (parts.method.as_str().to_owned(), parts.uri.path().to_owned());
    let query = parts.uri.query().unwrap_or_default();
    let parameters: HashMap<String, String> = oauth::query_parameters(query).collect();
    let route = match (method.as_str(), path.as_str()) {
        ("GET", "/2/users/me") => Some(Route::Me),
        ("GET", "/2/tweets/search/recent") => Some(Route::Search),
        ("POST", path) if path.starts_with("/2/users/") && path.ends_with("/retweets") => Some(Route::Repost),
        _ => None,
    };
    let now = shared.now();
    let mut state = shared.state();
    state.log.push(Logged { route, query: parameters.clone(), status: 0 });
    let at = state.log.len() - 1;

    let signed = oauth::Signed {
        method: &method,
        base_uri: format!("http://{}{path}", host(&parts.headers)),
        query,
        authorization: parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()),
        now_s: now.0.div_euclid(1000),
    };
    let refused = oauth::verify(&signed, &mut state.used_nonces).err();
    let Some(route) = route else { return plain(404, &json!({ "title": "Not Found", "status": 404 }), now) };
    if let Some(why) = refused {
        // X says only "Unauthorized"; the reason helps whoever reads a failed test.
        state.log[at].status = 401;
        return plain(401, &Answer::problem(401, "", "Unauthorized", &format!("Unauthorized: {why}")).body, now);
    }

    let (limit, remaining, reset, within) = state.count_in_window(route, now);
    let rates = [
        ("x-rate-limit-limit", limit.to_string()),
        ("x-rate-limit-remaining", remaining.to_string()),
        ("x-rate-limit-reset", (reset.0 + 999).div_euclid(1000).to_string()),
    ];
    let fault = state.next_fault(route);
    let too_many = Answer::problem(429, "rate-limit-exceeded", "Rate Limit Exceeded", "Rate limit exceeded");
    let mut answer = match &fault {
        Some(Fault::TooMany | Fault::TooManyUntold) => too_many,
        Some(Fault::Refuse(status, body)) => {
            let body = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.clone()));
            Answer { status: *status, body }
        }
        Some(Fault::Redirect(_)) => Answer { status: 307, body: Value::Null },
        _ if !within => too_many,
        _ => normal(&mut state, route, &path, &parameters, &body, now),
    };
    state.log[at].status = answer.status;
    if matches!(fault, Some(Fault::LostAnswer)) {
        state.log[at].status = 0;
        connection.close_after(0);
    }
    if let Some(Fault::CutAnswer(bytes)) = fault {
        connection.close_after(bytes);
    }
    if matches!(fault, Some(Fault::HugeBody)) {
        answer.body = Value::String("x".repeat(50_000_000));
    }
    let mut response = plain(answer.status, &answer.body, now);
    if matches!(fault, Some(Fault::GzipBomb)) {
        *response.body_mut() = Body::from(bomb());
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if matches!(fault, Some(Fault::Silence)) {
        response.extensions_mut().insert(Silent);
    }
    if let Some(Fault::Redirect(to)) = &fault {
        response.headers_mut().insert(header::LOCATION, to.parse().unwrap());
    }
    if !matches!(fault, Some(Fault::TooManyUntold)) {
        for (name, value) in rates {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
    }
    response
}

fn normal(
    state: &mut State,
    route: Route,
    path: &str,
    parameters: &HashMap<String, String>,
    body: &[u8],
    now: TimeMs,
) -> Answer {
    match route {
        Route::Me => Answer::ok(json!({ "data": { "id": BOT_ID, "name": "Bot", "username": BOT_HANDLE } })),
        Route::Search => search(state, parameters, now),
        Route::Repost => repost(state, path, body),
    }
}

/// The access token begins with the id of its user, and only that user's reposts may be made.
fn repost(state: &mut State, path: &str, body: &[u8]) -> Answer {
    let user = path.trim_start_matches("/2/users/").trim_end_matches("/retweets");
    if !ACCESS_TOKEN.starts_with(&format!("{user}-")) {
        let why = format!("The `id` query parameter value [{user}] must be the same as the authenticating user");
        return Answer::invalid("id", user, &why);
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(id) = body.get("tweet_id").and_then(Value::as_str) else {
        return Answer::invalid("tweet_id", "", "tweet_id is required");
    };
    let Some(post) = state.find(id) else {
        return Answer::ok(json!({ "errors": [{
            "resource_id": id, "resource_type": "tweet", "parameter": "tweet_id", "value": id,
            "title": "Not Found Error", "detail": format!("Could not find tweet with tweet_id: [{id}]."),
            "type": "https://api.twitter.com/2/problems/resource-not-found",
        }] }));
    };
    let author = state.user(&post.author_id).cloned();
    if author.as_ref().is_some_and(|author| author.protected) {
        return Answer::problem(403, "not-authorized-for-resource", "Authorization Error", "Sorry, not for you.");
    }
    if author.is_some_and(|author| author.blocks_us) {
        let detail = "You have been blocked from retweeting this user's tweets at their request.";
        return Answer::problem(403, "", "Forbidden", detail);
    }
    if !state.reposted.insert(id.to_owned()) {
        let detail = "You cannot retweet a Tweet that you have already retweeted.";
        return Answer::problem(400, "invalid-request", "Invalid Request", detail);
    }
    state.effects.push(id.to_owned());
    Answer::ok(json!({ "data": { state.naming.pick("retweeted", "reposted"): true } }))
}

fn host(headers: &HeaderMap) -> &str {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

/// An answer with the fake's own date.
fn plain(status: u16, body: &Value, now: TimeMs) -> Response {
    let date = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&jiff::Timestamp::from_millisecond(now.0).unwrap())
        .unwrap();
    // A string stands for a body that is no JSON.
    let body = match body {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        body => body.to_string(),
    };
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::DATE, date)
        .body(Body::from(body))
        .unwrap()
}

/// 64 MiB of spaces, packed.
fn bomb() -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let piece = vec![b' '; 1 << 20];
    for _ in 0..64 {
        packed.write_all(&piece).unwrap();
    }
    packed.finish().unwrap()
}
