//! Users, tokens and sessions: what the store keeps of them, as requests need it.

use super::access::{Credential, Scope};
use crate::app::SettingsView;
use std::{net::IpAddr, sync::Arc};

/// How a session was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionMethod {
    /// With the password.
    Password,
    /// By a trusted proxy that names the user.
    Proxy,
}

/// A session to open.
#[derive(Clone, Debug)]
pub(super) struct NewSession {
    /// The user's name.
    pub user: String,
    /// What the user may do.
    pub scope: Scope,
    /// How the user proved to be that.
    pub method: SessionMethod,
    /// The client's address.
    pub client: IpAddr,
    /// The client's `User-Agent`.
    pub agent: String,
}

/// Why accounts can't be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum AccountsError {
    /// The server runs without a data folder.
    #[error("the server has no data folder")]
    NoStore,
}

impl AccountsError {
    /// Whether what the client sent is the reason.
    pub(super) fn is_of_client(&self) -> bool {
        false
    }
}

/// Users, tokens and sessions.
#[derive(Debug, Default)]
pub(super) struct Accounts {}

impl Accounts {
    pub(super) async fn verify(&self, _name: String, _password: String) -> Result<Option<Scope>, AccountsError> {
        Err(AccountsError::NoStore)
    }
    pub(super) async fn open_session(&self, _session: NewSession) -> Result<String, AccountsError> {
        Err(AccountsError::NoStore)
    }
    pub(super) async fn end(&self, _session: Arc<Credential>) -> Result<(), AccountsError> {
        Ok(())
    }
    pub(super) async fn change_own_password(
        &self,
        _name: String,
        _current: String,
        _new: String,
    ) -> Result<(), AccountsError> {
        Ok(())
    }
    pub(super) async fn end_session(&self, _id: String, _only_of: Option<String>) -> Result<(), AccountsError> {
        Ok(())
    }
    pub(super) async fn add_user(&self, _name: String, _password: String, _role: String) -> Result<(), AccountsError> {
        Ok(())
    }
    pub(super) async fn remove_user(&self, _name: String) -> Result<(), AccountsError> {
        Ok(())
    }
    pub(super) async fn add_token(
        &self,
        _name: String,
        _scope: String,
        _expires: String,
    ) -> Result<String, AccountsError> {
        Err(AccountsError::NoStore)
    }
    pub(super) async fn revoke_token(&self, _id: String) -> Result<(), AccountsError> {
        Ok(())
    }
    pub(super) fn show(&self, _session: &Credential, view: SettingsView) -> SettingsView {
        view
    }
}
