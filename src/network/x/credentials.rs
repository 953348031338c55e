//! The credentials, and signing with them.

use reqwest::{
    Client, Method, Request, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use reqwest_oauth1::{OAuthClientProvider, OAuthParameters, SecretsProvider};
use secrecy::{ExposeSecret, SecretString};

use crate::model::TimeMs;

/// OAuth 1.0a credentials of an account: the app's two, and the two that allow the app to act for the account.
#[derive(Clone, Debug)]
pub struct XCredentials {
    /// The app's key ("API key").
    pub consumer_key: SecretString,
    /// The app's secret ("API key secret").
    pub consumer_secret: SecretString,
    /// The account's access token.
    pub access_token: SecretString,
    /// The account's access token secret.
    pub access_token_secret: SecretString,
}

impl XCredentials {
    /// Takes every credential out of a text that a server sent, should it repeat them, also percent-encoded.
    pub(super) fn redact(&self, text: &str) -> String {
        let all = [&self.consumer_key, &self.consumer_secret, &self.access_token, &self.access_token_secret];
        let mut text = text.to_owned();
        for secret in all.into_iter().map(ExposeSecret::expose_secret).filter(|secret| !secret.is_empty()) {
            let form_encoded = form_encoded(secret);
            let strictly_encoded = form_encoded.replace('+', "%20");
            for form in [secret, &form_encoded, &strictly_encoded] {
                text = text.replace(form, "[redacted]");
            }
        }
        text
    }
}

/// A text as it would stand in a query.
fn form_encoded(text: &str) -> String {
    let encoded = Url::parse_with_params("x:", [("", text)]).ok().and_then(|url| url.query().map(str::to_owned));
    encoded.map_or_else(|| text.to_owned(), |query| query.trim_start_matches('=').to_owned())
}

/// Lends the credentials to the signer without copying them.
#[derive(Clone)]
struct Lent<'a>(&'a XCredentials);

impl SecretsProvider for Lent<'_> {
    fn get_consumer_key_pair(&self) -> (&str, &str) {
        (self.0.consumer_key.expose_secret(), self.0.consumer_secret.expose_secret())
    }

    fn get_token_pair_option(&self) -> Option<(&str, &str)> {
        Some((self.0.access_token.expose_secret(), self.0.access_token_secret.expose_secret()))
    }
}

/// What makes each signature its own.
#[derive(Clone, Debug)]
pub(super) struct Stamp {
    /// Never used twice.
    pub(super) nonce: String,
    /// Must be within a few minutes of the server's clock.
    pub(super) time: TimeMs,
}

/// Builds a signed request. `url` may hold a query or `json` may be given, not both: the signer goes wrong on a query
/// beside a form body, and keeping them apart keeps out of that corner.
///
/// # Errors
/// If the request cannot be signed or built; in words.
pub(super) fn signed_request(
    client: &Client,
    credentials: &XCredentials,
    method: Method,
    url: Url,
    json: Option<String>,
    stamp: Stamp,
) -> Result<Request, String> {
    debug_assert!(json.is_none() || url.query().is_none(), "a query and a body are never signed together");
    let seconds = u64::try_from(stamp.time.0.div_euclid(1000)).unwrap_or(0);
    let parameters = OAuthParameters::new().nonce(stamp.nonce).timestamp(seconds).version(true);
    let mut builder = client.clone().oauth1_with_params(Lent(credentials), parameters).request(method, url);
    if let Some(json) = json {
        builder = builder.header(CONTENT_TYPE, "application/json").body(json);
    }
    let builder = builder.generate_signature().map_err(|error| error.to_string())?;
    let mut request = builder.build().map_err(|error| error.without_url().to_string())?;
    // Sensitive headers are left out of debug output.
    if let Some(header) = request.headers_mut().get_mut(AUTHORIZATION) {
        HeaderValue::set_sensitive(header, true);
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of Twitter's documentation, "Creating a signature" (developer.twitter.com, OAuth 1.0a).
    fn example() -> XCredentials {
        XCredentials {
            consumer_key: "xvz1evFS4wEEPTGEFPHBog".into(),
            consumer_secret: "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw".into(),
            access_token: "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb".into(),
            access_token_secret: "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE".into(),
        }
    }

    fn authorization(url: &str) -> String {
        let stamp =
            Stamp { nonce: "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg".to_owned(), time: TimeMs(1_318_622_958_000) };
        let client = crate::network::http::client(false).unwrap();
        let url = crate::network::server_url::ServerUrl::parse(url, false).unwrap().endpoint(
            &["statuses", "update.json"],
            &[("include_entities", "true"), ("status", "Hello Ladies + Gentlemen, a signed OAuth request!")],
        );
        let request = signed_request(&client, &example(), Method::POST, url, None, stamp).unwrap();
        assert!(!format!("{request:?}").contains("oauth_signature"), "the header must not show in debug output");
        request.headers()[AUTHORIZATION].to_str().unwrap().to_owned()
    }

    #[test]
    fn the_published_worked_example_is_signed_as_published() {
        let header = authorization("https://api.twitter.com/1.1");
        for part in [
            r#"oauth_consumer_key="xvz1evFS4wEEPTGEFPHBog""#,
            r#"oauth_nonce="kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg""#,
            r#"oauth_signature="hCtSmYh%2BiHYCEqBWrE7C7hYmtUk%3D""#,
            r#"oauth_signature_method="HMAC-SHA1""#,
            r#"oauth_timestamp="1318622958""#,
            r#"oauth_token="370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb""#,
            r#"oauth_version="1.0""#,
        ] {
            assert!(header.contains(part), "{part} is missing in {header}");
        }
        // The same page also printed the signature for the older path.
        let older = authorization("https://api.twitter.com/1");
        assert!(older.contains(r#"oauth_signature="tnnArxj06cWHq44gCs1OSKk%2FjLY%3D""#), "{older}");
    }

    #[test]
    fn credentials_never_show() {
        let mut credentials = example();
        credentials.access_token_secret = "a b+c/d".into();
        assert!(!format!("{credentials:?}").contains("xvz1evFS4wEEPTGEFPHBog"));
        let echoed = "key=xvz1evFS4wEEPTGEFPHBog secret=a b+c/d encoded=a+b%2Bc%2Fd a%20b%2Bc%2Fd rest";
        assert_eq!(credentials.redact(echoed), "key=[redacted] secret=[redacted] encoded=[redacted] [redacted] rest");
    }
}
