//! What pages of forms have in common.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;

/// The content security policy: no script, and forms to this server only.
const POLICY: &str =
    "default-src 'self'; script-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'self'";

/// To a relative address, because a proxy may have removed a prefix from the path.
pub(super) fn redirect(address: &str) -> Response {
    let location = HeaderValue::from_str(address).unwrap_or(HeaderValue::from_static("./"));
    let head = [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::SEE_OTHER, head).into_response()
}

/// A page of forms without scripts.
pub(super) fn page(status: StatusCode, html: String) -> Response {
    let head = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::CACHE_CONTROL, "no-store")];
    (status, head, Html(html)).into_response()
}

/// The query after a change.
#[derive(Debug, Default, Deserialize)]
pub(in crate::server) struct Done {
    done: Option<String>,
}

impl Done {
    /// What the page reports of the change; empty without one.
    pub(super) fn message(&self) -> String {
        self.done.as_ref().map(|_| "Done.".to_owned()).unwrap_or_default()
    }
}
