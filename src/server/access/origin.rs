//! Checks which page a request is from, by `Origin` and fetch metadata: admits our own pages and allowed origins, and
//! refuses foreign ones.

use axum::http::{HeaderMap, HeaderValue, header};
use std::{fmt, str::FromStr};
use url::Url;

/// An origin as browsers serialise it: `https://status.example.com`, with a port unless it is the scheme's default
/// (WHATWG HTML standard, section 7.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(Url);

/// A text that is no origin.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("an origin is a scheme and a host, and a port if it needs one, such as https://status.example.com")]
pub struct InvalidOrigin;

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let url = Url::parse(text).map_err(|_| InvalidOrigin)?;
        let bare = format!("{}/", url.origin().ascii_serialization());
        // A path, a query or a user makes it more than an origin.
        if matches!(url.scheme(), "http" | "https") && url.as_str() == bare {
            Ok(Self(url))
        } else {
            Err(InvalidOrigin)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

impl Origin {
    /// Whether a request with this `Host` header came from a page of this origin. Only host and port are compared: behind
    /// a TLS proxy the scheme differs.
    fn is_of(&self, host: &str) -> bool {
        Url::parse(&format!("{}://{host}", self.0.scheme())).is_ok_and(|url| url.origin() == self.0.origin())
    }
}

/// A page of an origin that the operator does not allow requested something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A page of another origin requested this. The operator can allow that with --allow-origin.")]
pub struct ForeignOrigin;

/// Admits a request from our own page, from no page, or from a page of an `allowed` origin; for the last, returns the
/// value of `Access-Control-Allow-Origin`.
pub(in crate::server) fn check_origin(
    headers: &HeaderMap,
    allowed: &[Origin],
) -> Result<Option<HeaderValue>, ForeignOrigin> {
    let Some(value) = headers.get(header::ORIGIN) else {
        return check_cross_site(headers, allowed).map(|()| None);
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    // A page from a file or in a sandbox has the origin `null`, which doesn't parse.
    match value.to_str().unwrap_or_default().parse::<Origin>() {
        Ok(origin) if origin.is_of(host) => Ok(None),
        Ok(origin) if allowed.contains(&origin) => Ok(Some(value.clone())),
        _ => Err(ForeignOrigin),
    }
}

/// Admits a request that changes something: from our own page, or from no page if it is `without_cookie`. Browsers send
/// `Origin` with every such request; a foreign page can make them send the cookie, but not hide its origin.
pub(in crate::server) fn check_own_origin(headers: &HeaderMap, without_cookie: bool) -> Result<(), ForeignOrigin> {
    let is_from_page = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    let site = headers.get("sec-fetch-site");
    match check_origin(headers, &[]) {
        Ok(_) if is_from_page => {
            let is_same = site.is_none_or(|site| site == "same-origin" || site == "none");
            if is_same { Ok(()) } else { Err(ForeignOrigin) }
        }
        Ok(_) if without_cookie => Ok(()),
        _ => Err(ForeignOrigin),
    }
}

/// Checks a request without `Origin`, such as of an `<img>`, by fetch metadata. A navigation is admitted: it shows the
/// response to the reader, not to the page that has the link. Pages of allowed origins are known by `Referer`, which a
/// page can leave out but not forge.
fn check_cross_site(headers: &HeaderMap, allowed: &[Origin]) -> Result<(), ForeignOrigin> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("sec-fetch-site") != Some("cross-site") || text("sec-fetch-mode") == Some("navigate") {
        return Ok(());
    }
    let referer = text(header::REFERER.as_str()).and_then(|referer| Url::parse(referer).ok());
    let is_allowed = referer.is_some_and(|url| allowed.iter().any(|origin| origin.0.origin() == url.origin()));
    if is_allowed { Ok(()) } else { Err(ForeignOrigin) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    fn checked(origin: &'static str, host: &'static str) -> Result<Option<HeaderValue>, ForeignOrigin> {
        let headers = HeaderMap::from_iter([
            (header::ORIGIN, HeaderValue::from_static(origin)),
            (header::HOST, HeaderValue::from_static(host)),
        ]);
        check_origin(&headers, &["https://status.example.com".parse().unwrap()])
    }

    #[test]
    fn own_page_is_admitted_behind_proxy_too() {
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
    fn foreign_page_is_refused_unless_allowed() {
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
    fn cross_site_request_without_origin_is_refused_unless_navigation_or_allowed() {
        let check = |site: &'static str, mode: &'static str, referer: &'static str| {
            let headers = [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("referer", referer)];
            let headers = headers.map(|(name, text)| (HeaderName::from_static(name), HeaderValue::from_static(text)));
            check_origin(&HeaderMap::from_iter(headers), &["https://status.example.com".parse().unwrap()])
        };
        let (allowed, foreign) = ("https://status.example.com/page", "https://status.example.com.evil.example/");
        for (site, mode, referer) in [
            ("same-origin", "cors", ""),
            ("none", "navigate", ""),
            ("cross-site", "navigate", foreign),
            ("cross-site", "no-cors", allowed),
        ] {
            assert_eq!(check(site, mode, referer), Ok(None), "{site} {mode} {referer}");
        }
        for (mode, referer) in [("no-cors", ""), ("no-cors", foreign), ("cors", foreign), ("websocket", "garbage")] {
            assert_eq!(check("cross-site", mode, referer), Err(ForeignOrigin), "{mode} {referer}");
        }
    }

    #[test]
    fn change_is_admitted_from_own_page_or_without_cookie() {
        let check = |headers: &[(&'static str, &'static str)], without_cookie| {
            let own = [("host", "host.example.com")];
            let headers = own.iter().chain(headers);
            let headers = headers.map(|(name, text)| (HeaderName::from_static(name), HeaderValue::from_static(text)));
            check_own_origin(&headers.collect(), without_cookie).is_ok()
        };
        for without_cookie in [true, false] {
            assert!(check(&[("origin", "https://host.example.com")], without_cookie));
            assert!(check(
                &[("origin", "https://host.example.com"), ("sec-fetch-site", "same-origin")],
                without_cookie
            ));
            assert!(!check(&[("origin", "https://evil.example.com")], without_cookie));
            assert!(!check(&[("sec-fetch-site", "same-site")], without_cookie));
            assert!(!check(&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], without_cookie));
            assert!(!check(&[("origin", "null")], without_cookie));
        }
        assert!(check(&[], true) && !check(&[], false));
    }

    #[test]
    fn origin_parses_from_scheme_and_host_only() {
        for text in ["https://status.example.com", "http://10.0.0.1:8080", "https://Status.example.com:443/"] {
            assert!(text.parse::<Origin>().is_ok(), "{text}");
        }
        for text in ["status.example.com", "*", "null", "https://", "ftp://a.b", "https://a.b/path", "https://a b"] {
            assert_eq!(text.parse::<Origin>(), Err(InvalidOrigin), "{text}");
        }
    }
}
