//! An ID token: signed claims in the compact serialisation (JSON Web Signature, RFC 7515, section 7.1).

use super::keys::KeySet;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Why a token can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// It is no signed object.
    #[error("it is not a signed JSON Web Token")]
    Malformed,
    /// It requires an extension.
    #[error("it requires an extension of the format (crit)")]
    Extended,
    /// No key of the provider made the signature.
    #[error("none of the provider's keys made its signature")]
    Signature,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// A token whose signature is not verified yet.
#[derive(Debug)]
pub(super) struct IdToken<'a> {
    header: Header,
    signed: &'a str,
    claims: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> IdToken<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, InvalidToken> {
        let (signed, signature) = text.rsplit_once('.').ok_or(InvalidToken::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(InvalidToken::Malformed)?;
        let decoded = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidToken::Malformed);
        let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| InvalidToken::Malformed)?;
        if header.crit.is_some() {
            return Err(InvalidToken::Extended);
        }
        Ok(Self { header, signed, claims: decoded(claims)?, signature: decoded(signature)? })
    }

    /// The id of the key that signed it.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// The claims, once a key has verified them.
    pub(super) fn verified(&self, keys: &KeySet) -> Result<Map<String, Value>, InvalidToken> {
        if !keys.verify(self.key_id(), &self.header.alg, self.signed.as_bytes(), &self.signature) {
            return Err(InvalidToken::Signature);
        }
        serde_json::from_slice(&self.claims).map_err(|_| InvalidToken::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str) -> String {
        let [header, claims] = [header, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
        format!("{header}.{claims}.")
    }

    #[test]
    fn text_that_is_no_token_is_malformed() {
        for text in ["", "a", "a.b", "a.b.c", "..", &token("{}", "{}"), &(token("{\"alg\": \"RS256\"}", "{}") + "=")] {
            assert_eq!(IdToken::parse(text).unwrap_err(), InvalidToken::Malformed, "{text}");
        }
    }

    #[test]
    fn unsigned_or_extended_token_is_refused() {
        let keys: KeySet = serde_json::from_str("{\"keys\": []}").unwrap();
        let unsigned = token("{\"alg\": \"none\"}", "{}");
        assert_eq!(IdToken::parse(&unsigned).unwrap().verified(&keys), Err(InvalidToken::Signature));
        let extended = token("{\"alg\": \"RS256\", \"crit\": [\"b64\"]}", "{}");
        assert_eq!(IdToken::parse(&extended).unwrap_err(), InvalidToken::Extended);
    }
}
