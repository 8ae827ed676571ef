//! Who may change an annotation or a recording.

use crate::server::access::{CredentialKind, Permission, Principal};

/// The author as the data folder names it. A token counts by its id, so that a new one of its name owns nothing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) enum Owner {
    /// Hostbeat itself.
    Host,
    /// A program of this host, on a server without users.
    Local,
    /// A user, by name.
    User(String),
    /// A token, by its id.
    Token(String),
}

impl Owner {
    /// The owner of what `principal` writes.
    pub(in crate::server) fn of(principal: &Principal) -> Self {
        match principal.credential() {
            None => Self::Local,
            Some(credential) if credential.kind == CredentialKind::Token => Self::Token(credential.id.clone()),
            Some(credential) => Self::User(credential.name.to_string()),
        }
    }

    /// The name that readers see.
    pub(in crate::server) fn author(principal: &Principal) -> String {
        principal.credential().map_or("local".to_owned(), |credential| credential.name.to_string())
    }

    /// As text for the data folder.
    pub(in crate::server) fn to_text(&self) -> String {
        match self {
            Self::Host => "host".to_owned(),
            Self::Local => "local".to_owned(),
            Self::User(name) => format!("user:{name}"),
            Self::Token(id) => format!("token:{id}"),
        }
    }
}

/// Whether `principal` may change or remove what `owner` wrote: the author, an administrator, or without users every program
/// of the host for what no credential wrote.
pub(in crate::server) fn may_change(principal: &Principal, owner: &str) -> bool {
    let own = Owner::of(principal);
    let is_local = own == Owner::Local && owner == Owner::Host.to_text();
    principal.may(Permission::Administer) || owner == own.to_text() || is_local
}
