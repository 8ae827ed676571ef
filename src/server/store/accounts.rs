//! All users, tokens and sessions at one time, in memory: what a request is checked against.

use super::{
    MAX_SESSIONS, MAX_TOKENS, MAX_USERS, Name, PasswordHash, SessionTimeouts, secret::SecretHash, session::Session,
    token::Token,
};
use crate::server::unix_time::unix_ms;
use clap::ValueEnum;
use rusqlite::{Connection, Row, types::Type};
use std::{collections::HashMap, str::FromStr, sync::Arc};

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// See everything.
    Viewer,
    /// Change users, tokens and sessions, too.
    Admin,
}

/// Who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Unique name.
    pub name: Name,
    /// What the user may do.
    pub role: Role,
    /// `None` for a user who can't sign in with a password.
    pub password_hash: Option<PasswordHash>,
    /// Unix milliseconds.
    pub created: u64,
}

/// An immutable snapshot.
#[derive(Debug, Default)]
pub struct Accounts {
    users: HashMap<Name, User>,
    tokens: HashMap<SecretHash, Arc<Token>>,
    sessions: HashMap<SecretHash, Arc<Session>>,
    is_unknown: bool,
    read_at: u64,
}

impl Accounts {
    /// Nobody, because the file can't be read or was lost.
    pub(super) fn unknown() -> Self {
        Self { is_unknown: true, ..Self::default() }
    }

    pub(super) fn read(connection: &Connection, previous: &Self, timeouts: SessionTimeouts) -> rusqlite::Result<Self> {
        let now = unix_ms();
        let mut accounts = Self { read_at: now, ..Self::default() };
        let mut users = connection.prepare("SELECT * FROM users LIMIT ?")?;
        for user in users.query_map([MAX_USERS], User::read)? {
            let user = user?;
            accounts.users.insert(user.name.clone(), user);
        }
        let mut tokens = connection.prepare("SELECT * FROM tokens LIMIT ?")?;
        for row in tokens.query_map([MAX_TOKENS], |row| Ok((row.get("secret_hash")?, Token::read(row)?)))? {
            let (hash, mut token) = row?;
            if let Some(previous) = previous.tokens.get(&hash) {
                token.last_used.continue_from(&previous.last_used);
            }
            accounts.tokens.insert(hash, Arc::new(token));
        }
        let mut sessions = connection.prepare("SELECT * FROM sessions ORDER BY last_seen DESC LIMIT ?")?;
        let read = |row: &Row<'_>| Ok((row.get("secret_hash")?, Session::read(row, timeouts)?));
        for row in sessions.query_map([MAX_SESSIONS], read)? {
            let (hash, mut session) = row?;
            if let Some(previous) = previous.sessions.get(&hash) {
                session.last_seen.continue_from(&previous.last_seen);
            }
            if session.expires() > now {
                accounts.sessions.insert(hash, Arc::new(session));
            }
        }
        Ok(accounts)
    }

    /// Whether the file could be read. If not, nobody can be told from a stranger: only this host may be served, directly.
    pub fn are_known(&self) -> bool {
        !self.is_unknown
    }

    /// Whether requests need a principal.
    pub fn has_users(&self) -> bool {
        !self.users.is_empty()
    }

    /// Whether users or tokens were ever added, as far as that is known.
    pub fn are_used(&self) -> bool {
        self.is_unknown || !self.users.is_empty() || !self.tokens.is_empty()
    }

    /// Whether there is nothing that a missing file could end.
    pub(super) fn is_known_to_be_empty(&self) -> bool {
        self.are_known() && self.users.is_empty() && self.tokens.is_empty() && self.sessions.is_empty()
    }

    /// The user of that name.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.get(name)
    }

    /// All users, by name.
    pub fn users(&self) -> Vec<&User> {
        let mut users: Vec<_> = self.users.values().collect();
        users.sort_by_key(|user| &user.name);
        users
    }

    /// The token with that secret, unless it has expired; marks it as used.
    pub fn token(&self, secret: &str) -> Option<&Arc<Token>> {
        let (token, now) = (self.tokens.get(&SecretHash::of(secret))?, unix_ms());
        let is_valid = token.expires.is_none_or(|expires| now < expires);
        is_valid.then(|| token.last_used.set(now))?;
        Some(token)
    }

    /// All tokens, expired ones included, by name.
    pub fn tokens(&self) -> Vec<&Arc<Token>> {
        let mut tokens: Vec<_> = self.tokens.values().collect();
        tokens.sort_by_key(|token| &token.name);
        tokens
    }

    /// The session with that secret, unless it has expired; marks it as seen.
    pub fn session(&self, secret: &str) -> Option<&Arc<Session>> {
        let (session, now) = (self.sessions.get(&SecretHash::of(secret))?, unix_ms());
        (now < session.expires()).then(|| session.last_seen.set(now))?;
        Some(session)
    }

    /// All sessions, newest first.
    pub fn sessions(&self) -> Vec<&Arc<Session>> {
        let mut sessions: Vec<_> = self.sessions.values().collect();
        sessions.sort_by_key(|session| std::cmp::Reverse((session.created, &session.id)));
        sessions
    }

    /// Whether a token or session has expired since the snapshot was read.
    pub(super) fn have_expired(&self) -> bool {
        let expired = self.read_at + 1..=unix_ms();
        self.sessions.values().any(|session| expired.contains(&session.expires()))
            || self.tokens.values().any(|token| token.expires.is_some_and(|expires| expired.contains(&expires)))
    }
}

impl User {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            name: parsed(row, "name")?,
            role: chosen(row, "role")?,
            password_hash: row.get::<_, Option<String>>("password_hash")?.map(PasswordHash),
            created: row.get("created")?,
        })
    }
}

/// A column's text as what it stands for.
pub(super) fn parsed<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    column: &str,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

/// A column's text as one of several choices.
pub(super) fn chosen<T: ValueEnum>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    T::from_str(&text, false).map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into()))
}

/// The text of a choice, as in flags and in the file.
pub(in crate::server) fn text_of(choice: impl ValueEnum) -> String {
    choice.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}
