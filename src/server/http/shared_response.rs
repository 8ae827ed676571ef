//! What shared responses have in common: how they are compressed, and what a client gets if there is none.

use super::{Encoding, Problem};
use crate::server::rendering::RenderError;
use axum::{
    body::Bytes,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// Seconds after which a client may retry: renderings take milliseconds.
const RETRY_AFTER_S: u32 = 1;

impl From<RenderError> for Problem {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Busy => {
                let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", format!("{error}; retry later."));
                Self { retry_after: Some(RETRY_AFTER_S), ..problem }
            }
            RenderError::Failed => {
                let detail = format!("{error}; the server's log has the reason.");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Not rendered", detail)
            }
        }
    }
}

/// `plain` in this coding.
pub(super) fn encode(plain: String, encoding: Option<Encoding>) -> Result<Bytes, RenderError> {
    let Some(encoding) = encoding else { return Ok(plain.into()) };
    encoding.compress(plain.as_bytes()).map(Bytes::from).map_err(|error| failed(&error))
}

/// Logs why a response can't be rendered.
pub(super) fn failed(error: &dyn std::error::Error) -> RenderError {
    tracing::error!(%error, "cannot render a response");
    RenderError::Failed
}

/// A response in a coding that `Accept-Encoding` chose.
pub(super) fn respond(content_type: &'static str, body: Bytes, encoding: Option<Encoding>) -> Response {
    let head = [(header::CONTENT_TYPE, content_type), (header::VARY, "accept-encoding")];
    let mut response = (head, body).into_response();
    if let Some(encoding) = encoding {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
    response
}
