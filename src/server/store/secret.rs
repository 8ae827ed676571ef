//! Secrets of tokens and sessions. Only their hashes are kept, so the file lets nobody in.

use super::StoreError;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef},
};
use sha2::{Digest, Sha256};
use std::fmt;

/// Lets secret scanners find tokens that were published by mistake.
const TOKEN_PREFIX: &str = "hb_";

/// What a client presents: 256 random bits as base64url. Its debug output hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret of a token.
    pub(super) fn of_token() -> Result<Self, StoreError> {
        Ok(Self(TOKEN_PREFIX.to_owned() + &BASE64_URL_SAFE_NO_PAD.encode(random::<32>()?)))
    }

    /// A secret of a session or a ticket.
    pub(in crate::server) fn of_session() -> Result<Self, StoreError> {
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(random::<32>()?)))
    }

    /// The text to give to the client, once.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// SHA-256 of a secret. A slow hash would add nothing: 256 random bits can't be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash of `secret`.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }
}

impl ToSql for SecretHash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(&self.0[..]))
    }
}

impl FromSql for SecretHash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(Self)
    }
}

/// A public id of 12 hexadecimal digits.
pub(super) fn new_id() -> Result<String, StoreError> {
    Ok(random::<6>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(StoreError::Random)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_only_those_of_tokens_have_the_prefix() {
        let [token, other] = [(); 2].map(|()| Secret::of_token().unwrap());
        assert_ne!(token, other);
        assert!(token.expose().starts_with("hb_") && token.expose().len() == 46, "{}", token.expose());
        assert_eq!(Secret::of_session().unwrap().expose().len(), 43);
        assert_eq!(format!("{token:?}"), "Secret");
    }
}
