//! An error response: problem+json (RFC 9457) for the API, a page elsewhere.

use super::ASSETS;
use crate::{
    app,
    server::{
        access::{ForeignOrigin, HostRefusal, Refusal},
        publish::PublishRefusal,
        store::StoreError,
    },
};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde_json::json;

/// An error of one request: `title` names what was wrong, `detail` what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{title}: {detail}")]
pub struct Problem {
    /// The response's status.
    pub status: StatusCode,
    /// What was wrong.
    pub title: &'static str,
    /// What would be right.
    pub detail: String,
    /// `Retry-After` in seconds, for a 429 or a 503.
    pub retry_after: Option<u32>,
    /// The field that was wrong, such as `values.orders`.
    pub field: Option<String>,
    /// The line of the body that it is in, from 1 on.
    pub line: Option<usize>,
}

impl Problem {
    /// A problem with a status, what was wrong, and what would be right.
    pub fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, title, detail: detail.into(), retry_after: None, field: None, line: None }
    }

    /// As problem+json (RFC 9457) under `/api/`, as a page elsewhere.
    pub fn respond_at(self, path: &str) -> Response {
        let body = if path.starts_with("/api/") {
            let mut problem = json!({"title": self.title, "status": self.status.as_u16(), "detail": self.detail});
            if let Some(field) = &self.field {
                problem["field"] = json!(field);
            }
            if let Some(line) = self.line {
                problem["line"] = json!(line);
            }
            let content_type = HeaderValue::from_static("application/problem+json");
            ([(header::CONTENT_TYPE, content_type)], problem.to_string()).into_response()
        } else {
            return self.respond_with_page(&root_from(path));
        };
        self.respond(body)
    }

    /// The data folder can't be written, which the log explains.
    pub(super) fn not_kept(error: StoreError) -> Self {
        tracing::error!(%error, "cannot write the data folder");
        let detail = "The data folder can't be written; the server's log has the reason.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Not kept", detail)
    }

    /// As a page whose links are relative to `root`, the address of the dashboard.
    pub(super) fn respond_with_page(self, root: &str) -> Response {
        let page = app::message_page(&ASSETS.parts, root, self.status.as_u16(), self.title, &self.detail);
        self.respond(Html(page).into_response())
    }

    fn respond(self, body: Response) -> Response {
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// The way from `path` to the dashboard. It is relative, because a proxy may have removed a prefix from the path.
pub(super) fn root_from(path: &str) -> String {
    match path.matches('/').count() {
        0 | 1 => "./".to_owned(),
        depth => "../".repeat(depth - 1),
    }
}

/// `Retry-After` of a refused stream, in seconds.
const RETRY_AFTER_S: u32 = 30;

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, title) = match refusal {
            Refusal::Address(_) | Refusal::Proxy { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "Too many streams from one address")
            }
            Refusal::Principal(_) => (StatusCode::TOO_MANY_REQUESTS, "Too many streams of one user or token"),
            Refusal::Full(_) => (StatusCode::SERVICE_UNAVAILABLE, "Too many streams"),
            Refusal::Draining => (StatusCode::SERVICE_UNAVAILABLE, "About to stop"),
        };
        Self { retry_after: Some(RETRY_AFTER_S), ..Self::new(status, title, refusal.to_string()) }
    }
}

impl From<HostRefusal> for Problem {
    fn from(refusal: HostRefusal) -> Self {
        let (status, title) = match refusal {
            HostRefusal::Invalid => (StatusCode::BAD_REQUEST, "No valid host"),
            HostRefusal::Unknown(_) => (StatusCode::MISDIRECTED_REQUEST, "Unknown host name"),
        };
        Self::new(status, title, refusal.to_string())
    }
}

impl From<ForeignOrigin> for Problem {
    fn from(error: ForeignOrigin) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Wrong origin", error.to_string())
    }
}

impl From<PublishRefusal> for Problem {
    fn from(PublishRefusal { line, field, reason }: PublishRefusal) -> Self {
        let status = if reason.is_bound() { StatusCode::CONFLICT } else { StatusCode::BAD_REQUEST };
        let field = (!field.is_empty()).then_some(field);
        Self { line, field, ..Self::new(status, "Not published", reason.to_string()) }
    }
}
