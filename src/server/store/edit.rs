//! Changes of accounts, within one transaction.

use super::{
    MAX_SESSIONS, MAX_TOKENS, MAX_USERS, Name, NewSession, PasswordHash, Proof, Role, Scope, Secret, SessionTimeouts,
    StoreError,
    accounts::{chosen, text_of},
    last_use::SAVE_INTERVAL_MS,
    secret::{SecretHash, new_id},
};
use crate::server::unix_time::unix_ms;
use rusqlite::{OptionalExtension, Params, Row, Transaction, params};
use std::time::Duration;

const MAX_USER_AGENT_CHARS: usize = 200;

/// Changes that are applied together. Triggers end the sessions of a user who is removed or changed.
#[derive(Debug)]
pub struct Edit<'a>(pub(super) &'a Transaction<'a>);

impl<'a> Edit<'a> {
    pub(super) fn new(transaction: &'a Transaction<'a>) -> Self {
        Self(transaction)
    }

    /// Adds a user, who can't sign in with a password without a hash. Sessions of that name end: they are of a proxy's or a
    /// provider's user, who may have another role now.
    ///
    /// # Errors
    /// When the name is taken, or there are as many users as may be.
    pub fn add_user(&self, name: &Name, role: Role, hash: Option<&PasswordHash>) -> Result<(), StoreError> {
        if self.finds("SELECT 1 FROM users WHERE name = ?", [name.as_ref()])? {
            return Err(StoreError::UserExists(name.clone()));
        }
        if self.count("users")? >= MAX_USERS {
            return Err(StoreError::TooManyUsers);
        }
        let insert = "INSERT INTO users (name, role, password_hash, created) VALUES (?, ?, ?, ?)";
        let hash = hash.map(|hash| &hash.0);
        self.0.execute(insert, params![name.as_ref(), text_of(role), hash, unix_ms()])?;
        self.0.execute("DELETE FROM sessions WHERE user_name = ?", [name.as_ref()])?;
        Ok(())
    }

    /// Changes a password, and ends the user's sessions.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn set_password(&self, name: &Name, hash: &PasswordHash) -> Result<(), StoreError> {
        let update = "UPDATE users SET password_hash = ? WHERE name = ?";
        self.change_user(name, update, params![hash.0, name.as_ref()])
    }

    /// Changes the password whose hash was verified, and ends the user's sessions.
    ///
    /// # Errors
    /// When the user was removed, or has another password by now.
    pub fn replace_password(
        &self,
        name: &Name,
        verified: &PasswordHash,
        hash: &PasswordHash,
    ) -> Result<(), StoreError> {
        let update = "UPDATE users SET password_hash = ? WHERE name = ? AND password_hash = ?";
        match self.0.execute(update, params![hash.0, name.as_ref(), verified.0])? {
            0 => Err(StoreError::UserChanged(name.clone())),
            _ => Ok(()),
        }
    }

    /// Changes what a user may do, and ends the user's sessions.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn set_role(&self, name: &Name, role: Role) -> Result<(), StoreError> {
        self.change_user(name, "UPDATE users SET role = ? WHERE name = ?", params![text_of(role), name.as_ref()])
    }

    /// Removes a user with all sessions.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn remove_user(&self, name: &Name) -> Result<(), StoreError> {
        self.change_user(name, "DELETE FROM users WHERE name = ?", params![name.as_ref()])
    }

    /// Adds a token that expires at a time in Unix milliseconds, and returns its id and its secret, which is not kept.
    ///
    /// # Errors
    /// When the name is taken, or there are as many tokens as may be.
    pub fn add_token(&self, name: &Name, scope: Scope, expires: Option<u64>) -> Result<(String, Secret), StoreError> {
        if self.finds("SELECT 1 FROM tokens WHERE name = ?1 OR id = ?1", [name.as_ref()])? {
            return Err(StoreError::TokenExists(name.clone()));
        }
        if self.count("tokens")? >= MAX_TOKENS {
            return Err(StoreError::TooManyTokens);
        }
        let (id, secret) = (new_id()?, Secret::of_token()?);
        let insert = "INSERT INTO tokens (id, name, scope, secret_hash, created, expires) VALUES (?, ?, ?, ?, ?, ?)";
        let hash = SecretHash::of(secret.expose());
        self.0.execute(insert, params![id, name.as_ref(), text_of(scope), hash, unix_ms(), expires])?;
        Ok((id, secret))
    }

    /// Removes a token by its id or name.
    ///
    /// # Errors
    /// When there is no such token.
    pub fn revoke_token(&self, id_or_name: &str) -> Result<(), StoreError> {
        match self.0.execute("DELETE FROM tokens WHERE id = ?1 OR name = ?1", [id_or_name])? {
            0 => Err(StoreError::UnknownToken(id_or_name.to_owned())),
            _ => Ok(()),
        }
    }

    /// Starts a session and returns its id and its secret, which is not kept. Past the maximum of sessions, the one that
    /// was not seen for longest ends.
    ///
    /// # Errors
    /// When the password is no longer the user's, or a provider's user has the name of a user here.
    pub fn start_session(&self, new: &NewSession) -> Result<(String, Secret), StoreError> {
        let role = self.role_of(&new.user, &new.proof)?;
        let (id, secret, now) = (new_id()?, Secret::of_session()?, unix_ms());
        let user_agent: String = new.user_agent.chars().take(MAX_USER_AGENT_CHARS).collect();
        let (role, method) = (text_of(role), text_of(new.proof.method()));
        let hash = SecretHash::of(secret.expose());
        self.0.execute(
            "INSERT INTO sessions (id, secret_hash, user_name, role, method, address, user_agent, created, last_seen)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![id, hash, new.user.as_ref(), role, method, new.address.to_string(), user_agent, now, now],
        )?;
        // The new session is kept even when the clock stepped back.
        self.0.execute(
            "DELETE FROM sessions WHERE id IN
             (SELECT id FROM sessions WHERE id <> ? ORDER BY last_seen DESC LIMIT -1 OFFSET ?)",
            params![id, MAX_SESSIONS - 1],
        )?;
        Ok((id, secret))
    }

    /// What a user who signs in may do now; the proof may be of an earlier time.
    fn role_of(&self, user: &Name, proof: &Proof) -> Result<Role, StoreError> {
        let select = "SELECT role, password_hash FROM users WHERE name = ?";
        let read = |row: &Row<'_>| Ok((chosen(row, "role")?, row.get::<_, Option<String>>("password_hash")?));
        match (proof, self.0.query_row(select, [user.as_ref()], read).optional()?) {
            (Proof::Password(verified), Some((role, Some(hash)))) if verified.0 == hash => Ok(role),
            (Proof::Password(_), _) => Err(StoreError::UserChanged(user.clone())),
            (Proof::Proxy, known) => Ok(known.map_or(Role::Viewer, |(role, _)| role)),
            // Whoever may choose a name at the provider must not become a user of that name here.
            (Proof::Oidc(_), Some(_)) => Err(StoreError::NameOfLocalUser(user.clone())),
            (Proof::Oidc(role), None) => Ok(*role),
        }
    }

    /// Refuses changes by a session that has ended.
    ///
    /// # Errors
    /// When there is no session with that id.
    pub fn require_session(&self, id: &str) -> Result<(), StoreError> {
        if self.finds("SELECT 1 FROM sessions WHERE id = ?", [id])? { Ok(()) } else { Err(StoreError::SessionEnded) }
    }

    /// Ends a session by its id; one that has ended already is no error.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn end_session(&self, id: &str) -> Result<(), StoreError> {
        self.0.execute("DELETE FROM sessions WHERE id = ?", [id])?;
        Ok(())
    }

    /// Removes expired sessions from the file.
    pub(super) fn remove_expired_sessions(&self, timeouts: SessionTimeouts) -> Result<(), StoreError> {
        let before = |timeout: Duration| unix_ms().saturating_sub(timeout.as_millis() as u64);
        // The file lags behind the last use.
        let seen = before(timeouts.idle).saturating_sub(SAVE_INTERVAL_MS);
        let delete = "DELETE FROM sessions WHERE created <= ? OR last_seen <= ?";
        self.0.execute(delete, params![before(timeouts.absolute), seen])?;
        Ok(())
    }

    /// Writes when a token was last used.
    pub(super) fn set_last_used(&self, token: &str, time: u64) -> Result<(), StoreError> {
        self.0.execute("UPDATE tokens SET last_used = ? WHERE id = ?", params![time, token])?;
        Ok(())
    }

    /// Writes when a session was last seen.
    pub(super) fn set_last_seen(&self, session: &str, time: u64) -> Result<(), StoreError> {
        self.0.execute("UPDATE sessions SET last_seen = ? WHERE id = ?", params![time, session])?;
        Ok(())
    }

    fn change_user(&self, name: &Name, statement: &str, values: impl Params) -> Result<(), StoreError> {
        match self.0.execute(statement, values)? {
            0 => Err(StoreError::UnknownUser(name.clone())),
            _ => Ok(()),
        }
    }

    fn finds(&self, query: &str, values: impl Params) -> Result<bool, StoreError> {
        Ok(self.0.query_row(query, values, |_| Ok(())).optional()?.is_some())
    }

    pub(super) fn count(&self, table: &str) -> Result<usize, StoreError> {
        Ok(self.0.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?)
    }
}
