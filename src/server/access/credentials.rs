//! The sessions and tokens that the server knows, by the hash of their secret.

use super::{Credential, CredentialKind, secret::SecretHash};
use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Sessions and tokens by the hash of their secret.
pub(in crate::server) type BySecret = HashMap<SecretHash, Arc<Credential>>;

/// All credentials, and whether one is required.
#[derive(Debug, Default)]
pub(in crate::server) struct Credentials {
    by_secret: RwLock<BySecret>,
    required: AtomicBool,
}

impl Credentials {
    /// The credential with this secret, unless it has ended; notes its use at `now`, Unix ms.
    pub(in crate::server) fn find(&self, kind: CredentialKind, secret: &str, now: u64) -> Option<Arc<Credential>> {
        let by_secret = self.by_secret.read().unwrap_or_else(PoisonError::into_inner);
        let credential = by_secret.get(&SecretHash::of(secret)).filter(|credential| credential.kind == kind)?;
        let expired = credential.expires.is_some_and(|expires| expires <= now);
        if expired || credential.has_ended() {
            return None;
        }
        credential.touch(now);
        Some(Arc::clone(credential))
    }

    /// Whether requests need a credential: once a user exists, or others sign in elsewhere.
    pub(in crate::server) fn is_required(&self) -> bool {
        self.required.load(Ordering::Relaxed)
    }

    /// Adds a credential that was just created.
    pub(in crate::server) fn insert(&self, secret: SecretHash, credential: Arc<Credential>) {
        self.by_secret.write().unwrap_or_else(PoisonError::into_inner).insert(secret, credential);
    }

    /// Replaces all credentials by those that are stored now. Those that stay are the same objects; the others end.
    pub(in crate::server) fn replace(&self, mut stored: BySecret, required: bool) {
        let mut by_secret = self.by_secret.write().unwrap_or_else(PoisonError::into_inner);
        for (secret, known) in by_secret.drain() {
            match stored.get_mut(&secret) {
                Some(credential) if credential.is_same(&known) => *credential = known,
                _ => known.end(),
            }
        }
        *by_secret = stored;
        self.required.store(required, Ordering::Relaxed);
    }

    /// Ends the credentials that have expired at `now`, Unix ms, and sessions that were not used for `idle`. A session
    /// with an open stream is in use.
    pub(in crate::server) fn expire(&self, now: u64, idle: Duration) {
        let idle = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX);
        let mut by_secret = self.by_secret.write().unwrap_or_else(PoisonError::into_inner);
        by_secret.retain(|_, credential| {
            if Arc::strong_count(credential) > 1 {
                credential.touch(now);
            }
            let expired = credential.expires.is_some_and(|expires| expires <= now);
            let idle = credential.kind == CredentialKind::Session && credential.last_used() + idle <= now;
            if expired || idle {
                credential.end();
            }
            !credential.has_ended()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::access::Scope;

    const HOUR: Duration = Duration::from_secs(3600);

    fn credential(kind: CredentialKind, scope: Scope, expires: Option<u64>) -> Arc<Credential> {
        Credential::new(kind, "id".to_owned(), "name".to_owned(), scope, expires, 0)
    }

    fn known(credential: &Arc<Credential>) -> Credentials {
        let credentials = Credentials::default();
        credentials.replace([(SecretHash::of("secret"), Arc::clone(credential))].into(), true);
        credentials
    }

    #[test]
    fn credential_is_found_by_its_secret_and_kind() {
        let credentials = known(&credential(CredentialKind::Token, Scope::Read, Some(1000)));
        assert!(credentials.find(CredentialKind::Token, "secret", 999).is_some());
        assert!(credentials.find(CredentialKind::Session, "secret", 999).is_none(), "a token is no cookie");
        assert!(credentials.find(CredentialKind::Token, "other", 999).is_none());
        assert!(credentials.find(CredentialKind::Token, "secret", 1000).is_none(), "expired");
    }

    #[test]
    fn credential_that_is_no_longer_stored_or_was_changed_ends() {
        for stored in [
            BySecret::new(),
            [(SecretHash::of("secret"), credential(CredentialKind::Token, Scope::Admin, None))].into(),
        ] {
            let held = credential(CredentialKind::Token, Scope::Read, None);
            known(&held).replace(stored, true);
            assert!(held.has_ended());
        }
    }

    #[test]
    fn credential_that_is_still_stored_keeps_its_streams() {
        let held = credential(CredentialKind::Session, Scope::Read, None);
        let credentials = known(&held);
        credentials
            .replace([(SecretHash::of("secret"), credential(CredentialKind::Session, Scope::Read, None))].into(), true);
        assert!(!held.has_ended());
        assert!(Arc::ptr_eq(&credentials.find(CredentialKind::Session, "secret", 0).unwrap(), &held));
    }

    #[test]
    fn idle_session_ends_unless_a_stream_holds_it() {
        let (held, start) = (credential(CredentialKind::Session, Scope::Read, None), 3_600_000);
        let credentials = known(&held);
        credentials.expire(start, HOUR);
        assert!(!held.has_ended(), "the stream uses it");
        drop(held);
        credentials.expire(2 * start - 1, HOUR);
        assert!(credentials.find(CredentialKind::Session, "secret", start).is_some());
        credentials.expire(2 * start, HOUR);
        assert!(credentials.find(CredentialKind::Session, "secret", start).is_none());
    }

    #[test]
    fn expired_token_ends_its_streams() {
        let held = credential(CredentialKind::Token, Scope::Read, Some(1000));
        let credentials = known(&held);
        credentials.expire(999, HOUR);
        assert!(!held.has_ended());
        credentials.expire(1000, HOUR);
        assert!(held.has_ended());
    }
}
