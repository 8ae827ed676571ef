//! A certificate from an ACME authority (RFC 8555), which checks the name by a TLS handshake (RFC 8737) and so needs no
//! port but the server's own.

use super::{CertificateError, TlsOptions, pem};
use futures::StreamExt;
use rustls_acme::{AcmeConfig, ResolvesServerCertAcme, caches::DirCache};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, crypto::ring};

/// Orders certificates and renews them as long as the server runs; account and certificates are kept in `data`.
pub(super) fn start(options: &TlsOptions, data: &Path) -> Result<Arc<ResolvesServerCertAcme>, CertificateError> {
    let folder = data.join("acme");
    create(&folder).map_err(|source| CertificateError::Unwritable { path: folder.clone(), source })?;
    let domains = options.acme.iter().map(ToString::to_string);
    let config = match &options.acme_ca {
        Some(path) => AcmeConfig::new_with_client_config(domains, Arc::new(trusting(path)?)),
        None => AcmeConfig::new(domains),
    };
    let config = match &options.acme_directory {
        Some(directory) => config.directory(directory),
        None => config.directory_lets_encrypt(true),
    };
    let contact = options.acme_contact.iter().map(|mail| format!("mailto:{mail}"));
    let mut state = config.contact(contact).cache(DirCache::new(folder)).state();
    let resolver = state.resolver();
    tokio::spawn(async move {
        while let Some(event) = state.next().await {
            match event {
                Ok(event) => tracing::info!("certificate from the ACME directory: {event:?}"),
                Err(error) => tracing::warn!("no certificate from the ACME directory yet, retrying: {error}"),
            }
        }
    });
    Ok(resolver)
}

/// Makes a folder for its owner only, since it keeps keys.
fn create(folder: &PathBuf) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// A client that trusts the certificates in a file.
fn trusting(path: &Path) -> Result<ClientConfig, CertificateError> {
    let mut roots = RootCertStore::empty();
    for certificate in pem::load_chain(path)? {
        let unusable =
            |error: rustls::Error| CertificateError::Unusable { path: path.to_owned(), reason: error.to_string() };
        roots.add(certificate).map_err(unusable)?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    Ok(builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth())
}
