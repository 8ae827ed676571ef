//! Reading and writing cookies.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite, time::Duration};

/// The values of the cookies with one of these names. A browser may send several after a change of scheme or base path.
pub(in crate::server) fn cookie_values<const N: usize>(
    headers: &HeaderMap,
    names: [&'static str; N],
) -> impl Iterator<Item = String> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let cookies = lines.flat_map(|line| Cookie::split_parse(line.to_owned())).flatten();
    cookies.filter(move |cookie| names.contains(&cookie.name())).map(|cookie| cookie.value().to_owned())
}

/// How the browser keeps a cookie.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct CookieScope<'a> {
    /// Whether the browser reaches the server over TLS.
    pub secure: bool,
    /// The path below which the server answers, without its final slash.
    pub base_path: &'a str,
}

impl CookieScope<'_> {
    /// `Set-Cookie` with a value that lasts `seconds`; with 0, the browser forgets the cookie.
    pub(in crate::server) fn write(self, name: &str, value: &str, seconds: u64) -> Option<HeaderValue> {
        let cookie = Cookie::build((name, value))
            .path(format!("{}/", self.base_path))
            .secure(self.secure)
            .http_only(true)
            .same_site(SameSite::Lax)
            .max_age(Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX)));
        HeaderValue::from_str(&cookie.to_string()).ok()
    }
}
