//! A JSON document as a response.

use super::Problem;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// The response with `document`; `path` is that of the request.
pub(super) fn json(status: StatusCode, document: &impl Serialize, path: &str) -> Response {
    let head = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    match serde_json::to_string(document) {
        Ok(json) => (status, head, json).into_response(),
        Err(error) => {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "No document", error.to_string()).respond_at(path)
        }
    }
}
