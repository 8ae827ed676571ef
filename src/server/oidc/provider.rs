//! What the provider publishes: its addresses (OpenID Connect Discovery 1.0) and its keys; and the exchange of a code.

use super::{OidcError, PendingSignIn, http_client::HttpClient, keys::KeySet, options::ClientIdentity};
use crate::server::{http_agent::is_private, store::Secret};
use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use url::Url;

/// After that, addresses and keys are read again.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);
/// Keys are read again at most that often when a token names an unknown one.
const KEYS_INTERVAL: Duration = Duration::from_secs(60);

/// The provider's addresses and abilities.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    #[serde(default)]
    scopes_supported: Vec<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

/// A document and when it was read.
type Read<T> = Mutex<Option<(Instant, Arc<T>)>>;

/// The provider.
#[derive(Debug)]
pub(super) struct Provider {
    issuer: String,
    http: HttpClient,
    metadata: Read<Metadata>,
    keys: Read<KeySet>,
}

impl Provider {
    pub(super) fn new(issuer: &str) -> Self {
        let (issuer, http) = (issuer.to_owned(), HttpClient::new());
        Self { issuer, http, metadata: Mutex::default(), keys: Mutex::default() }
    }

    /// The provider's description of itself.
    pub(super) fn metadata(&self) -> Result<Arc<Metadata>, OidcError> {
        cached(&self.metadata, |_, age| age < MAX_AGE, || self.read_metadata())
    }

    fn read_metadata(&self) -> Result<Metadata, OidcError> {
        let address = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let url = Url::parse(&address).map_err(|_| OidcError::OtherIssuer(self.issuer.clone()))?;
        let metadata: Metadata = self.http.get(&url)?;
        if metadata.issuer != self.issuer {
            return Err(OidcError::OtherIssuer(metadata.issuer));
        }
        match [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri].map(is_private) {
            [true, true, true] => Ok(metadata),
            _ => Err(OidcError::Unexpected { url, reason: "it names an address without https".to_owned() }),
        }
    }

    /// The provider's keys, read again if they are not `enough`.
    pub(super) fn keys(&self, metadata: &Metadata, enough: impl Fn(&KeySet) -> bool) -> Result<Arc<KeySet>, OidcError> {
        let is_current = |keys: &KeySet, age| age < KEYS_INTERVAL || age < MAX_AGE && enough(keys);
        cached(&self.keys, is_current, || self.http.get(&metadata.jwks_uri))
    }

    /// The ID token for a code (OpenID Connect Core 1.0, section 3.1.3).
    pub(super) fn exchange(
        &self,
        metadata: &Metadata,
        client: &ClientIdentity,
        sign_in: &PendingSignIn,
        code: &str,
    ) -> Result<String, OidcError> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", sign_in.redirect.as_str()),
            ("code_verifier", sign_in.verifier.expose()),
        ];
        let basic = client.secret.as_ref().filter(|_| metadata.takes_basic()).map(|secret| basic(&client.id, secret));
        if basic.is_none() {
            form.push(("client_id", &client.id));
            form.extend(client.secret.as_deref().map(|secret| ("client_secret", secret)));
        }
        let tokens: Tokens = self.http.post(&metadata.token_endpoint, basic.as_deref(), &form)?;
        Ok(tokens.id_token)
    }
}

impl Metadata {
    /// Where the browser signs in.
    pub(super) fn authorization_address(&self, client_id: &str, sign_in: &PendingSignIn, state: &Secret) -> Url {
        // Some providers require the scope for the claim, and others refuse scopes that they don't list.
        let groups = if self.scopes_supported.iter().any(|scope| scope == "groups") { " groups" } else { "" };
        let mut address = self.authorization_endpoint.clone();
        address.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", sign_in.redirect.as_str()),
            ("scope", &format!("openid profile email{groups}")),
            ("state", state.expose()),
            ("nonce", sign_in.nonce.expose()),
            ("code_challenge", &challenge(sign_in.verifier.expose())),
            ("code_challenge_method", "S256"),
        ]);
        address
    }

    /// Whether a client may send its secret as a password, which is the default (Discovery 1.0, section 3).
    fn takes_basic(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"))
    }
}

/// What shows later that the sender has the verifier (RFC 7636, section 4.2).
fn challenge(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// Id and secret are encoded as in forms (RFC 6749, section 2.3.1).
fn basic(id: &str, secret: &str) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))))
}

/// What was read before, unless it is too old; requests that come meanwhile wait for the same answer.
fn cached<T>(
    cache: &Read<T>,
    is_current: impl Fn(&T, Duration) -> bool,
    read: impl FnOnce() -> Result<T, OidcError>,
) -> Result<Arc<T>, OidcError> {
    let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, value)) = cache.as_ref().filter(|(at, value)| is_current(value, at.elapsed())) {
        return Ok(Arc::clone(value));
    }
    let value = Arc::new(read()?);
    *cache = Some((Instant::now(), Arc::clone(&value)));
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_is_read_again_once_it_is_not_current() {
        let cache = Mutex::default();
        let read = |is_current: bool, value: u8| *cached(&cache, |_, _| is_current, || Ok(value)).unwrap();
        assert_eq!([read(true, 1), read(true, 2), read(false, 3), read(true, 4)], [1, 1, 3, 3]);
    }

    /// The example of RFC 7636, appendix B.
    #[test]
    fn challenge_is_the_hash_of_the_verifier() {
        let expected = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert_eq!(challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), expected);
    }

    #[test]
    fn id_and_secret_are_encoded_before_they_are_joined() {
        let decoded = BASE64_STANDARD.decode(basic("a:b", "c d%").trim_start_matches("Basic ")).unwrap();
        assert_eq!(decoded, b"a%3Ab:c+d%25");
    }

    #[test]
    fn secret_is_a_password_unless_the_provider_takes_none() {
        let takes_basic = |methods: &str| {
            let text = format!(
                r#"{{"issuer": "https://a", "authorization_endpoint": "https://a/", "token_endpoint": "https://a/",
                 "jwks_uri": "https://a/"{methods}}}"#
            );
            serde_json::from_str::<Metadata>(&text).unwrap().takes_basic()
        };
        assert!(
            takes_basic("") && takes_basic(r#", "token_endpoint_auth_methods_supported": ["client_secret_basic"]"#)
        );
        assert!(!takes_basic(r#", "token_endpoint_auth_methods_supported": ["client_secret_post"]"#));
    }
}
