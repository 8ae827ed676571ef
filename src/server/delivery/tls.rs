//! TLS for TCP ports.

use crate::server::certificate::Certificates;
use axum::http::HeaderValue;
use std::sync::Arc;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{self, ServerConfig, crypto::ring},
};

/// Browsers use HTTPS only, for a year.
const TRANSPORT_SECURITY: HeaderValue = HeaderValue::from_static("max-age=31536000");
/// A handshake that only proves to an ACME authority that the server has its name (RFC 8737).
const ACME_CHALLENGE: &[u8] = b"acme-tls/1";

/// What handshakes need.
pub(in crate::server) struct Tls {
    pub(super) acceptor: TlsAcceptor,
    certificates: Certificates,
}

impl Tls {
    /// Offers HTTP/2 and HTTP/1.1 with the current certificate.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub(in crate::server) fn new(certificates: Certificates) -> Result<Self, rustls::Error> {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
        let mut config = builder.with_cert_resolver(certificates.resolver());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        if matches!(certificates, Certificates::Acme(..)) {
            config.alpn_protocols.push(ACME_CHALLENGE.to_vec());
        }
        // Viewers that reconnect keep their session, and the server nothing of it.
        config.ticketer = ring::Ticketer::new()?;
        config.send_tls13_tickets = 1;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificates })
    }

    /// `Strict-Transport-Security` (RFC 6797). It would forbid to accept a self-signed certificate.
    pub(super) fn transport_security(&self) -> Option<HeaderValue> {
        (!self.certificates.is_self_signed()).then_some(TRANSPORT_SECURITY)
    }
}
