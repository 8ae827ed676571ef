//! Signing in at an OpenID Connect provider: the authorization code flow (OpenID Connect Core 1.0, section 3.1) with PKCE
//! (RFC 7636), state and nonce.

mod claims;
mod error;
mod http_client;
mod id_token;
mod keys;
mod options;
mod pending;
mod provider;

pub(super) use claims::OidcUser;
pub use error::OidcError;
pub use options::{InvalidOidc, OidcOptions};
pub(super) use pending::PendingSignIn;

use super::{
    access::Client,
    store::{Secret, SecretHash},
    unix_time::unix_ms,
};
use claims::{Claims, Expected};
use id_token::IdToken;
use options::ClientIdentity;
use pending::PendingSignIns;
use provider::Provider;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};
use url::Url;

pub(super) use pending::LIFETIME as SIGN_IN_LIFETIME;

/// Sign-ins that wait for the provider at once, each in a thread.
const MAX_AT_ONCE: usize = 4;
/// How long another waits for its turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(5);

/// The provider, and the sign-ins that are under way there.
#[derive(Debug)]
pub(super) struct Oidc {
    options: OidcOptions,
    client: ClientIdentity,
    provider: Provider,
    pending: PendingSignIns,
    turns: Semaphore,
}

/// A sign-in that the browser continues at the provider.
#[derive(Debug)]
pub(super) struct Departure {
    /// The provider's address for it.
    pub address: Url,
    /// The secret that binds it to the browser.
    pub browser: Secret,
}

impl Oidc {
    /// The provider that the options name, `None` without one. Reads the client's secret and the system's root certificates.
    ///
    /// # Errors
    /// When an option is missing or a file can't be read.
    pub(super) fn open(options: &OidcOptions) -> Result<Option<Arc<Self>>, InvalidOidc> {
        let Some(client) = options.client()? else { return Ok(None) };
        let provider = Provider::new(&client.issuer);
        let (pending, turns) = (PendingSignIns::default(), Semaphore::new(MAX_AT_ONCE));
        Ok(Some(Arc::new(Self { options: options.clone(), client, provider, pending, turns })))
    }

    /// What the sign-in page calls the provider.
    pub(super) fn name(&self) -> String {
        let host = || Url::parse(&self.client.issuer).ok()?.host_str().map(str::to_owned);
        self.options.oidc_name.clone().or_else(host).unwrap_or_default()
    }

    /// The address for the provider's answer that `--oidc-redirect-url` sets.
    pub(super) fn redirect_url(&self) -> Option<&Url> {
        self.options.oidc_redirect_url.as_ref()
    }

    /// Logs a warning unless the provider answers.
    pub(super) async fn check_reach(self: Arc<Self>) {
        match self.run(|oidc| oidc.provider.metadata()).await {
            Ok(_) => tracing::info!(issuer = self.client.issuer, "users of the OpenID Connect provider may sign in"),
            Err(error) => tracing::warn!("nobody can sign in at the OpenID Connect provider yet: {error}"),
        }
    }

    /// Starts a sign-in of `client`, which the provider answers at `redirect` and which ends at `next`.
    ///
    /// # Errors
    /// When the provider is out of reach, or answers with what it may not.
    pub(super) async fn depart(
        self: &Arc<Self>,
        client: Client,
        redirect: Url,
        next: String,
    ) -> Result<Departure, OidcError> {
        let metadata = self.run(|oidc| oidc.provider.metadata()).await?;
        let (state, browser) = (Secret::of_session()?, Secret::of_session()?);
        let sign_in = PendingSignIn::new(client, SecretHash::of(browser.expose()), redirect, next)?;
        let address = metadata.authorization_address(&self.client.id, &sign_in, &state);
        self.pending.keep(SecretHash::of(state.expose()), sign_in, Instant::now());
        Ok(Departure { address, browser })
    }

    /// Takes the sign-in with this state that one of the browser's secrets belongs to. It can't be taken again.
    pub(super) fn take(&self, state: &str, browser: impl Iterator<Item = String>) -> Option<PendingSignIn> {
        let browser: Vec<_> = browser.map(|secret| SecretHash::of(&secret)).collect();
        self.pending.take(&SecretHash::of(state), &browser, Instant::now())
    }

    /// Whether an answer with this `iss` is the provider's (RFC 9207).
    pub(super) fn is_issuer(&self, issuer: &str) -> bool {
        issuer == self.client.issuer
    }

    /// Exchanges the code for an ID token, verifies it, and returns who signed in.
    ///
    /// # Errors
    /// When the provider is out of reach or refuses the code, the token is not valid, or the user may not sign in here.
    pub(super) async fn user(self: &Arc<Self>, sign_in: PendingSignIn, code: String) -> Result<OidcUser, OidcError> {
        let claims = self.run(move |oidc| oidc.verified(&sign_in, &code)).await?;
        claims.user(&self.options)
    }

    fn verified(&self, sign_in: &PendingSignIn, code: &str) -> Result<Claims, OidcError> {
        let metadata = self.provider.metadata()?;
        let text = self.provider.exchange(&metadata, &self.client, sign_in, code)?;
        let token = IdToken::parse(&text)?;
        let keys = self.provider.keys(&metadata, |keys| keys.has(token.key_id()))?;
        let expected = Expected {
            issuer: &self.client.issuer,
            client_id: &self.client.id,
            nonce: sign_in.nonce.expose(),
            now: unix_ms() / 1000,
        };
        Ok(Claims::checked(token.verified(&keys)?, &expected)?)
    }

    /// Runs what waits for the provider on a thread that may block.
    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, OidcError> + Send + 'static,
    ) -> Result<T, OidcError> {
        let Ok(Ok(_turn)) = timeout(TURN_TIMEOUT, self.turns.acquire()).await else { return Err(OidcError::Busy) };
        let oidc = Arc::clone(self);
        spawn_blocking(move || work(&oidc)).await.map_err(|_| OidcError::Busy)?
    }
}
