//! The cookies that carry a secret: of a session, or of a sign-in at a provider.

use super::cookies::{CookieScope, cookie_values};
use axum::http::{HeaderMap, HeaderValue};

/// What a cookie's secret is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum SecretCookie {
    /// A session.
    Session,
    /// A sign-in that a provider has not answered yet.
    SignIn,
}

impl SecretCookie {
    /// The usual name, and the one that browsers accept only over TLS, for the whole host, and from the host itself
    /// (RFC 6265bis, section 4.1.3.2).
    fn names(self) -> [&'static str; 2] {
        match self {
            Self::Session => ["hostbeat", "__Host-hostbeat"],
            Self::SignIn => ["hostbeat-sign-in", "__Host-hostbeat-sign-in"],
        }
    }

    /// The secrets that a request's cookies carry.
    pub(in crate::server) fn secrets(self, headers: &HeaderMap) -> impl Iterator<Item = String> {
        cookie_values(headers, self.names())
    }
}

impl CookieScope<'_> {
    /// `Set-Cookie` with a secret that lasts `seconds`.
    pub(in crate::server) fn keep(self, of: SecretCookie, secret: &str, seconds: u64) -> Option<HeaderValue> {
        let [usual, of_host] = of.names();
        self.write(if self.secure && self.base_path.is_empty() { of_host } else { usual }, secret, seconds)
    }

    /// `Set-Cookie` that has the browser forget the secret.
    pub(in crate::server) fn forget(self, of: SecretCookie) -> Option<HeaderValue> {
        self.keep(of, "", 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header;

    #[test]
    fn cookie_is_bound_to_the_host_where_tls_and_path_allow() {
        let written =
            |secure, base_path| CookieScope { secure, base_path }.keep(SecretCookie::Session, "abc", 60).unwrap();
        assert_eq!(written(true, ""), "__Host-hostbeat=abc; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60");
        assert_eq!(written(true, "/a"), "hostbeat=abc; HttpOnly; SameSite=Lax; Secure; Path=/a/; Max-Age=60");
        assert_eq!(written(false, ""), "hostbeat=abc; HttpOnly; SameSite=Lax; Path=/; Max-Age=60");
        let forgotten = CookieScope { secure: false, base_path: "" }.forget(SecretCookie::SignIn).unwrap();
        assert_eq!(forgotten, "hostbeat-sign-in=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
    }

    #[test]
    fn secrets_are_read_from_both_names_and_all_lines() {
        let lines = ["a=b; hostbeat=1", "__Host-hostbeat=2; hostbeat", "nothostbeat=3; hostbeat-sign-in=4"];
        let secrets = |headers: &HeaderMap| SecretCookie::Session.secrets(headers).collect::<Vec<_>>();
        let headers = lines.map(|line| (header::COOKIE, HeaderValue::from_static(line)));
        assert_eq!(secrets(&HeaderMap::from_iter(headers.clone().into_iter().take(1))), ["1"]);
        let mut all = HeaderMap::new();
        headers.into_iter().for_each(|(name, value)| _ = all.append(name, value));
        assert_eq!(secrets(&all), ["1", "2"]);
        assert_eq!(SecretCookie::SignIn.secrets(&all).collect::<Vec<_>>(), ["4"]);
    }
}
