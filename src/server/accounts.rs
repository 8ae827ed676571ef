//! Users, tokens and sessions: what the store keeps of them, as requests need it.

use super::access::{Credential, Scope};
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

/// Users, tokens and sessions.
#[derive(Debug, Default)]
pub(super) struct Accounts {}

impl Accounts {
    /// The permissions of the user `name`, if the password is right.
    pub(super) async fn verify(&self, _name: String, _password: String) -> Result<Option<Scope>, AccountsError> {
        Err(AccountsError::NoStore)
    }

    /// Opens a session; returns its secret.
    pub(super) async fn open_session(&self, _session: NewSession) -> Result<String, AccountsError> {
        Err(AccountsError::NoStore)
    }

    /// Ends a session.
    pub(super) async fn end(&self, _session: Arc<Credential>) -> Result<(), AccountsError> {
        Ok(())
    }
}
