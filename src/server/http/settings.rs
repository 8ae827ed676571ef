//! `/settings`: the reader's own password and sessions, and for administrators all users, tokens and sessions.

use super::{
    ASSETS, Problem,
    fallback::not_found_at,
    form_page::{FORM_POLICY, redirect},
};
use crate::{
    app::{self, SettingsView},
    server::{
        access::{Credential, CredentialKind, Permission, Principal},
        accounts::{Accounts, AccountsError},
        app_state::AppState,
    },
};
use axum::{
    Extension, Form,
    extract::{Query, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;
use std::sync::Arc;

const PATH: &str = "/settings";

/// The query after a change.
#[derive(Debug, Default, Deserialize)]
pub(in crate::server) struct Done {
    /// The change that was made.
    done: Option<String>,
}

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
    Query(Done { done }): Query<Done>,
) -> Response {
    let Some(session) = session(&principal) else { return not_found_at(PATH) };
    let message = done.map(|_| "Done.".to_owned()).unwrap_or_default();
    page(&state, session, StatusCode::OK, SettingsView { message, ..SettingsView::default() })
}

/// `POST /settings`: makes one change, and shows the page again.
pub(in crate::server) async fn change(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    Form(change): Form<Change>,
) -> Response {
    let Some(session) = session(&principal) else { return not_found_at(PATH) };
    let is_admin = session.may(Permission::Administer);
    if !is_admin && !["own-password", "end-session"].contains(&&*change.change) {
        return not_found_at(PATH);
    }
    tracing::info!(user = session.name, change = %change.change.escape_default(), "settings are changed");
    match apply(&state.accounts, session, change).await {
        Ok(None) => redirect("./settings?done"),
        Ok(secret) => page(&state, session, StatusCode::OK, SettingsView { secret, ..SettingsView::default() }),
        Err(ChangeError::Unknown) => not_found_at(PATH),
        Err(ChangeError::Accounts(error)) => {
            let status = if error.is_of_client() { StatusCode::BAD_REQUEST } else { StatusCode::SERVICE_UNAVAILABLE };
            let message = error.to_string();
            page(&state, session, status, SettingsView { message, is_error: true, ..SettingsView::default() })
        }
    }
}

enum ChangeError {
    Unknown,
    Accounts(AccountsError),
}

impl From<AccountsError> for ChangeError {
    fn from(error: AccountsError) -> Self {
        Self::Accounts(error)
    }
}

/// Makes a change; returns the secret of a new token.
async fn apply(accounts: &Arc<Accounts>, session: &Credential, change: Change) -> Result<Option<String>, ChangeError> {
    let Change { change, subject, name, current, password, role, scope, expires } = change;
    match &*change {
        "own-password" => accounts.change_own_password(session.name.clone(), current, password).await?,
        "end-session" => {
            let only_of = (!session.may(Permission::Administer)).then(|| session.name.clone());
            accounts.end_session(subject, only_of).await?;
        }
        "add-user" => accounts.add_user(name, password, role).await?,
        "remove-user" => accounts.remove_user(subject).await?,
        "add-token" => return Ok(Some(accounts.add_token(name, scope, expires).await?)),
        "revoke-token" => accounts.revoke_token(subject).await?,
        _ => return Err(ChangeError::Unknown),
    }
    Ok(None)
}

/// The session of a user; tokens have no settings.
fn session(principal: &Principal) -> Option<&Arc<Credential>> {
    principal.credential().filter(|credential| credential.kind == CredentialKind::Session)
}

fn page(state: &AppState, session: &Credential, status: StatusCode, view: SettingsView) -> Response {
    let is_admin = session.may(Permission::Administer);
    let settings = state.accounts.show(session, SettingsView { user: session.name.clone(), is_admin, ..view });
    let head = [(header::CONTENT_SECURITY_POLICY, FORM_POLICY), (header::CACHE_CONTROL, "no-store")];
    (status, head, Html(app::settings_page(&ASSETS.parts, settings))).into_response()
}
