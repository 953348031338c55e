//! Which server addresses are accepted: https, and nothing that lies inside somebody's own network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// Why a server's address is refused. Holds no part of it: an address can carry a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not an absolute URL with a host.
    #[error("expected an address such as \"https://api.x.com\"")]
    NotAUrl,
    /// Neither https, nor http on loopback where that is permitted.
    #[error("expected https; http is accepted only on loopback, together with allow_private = true")]
    NotHttps,
    /// With a user name or a password.
    #[error("an address must not hold a user name or password; credentials have their own places")]
    Userinfo,
    /// With a query or a fragment.
    #[error("an address must not hold a query (?…) or a fragment (#…)")]
    Query,
    /// A private, loopback or link-local host.
    #[error("the host is private, loopback or link-local; set allow_private = true if that is meant")]
    Private,
}

/// Accepts or refuses a server's address. The names that it resolves to later are checked where the connection is made,
/// with [`is_private_address`].
///
/// # Errors
/// [`UrlError`], which says what is expected instead.
pub fn check_server_url(text: &str, allow_private: bool) -> Result<Url, UrlError> {
    let url = Url::parse(text.trim()).map_err(|_| UrlError::NotAUrl)?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(UrlError::NotAUrl)?;
    // Domain names compare without the root's dot; IPv6 addresses stand in brackets.
    let host = host.trim_end_matches('.').trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::Userinfo);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(UrlError::Query);
    }
    let address = host.parse::<IpAddr>().ok();
    let local_name = address.is_none()
        && ["localhost", "local", "internal", "home.arpa"]
            .iter()
            .any(|suffix| host.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
    let loopback = address.map_or_else(
        || host == "localhost" || host.ends_with(".localhost"),
        |address| address.to_canonical().is_loopback(),
    );
    match url.scheme() {
        "https" => {}
        "http" if loopback && allow_private => {}
        _ => return Err(UrlError::NotHttps),
    }
    if !allow_private && (local_name || address.is_some_and(is_private_address)) {
        return Err(UrlError::Private);
    }
    Ok(url)
}

/// Whether an address is not a public unicast one: loopback, private, link-local, shared (RFC 6598), multicast,
/// reserved (for documentation, too) or unspecified, also behind an IPv4-mapped, NAT64 or 6to4 form.
pub fn is_private_address(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || address.is_documentation()
        || (a == 198 && (b == 18 || b == 19))
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    if segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        let [.., a, b, c, d] = address.octets();
        return is_private_v4(Ipv4Addr::new(a, b, c, d));
    }
    address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        // 6to4 (RFC 3056) and local-use NAT64 (RFC 8215) hide an IPv4 address; no API lives there.
        || segments[0] == 0x2002
        || segments[..3] == [0x64, 0xff9b, 1]
        || address.is_unique_local()
        || address.is_unicast_link_local()
        // The deprecated site-local range (RFC 3879) and IPv4-compatible addresses (RFC 4291).
        || (segments[0] & 0xffc0) == 0xfec0
        || segments[..6] == [0; 6]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_https_addresses_pass() {
        for url in ["https://api.x.com", "https://api.x.com:8443/base/", "https://8.8.8.8", "https://[2606:4700::1111]"]
        {
            assert!(check_server_url(url, false).is_ok(), "{url}");
        }
    }

    #[test]
    fn private_hosts_need_permission_in_every_spelling() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "printer.local",
            "db.internal",
            "127.0.0.1",
            "2130706433",
            "0x7f.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
            "[64:ff9b::a00:1]",
            "[ff02::1]",
            "[::10.0.0.1]",
            "[2002:a00:1::1]",
            "[64:ff9b:1::a00:1]",
            "192.0.2.1",
            "127.1",
            "0x7f.0.0.1",
        ] {
            let url = format!("https://{host}/");
            assert_eq!(check_server_url(&url, false), Err(UrlError::Private), "{url}");
            assert!(check_server_url(&url, true).is_ok(), "{url}");
        }
    }

    #[test]
    fn http_passes_only_on_loopback_and_with_permission() {
        assert!(check_server_url("http://127.0.0.1:8080", true).is_ok());
        assert!(check_server_url("http://[::1]:8080", true).is_ok());
        for (url, allowed) in [
            ("http://127.0.0.1:8080", false),
            ("http://10.0.0.1", true),
            ("http://api.x.com", true),
            ("http://localhost.example.com", true),
            ("ftp://api.x.com", true),
        ] {
            assert_eq!(check_server_url(url, allowed), Err(UrlError::NotHttps), "{url}");
        }
    }

    #[test]
    fn addresses_with_passwords_or_queries_are_refused() {
        assert_eq!(check_server_url("https://user:hunter2@api.x.com", false), Err(UrlError::Userinfo));
        assert_eq!(check_server_url("https://api.x.com/?token=1", false), Err(UrlError::Query));
        assert_eq!(check_server_url("api.x.com", false), Err(UrlError::NotAUrl));
        assert_eq!(check_server_url("", false), Err(UrlError::NotAUrl));
    }
}
