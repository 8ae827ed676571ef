//! What pages of forms have in common.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// The content security policy: no script, and forms to this server only.
pub(super) const FORM_POLICY: &str =
    "default-src 'self'; script-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'self'";

/// To a relative address, because a proxy may have removed a prefix from the path.
pub(super) fn redirect(address: &str) -> Response {
    let location = HeaderValue::from_str(address).unwrap_or(HeaderValue::from_static("./"));
    let head = [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::SEE_OTHER, head).into_response()
}
