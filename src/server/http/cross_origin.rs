//! What pages of other origins may read (the Fetch standard, section 3.3).

use super::Problem;
use crate::server::{AppState, access::check_origin};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// Lets the pages of an allowed origin read a response, and what it says about when to ask again (the Fetch standard,
/// section 3.3.3).
pub(in crate::server) fn allow_origin(origin: Option<HeaderValue>, response: &mut Response) {
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    }
}

/// Answers a browser that asks whether a page of another origin may send `Last-Event-ID`, which only EventSource may
/// unasked.
pub(in crate::server) async fn preflight(State(state): State<AppState>, headers: HeaderMap) -> Response {
    const FOR_A_DAY: HeaderValue = HeaderValue::from_static("86400");
    let origin = match check_origin(&headers, &state.settings.allow_origin) {
        Ok(origin) => origin,
        Err(problem) => return Problem::from(problem).respond_at("/api/stream"),
    };
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    if origin.is_some() {
        let allowed = HeaderValue::from_static("last-event-id");
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        response.headers_mut().insert(header::ACCESS_CONTROL_MAX_AGE, FOR_A_DAY);
    }
    allow_origin(origin, &mut response);
    response
}
