//! The two formats of what is pushed.

use super::{Origin, otlp, remote_write};
use crate::server::export::HostMetric;
use std::io;
use url::Url;

/// A format of requests, with the rules of its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Prometheus remote write 1.0.
    RemoteWrite,
    /// OTLP 1 over HTTP, in its binary encoding.
    Otlp,
}

impl Format {
    /// The name of the receiver, as a label and in the log.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::RemoteWrite => "remote_write",
            Self::Otlp => "otlp",
        }
    }

    /// The address of requests for a receiver at `url`.
    pub(super) fn endpoint(self, mut url: Url) -> Url {
        if self == Self::Otlp {
            url.set_path(&format!("{}/v1/metrics", url.path().trim_end_matches('/')));
        }
        url
    }

    /// What each request has besides its credentials.
    pub(super) const fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::RemoteWrite => &remote_write::HEADERS,
            Self::Otlp => &otlp::HEADERS,
        }
    }

    /// Whether a request that was answered with this status is to be repeated.
    pub(super) const fn is_transient(self, status: u16) -> bool {
        match self {
            Self::RemoteWrite => remote_write::is_transient(status),
            Self::Otlp => otlp::is_transient(status),
        }
    }

    /// The body of a request with the metrics of a tick at `t`, unix milliseconds.
    ///
    /// # Errors
    /// When the body can't be compressed.
    pub(super) fn encode(self, origin: &Origin, t: u64, metrics: Vec<HostMetric>) -> io::Result<Vec<u8>> {
        match self {
            Self::RemoteWrite => remote_write::encode(origin, t, metrics),
            Self::Otlp => otlp::encode(origin, t, metrics),
        }
    }

    /// How many values of an accepted request were refused nevertheless, and why.
    pub(super) fn partial_refusal(self, response: &[u8]) -> Option<(u64, String)> {
        match self {
            Self::RemoteWrite => None,
            Self::Otlp => otlp::partial_refusal(response),
        }
    }
}
