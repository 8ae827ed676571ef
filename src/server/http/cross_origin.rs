//! CORS headers for pages of allowed origins (Fetch standard, section 3.3). Replaces `tower_http`'s layer:
//! `access/origin.rs` refuses foreign origins before a stream opens, which leaves only these headers to write.

use super::Problem;
use crate::server::{access::check_origin, app_state::AppState};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// Lets pages of an allowed origin read a response and its `Retry-After` (Fetch standard, section 3.3.3).
pub(in crate::server) fn allow_origin(origin: Option<HeaderValue>, response: &mut Response) {
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    }
}

/// The preflight of a request with a token, or with `Last-Event-ID`, which only EventSource may send without one.
pub(in crate::server) async fn preflight(State(state): State<AppState>, headers: HeaderMap) -> Response {
    const ONE_DAY: HeaderValue = HeaderValue::from_static("86400");
    let origin = match check_origin(&headers, &state.settings.allow_origin) {
        Ok(origin) => origin,
        Err(foreign) => return Problem::from(foreign).respond_at("/api/stream"),
    };
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    if origin.is_some() {
        let allowed = HeaderValue::from_static("authorization, last-event-id");
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        response.headers_mut().insert(header::ACCESS_CONTROL_MAX_AGE, ONE_DAY);
    }
    allow_origin(origin, &mut response);
    response
}
