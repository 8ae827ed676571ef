//! The sessions and tokens in use. Streams hold them, and end with them.

use super::{Credential, CredentialKind};
use crate::server::{
    store::{Accounts, Edit, Store, StoreError},
    unix_time::unix_ms,
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::timeout;

/// How often open streams count as a use of their session.
const USE_INTERVAL: Duration = Duration::from_secs(60);

/// The sessions and tokens in use, by id.
#[derive(Debug, Default)]
pub(in crate::server) struct Credentials {
    /// `None` for a server without a data folder.
    store: Option<Store>,
    in_use: Mutex<HashMap<String, Arc<Credential>>>,
}

impl Credentials {
    /// The credentials of the accounts in `store`. They follow it as long as they live.
    pub(in crate::server) fn of(store: Store) -> Arc<Self> {
        let mut changes = store.watch();
        let credentials = Arc::new(Self { store: Some(store), in_use: Mutex::default() });
        let following = Arc::downgrade(&credentials);
        tokio::spawn(async move {
            while let Some(credentials) = following.upgrade() {
                credentials.update();
                drop(credentials);
                if let Ok(Err(_closed)) = timeout(USE_INTERVAL, changes.changed()).await {
                    break;
                }
            }
        });
        credentials
    }

    /// The accounts that the credentials are of.
    ///
    /// # Errors
    /// When the server has no data folder.
    pub(in crate::server) fn store(&self) -> Result<&Store, StoreError> {
        self.store.as_ref().ok_or(StoreError::NoFolder)
    }

    /// Changes what is kept over a restart. Without a data folder, nothing is.
    ///
    /// # Errors
    /// When the data folder can't be written.
    pub(in crate::server) async fn keep(
        &self,
        change: impl FnOnce(&Edit<'_>) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let kept = match self.store() {
            Ok(store) => store.edit(change).await,
            Err(error) => Err(error),
        };
        if matches!(kept, Err(StoreError::NoFolder)) { Ok(()) } else { kept }
    }

    /// The newest snapshot of the accounts.
    pub(in crate::server) fn accounts(&self) -> Arc<Accounts> {
        self.store.as_ref().map(Store::accounts).unwrap_or_default()
    }

    /// The session or token with this secret, unless it has ended.
    pub(in crate::server) fn find(&self, kind: CredentialKind, secret: &str) -> Option<Arc<Credential>> {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        // Read while locked, so that no update comes between and misses a new entry.
        let accounts = self.accounts();
        let found = match kind {
            CredentialKind::Session => Credential::of_session(accounts.session(secret)?),
            CredentialKind::Token => Credential::of_token(accounts.token(secret)?),
            CredentialKind::Proxy => return None,
        };
        Some(Arc::clone(in_use.entry(found.id.clone()).or_insert_with(|| Arc::new(found))))
    }

    /// Ends the credentials that are no longer among the accounts, and forgets those that nothing holds.
    fn update(&self) {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let (accounts, now) = (self.accounts(), unix_ms());
        let tokens = accounts.tokens().into_iter().filter(|token| token.expires.is_none_or(|expires| now < expires));
        let sessions = accounts.sessions().into_iter().map(|session| &session.id);
        let known: HashSet<_> = tokens.map(|token| &token.id).chain(sessions).collect();
        in_use.retain(|id, credential| {
            if !known.contains(id) {
                credential.end();
                return false;
            }
            let is_held = Arc::strong_count(credential) > 1;
            if is_held {
                credential.touch(now);
            }
            is_held
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::store::{DataOptions, Scope, SessionTimeouts};

    async fn until(condition: impl Fn() -> bool) {
        let limit = Duration::from_secs(20);
        let polled = async {
            while !condition() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(limit, polled).await.expect("the condition holds in time");
    }

    #[tokio::test]
    async fn revoked_token_ends_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let options = DataOptions { data: Some(folder.path().join("data")) };
        let store = Store::open(&options, SessionTimeouts::default()).unwrap();
        let credentials = Credentials::of(store.clone());
        let add = async |name: &str| {
            let name = name.parse().unwrap();
            store.edit(move |edit| edit.add_token(&name, Scope::Read, None)).await.unwrap()
        };
        let ((id, revoked), (_, kept)) = (add("revoked").await, add("kept").await);
        let find = |secret: &str| credentials.find(CredentialKind::Token, secret);
        let (held, other) = (find(revoked.expose()).unwrap(), find(kept.expose()).unwrap());
        assert!(credentials.find(CredentialKind::Session, kept.expose()).is_none(), "a token is no cookie");
        store.edit(move |edit| edit.revoke_token(&id)).await.unwrap();
        until(|| held.has_ended()).await;
        assert!(find(revoked.expose()).is_none() && !other.has_ended());
        assert!(Arc::ptr_eq(&find(kept.expose()).unwrap(), &other));
    }

    #[tokio::test]
    async fn token_that_expires_ends_what_it_opened() {
        let folder = tempfile::tempdir().unwrap();
        let options = DataOptions { data: Some(folder.path().join("data")) };
        let store = Store::open(&options, SessionTimeouts::default()).unwrap();
        let credentials = Credentials::of(store.clone());
        let (name, expires) = ("brief".parse().unwrap(), unix_ms() + 1_000);
        let (_, secret) = store.edit(move |edit| edit.add_token(&name, Scope::Read, Some(expires))).await.unwrap();
        let held = credentials.find(CredentialKind::Token, secret.expose()).unwrap();
        until(|| held.has_ended()).await;
        assert!(unix_ms() >= expires);
    }
}
