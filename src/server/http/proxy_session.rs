//! The word of a proxy that a user signed in there, exchanged for a session when a page is loaded: such proxies may check
//! pages and not streams.

use super::sign_in::{cookie_scope, start_session};
use crate::server::{
    access::{CredentialKind, Principal, SecretCookie},
    app_state::AppState,
    store::Proof,
};
use axum::http::{HeaderMap, HeaderValue, header};
use std::net::IpAddr;

/// The session of a browser that loads a page as a proxy's user, and its cookie. `None` for others, programs included.
pub(super) async fn open(
    state: &AppState,
    client: IpAddr,
    headers: &HeaderMap,
    principal: Option<&Principal>,
) -> Option<(Principal, HeaderValue)> {
    let credential = principal.and_then(Principal::credential);
    let user = credential.filter(|credential| credential.kind == CredentialKind::Proxy)?.name.clone();
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok())?;
    if !accept.contains("text/html") {
        return None;
    }
    tracing::info!(%client, name = %user, "signed in at a proxy");
    match start_session(state, client, headers, user, Proof::Proxy).await {
        Ok((secret, age)) => {
            let session = state.credentials.find(CredentialKind::Session, secret.expose())?;
            let cookie = cookie_scope(state, headers).keep(SecretCookie::Session, secret.expose(), age.as_secs())?;
            Some((Principal::Known(session), cookie))
        }
        Err(error) => {
            tracing::error!(%error, "cannot open a session for a proxy's user");
            None
        }
    }
}
