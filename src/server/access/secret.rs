//! Secrets of sessions, tokens and tickets. The server keeps only their hashes.

use sha2::{Digest, Sha256};

/// The SHA-256 of a secret. A secret has 256 random bits, so that no salt and no slow hash is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::server) struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash of `secret`.
    pub(in crate::server) fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }
}
