//! Checks the `Host` header: a page whose name is pointed at this server (DNS rebinding) is of the server's own origin to
//! the browser, and only the name tells that it isn't.

use axum::http::{HeaderMap, Uri, Version, header, uri::Authority};
use std::{fmt, net::Ipv6Addr, str::FromStr};

/// A name that the operator gave the server, in lower case and without a final dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

/// A text that is no host name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a host is a name without scheme and port, such as hostbeat.example.com")]
pub struct InvalidHostName;

impl FromStr for HostName {
    type Err = InvalidHostName;

    fn from_str(text: &str) -> Result<Self, InvalidHostName> {
        match url::Host::parse(text) {
            Ok(host) if host.to_string().chars().all(is_host_character) => {
                Ok(Self(without_final_dot(&host.to_string()).to_owned()))
            }
            _ => Err(InvalidHostName),
        }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a request's host is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostRefusal {
    /// HTTP/1.1 requires exactly one valid `Host` (RFC 9112, section 3.2).
    #[error("An HTTP/1.1 request needs one Host header with the server's name, such as Host: localhost.")]
    Invalid,
    /// A name that nobody gave this server.
    #[error("{0} is not a name of this server. If it should be, start Hostbeat with --allow-host {0}.")]
    Unknown(String),
}

/// The host that a request names, without its port. `None` for HTTP/1.0 without `Host`, which no browser sends.
///
/// # Errors
/// When the host is missing in HTTP/1.1, given twice, or no host.
pub(in crate::server) fn requested_host(
    version: Version,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Option<String>, HostRefusal> {
    let mut hosts = headers.get_all(header::HOST).into_iter();
    let authority = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().ok().and_then(|host| host.parse::<Authority>().ok())),
        (None, _) if version < Version::HTTP_11 => None,
        _ => Some(None),
    };
    let Some(authority) = authority else { return Ok(None) };
    let authority = authority.filter(|authority| !authority.as_str().contains('@')).ok_or(HostRefusal::Invalid)?;
    // A target with an authority overrides Host (RFC 9112, section 3.2.2).
    let host = uri.host().unwrap_or_else(|| authority.host());
    if !host.chars().all(is_host_character) {
        return Err(HostRefusal::Invalid);
    }
    Ok(Some(without_final_dot(host).to_ascii_lowercase()))
}

/// Admits addresses, which no stranger can point elsewhere, names of this machine, and names that the operator allows.
///
/// # Errors
/// When the name is none of them.
pub(in crate::server) fn check_host(host: &str, own: &str, allowed: &[HostName]) -> Result<(), HostRefusal> {
    let is_known = is_address(host) || is_loopback_name(host) || is_own(host, own);
    if is_known || allowed.iter().any(|name| name.0 == host) {
        Ok(())
    } else {
        Err(HostRefusal::Unknown(host.to_owned()))
    }
}

fn is_address(host: &str) -> bool {
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    bracketed.map_or_else(|| host.parse::<std::net::Ipv4Addr>().is_ok(), |address| address.parse::<Ipv6Addr>().is_ok())
}

/// Browsers resolve these to the loopback addresses without DNS (RFC 6761, section 6.3).
fn is_loopback_name(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

/// Whether `host` is the kernel's name of this machine: with its domain, without, or in the domain of multicast DNS
/// (RFC 6762), where nobody outside the network can register a name.
fn is_own(host: &str, own: &str) -> bool {
    let own = without_final_dot(own);
    let short = own.split('.').next().unwrap_or_default();
    let host = host.strip_suffix(".local").unwrap_or(host);
    !short.is_empty() && (host.eq_ignore_ascii_case(own) || host.eq_ignore_ascii_case(short))
}

/// The characters of names and addresses. Others, which URLs admit, could be read as shell syntax in the suggested flag.
fn is_host_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_.:[]".contains(character)
}

fn without_final_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn requested(version: Version, uri: &'static str, hosts: &[&'static str]) -> Result<Option<String>, HostRefusal> {
        let mut headers = HeaderMap::new();
        hosts.iter().for_each(|host| _ = headers.append(header::HOST, HeaderValue::from_static(host)));
        requested_host(version, &Uri::from_static(uri), &headers)
    }

    fn is_admitted(host: &str) -> bool {
        let allowed = ["Status.Example.com.".parse().unwrap()];
        check_host(host, "Web1.example.com", &allowed).is_ok()
    }

    #[test]
    fn requested_host_has_no_port_case_or_final_dot() {
        for (host, expected) in [
            ("localhost:3000", "localhost"),
            ("LOCALHOST", "localhost"),
            ("web1.example.com.:80", "web1.example.com"),
            ("[::1]:3000", "[::1]"),
            ("127.0.0.1", "127.0.0.1"),
        ] {
            assert_eq!(requested(Version::HTTP_11, "/", &[host]), Ok(Some(expected.to_owned())), "{host}");
        }
        let absolute = requested(Version::HTTP_11, "http://evil.example/", &["localhost"]);
        assert_eq!(absolute, Ok(Some("evil.example".to_owned())));
    }

    #[test]
    fn missing_host_is_refused_in_http_1_1_only() {
        assert_eq!(requested(Version::HTTP_11, "/", &[]), Err(HostRefusal::Invalid));
        assert_eq!(requested(Version::HTTP_10, "/", &[]), Ok(None));
        for hosts in [&["localhost", "localhost"][..], &[""], &["a b"], &["localhost@evil.example"], &["a/b"], &["a;b"]]
        {
            assert_eq!(requested(Version::HTTP_11, "/", hosts), Err(HostRefusal::Invalid), "{hosts:?}");
            assert_eq!(requested(Version::HTTP_10, "/", hosts), Err(HostRefusal::Invalid), "{hosts:?}");
        }
    }

    #[test]
    fn address_own_name_and_allowed_name_are_admitted() {
        for host in ["127.0.0.1", "192.0.2.1", "[::1]", "[2001:db8::1]", "localhost", "a.localhost"] {
            assert!(is_admitted(host), "{host}");
        }
        for host in ["web1.example.com", "web1", "web1.local", "status.example.com"] {
            assert!(is_admitted(host), "{host}");
        }
    }

    #[test]
    fn foreign_name_is_refused_with_the_flag_that_allows_it() {
        for host in [
            "evil.example",
            "web1.evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.local",
            "example.com",
            "a.status.example.com",
            "[evil]",
            "local",
            "",
        ] {
            let refusal = check_host(host, "web1.example.com", &["status.example.com".parse().unwrap()]).unwrap_err();
            assert!(refusal.to_string().contains(&format!("--allow-host {host}")), "{refusal}");
        }
        assert!(check_host("", "", &[]).is_err() && check_host("a", ".a", &[]).is_err());
    }

    #[test]
    fn host_name_parses_without_scheme_and_port() {
        for text in ["hostbeat.example.com", "Hostbeat", "my_host", "192.0.2.1", "m\u{fc}ller.example"] {
            assert!(text.parse::<HostName>().is_ok(), "{text}");
        }
        for text in ["", "https://a.example", "a.example:80", "a.example/", "*.example.com", "*", "a b"] {
            assert_eq!(text.parse::<HostName>(), Err(InvalidHostName), "{text}");
        }
    }
}
