//! Signing in with a name and a password, and out again: plain forms that need no script.

use super::{
    ASSETS,
    access_check::ClientAddress,
    form_page::{self, redirect},
};
use crate::{
    app::{self, ProviderLink, SignInForm},
    server::{
        access::{CookieScope, Principal, SecretCookie},
        app_state::AppState,
        store::{Name, NewSession, Proof, Secret, StoreError, verify_password},
    },
};
use axum::{
    Extension, Form,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Deserialize;
use std::{net::IpAddr, time::Duration};
use tokio::task::spawn_blocking;

/// The query of the form's page.
#[derive(Debug, Default, Deserialize)]
pub(in crate::server) struct FormQuery {
    /// The address to return to.
    #[serde(default)]
    next: String,
    /// Present once the reader has signed out.
    #[serde(rename = "signed-out")]
    signed_out: Option<String>,
}

/// What the form sends.
#[derive(Deserialize)]
pub(in crate::server) struct Attempt {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// `GET /sign-in`: the form.
pub(in crate::server) async fn form(State(state): State<AppState>, Query(query): Query<FormQuery>) -> Response {
    let message = query.signed_out.map(|_| "You are signed out.").unwrap_or_default();
    page(StatusCode::OK, SignInForm { message: message.to_owned(), ..blank_form(&state, &query.next) })
}

/// `POST /sign-in`: opens a session, and returns to the address that asked for it.
pub(in crate::server) async fn sign_in(
    State(state): State<AppState>,
    Extension(ClientAddress(client)): Extension<ClientAddress>,
    headers: HeaderMap,
    Form(Attempt { name, password, next }): Form<Attempt>,
) -> Response {
    let retry = |status, message: String| {
        page(status, SignInForm { message, is_error: true, name: name.clone(), ..blank_form(&state, &next) })
    };
    if let Err(wait) = state.sign_in_limiter.attempt(client, &name) {
        tracing::warn!(%client, "too many attempts to sign in");
        return too_many(wait, retry);
    }
    match open_session(&state, client, &headers, name.clone(), password).await {
        Ok(Some((secret, age))) => {
            tracing::info!(%client, name, "signed in");
            let mut response = redirect(&return_address("./", &next));
            set_cookie(
                &mut response,
                cookie_scope(&state, &headers).keep(SecretCookie::Session, secret.expose(), age.as_secs()),
            );
            response
        }
        Ok(None) | Err(StoreError::UserChanged(_)) => {
            tracing::warn!(%client, name = %name.escape_default(), "an attempt to sign in failed");
            retry(StatusCode::UNAUTHORIZED, "Name or password is wrong.".to_owned())
        }
        Err(error) => {
            tracing::error!(%error, "cannot sign a user in");
            let message = "Signing in isn't possible now; the server's log has the reason.";
            retry(StatusCode::SERVICE_UNAVAILABLE, message.to_owned())
        }
    }
}

/// The secret of a new session, and how long it lasts; `None` if name or password is wrong.
async fn open_session(
    state: &AppState,
    address: IpAddr,
    headers: &HeaderMap,
    name: String,
    password: String,
) -> Result<Option<(Secret, Duration)>, StoreError> {
    let accounts = state.credentials.accounts();
    let user = accounts.user(&name).map(|user| (user.name.clone(), user.password_hash.clone()));
    let hash = user.as_ref().and_then(|(_, hash)| hash.clone());
    let is_right = spawn_blocking(move || verify_password(hash.as_ref(), &password)).await;
    let Some((user, Some(hash))) = user.filter(|_| is_right.is_ok_and(|is_right| is_right)) else { return Ok(None) };
    start_session(state, address, headers, user, Proof::Password(hash)).await.map(Some)
}

/// The secret of a new session of a verified user, and how long it lasts.
pub(super) async fn start_session(
    state: &AppState,
    address: IpAddr,
    headers: &HeaderMap,
    user: Name,
    proof: Proof,
) -> Result<(Secret, Duration), StoreError> {
    let store = state.credentials.store()?;
    let agent = headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned());
    let session = NewSession { user, proof, address, user_agent: agent.unwrap_or_default() };
    let (_, secret) = store.edit(move |edit| edit.start_session(&session)).await?;
    Ok((secret, store.session_timeouts().absolute))
}

/// `POST /sign-out`: ends the session of the cookie.
pub(in crate::server) async fn sign_out(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
) -> Response {
    if let (Some(credential), Ok(store)) = (principal.credential(), state.credentials.store()) {
        let id = credential.id.clone();
        credential.end();
        if let Err(error) = store.edit(move |edit| edit.end_session(&id)).await {
            tracing::error!(%error, "cannot end a session");
        }
    }
    let mut response = redirect("./sign-in?signed-out");
    set_cookie(&mut response, cookie_scope(&state, &headers).forget(SecretCookie::Session));
    response
}

/// The form before an attempt, with the way to the provider.
pub(super) fn blank_form(state: &AppState, next: &str) -> SignInForm {
    let provider = state.oidc.as_ref().map(|oidc| {
        let query: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
        ProviderLink { name: oidc.name(), address: format!("sign-in/oidc?next={query}") }
    });
    SignInForm { next: next.to_owned(), provider, ..SignInForm::default() }
}

pub(super) fn page(status: StatusCode, form: SignInForm) -> Response {
    form_page::page(status, app::sign_in_page(&ASSETS.parts, &form))
}

pub(super) fn too_many(wait: Duration, page: impl FnOnce(StatusCode, String) -> Response) -> Response {
    let seconds = wait.as_secs() + 1;
    let message = format!("Too many attempts. Try again in {seconds} s.");
    let mut response = page(StatusCode::TOO_MANY_REQUESTS, message);
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

/// The address to return to, relative to `root`, the way to the dashboard: never another server's, whatever the query says.
pub(super) fn return_address(root: &str, next: &str) -> String {
    let is_own = next.chars().all(|c| c.is_ascii_graphic() && c != '\\') && !next.starts_with('/');
    let path = next.split(['?', '#']).next().unwrap_or_default();
    // A colon in the first segment would make it a scheme.
    if is_own && !path.split('/').any(|segment| segment == "..") { format!("{root}{next}") } else { root.to_owned() }
}

/// `Origin` has the scheme that the browser uses, also behind a proxy.
pub(super) fn cookie_scope<'a>(state: &'a AppState, headers: &HeaderMap) -> CookieScope<'a> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let secure = text(header::ORIGIN.as_str()).starts_with("https://") || text("x-forwarded-proto") == "https";
    CookieScope { secure, base_path: &state.settings.base_path }
}

pub(super) fn set_cookie(response: &mut Response, cookie: Option<HeaderValue>) {
    cookie.map(|cookie| response.headers_mut().append(header::SET_COOKIE, cookie));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn return_address_stays_on_this_server() {
        for (next, expected) in [
            ("", "./"),
            ("embed/cpu?window=300", "./embed/cpu?window=300"),
            ("?panels=cpu,memory&mode=kiosk", "./?panels=cpu,memory&mode=kiosk"),
            ("//evil.example/", "./"),
            ("/evil", "./"),
            ("\\\\evil.example", "./"),
            ("../other", "./"),
            ("a b", "./"),
            ("a\r\nset-cookie: b", "./"),
            ("https://evil.example", "./https://evil.example"),
        ] {
            assert_eq!(return_address("./", next), expected, "{next:?}");
        }
    }
}
