//! Signing in at an OpenID Connect provider: the way there and back, without a script.

use super::{
    access_check::ClientAddress,
    fallback::not_found_at,
    form_page::redirect,
    sign_in::{blank_form, page, return_address, set_cookie, start_session, too_many},
};
use crate::{
    app::SignInForm,
    server::{
        access::{CookieScope, SecretCookie},
        app_state::AppState,
        oidc::{Departure, Oidc, OidcError, PendingSignIn, SIGN_IN_LIFETIME},
        store::{Proof, Secret, StoreError},
    },
};
use axum::{
    Extension,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::Response,
};
use serde::Deserialize;
use std::{net::IpAddr, sync::Arc, time::Duration};
use url::Url;

/// The ways from the two addresses to the dashboard.
const ROOT_OF_START: &str = "../";
const ROOT_OF_CALLBACK: &str = "../../";

/// The query of the link on the sign-in page.
#[derive(Debug, Default, Deserialize)]
pub(in crate::server) struct Start {
    /// The address to return to.
    #[serde(default)]
    next: String,
}

/// What the provider has the browser bring (RFC 6749, section 4.1.2, and RFC 9207).
#[derive(Debug, Default, Deserialize)]
pub(in crate::server) struct Answer {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    iss: Option<String>,
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the provider answered {error:?}: {description:?}")]
    Declined { error: String, description: String },
    #[error("the answer has no code, or is of another provider")]
    Foreign,
    #[error(transparent)]
    Oidc(#[from] OidcError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// `GET /sign-in/oidc`: sends the browser to the provider.
pub(in crate::server) async fn start(
    State(state): State<AppState>,
    Extension(ClientAddress(client)): Extension<ClientAddress>,
    uri: Uri,
    headers: HeaderMap,
    Query(Start { next }): Query<Start>,
) -> Response {
    let callback = state.oidc.as_ref().and_then(|oidc| Some((oidc, callback(&state, oidc, &uri, &headers)?)));
    let Some((oidc, callback)) = callback else { return not_found_at(uri.path()) };
    let scope = cookie_scope(&state, &callback);
    match oidc.depart(client.into(), callback, next.clone()).await {
        Ok(Departure { address, browser }) => {
            let mut response = redirect(address.as_str());
            let seconds = SIGN_IN_LIFETIME.as_secs();
            set_cookie(&mut response, scope.keep(SecretCookie::SignIn, browser.expose(), seconds));
            response
        }
        Err(error) => refusal(&state, client, &oidc.name(), &error.into(), ROOT_OF_START, next),
    }
}

/// `GET /sign-in/oidc/callback`: opens a session for the user whom the provider signed in, and returns to the address that
/// asked for it.
pub(in crate::server) async fn finish(
    State(state): State<AppState>,
    Extension(ClientAddress(client)): Extension<ClientAddress>,
    uri: Uri,
    headers: HeaderMap,
    Query(answer): Query<Answer>,
) -> Response {
    let callback = state.oidc.as_ref().and_then(|oidc| Some((oidc, callback(&state, oidc, &uri, &headers)?)));
    let Some((oidc, callback)) = callback else { return not_found_at(uri.path()) };
    let error_page = |status, message: String, next: &str| {
        page(status, SignInForm { message, is_error: true, root: ROOT_OF_CALLBACK, ..blank_form(&state, next) })
    };
    if let Err(wait) = state.sign_in_limiter.attempt_from(client) {
        tracing::warn!(%client, "too many attempts to sign in");
        return too_many(wait, |status, message| error_page(status, message, ""));
    }
    let Some(sign_in) = oidc.take(&answer.state, SecretCookie::SignIn.secrets(&headers)) else {
        tracing::warn!(%client, "an answer of the OpenID Connect provider is of no sign-in that this browser started");
        let message = "The sign-in has expired, was finished before, or was started in another browser. Sign in again.";
        return error_page(StatusCode::BAD_REQUEST, message.to_owned(), "");
    };
    let (scope, next) = (cookie_scope(&state, &callback), sign_in.next.clone());
    let mut response = match open_session(&state, oidc, client, &headers, sign_in, answer).await {
        Ok((secret, age)) => {
            let mut response = redirect(&return_address(ROOT_OF_CALLBACK, &next));
            set_cookie(&mut response, scope.keep(SecretCookie::Session, secret.expose(), age.as_secs()));
            response
        }
        Err(failure) => refusal(&state, client, &oidc.name(), &failure, ROOT_OF_CALLBACK, next),
    };
    set_cookie(&mut response, scope.forget(SecretCookie::SignIn));
    response
}

/// The secret of a new session, and how long it lasts.
async fn open_session(
    state: &AppState,
    oidc: &Arc<Oidc>,
    client: IpAddr,
    headers: &HeaderMap,
    sign_in: PendingSignIn,
    answer: Answer,
) -> Result<(Secret, Duration), Failure> {
    if answer.iss.is_some_and(|issuer| !oidc.is_issuer(&issuer)) {
        return Err(Failure::Foreign);
    }
    if let Some(error) = answer.error {
        return Err(Failure::Declined { error, description: answer.error_description.unwrap_or_default() });
    }
    let user = oidc.user(sign_in, answer.code.ok_or(Failure::Foreign)?).await?;
    let name = user.name.clone();
    let session = start_session(state, client, headers, user.name, Proof::Oidc(user.role)).await?;
    tracing::info!(%client, %name, "signed in at the OpenID Connect provider");
    Ok(session)
}

/// The sign-in page with what happened. The log has the detail.
fn refusal(
    state: &AppState,
    client: IpAddr,
    provider: &str,
    failure: &Failure,
    root: &'static str,
    next: String,
) -> Response {
    tracing::warn!(%client, "a sign-in at the OpenID Connect provider failed: {failure}");
    let (status, message) = explain(failure, provider);
    page(status, SignInForm { message, is_error: true, root, ..blank_form(state, &next) })
}

/// What the reader is told.
fn explain(failure: &Failure, provider: &str) -> (StatusCode, String) {
    match failure {
        Failure::Declined { error, .. } if error == "access_denied" => {
            (StatusCode::FORBIDDEN, format!("The sign-in was declined at {provider}."))
        }
        Failure::Oidc(OidcError::NoGroup { name, .. }) => {
            let message = format!("{name} is in no group that may see this host. The administrator can change that.");
            (StatusCode::FORBIDDEN, message)
        }
        Failure::Oidc(OidcError::NoName(_)) => {
            (StatusCode::FORBIDDEN, format!("{provider} gives you no name that can be used here; the log has more."))
        }
        Failure::Oidc(OidcError::Unreachable { .. }) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("{provider} is out of reach. Try again later."))
        }
        Failure::Oidc(OidcError::Busy) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("Too many sign-ins wait for {provider}. Try again."))
        }
        Failure::Store(StoreError::NameOfLocalUser(name)) => {
            (StatusCode::FORBIDDEN, format!("{name} is a user of this server, too, and signs in with the password."))
        }
        Failure::Store(_) | Failure::Oidc(OidcError::Secret(_)) => {
            let message = "Signing in isn't possible now; the server's log has the reason.";
            (StatusCode::SERVICE_UNAVAILABLE, message.to_owned())
        }
        Failure::Declined { .. } | Failure::Foreign | Failure::Oidc(_) => {
            (StatusCode::BAD_GATEWAY, format!("{provider} gave an answer that can't be used; the log has the reason."))
        }
    }
}

/// The callback's address as the browser reaches it: as configured, or by the name and the scheme of the request.
fn callback(state: &AppState, oidc: &Oidc, uri: &Uri, headers: &HeaderMap) -> Option<Url> {
    if let Some(configured) = oidc.redirect_url() {
        return Some(configured.clone());
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = if text("x-forwarded-proto") == Some("https") { "https" } else { "http" };
    let host = uri.authority().map(|authority| authority.as_str()).or_else(|| text(header::HOST.as_str()))?;
    Url::parse(&format!("{scheme}://{host}{}/sign-in/oidc/callback", state.settings.base_path)).ok()
}

fn cookie_scope<'a>(state: &'a AppState, callback: &Url) -> CookieScope<'a> {
    CookieScope { secure: callback.scheme() == "https", base_path: &state.settings.base_path }
}
