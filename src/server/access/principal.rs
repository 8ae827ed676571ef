//! Who sends a request, and what they may do.

use crate::server::store::{LastUse, Name, Role, Scope, Session, Token};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// What a route requires of the sender of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Permission {
    /// To see the host.
    Read,
    /// To publish values and declare their channels.
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
            Self::Local => matches!(permission, Permission::Read | Permission::Publish),
            Self::Public => permission == Permission::Read,
            Self::Known(credential) => credential.may(permission),
        }
    }

    /// Whether both are the same session or token, or the same kind of client without one.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Known(one), Self::Known(other)) if one.kind == CredentialKind::Proxy => {
                other.kind == CredentialKind::Proxy && one.name == other.name
            }
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

/// What a credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum CredentialKind {
    /// Carried by a cookie.
    Session,
    /// Carried by `Authorization: Bearer`.
    Token,
    /// A trusted proxy's header, for one request.
    Proxy,
}

/// A session or a token in use, or a trusted proxy's header. Streams hold it, and end with it.
#[derive(Debug)]
pub(in crate::server) struct Credential {
    /// Session or token.
    pub kind: CredentialKind,
    /// The id in lists, which reveals nothing of the secret.
    pub id: String,
    /// The user's or the token's name.
    pub name: Name,
    /// What it permits.
    scope: Scope,
    last_use: LastUse,
    ended: AtomicBool,
}

impl Credential {
    /// The credential of a session.
    pub(in crate::server) fn of_session(session: &Session) -> Self {
        Self {
            kind: CredentialKind::Session,
            id: session.id.clone(),
            name: session.user.clone(),
            scope: scope_of(session.role),
            last_use: session.last_seen.clone(),
            ended: AtomicBool::new(false),
        }
    }

    /// The credential of a token.
    pub(in crate::server) fn of_token(token: &Token) -> Self {
        Self {
            kind: CredentialKind::Token,
            id: token.id.clone(),
            name: token.name.clone(),
            scope: token.scope,
            last_use: token.last_used.clone(),
            ended: AtomicBool::new(false),
        }
    }

    /// The credential of a proxy's user, whom the users' table may not have.
    pub(super) fn of_proxy_user(name: &Name, role: Role) -> Self {
        Self {
            kind: CredentialKind::Proxy,
            id: name.to_string(),
            name: name.clone(),
            scope: scope_of(role),
            last_use: LastUse::default(),
            ended: AtomicBool::new(false),
        }
    }

    /// Whether it permits this.
    pub(in crate::server) fn may(&self, permission: Permission) -> bool {
        match permission {
            Permission::Account => self.kind != CredentialKind::Token,
            Permission::Read => self.scope != Scope::Publish,
            Permission::Publish => self.scope != Scope::Read,
            Permission::Administer => self.scope == Scope::Admin,
        }
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
    pub(super) fn touch(&self, now: u64) {
        self.last_use.set(now);
    }
}

fn scope_of(role: Role) -> Scope {
    match role {
        Role::Viewer => Scope::Read,
        Role::Admin => Scope::Admin,
    }
}

/// A token that is in use, for tests.
#[cfg(test)]
pub(in crate::server) fn token(scope: Scope) -> Arc<Credential> {
    Arc::new(Credential {
        kind: CredentialKind::Token,
        id: "id".to_owned(),
        name: "name".parse().unwrap(),
        scope,
        last_use: LastUse::default(),
        ended: AtomicBool::new(false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credential_permits_what_its_scope_says() {
        use Permission::{Account, Administer, Publish, Read};
        for (scope, expected) in
            [(Scope::Read, &[Read][..]), (Scope::Publish, &[Publish]), (Scope::Admin, &[Read, Publish, Administer])]
        {
            for permission in [Read, Publish, Administer, Account] {
                assert_eq!(token(scope).may(permission), expected.contains(&permission), "{scope:?} {permission:?}");
            }
        }
    }

    #[test]
    fn client_without_credential_may_only_read_and_on_this_host_publish() {
        for principal in [Principal::Local, Principal::Public] {
            assert!(principal.may(Permission::Read));
            assert!(!principal.may(Permission::Administer) && !principal.may(Permission::Account));
        }
        assert!(Principal::Local.may(Permission::Publish) && !Principal::Public.may(Permission::Publish));
    }
}
