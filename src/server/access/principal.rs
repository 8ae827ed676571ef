//! Who sends a request, and what they may do.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// What a route requires of the sender of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Permission {
    /// To see the host.
    Read,
    /// To publish values.
    Publish,
    /// To manage one's own password and sessions.
    Account,
    /// To manage users, tokens and sessions.
    Administer,
}

/// The sender of a request.
#[derive(Clone, Debug)]
pub(in crate::server) enum Principal {
    /// A program of this host, while the server has no users.
    Local,
    /// Anyone, with `--public`.
    Public,
    /// A user who is signed in, or the bearer of a token.
    Known(Arc<Credential>),
}

impl Principal {
    /// Whether the principal may do what `permission` names.
    pub(in crate::server) fn may(&self, permission: Permission) -> bool {
        match self {
            Self::Local | Self::Public => permission == Permission::Read,
            Self::Known(credential) => credential.may(permission),
        }
    }

    /// Whether both are the same session or token, or the same kind of client without one.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Known(one), Self::Known(other)) => Arc::ptr_eq(one, other),
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        }
    }

    /// The credential of a user or a token.
    pub(in crate::server) fn credential(&self) -> Option<&Arc<Credential>> {
        match self {
            Self::Known(credential) => Some(credential),
            Self::Local | Self::Public => None,
        }
    }
}

/// The permissions of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Scope {
    /// A viewer's: to read.
    Read,
    /// A publisher's: to publish, and nothing else.
    Publish,
    /// An administrator's: everything.
    Admin,
}

impl Scope {
    fn admits(self, permission: Permission) -> bool {
        match self {
            Self::Read => permission == Permission::Read,
            Self::Publish => permission == Permission::Publish,
            Self::Admin => true,
        }
    }
}

/// Whether a credential is a session of the page, or a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum CredentialKind {
    /// Carried by a cookie.
    Session,
    /// Carried by `Authorization: Bearer`.
    Token,
}

/// A session or a token that the server knows. Streams hold it, and end once it has ended.
#[derive(Debug)]
pub(in crate::server) struct Credential {
    /// Session or token.
    pub kind: CredentialKind,
    /// The id in lists, which reveals nothing of the secret.
    pub id: String,
    /// The user's or the token's name.
    pub name: String,
    /// What it permits.
    pub scope: Scope,
    /// When it ends, Unix ms; `None` for never.
    pub expires: Option<u64>,
    /// When it was last used, Unix ms.
    last_used: AtomicU64,
    ended: AtomicBool,
}

impl Credential {
    /// A credential that was last used at `last_used`, Unix ms.
    pub(in crate::server) fn new(
        kind: CredentialKind,
        id: String,
        name: String,
        scope: Scope,
        expires: Option<u64>,
        last_used: u64,
    ) -> Arc<Self> {
        let (last_used, ended) = (AtomicU64::new(last_used), AtomicBool::new(false));
        Arc::new(Self { kind, id, name, scope, expires, last_used, ended })
    }

    /// Whether it permits this.
    pub(in crate::server) fn may(&self, permission: Permission) -> bool {
        match permission {
            Permission::Account => self.kind == CredentialKind::Session,
            permission => self.scope.admits(permission),
        }
    }

    /// Whether both are the same session or token, with the same permissions.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.kind, &self.id, &self.name, self.scope, self.expires)
            == (other.kind, &other.id, &other.name, other.scope, other.expires)
    }

    /// Whether it was revoked, signed out or has expired.
    pub(in crate::server) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Ends it, and with it its streams.
    pub(in crate::server) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Notes a use at `now`, Unix ms.
    pub(in crate::server) fn touch(&self, now: u64) {
        self.last_used.fetch_max(now, Ordering::Relaxed);
    }

    /// When it was last used, Unix ms.
    pub(in crate::server) fn last_used(&self) -> u64 {
        self.last_used.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_admits_its_permissions_only() {
        use Permission::{Administer, Publish, Read};
        for (scope, expected) in
            [(Scope::Read, &[Read][..]), (Scope::Publish, &[Publish]), (Scope::Admin, &[Read, Publish, Administer])]
        {
            for permission in [Read, Publish, Administer] {
                assert_eq!(scope.admits(permission), expected.contains(&permission), "{scope:?} {permission:?}");
            }
        }
    }

    #[test]
    fn client_without_credential_may_only_read() {
        for principal in [Principal::Local, Principal::Public] {
            assert!(principal.may(Permission::Read));
            assert!(!principal.may(Permission::Publish) && !principal.may(Permission::Administer));
        }
    }
}
