//! Which pages may read the stream: our own, and those of origins that the operator names.

use axum::http::{HeaderMap, HeaderValue, header};
use std::{fmt, str::FromStr};

/// An origin as browsers write it: `https://status.example.com`, with a port where that isn't the scheme's own
/// (RFC 6454, section 6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// A text that is no origin.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("an origin is a scheme and a host, and a port if it needs one, such as https://status.example.com")]
pub struct InvalidOrigin;

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let (scheme, authority) = text.split_once("://").ok_or(InvalidOrigin)?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        if !matches!(scheme, "http" | "https") || authority.is_empty() || !authority.chars().all(plain) {
            return Err(InvalidOrigin);
        }
        Ok(Self(format!("{scheme}://{}", without_default_port(scheme, &authority.to_ascii_lowercase()))))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Origin {
    /// Whether a request to `host` came from this origin itself. Behind a proxy that speaks TLS the scheme differs, so
    /// that only host and port are compared.
    fn is_of(&self, host: &str) -> bool {
        let (scheme, authority) = self.0.split_once("://").unwrap_or_default();
        authority == without_default_port(scheme, &host.to_ascii_lowercase())
    }
}

fn without_default_port<'a>(scheme: &str, authority: &'a str) -> &'a str {
    let port = if scheme == "https" { ":443" } else { ":80" };
    authority.strip_suffix(port).unwrap_or(authority)
}

/// A page of an origin that the operator doesn't allow asks for the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A page of another origin requested the stream. Its operator can allow that with --allow-origin.")]
pub struct ForeignOrigin;

/// Lets a request through that comes from our own page, from no page at all, or from one of `allowed`; for the last, the
/// value of `Access-Control-Allow-Origin`.
pub(in crate::server) fn check_origin(
    headers: &HeaderMap,
    allowed: &[Origin],
) -> Result<Option<HeaderValue>, ForeignOrigin> {
    let Some(value) = headers.get(header::ORIGIN) else { return Ok(None) };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    // A page from a file or a sandbox has the origin `null`.
    match value.to_str().unwrap_or_default().parse::<Origin>() {
        Ok(origin) if origin.is_of(host) => Ok(None),
        Ok(origin) if allowed.contains(&origin) => Ok(Some(value.clone())),
        _ => Err(ForeignOrigin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(origin: &'static str, host: &'static str) -> Result<Option<HeaderValue>, ForeignOrigin> {
        let headers = HeaderMap::from_iter([
            (header::ORIGIN, HeaderValue::from_static(origin)),
            (header::HOST, HeaderValue::from_static(host)),
        ]);
        check_origin(&headers, &["https://status.example.com".parse().unwrap()])
    }

    #[test]
    fn our_own_page_is_let_in_behind_a_proxy_too() {
        for (origin, host) in [
            ("http://127.0.0.1:3000", "127.0.0.1:3000"),
            ("https://Host.example.com", "host.example.com"),
            ("https://host.example.com", "host.example.com:443"),
            ("http://[::1]:3000", "[::1]:3000"),
        ] {
            assert_eq!(checked(origin, host), Ok(None), "{origin} of {host}");
        }
        assert_eq!(check_origin(&HeaderMap::new(), &[]), Ok(None));
    }

    #[test]
    fn a_page_of_another_origin_needs_leave() {
        for (origin, host) in [
            ("https://evil.example.com", "host.example.com"),
            ("http://host.example.com:8080", "host.example.com"),
            ("http://host.example.com.evil.example", "host.example.com"),
            ("null", "host.example.com"),
            ("", ""),
            ("http://status.example.com", "host.example.com"),
        ] {
            assert_eq!(checked(origin, host), Err(ForeignOrigin), "{origin} of {host}");
        }
        let allowed = HeaderValue::from_static("https://status.example.com");
        assert_eq!(checked("https://status.example.com", "host.example.com"), Ok(Some(allowed)));
    }

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        for text in ["https://status.example.com", "http://10.0.0.1:8080", "https://Status.example.com:443/"] {
            assert!(text.parse::<Origin>().is_ok(), "{text}");
        }
        for text in ["status.example.com", "*", "null", "https://", "ftp://a.b", "https://a.b/path", "https://a b"] {
            assert_eq!(text.parse::<Origin>(), Err(InvalidOrigin), "{text}");
        }
    }
}
