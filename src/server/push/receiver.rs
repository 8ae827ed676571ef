//! Sends requests to a receiver.

use super::options::Target;
use crate::server::http_agent::excerpt;
use std::time::Duration;
use ureq::{Agent, http::HeaderMap};

/// For a whole request.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a response that are read.
const MAX_RESPONSE: u64 = 64 << 10;
const USER_AGENT: &str = concat!("hostbeat/", env!("CARGO_PKG_VERSION"));

/// Another system that gets the host's metrics.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) target: Target,
    pub(super) agent: Agent,
}

/// Why a receiver did not accept a request.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// No response came in time.
    #[error("it is out of reach: {0}")]
    Unreachable(Box<ureq::Error>),
    /// It answered otherwise than with success.
    #[error("it answered with status {status}: {body}")]
    Refused {
        status: u16,
        /// The beginning of the response.
        body: String,
        retry_after: Option<Duration>,
        /// Whether the same request may succeed later.
        is_transient: bool,
    },
}

impl SendError {
    /// Whether the same request may succeed later.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Refused { is_transient: true, .. })
    }

    /// The pause that the receiver requests.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unreachable(_) => None,
            Self::Refused { retry_after, .. } => *retry_after,
        }
    }
}

impl Receiver {
    /// Sends a request and returns the body of the response to a success. It takes `timeout` at most.
    pub(super) fn send(&self, body: &[u8], timeout: Duration) -> Result<Vec<u8>, SendError> {
        let Target { format, url, authorization, .. } = &self.target;
        let mut request = self.agent.post(url.as_str()).header("user-agent", USER_AGENT);
        for (name, value) in format.headers() {
            request = request.header(*name, *value);
        }
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let unreachable = |error: ureq::Error| SendError::Unreachable(error.into());
        let request = request.config().timeout_global(Some(timeout)).build();
        let (head, mut response) = request.send(body).map_err(unreachable)?.into_parts();
        let response = response.with_config().limit(MAX_RESPONSE).read_to_vec();
        let status = head.status.as_u16();
        if head.status.is_success() {
            return Ok(response.unwrap_or_default());
        }
        Err(SendError::Refused {
            status,
            body: excerpt(&response.unwrap_or_default()),
            retry_after: retry_after(&head.headers),
            is_transient: format.is_transient(status),
        })
    }
}

/// The seconds of `Retry-After`.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get("retry-after")?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
