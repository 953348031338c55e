//! The HTTP client that all adapters share: bounded in time and size, never redirected, silent about secrets.

use std::{borrow::Cow, error::Error, fmt::Write as _, sync::Arc, time::Duration};

use reqwest::{Client, Request, Response, header::HeaderMap, redirect};

use super::server_url::PublicResolver;
use crate::model::TimeMs;

/// How long opening a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server may be silent within an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a request may take in all. An outbox row's lease must be at least three times this.
pub const TOTAL_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest body that is read, decompressed. A page of 100 posts at their longest is well below 4 MiB.
const BODY_LIMIT_BYTES: usize = 8 * 1024 * 1024;
/// How much of a body an error may repeat.
const DETAIL_LIMIT_BYTES: usize = 2 * 1024;
/// Names the bot and where to read about it, as the networks ask for. GoToSocial refuses requests without one.
const USER_AGENT: &str = concat!("firsthand/", env!("CARGO_PKG_VERSION"), " (+https://crates.io/crates/firsthand)");

/// Builds the client: rustls, no redirects (the default re-sends a POST on 307), no cookies, no proxy from the
/// environment, so that only the configured server is contacted. Unless `allow_private`, names that lead into private
/// networks are not resolved.
///
/// # Errors
/// If the TLS back end cannot be set up.
pub fn client(allow_private: bool) -> Result<Client, reqwest::Error> {
    let mut builder = Client::builder()
        .use_rustls_tls()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .timeout(TOTAL_TIMEOUT)
        .user_agent(USER_AGENT);
    if !allow_private {
        builder = builder.dns_resolver(Arc::new(PublicResolver));
    }
    builder.build().map_err(reqwest::Error::without_url)
}

/// A request that got no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It never left this machine: no connection.
    #[error("no connection: {0}")]
    NotSent(String),
    /// It may have arrived, but no answer came.
    #[error("no answer: {0}")]
    Lost(String),
}

/// How an answer's body ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyEnd {
    /// As the server said it would.
    Whole,
    /// It was longer than is read here; the rest was left.
    TooLong,
    /// It broke off, or could not be decompressed.
    Broken(String),
}

/// An answer, read as far as it came.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed, at most 8 MiB.
    pub body: Vec<u8>,
    /// How the body ended.
    pub end: BodyEnd,
}

impl Answer {
    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body as an error may repeat it: at most 2 KiB. `redact` takes out what must not be repeated, before the cut,
    /// so that no half of a secret is left at the end.
    pub fn detail(&self, redact: impl Fn(&str) -> String) -> String {
        // Four times the limit always covers it, and spares decoding megabytes.
        let front = self.body.get(..DETAIL_LIMIT_BYTES * 4).unwrap_or(&self.body);
        let text = redact(&String::from_utf8_lossy(front));
        cut_at_boundary(text.trim(), DETAIL_LIMIT_BYTES).to_owned()
    }

    /// What time it is for the server, by its `Date` header, to the second.
    pub fn server_time(&self) -> Option<TimeMs> {
        let date = self.headers.get(reqwest::header::DATE)?.to_str().ok()?;
        http_date(date)
    }

    /// Why the body cannot be used although the status is good; `None` if it is whole.
    pub fn body_fault(&self) -> Option<String> {
        match &self.end {
            BodyEnd::Whole => None,
            BodyEnd::TooLong => Some(format!("the body is longer than {} MiB", BODY_LIMIT_BYTES >> 20)),
            BodyEnd::Broken(why) => Some(format!("the body broke off: {why}")),
        }
    }
}

/// Sends a request and reads its answer.
///
/// # Errors
/// [`SendError`], sorted by whether the request may have had its effect.
pub async fn send(client: &Client, request: Request) -> Result<Answer, SendError> {
    let response = client.execute(request).await.map_err(|error| {
        let lost = !(error.is_connect() || error.is_builder());
        let words = words(error);
        if lost { SendError::Lost(words) } else { SendError::NotSent(words) }
    })?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let (body, end) = read_body(response).await;
    Ok(Answer { status, headers, body, end })
}

/// Reads the body piece by piece, so that neither a long one nor a compressed bomb is ever held whole.
async fn read_body(mut response: Response) -> (Vec<u8>, BodyEnd) {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(None) => return (body, BodyEnd::Whole),
            Ok(Some(piece)) if body.len() + piece.len() > BODY_LIMIT_BYTES => return (body, BodyEnd::TooLong),
            Ok(Some(piece)) => body.extend_from_slice(&piece),
            Err(error) => return (body, BodyEnd::Broken(words(error))),
        }
    }
}

/// An error and its causes in one line, without the URL, which reqwest would print in full.
fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(words, ": {error}");
        cause = error.source();
    }
    words
}

/// Reads the date format of HTTP headers (RFC 9110, section 5.6.7).
pub fn http_date(text: &str) -> Option<TimeMs> {
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(TimeMs(zoned.timestamp().as_millisecond()))
}

/// The longest front of `text` that has at most `limit_bytes` and ends between two characters.
pub fn cut_at_boundary(text: &str, limit_bytes: usize) -> &str {
    if text.len() <= limit_bytes {
        return text;
    }
    let end = (0..=limit_bytes).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_dates_are_read() {
        assert_eq!(http_date("Sun, 22 Nov 2026 04:49:06 GMT"), Some("2026-11-22T04:49:06Z".parse().unwrap()));
        assert_eq!(http_date("yesterday"), None);
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut_at_boundary("häßlich", 2), "h");
        assert_eq!(cut_at_boundary("häßlich", 3), "hä");
        assert_eq!(cut_at_boundary("kurz", 400), "kurz");
    }

    #[test]
    fn a_body_that_is_not_utf_8_is_read_as_far_as_it_is_and_its_repetition_is_capped() {
        let body = [b"a\xffb".as_slice(), "é".repeat(5000).as_bytes()].concat();
        let answer = Answer { status: 400, headers: HeaderMap::new(), body, end: BodyEnd::Whole };
        assert!(answer.text().starts_with("a\u{fffd}bé"));
        assert!(answer.detail(str::to_owned).len() <= DETAIL_LIMIT_BYTES);
    }

    #[tokio::test]
    async fn a_refused_connection_is_known_as_not_sent_and_names_no_url() {
        // Port 9 of loopback (discard) has no listener here; a bound and dropped port is used to be sure.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let request = Request::new(
            reqwest::Method::GET,
            format!("http://127.0.0.1:{port}/secret-path?token=hunter2").parse().unwrap(),
        );
        let error = send(&client(true).unwrap(), request).await.unwrap_err();
        assert!(matches!(&error, SendError::NotSent(_)), "{error}");
        assert!(!error.to_string().contains("hunter2") && !error.to_string().contains("secret-path"), "{error}");
    }
}
