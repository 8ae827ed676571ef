//! Responses to unknown paths and methods.

use super::Problem;
use axum::{
    http::{Method, StatusCode, Uri},
    response::Response,
};

pub(in crate::server) async fn not_found(uri: Uri) -> Response {
    not_found_at(uri.path())
}

pub(super) fn not_found_at(path: &str) -> Response {
    let detail = "The dashboard is at /, the stream at /api/stream.";
    Problem::new(StatusCode::NOT_FOUND, "Not found", detail).respond_at(path)
}

pub(in crate::server) async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    let detail = format!("This path answers what the header Allow lists, not {method}.");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", detail).respond_at(uri.path())
}
