//! `/settings`: the reader's own password and sessions, and for administrators all users, tokens and sessions.

use super::{
    ASSETS,
    fallback::not_found_at,
    form_page::{self, Done, redirect},
};
use crate::{
    app::{self, SessionRow, SettingsView, TokenRow, UserRow},
    server::{
        access::{Credential, Permission, Principal},
        app_state::AppState,
        store::{Accounts, Edit, Name, Password, Store, StoreError, text_of, verify_password},
        unix_time::unix_ms,
    },
};
use axum::{
    Extension, Form,
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use clap::ValueEnum;
use serde::Deserialize;
use tokio::task::spawn_blocking;

const PATH: &str = "/settings";

/// A change, as the page's forms send it. Each uses some of the fields.
#[derive(Deserialize)]
pub(in crate::server) struct Change {
    change: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    current: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    expires: String,
}

/// `GET /settings`.
pub(in crate::server) async fn show(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    Query(done): Query<Done>,
) -> Response {
    let Some(session) = principal.credential() else { return not_found_at(PATH) };
    let message = done.message();
    page(&state, session, StatusCode::OK, SettingsView { message, ..SettingsView::default() })
}

/// `POST /settings`: makes one change, and shows the page again.
pub(in crate::server) async fn change(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    Form(change): Form<Change>,
) -> Response {
    let Some(session) = principal.credential() else { return not_found_at(PATH) };
    let is_admin = session.may(Permission::Administer);
    if !is_admin && !["own-password", "end-session"].contains(&&*change.change) {
        return not_found_at(PATH);
    }
    tracing::info!(user = %session.name, change = %change.change.escape_default(), "settings are changed");
    match apply(&state, session, change).await {
        Ok(None) => redirect("./settings?done"),
        Ok(secret) => page(&state, session, StatusCode::OK, SettingsView { secret, ..SettingsView::default() }),
        Err(error) => {
            let status = match &error {
                ChangeError::Store(error) if !error.is_bad_input() => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::BAD_REQUEST,
            };
            let message = error.to_string();
            page(&state, session, status, SettingsView { message, is_error: true, ..SettingsView::default() })
        }
    }
}

/// Why a change is refused.
#[derive(Debug, thiserror::Error)]
enum ChangeError {
    #[error("The current password is wrong.")]
    WrongPassword,
    #[error("{0} is no choice here; the page's forms have them all.")]
    UnknownChoice(String),
    #[error("A token expires after a time such as 90d, or never if that is left out.")]
    Expiry,
    #[error("You can't remove yourself.")]
    Own,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a change; returns the secret of a new token.
async fn apply(state: &AppState, session: &Credential, change: Change) -> Result<Option<String>, ChangeError> {
    let (store, accounts) = (state.credentials.store()?, state.credentials.accounts());
    let Change { change, subject, name, current, password, role, scope, expires } = change;
    match &*change {
        "own-password" => change_password(store, &accounts, session, current, password).await?,
        "end-session" => end_session(store, &accounts, session, subject).await?,
        "add-user" => {
            let (name, role) = (parse_name(&name)?, choice(&role)?);
            let password = Password::new(password, &name).map_err(StoreError::from)?;
            edit(store, session, move |edit| edit.add_user(&name, role, Some(&password.hash()?))).await?;
        }
        "remove-user" if subject == session.name.as_ref() => return Err(ChangeError::Own),
        "remove-user" => {
            let name = parse_name(&subject)?;
            edit(store, session, move |edit| edit.remove_user(&name)).await?;
        }
        "add-token" => {
            let (name, scope, expires) = (parse_name(&name)?, choice(&scope)?, expiry(&expires)?);
            let (_, secret) = edit(store, session, move |edit| edit.add_token(&name, scope, expires)).await?;
            return Ok(Some(secret.expose().to_owned()));
        }
        "revoke-token" => edit(store, session, move |edit| edit.revoke_token(&subject)).await?,
        _ => return Err(ChangeError::UnknownChoice(change)),
    }
    Ok(None)
}

async fn change_password(
    store: &Store,
    accounts: &Accounts,
    session: &Credential,
    current: String,
    password: String,
) -> Result<(), ChangeError> {
    let name = session.name.clone();
    let hash = accounts.user(name.as_ref()).and_then(|user| user.password_hash.clone());
    let password = Password::new(password, &name).map_err(StoreError::from)?;
    let verified = hash.clone();
    let is_right = spawn_blocking(move || verify_password(hash.as_ref(), &current)).await;
    match verified.filter(|_| is_right.is_ok_and(|is_right| is_right)) {
        Some(verified) => {
            let change = move |edit: &Edit<'_>| edit.replace_password(&name, &verified, &password.hash()?);
            Ok(edit(store, session, change).await?)
        }
        None => Err(ChangeError::WrongPassword),
    }
}

/// Applies a change unless the session has ended since the request was admitted.
async fn edit<T: Send + 'static>(
    store: &Store,
    session: &Credential,
    change: impl FnOnce(&Edit<'_>) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let id = session.id.clone();
    store.edit(move |edit| edit.require_session(&id).and_then(|()| change(edit))).await
}

/// Ends a session: any for an administrator, one's own for others. A session of others doesn't exist for them.
async fn end_session(store: &Store, accounts: &Accounts, session: &Credential, id: String) -> Result<(), ChangeError> {
    let is_admin = session.may(Permission::Administer);
    let is_known = accounts.sessions().iter().any(|of| of.id == id && (is_admin || of.user == session.name));
    if !is_known {
        return Err(ChangeError::UnknownChoice(id));
    }
    Ok(edit(store, session, move |edit| edit.end_session(&id)).await?)
}

fn parse_name(text: &str) -> Result<Name, StoreError> {
    Ok(text.parse::<Name>()?)
}

fn choice<T: ValueEnum>(text: &str) -> Result<T, ChangeError> {
    T::from_str(text, false).map_err(|_| ChangeError::UnknownChoice(text.to_owned()))
}

/// A lifetime such as `90d` as a time, Unix ms; `None` for never.
fn expiry(lifetime: &str) -> Result<Option<u64>, ChangeError> {
    if lifetime.trim().is_empty() {
        return Ok(None);
    }
    let lifetime = humantime::parse_duration(lifetime).map_err(|_| ChangeError::Expiry)?;
    let ms = u64::try_from(lifetime.as_millis()).ok().and_then(|ms| unix_ms().checked_add(ms));
    ms.map(Some).ok_or(ChangeError::Expiry)
}

fn page(state: &AppState, session: &Credential, status: StatusCode, view: SettingsView) -> Response {
    let settings = with_lists(view, &state.credentials.accounts(), session);
    form_page::page(status, app::settings_page(&ASSETS.parts, settings))
}

fn with_lists(view: SettingsView, accounts: &Accounts, session: &Credential) -> SettingsView {
    let is_admin = session.may(Permission::Administer);
    let sessions = accounts.sessions().into_iter().filter(|of| is_admin || of.user == session.name);
    let sessions = sessions.map(|of| SessionRow {
        id: of.id.clone(),
        user: of.user.to_string(),
        address: of.address.to_string(),
        agent: of.user_agent.clone(),
        since: of.created,
        last_seen: of.last_seen.get().unwrap_or(of.created),
        is_own: of.id == session.id,
    });
    let users = accounts.users().into_iter().filter(|_| is_admin);
    let users = users.map(|user| UserRow { name: user.name.to_string(), role: text_of(user.role) });
    let tokens = accounts.tokens().into_iter().filter(|_| is_admin);
    let tokens = tokens.map(|token| TokenRow {
        id: token.id.clone(),
        name: token.name.to_string(),
        scope: text_of(token.scope),
        expires: token.expires,
        last_used: token.last_used.get(),
    });
    SettingsView {
        user: session.name.to_string(),
        is_admin,
        sessions: sessions.collect(),
        users: users.collect(),
        tokens: tokens.collect(),
        ..view
    }
}
