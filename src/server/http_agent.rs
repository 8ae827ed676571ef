//! Requests to other servers: which certificates count, and where secrets may go.

use rustls_native_certs::load_native_certs;
use std::time::Duration;
use ureq::{
    Agent,
    tls::{Certificate, TlsConfig},
};
use url::{Host, Url};

/// A client whose requests take `timeout` at most. It follows no redirect, which could lead a secret elsewhere.
///
/// Reads the root certificates of the system, so that those of a private authority count.
pub(super) fn agent(timeout: Duration) -> Agent {
    let roots = load_native_certs();
    for error in &roots.errors {
        tracing::warn!(%error, "cannot read a root certificate");
    }
    let roots = roots.certs.iter().map(|root| Certificate::from_der(root).to_owned());
    let tls = TlsConfig::builder().root_certs(roots.into()).build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(timeout));
    config.build().into()
}

/// Whether the connection is encrypted or local.
pub(super) fn is_private(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || url.scheme() == "http" && is_loopback
}

/// The beginning of a response's body, as one line of the log.
pub(super) fn excerpt(body: &[u8]) -> String {
    const MAX_CHARS: usize = 200;
    String::from_utf8_lossy(body).chars().take(MAX_CHARS).flat_map(char::escape_debug).collect()
}
