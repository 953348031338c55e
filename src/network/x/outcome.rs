//! What became of a repost, by X's answer.

use serde::Deserialize;

use super::problem::{Problems, Purpose, error_of};
use crate::{
    model::TimeMs,
    network::{NetworkError, RepostOutcome, http::Answer},
};

/// The good answer, in both namings.
#[derive(Deserialize)]
struct RepostAnswer {
    data: Option<RepostData>,
}

#[derive(Deserialize)]
struct RepostData {
    #[serde(default)]
    retweeted: bool,
    #[serde(default)]
    reposted: bool,
}

/// Reads the answer to a repost. Only a plain "yes" without any problem beside it is taken for one.
///
/// # Errors
/// Any [`NetworkError`]; [`NetworkError::Uncertain`] if the answer says nothing although the request may have had its
/// effect.
pub(super) fn repost_outcome(
    answer: &Answer,
    call: &str,
    detail: &str,
    now: TimeMs,
) -> Result<RepostOutcome, NetworkError> {
    let text = answer.text();
    let problems = Problems::read(&text);
    if (200..300).contains(&answer.status) {
        if let Some(fault) = answer.body_fault() {
            return Err(NetworkError::Uncertain(format!("{call}: {fault}")));
        }
        let Ok(read) = serde_json::from_str::<RepostAnswer>(&text) else {
            return Err(NetworkError::Uncertain(format!("{call}: the answer cannot be read: {detail}")));
        };
        if problems.is_empty() && read.data.is_some_and(|data| data.retweeted || data.reposted) {
            return Ok(RepostOutcome::Done(None));
        }
    }
    if matches!(answer.status, 200..=299 | 400 | 403) && problems.already_reposted() {
        return Ok(RepostOutcome::AlreadyThere);
    }
    Err(error_of(answer, &problems, Purpose::Repost, call, detail, now))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;
    use crate::network::http::BodyEnd;

    fn outcome(status: u16, body: &str, end: BodyEnd) -> Result<RepostOutcome, NetworkError> {
        let answer = Answer { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec(), end };
        repost_outcome(&answer, "call", &answer.detail(str::to_owned), TimeMs(0))
    }

    fn whole(status: u16, body: &str) -> Result<RepostOutcome, NetworkError> {
        outcome(status, body, BodyEnd::Whole)
    }

    #[test]
    fn a_plain_yes_in_both_namings_is_done() {
        assert_eq!(whole(200, r#"{"data":{"retweeted":true}}"#), Ok(RepostOutcome::Done(None)));
        assert_eq!(whole(201, r#"{"data":{"reposted":true,"rest_id":"5"}}"#), Ok(RepostOutcome::Done(None)));
    }

    #[test]
    fn already_there_is_success_by_both_dialects_and_any_other_refusal_is_none() {
        let v2 = r#"{"detail":"You cannot retweet a Tweet that you have already retweeted.","title":"Bad Request","status":400}"#;
        assert_eq!(whole(400, v2), Ok(RepostOutcome::AlreadyThere));
        let listed = r#"{"errors":[{"message":"You cannot repost a Post that you have already reposted."}],"title":"Invalid Request"}"#;
        assert_eq!(whole(400, listed), Ok(RepostOutcome::AlreadyThere));
        let v1 = r#"{"errors":[{"code":327,"message":"…"}]}"#;
        assert_eq!(whole(403, v1), Ok(RepostOutcome::AlreadyThere));
        assert!(matches!(whole(400, r#"{"detail":"You cannot retweet"}"#), Err(NetworkError::Rejected { .. })));
        assert!(matches!(whole(503, v2), Err(NetworkError::Uncertain(_))), "a server fault promises nothing");
    }

    #[test]
    fn success_with_problems_beside_it_did_not_happen() {
        let body = r#"{"data":{"retweeted":true},"errors":[{"title":"Something","detail":"new"}]}"#;
        assert!(matches!(whole(200, body), Err(NetworkError::Rejected { status: 200, .. })));
        assert!(matches!(whole(200, r#"{"data":{"retweeted":false}}"#), Err(NetworkError::Rejected { .. })));
    }

    #[test]
    fn an_answer_that_cannot_be_read_leaves_the_outcome_unknown() {
        for (body, end) in [
            ("", BodyEnd::Whole),
            ("<html>", BodyEnd::Whole),
            (r#"{"data":{"ret"#, BodyEnd::Broken("closed".to_owned())),
            (r#"{"data":{"retweeted":true}}"#, BodyEnd::TooLong),
        ] {
            assert!(matches!(outcome(200, body, end), Err(NetworkError::Uncertain(_))), "{body}");
        }
    }
}
