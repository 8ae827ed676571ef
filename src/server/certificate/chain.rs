//! Checks a certificate chain as a client would, as far as the server can know.

use crate::server::access::HostName;
use tokio_rustls::rustls::{
    crypto::ring,
    pki_types::{CertificateDer, UnixTime},
};
use webpki::{EndEntityCert, Error, KeyUsage, anchor_from_trusted_cert};

/// Whether the first certificate is self-signed. Otherwise the others must include its issuer.
///
/// # Errors
/// When a client would refuse it.
pub(super) fn check_chain(chain: &[CertificateDer<'_>], now: UnixTime) -> Result<bool, Error> {
    let [first, issuers @ ..] = chain else { return Err(Error::UnknownIssuer) };
    let certificate = EndEntityCert::try_from(first)?;
    let is_self_signed = certificate.issuer() == certificate.subject();
    let trusted = if is_self_signed { &chain[..1] } else { issuers };
    let trusted = trusted.iter().map(anchor_from_trusted_cert).collect::<Result<Vec<_>, _>>()?;
    let algorithms = ring::default_provider().signature_verification_algorithms.all;
    match certificate.verify_for_usage(algorithms, &trusted, issuers, now, KeyUsage::server_auth(), None, None) {
        Ok(_) => Ok(is_self_signed),
        // `openssl req -x509` marks what it makes as an authority.
        Err(Error::CaUsedAsEndEntity) if is_self_signed => Ok(true),
        Err(error) => Err(error),
    }
}

/// The names that a certificate is for; wildcards aren't names of a host.
pub(super) fn names(chain: &[CertificateDer<'_>]) -> Vec<HostName> {
    let certificate = chain.first().and_then(|first| EndEntityCert::try_from(first).ok());
    let names = certificate.iter().flat_map(|certificate| certificate.valid_dns_names());
    names.filter_map(|name| name.parse().ok()).collect()
}
