//! Verifies OAuth 1.0a signatures by RFC 5849, without the library that made them.

use std::collections::{BTreeMap, HashSet};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha1::Sha1;

use super::{ACCESS_TOKEN, ACCESS_TOKEN_SECRET, CONSUMER_KEY, CONSUMER_SECRET};

/// Everything but the unreserved characters is encoded (RFC 5849, section 3.6).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// How far a timestamp may be from the server's clock.
const TIMESTAMP_TOLERANCE_S: i64 = 300;

/// What is signed of a request.
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    /// Scheme, host and path.
    pub(super) base_uri: String,
    pub(super) query: &'a str,
    pub(super) authorization: Option<&'a str>,
    /// The server's time, in epoch seconds.
    pub(super) now_s: i64,
}

/// Accepts a request, or says why not.
pub(super) fn verify(signed: &Signed<'_>, used_nonces: &mut HashSet<String>) -> Result<(), String> {
    let header = signed.authorization.ok_or("there is no Authorization header")?;
    let mut oauth = parameters_of_header(header)?;
    let signature = oauth.remove("oauth_signature").ok_or("there is no signature")?;
    let wanted = |name: &str, value: &str| match oauth.get(name) {
        Some(got) if got == value => Ok(()),
        got => Err(format!("{name} is {got:?}")),
    };
    wanted("oauth_consumer_key", CONSUMER_KEY)?;
    wanted("oauth_token", ACCESS_TOKEN)?;
    wanted("oauth_signature_method", "HMAC-SHA1")?;
    wanted("oauth_version", "1.0")?;
    let timestamp: i64 = oauth.get("oauth_timestamp").and_then(|s| s.parse().ok()).ok_or("there is no timestamp")?;
    let nonce = oauth.get("oauth_nonce").filter(|nonce| !nonce.is_empty()).ok_or("there is no nonce")?.clone();

    let mut parameters: Vec<(String, String)> = oauth.into_iter().collect();
    parameters.extend(query_parameters(signed.query));
    let expected = signature_of(signed.method, &signed.base_uri, parameters, CONSUMER_SECRET, ACCESS_TOKEN_SECRET);
    if signature != expected {
        return Err(format!("the signature is {signature}, {expected} was expected"));
    }
    if (timestamp - signed.now_s).abs() > TIMESTAMP_TOLERANCE_S {
        return Err(format!("the timestamp {timestamp} is out of bounds, it is {}", signed.now_s));
    }
    if !used_nonces.insert(nonce) {
        return Err("the nonce was used before".to_owned());
    }
    Ok(())
}

/// `OAuth name="value", …` with both sides decoded; a name that comes twice is refused (section 3.5.1).
fn parameters_of_header(header: &str) -> Result<BTreeMap<String, String>, String> {
    let list = header.strip_prefix("OAuth ").ok_or("the scheme is not OAuth")?;
    let mut parameters = BTreeMap::new();
    for part in list.split(',') {
        let (name, value) = part.trim().split_once('=').ok_or("a parameter has no value")?;
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).ok_or("a value is not quoted")?;
        if parameters.insert(decode(name), decode(value)).is_some() {
            return Err(format!("{name} comes twice"));
        }
    }
    Ok(parameters)
}

/// The pairs of a query, decoded as a form (section 3.4.1.3.1).
pub(super) fn query_parameters(query: &str) -> impl Iterator<Item = (String, String)> + '_ {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
    })
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// The signature of sections 3.4.1 and 3.4.2: sorted after encoding, joined, encoded again, and HMAC-SHA1 over it all.
fn signature_of(
    method: &str,
    base_uri: &str,
    parameters: Vec<(String, String)>,
    consumer_secret: &str,
    token_secret: &str,
) -> String {
    let mut encoded: Vec<(String, String)> = parameters.iter().map(|(k, v)| (encode(k), encode(v))).collect();
    encoded.sort();
    let joined: Vec<String> = encoded.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let base_string = format!("{method}&{}&{}", encode(base_uri), encode(&joined.join("&")));
    let key = format!("{}&{}", encode(consumer_secret), encode(token_secret));
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(base_string.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

/// The example of RFC 5849 section 1.2, so that the fake's own arithmetic is held to something published.
#[test]
fn the_fake_signs_the_example_of_the_standard_as_the_standard_does() {
    let pairs = [
        ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
        ("oauth_token", "nnch734d00sl2jdk"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131202"),
        ("oauth_nonce", "chapoH"),
        ("file", "vacation.jpg"),
        ("size", "original"),
    ];
    let parameters = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let signature =
        signature_of("GET", "http://photos.example.net/photos", parameters, "kd94hf93k423kf44", "pfkkdhi9sl3r4s00");
    assert_eq!(signature, "MdpQcU8iPSUjWoN/UDMsK2sui9I=");
}
