//! Reads a certificate chain and its key from PEM files.

use super::{Certificate, CertificateError, chain::check_chain};
use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};
use tokio_rustls::rustls::{
    self, InconsistentKeys,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject},
    sign::CertifiedKey,
};

/// Loads and checks them.
pub(super) fn load(certificate: &Path, key: &Path) -> Result<Certificate, CertificateError> {
    let chain = load_chain(certificate)?;
    let is_self_signed = check_chain(&chain, UnixTime::now()).map_err(|error| explain(error, certificate))?;
    let private = load_key(key)?;
    let certified = CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            CertificateError::WrongKey { certificate: certificate.to_owned(), key: key.to_owned() }
        }
        error => CertificateError::Unusable { path: key.to_owned(), reason: error.to_string() },
    })?;
    warn_if_exposed(key);
    Ok(Certificate { key: Arc::new(certified), is_self_signed })
}

/// The certificates in a file, of which there is at least one.
pub(super) fn load_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let pem = read(path)?;
    let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>().unwrap_or_default();
    if chain.is_empty() {
        return Err(CertificateError::Missing { path: path.to_owned(), expected: "CERTIFICATE" });
    }
    Ok(chain)
}

fn load_key(path: &Path) -> Result<PrivateKeyDer<'static>, CertificateError> {
    let pem = read(path)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| match String::from_utf8_lossy(&pem).contains("ENCRYPTED") {
        true => CertificateError::Encrypted(path.to_owned()),
        false => CertificateError::Missing { path: path.to_owned(), expected: "PRIVATE KEY" },
    })
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    fs::read(path).map_err(|source| CertificateError::Unreadable { path: path.to_owned(), source })
}

fn explain(error: webpki::Error, path: &Path) -> CertificateError {
    let path = path.to_owned();
    let date = |time: UnixTime| {
        humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(time.as_secs())).to_string()
    };
    match error {
        webpki::Error::CertExpired { not_after, .. } => CertificateError::Expired { path, at: date(not_after) },
        webpki::Error::CertNotValidYet { not_before, .. } => {
            CertificateError::NotYetValid { path, at: date(not_before) }
        }
        webpki::Error::UnknownIssuer => CertificateError::NoIssuer(path),
        error => CertificateError::Unusable { path, reason: format!("{error:?}") },
    }
}

/// Whoever reads the key can pretend to be this server.
fn warn_if_exposed(key: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if fs::metadata(key).is_ok_and(|file| file.permissions().mode() & 0o044 != 0) {
            let key = key.display();
            tracing::warn!("other users of this host can read the private key {key}; run: chmod 600 {key}");
        }
    }
    #[cfg(not(unix))]
    let _ = key;
}
