//! Secrets of sessions, tokens and tickets. The server keeps only their hashes.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// Bytes of a secret, which nobody can guess.
const SECRET_LEN: usize = 32;

/// A new random secret, as base64url.
///
/// # Errors
/// When the system has no random numbers.
pub(in crate::server) fn new_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; SECRET_LEN];
    getrandom::fill(&mut bytes)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// The SHA-256 of a secret. A secret has 256 random bits, so that no salt and no slow hash is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::server) struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash of `secret`.
    pub(in crate::server) fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }
}
