//! Limits the size of request heads, and sets the security headers of every response.

use super::Problem;
use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::Response,
};

/// Bytes of a request head; browsers stay far below.
const HEAD_LIMIT: usize = 16 * 1024;

/// Answers an oversized head with 431.
pub(in crate::server) async fn limit_head(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let size = head_size(&parts);
    if size > HEAD_LIMIT {
        let detail = format!("The request's address and headers take {size} bytes; at most {HEAD_LIMIT} are read.");
        let problem = Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request head too large", detail);
        return problem.respond_at(parts.uri.path());
    }
    next.run(Request::from_parts(parts, body)).await
}

fn head_size(parts: &Parts) -> usize {
    let line = parts.method.as_str().len() + parts.uri.to_string().len() + "  HTTP/1.1\r\n".len();
    let fields = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    line + fields.sum::<usize>()
}

/// Forbids framing and MIME sniffing. A page sets its own content security policy with the hashes of its scripts; every other response gets
/// one that runs no script.
pub(in crate::server) async fn secure(request: Request, next: Next) -> Response {
    const RULES: [(header::HeaderName, &str); 3] = [
        (header::CONTENT_SECURITY_POLICY, "default-src 'self'; script-src 'none'; frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With `no-referrer`, browsers would send the forms with `Origin: null`.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    let mut response = next.run(request).await;
    for (name, rule) in RULES {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(rule));
    }
    response
}
