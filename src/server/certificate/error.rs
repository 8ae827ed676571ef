//! Why a certificate can't be used, and what would be right.

use crate::server::store::StoreError;
use std::{io, path::PathBuf};

/// Why a certificate can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// An option lacks another one.
    #[error("--{option} needs --{needed}; pass both, or neither")]
    Incomplete {
        /// The option.
        option: &'static str,
        /// What it needs.
        needed: &'static str,
    },
    /// There are two sources of certificates.
    #[error("--{one} and --{other} are two sources of certificates; choose one")]
    Ambiguous {
        /// An option.
        one: &'static str,
        /// Another one.
        other: &'static str,
    },
    /// A file can't be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file can't be written to the data folder.
    #[error("cannot keep certificates in {}: {source}", path.display())]
    Unwritable {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// There is no data folder.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file isn't what its flag names.
    #[error("{} has no {expected} in PEM form (-----BEGIN {expected}-----)", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        expected: &'static str,
    },
    /// The key needs a password.
    #[error("the key in {path} is encrypted; write one without a password: openssl pkey -in {path} -out key.pem", path = .0.display())]
    Encrypted(PathBuf),
    /// The key belongs to another certificate.
    #[error(
        "the key in {} is not that of the certificate in {}; pass the two files of one certificate",
        key.display(),
        certificate.display()
    )]
    WrongKey {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// It was valid only earlier.
    #[error("the certificate in {} expired at {at}; renew it", path.display())]
    Expired {
        /// The file.
        path: PathBuf,
        /// The end of its validity.
        at: String,
    },
    /// It is valid only later.
    #[error("the certificate in {} is valid only from {at}; check the clock of this host", path.display())]
    NotYetValid {
        /// The file.
        path: PathBuf,
        /// The start of its validity.
        at: String,
    },
    /// The issuer's certificate is missing.
    #[error(
        "{} lacks the certificate of the authority that issued its first one, without which browsers refuse it; put the \
         server's certificate first and its issuer's after it, as in certbot's fullchain.pem",
        .0.display()
    )]
    NoIssuer(PathBuf),
    /// A client would refuse it for another reason.
    #[error("{} can't be used for a server: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The library's error.
        reason: String,
    },
    /// The library refuses its own defaults.
    #[error("cannot set up TLS: {0}")]
    Library(#[from] tokio_rustls::rustls::Error),
}

impl CertificateError {
    /// Whether a flag or file must change, rather than the system.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Unwritable { .. } | Self::Library(_) => false,
            Self::Store(error) => error.is_bad_input(),
            _ => true,
        }
    }
}
