//! Which servers may be contacted: https only, and no private networks, unless the operator says otherwise.

use std::{fmt, net::SocketAddr};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

use crate::config::{UrlError, check_server_url, is_private_address};

/// The base URL of a server that was found fit to be contacted.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl(Url);

impl ServerUrl {
    /// Reads and checks a base URL, as the configuration does. `allow_private` permits private addresses, and plain http
    /// on this machine.
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong; it never repeats the URL, which might hold a password.
    pub fn parse(text: &str, allow_private: bool) -> Result<Self, UrlError> {
        check_server_url(text, allow_private).map(Self)
    }

    /// Host and port, for messages.
    pub fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// The URL of a path below the base, with a query. Everything is percent-encoded as RFC 3986 has it: a space is
    /// `%20`, never `+`, so that no server reads the query otherwise than it was signed.
    pub fn endpoint(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().clear().extend_pairs(query);
            // A literal plus is encoded as %2B by now, so every plus that is left stands for a space.
            let strict = url.query().unwrap_or_default().replace('+', "%20");
            url.set_query(Some(&strict));
        }
        url
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerUrl({})", self.0)
    }
}

/// Resolves names and drops every private address, so that a public name cannot lead into a private network.
#[derive(Debug)]
pub(super) struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // Port 0: reqwest sets the port of the URL.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| !is_private_address(address.ip())).collect();
            if public.is_empty() {
                return Err(
                    "the name leads only to private addresses; set allow_private = true if that is meant".into()
                );
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> UrlError {
        ServerUrl::parse(url, false).unwrap_err()
    }

    #[test]
    fn only_https_is_accepted_and_http_only_on_this_machine_by_permission() {
        assert!(ServerUrl::parse("https://api.x.com", false).is_ok());
        assert_eq!(refusal("http://api.x.com"), UrlError::NotHttps);
        assert_eq!(refusal("http://127.0.0.1:9"), UrlError::NotHttps);
        assert_eq!(refusal("file:///etc/passwd"), UrlError::NotAUrl);
        assert_eq!(ServerUrl::parse("http://api.x.com", true), Err(UrlError::NotHttps));
        assert_eq!(ServerUrl::parse("http://192.168.0.1", true), Err(UrlError::NotHttps));
        for local in ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:2"] {
            assert!(ServerUrl::parse(local, true).is_ok(), "{local}");
        }
    }

    #[test]
    fn private_addresses_are_refused_in_every_spelling() {
        for host in [
            "10.0.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "127.1",
            "0x7f.0.0.1",
            "2130706433",
            "0.0.0.0",
            "100.64.0.1",
            "[::1]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
            "localhost",
            "localhost.",
            "api.localhost",
        ] {
            assert_eq!(refusal(&format!("https://{host}")), UrlError::Private, "{host}");
        }
        assert!(ServerUrl::parse("https://192.168.1.1", true).is_ok());
    }

    #[test]
    fn a_url_with_a_password_is_refused_without_repeating_it() {
        let refused = refusal("https://me:hunter2@api.x.com/?token=hunter2");
        assert_eq!(refused, UrlError::Userinfo);
        assert!(!refused.to_string().contains("hunter2"));
        assert_eq!(refusal("https://api.x.com/?token=hunter2"), UrlError::Query);
    }

    #[test]
    fn a_query_is_encoded_strictly() {
        let base = ServerUrl::parse("https://api.x.com/prefix/", false).unwrap();
        let url = base.endpoint(&["2", "a/b"], &[("query", "#tag + \"x\"~"), ("n", "1")]);
        assert_eq!(url.as_str(), "https://api.x.com/prefix/2/a%2Fb?query=%23tag%20%2B%20%22x%22%7E&n=1");
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_resolved() {
        let name: Name = "localhost".parse().unwrap();
        let refused = PublicResolver.resolve(name).await;
        assert!(refused.is_err_and(|error| error.to_string().contains("private addresses")));
    }
}
