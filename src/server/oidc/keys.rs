//! The provider's public keys (JSON Web Key, RFC 7517), and the signatures that they verify (RFC 7518, section 3).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
    VerificationAlgorithm,
};
use serde::Deserialize;

/// All keys of the provider.
#[derive(Debug, Deserialize)]
pub(super) struct KeySet {
    keys: Vec<Key>,
}

#[derive(Debug, Deserialize)]
struct Key {
    #[serde(rename = "kid")]
    id: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    #[serde(flatten)]
    material: Material,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kty")]
enum Material {
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
    #[serde(rename = "EC")]
    Elliptic { crv: String, x: String, y: String },
    #[serde(rename = "OKP")]
    Edwards { crv: String, x: String },
    #[serde(other)]
    Other,
}

impl KeySet {
    /// Whether there is a key with this id, or any if the token names none.
    pub(super) fn has(&self, id: Option<&str>) -> bool {
        self.candidates(id).next().is_some()
    }

    /// Whether a key with this id made the signature of `message` by that algorithm.
    pub(super) fn verify(&self, id: Option<&str>, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        self.candidates(id).any(|key| key.material.verify(algorithm, message, signature) == Some(true))
    }

    fn candidates(&self, id: Option<&str>) -> impl Iterator<Item = &Key> {
        let signs = |key: &&Key| key.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
        self.keys.iter().filter(signs).filter(move |key| id.is_none() || key.id.as_deref() == id)
    }
}

impl Material {
    /// `None` for an algorithm that is not this key's, or a key that can't be read. `none` and shared secrets are no
    /// algorithms here.
    fn verify(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> Option<bool> {
        match self {
            Self::Rsa { n, e } => {
                let algorithm: &RsaParameters = match algorithm {
                    "RS256" => &RSA_PKCS1_2048_8192_SHA256,
                    "RS384" => &RSA_PKCS1_2048_8192_SHA384,
                    "RS512" => &RSA_PKCS1_2048_8192_SHA512,
                    "PS256" => &RSA_PSS_2048_8192_SHA256,
                    _ => return None,
                };
                let (n, e) = (integer(n)?, integer(e)?);
                Some(RsaPublicKeyComponents { n, e }.verify(algorithm, message, signature).is_ok())
            }
            Self::Elliptic { crv, x, y } => {
                let algorithm: &dyn VerificationAlgorithm = match (algorithm, crv.as_str()) {
                    ("ES256", "P-256") => &ECDSA_P256_SHA256_FIXED,
                    ("ES384", "P-384") => &ECDSA_P384_SHA384_FIXED,
                    _ => return None,
                };
                // An uncompressed point (SEC 1, section 2.3.3).
                let point = [&[4], &*decoded(x)?, &*decoded(y)?].concat();
                Some(UnparsedPublicKey::new(algorithm, point).verify(message, signature).is_ok())
            }
            Self::Edwards { crv, x } if algorithm == "EdDSA" && crv == "Ed25519" => {
                Some(UnparsedPublicKey::new(&ED25519, decoded(x)?).verify(message, signature).is_ok())
            }
            Self::Edwards { .. } | Self::Other => None,
        }
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}

/// Without leading zeros, which some providers write.
fn integer(text: &str) -> Option<Vec<u8>> {
    let bytes = decoded(text)?;
    Some(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7515, appendix A.3: ES256.
    const KEYS: &str = r#"{"keys": [
        {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"},
        {"kty": "EC", "kid": "encrypts", "use": "enc", "crv": "P-256", "x": "", "y": ""},
        {"kty": "EC", "kid": "a3", "use": "sig", "crv": "P-256",
         "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
    const MESSAGE: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const SIGNATURE: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    fn verify(id: Option<&str>, algorithm: &str, message: &str) -> bool {
        let keys: KeySet = serde_json::from_str(KEYS).unwrap();
        keys.verify(id, algorithm, message.as_bytes(), &decoded(SIGNATURE).unwrap())
    }

    #[test]
    fn signature_of_the_named_or_any_key_is_valid() {
        assert!(verify(Some("a3"), "ES256", MESSAGE) && verify(None, "ES256", MESSAGE));
    }

    #[test]
    fn other_key_algorithm_or_message_is_not_valid() {
        assert!(!verify(Some("shared"), "ES256", MESSAGE) && !verify(Some("unknown"), "ES256", MESSAGE));
        for algorithm in ["none", "HS256", "RS256", "ES384", "es256", ""] {
            assert!(!verify(None, algorithm, MESSAGE), "{algorithm}");
        }
        assert!(!verify(Some("a3"), "ES256", &MESSAGE[1..]));
    }

    #[test]
    fn key_for_encryption_counts_as_missing() {
        let keys: KeySet = serde_json::from_str(KEYS).unwrap();
        assert!(!keys.has(Some("encrypts")) && keys.has(Some("a3")) && keys.has(None));
    }
}
