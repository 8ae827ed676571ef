//! The certificate that the server shows over TLS: from files, made by the server itself, or issued by an ACME authority.
//! It is checked before it is used, and replaced while the server runs.

mod acme;
mod chain;
mod error;
mod files;
mod options;
mod pem;
mod self_signed;

pub use error::CertificateError;
pub use options::TlsOptions;

use super::{
    access::HostName,
    store::{DataOptions, data_folder},
};
use files::CertificateFiles;
use rustls_acme::ResolvesServerCertAcme;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio::task::spawn_blocking;
use tokio_rustls::rustls::{server::ResolvesServerCert, sign::CertifiedKey};

/// A checked certificate and its key.
#[derive(Debug)]
struct Certificate {
    key: Arc<CertifiedKey>,
    /// Whether no authority issued it.
    is_self_signed: bool,
}

impl Certificate {
    /// SHA-256 as browsers and openssl(1) show it: `AB:CD:…`.
    fn fingerprint(&self) -> String {
        let digest = self.key.cert.first().map(Sha256::digest).unwrap_or_default();
        digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }
}

/// Where the certificates of handshakes come from.
#[derive(Clone, Debug)]
pub(super) enum Certificates {
    /// Two files, or the one with a self-signed certificate.
    Files(Arc<CertificateFiles>),
    /// An ACME authority, for these names.
    Acme(Arc<ResolvesServerCertAcme>, Vec<HostName>),
}

impl Certificates {
    /// Loads the certificate that the options name, and keeps it current; `None` without one.
    ///
    /// # Errors
    /// When the options don't go together, a client would refuse it, or a file can't be read.
    pub(super) fn open(options: &TlsOptions, data: &DataOptions) -> Result<Option<Self>, CertificateError> {
        options.check()?;
        let files = match options {
            TlsOptions { tls_cert: Some(certificate), tls_key: Some(key), .. } => {
                CertificateFiles::open(certificate, key)?
            }
            TlsOptions { tls_self_signed: true, .. } => {
                let files = CertificateFiles::open_or_create(&data_folder(data)?)?;
                let fingerprint = files.current().fingerprint();
                tracing::info!("the certificate is self-signed; compare its SHA-256 fingerprint: {fingerprint}");
                files
            }
            TlsOptions { acme: domains, .. } if !domains.is_empty() => {
                let resolver = acme::start(options, &data_folder(data)?)?;
                return Ok(Some(Self::Acme(resolver, domains.clone())));
            }
            _ => return Ok(None),
        };
        let files = Arc::new(files);
        tokio::spawn(Arc::clone(&files).follow());
        Ok(Some(Self::Files(files)))
    }

    /// Picks the certificate of each handshake.
    pub(super) fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        match self {
            Self::Files(files) => Arc::clone(files) as _,
            Self::Acme(resolver, _) => Arc::clone(resolver) as _,
        }
    }

    /// Whether no authority issued the current one.
    pub(super) fn is_self_signed(&self) -> bool {
        matches!(self, Self::Files(files) if files.current().is_self_signed)
    }

    /// The names that the certificate is for, which clients may use.
    pub(super) fn names(&self) -> Vec<HostName> {
        match self {
            Self::Files(files) => chain::names(&files.current().key.cert),
            Self::Acme(_, domains) => domains.clone(),
        }
    }

    /// Loads the files again. An ACME certificate renews itself.
    pub(super) async fn reload(&self) {
        let Self::Files(files) = self.clone() else { return };
        // A file system may hang.
        if let Err(error) = spawn_blocking(move || files.reload()).await {
            tracing::error!(%error, "cannot reload the certificate");
        }
    }
}

#[cfg(test)]
mod tests;
