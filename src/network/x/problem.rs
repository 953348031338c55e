//! X's ways to say no, sorted by what is to be done.

use serde_json::Value;

use crate::{
    model::TimeMs,
    network::{NetworkError, http::Answer, rate_limit::RateHeaders},
};

/// From which difference on a wrong clock is named as the likely cause of a refusal: X takes timestamps within
/// 5 minutes.
const CLOCK_TOLERANCE: std::time::Duration = std::time::Duration::from_secs(5 * 60);
/// How long to wait when the prepaid credit is used up: until somebody has paid.
const CREDIT_WAIT: std::time::Duration = std::time::Duration::from_secs(60 * 60);

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Reading: without any effect.
    Read,
    /// Reposting a post.
    Repost,
}

/// One problem out of an answer: RFC 9457's members, or those of API v1.1.
#[derive(Debug, Default)]
struct Problem {
    /// The end of the problem's type; what stands before it varies.
    kind: String,
    /// Title, detail and message in lower case.
    text: String,
    /// The code of API v1.1.
    code: Option<i64>,
}

/// All problems of an answer: the document itself, and those that it lists.
#[derive(Debug)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// Reads a document; one that is no JSON has no problems, only its text.
    pub(super) fn read(body: &str) -> Self {
        let Ok(document) = serde_json::from_str::<Value>(body) else { return Self(vec![problem_of(&body.into())]) };
        let listed = document.get("errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut problems: Vec<Problem> = listed.iter().map(problem_of).collect();
        if ["type", "title", "detail"].into_iter().any(|key| document.get(key).is_some()) {
            problems.push(problem_of(&document));
        }
        Self(problems)
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn has_kind(&self, kinds: &[&str]) -> bool {
        self.0.iter().any(|problem| kinds.contains(&problem.kind.as_str()))
    }

    fn has_code(&self, codes: &[i64]) -> bool {
        self.0.iter().any(|problem| problem.code.is_some_and(|code| codes.contains(&code)))
    }

    fn says(&self, words: &[&str]) -> bool {
        self.0.iter().any(|problem| words.iter().any(|words| problem.text.contains(words)))
    }

    /// Whether the repost is there already. Code 327 is API v1.1's.
    pub(super) fn already_reposted(&self) -> bool {
        self.has_code(&[327]) || self.says(&["already retweeted", "already reposted"])
    }

    /// Whether it is about where a search begins.
    pub(super) fn about_the_beginning(&self) -> bool {
        self.says(&["since_id", "start_time"])
    }
}

fn problem_of(value: &Value) -> Problem {
    let member = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let kind = member("type").rsplit('/').next().unwrap_or_default().to_owned();
    let plain = value.as_str().unwrap_or_default();
    let text = [member("title"), member("detail"), member("message"), plain].join("\n").to_lowercase();
    Problem { kind, text, code: value.get("code").and_then(Value::as_i64) }
}

/// Sorts an answer that is not the wanted one. `call` names the request in messages; `detail` is the capped body.
pub(super) fn error_of(
    answer: &Answer,
    problems: &Problems,
    purpose: Purpose,
    call: &str,
    detail: &str,
    now: TimeMs,
) -> NetworkError {
    let status = answer.status;
    let told = format!("{call}: {status} {detail}").trim_end().to_owned();
    let rates = RateHeaders::read(&answer.headers);
    let server_time = answer.server_time();

    if status == 429 || problems.has_kind(&["rate-limit-exceeded", "usage-capped"]) || problems.has_code(&[88, 185]) {
        return NetworkError::RateLimited { retry_at: rates.retry_at(now, server_time) };
    }
    if status == 402 || problems.has_kind(&["credits"]) {
        let what = "the credit that is prepaid at X".to_owned();
        return NetworkError::Capped { what, retry_at: now.plus(CREDIT_WAIT) };
    }
    match (status, purpose) {
        (500.. | 408, Purpose::Read) => return NetworkError::Transient(told),
        (500.. | 408, Purpose::Repost) => return NetworkError::Uncertain(told),
        // Somebody else answers in the server's place (a portal, a moved API): nothing has happened.
        (300..=399, _) => {
            return NetworkError::Transient(format!(
                "{call}: {status}, a redirect, which is not followed; check base_url"
            ));
        }
        _ => {}
    }
    let own_account = matches!(status, 401 | 403);
    if own_account && (problems.has_code(&[64, 326]) || problems.says(OWN_ACCOUNT_STOPPED)) {
        return NetworkError::Suspended(told);
    }
    if status == 401 || problems.has_code(&[32, 89, 135, 215]) || problems.has_kind(CREDENTIALS_REFUSED) {
        return NetworkError::Unauthorized(with_clock(told, now, server_time));
    }
    if purpose == Purpose::Repost {
        if problems.has_kind(&["resource-not-found"])
            || problems.has_code(&[34, 144])
            || problems.says(&["could not find", "not found", "no status found", "has been deleted"])
            || status == 404
        {
            return NetworkError::Gone(told);
        }
        if problems.has_kind(&["not-authorized-for-resource", "disallowed-resource", "resource-unavailable"])
            || problems.has_code(&[136, 179, 328])
            || problems.says(&["blocked", "protected", "not permissible", "not authorized to"])
        {
            return NetworkError::Forbidden(told);
        }
    }
    NetworkError::Rejected { status, detail: format!("{call}: {detail}").trim_end().to_owned() }
}

/// How X says that the account itself is stopped. "User has been suspended" is about the author of a post.
const OWN_ACCOUNT_STOPPED: &[&str] = &[
    "your account is suspended",
    "your account has been suspended",
    "account is temporarily locked",
    "your account is locked",
    "your account has been locked",
];

/// The app or its permissions are refused: no request will be accepted before the operator acts.
const CREDENTIALS_REFUSED: &[&str] = &["unsupported-authentication", "client-forbidden", "oauth1-permissions"];

/// Adds what the clocks say, if they differ by more than X accepts: then the credentials are not at fault.
fn with_clock(told: String, now: TimeMs, server_time: Option<TimeMs>) -> String {
    let Some(server_time) = server_time else { return told };
    let apart = now.since(server_time).max(server_time.since(now));
    if apart <= CLOCK_TOLERANCE {
        return told;
    }
    let minutes = apart.as_secs() / 60;
    format!("{told}; this machine's clock says {now}, X's {server_time}, {minutes} minutes apart: set the clock")
}

#[cfg(test)]
mod tests {
    use reqwest::header::{DATE, HeaderMap};

    use super::*;
    use crate::network::http::BodyEnd;

    const NOW: TimeMs = TimeMs(1_795_322_946_000);

    fn classify(status: u16, body: &str, purpose: Purpose) -> NetworkError {
        let answer = Answer { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec(), end: BodyEnd::Whole };
        error_of(&answer, &Problems::read(body), purpose, "call", &answer.detail(str::to_owned), NOW)
    }

    fn repost(status: u16, body: &str) -> NetworkError {
        classify(status, body, Purpose::Repost)
    }

    #[test]
    fn the_type_counts_by_its_end_whatever_its_host() {
        for host in ["https://api.twitter.com/2", "https://api.x.com/2", "urn:x"] {
            let body = format!(r#"{{"errors":[{{"type":"{host}/problems/resource-not-found","detail":"…"}}]}}"#);
            assert!(matches!(repost(200, &body), NetworkError::Gone(_)), "{host}");
        }
    }

    #[test]
    fn our_own_suspension_is_told_from_that_of_a_posts_author() {
        let ours = r#"{"title":"Forbidden","detail":"Your account is suspended and is not permitted to access this feature.","status":403}"#;
        assert!(matches!(repost(403, ours), NetworkError::Suspended(_)));
        let locked = r#"{"errors":[{"code":326,"message":"this account is temporarily locked"}]}"#;
        assert!(matches!(repost(403, locked), NetworkError::Suspended(_)));
        let theirs = r#"{"errors":[{"type":"https://api.x.com/2/problems/resource-not-found","detail":"User has been suspended: [42]."}]}"#;
        assert!(matches!(repost(200, theirs), NetworkError::Gone(_)));
    }

    #[test]
    fn a_refused_app_is_a_matter_of_credentials_and_a_block_of_the_post() {
        let app =
            r#"{"title":"Forbidden","type":"https://api.twitter.com/2/problems/oauth1-permissions","status":403}"#;
        assert!(matches!(repost(403, app), NetworkError::Unauthorized(_)));
        let blocked = r#"{"detail":"You have been blocked from retweeting this user's tweets at their request."}"#;
        assert!(matches!(repost(403, blocked), NetworkError::Forbidden(_)));
        let protected = r#"{"errors":[{"code":179,"message":"Sorry"}]}"#;
        assert!(matches!(repost(403, protected), NetworkError::Forbidden(_)));
    }

    #[test]
    fn what_is_not_known_is_rejected_and_not_taken_for_anything_else() {
        let unknown = r#"{"title":"Invalid Request","detail":"something new","status":400}"#;
        assert!(matches!(repost(400, unknown), NetworkError::Rejected { status: 400, .. }));
        assert!(matches!(repost(403, "<html>"), NetworkError::Rejected { status: 403, .. }));
        assert!(matches!(classify(404, "", Purpose::Read), NetworkError::Rejected { status: 404, .. }));
    }

    #[test]
    fn a_server_fault_is_uncertain_only_where_there_may_be_an_effect() {
        assert!(matches!(classify(503, "", Purpose::Read), NetworkError::Transient(_)));
        assert!(matches!(repost(503, ""), NetworkError::Uncertain(_)));
        assert!(matches!(repost(307, ""), NetworkError::Transient(_)));
    }

    #[test]
    fn used_up_credit_waits_and_parks_nothing() {
        let body = r#"{"title":"CreditsDepleted","type":"https://api.x.com/2/problems/credits","status":402}"#;
        assert!(matches!(repost(402, body), NetworkError::Capped { .. }));
    }

    #[test]
    fn a_wrong_clock_is_named() {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, "Sun, 22 Nov 2026 05:30:00 GMT".parse().unwrap());
        let answer = Answer { status: 401, headers, body: Vec::new(), end: BodyEnd::Whole };
        let told = |now| error_of(&answer, &Problems::read(""), Purpose::Read, "call", "", now).to_string();
        assert!(told(NOW).contains("40 minutes apart: set the clock"), "{}", told(NOW));
        let close = "2026-11-22T05:34:00Z".parse().unwrap();
        assert!(!told(close).contains("clock"), "{}", told(close));
    }
}
