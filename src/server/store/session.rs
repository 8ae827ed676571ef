//! Sessions: browsers that are signed in.

use super::{
    Name, PasswordHash, Role, SessionTimeouts,
    accounts::{chosen, parsed},
    last_use::LastUse,
};
use clap::ValueEnum;
use rusqlite::Row;
use std::net::IpAddr;

/// How a user signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SignInMethod {
    /// With a password.
    Password,
    /// At a proxy.
    Proxy,
    /// At an OpenID Connect provider.
    Oidc,
}

/// What was verified of a user who signs in.
#[derive(Clone, Debug)]
pub enum Proof {
    /// The password matched this hash.
    Password(PasswordHash),
    /// A proxy vouches for the name.
    Proxy,
    /// A provider vouches for the name, and its groups give this role.
    Oidc(Role),
}

impl Proof {
    pub(super) fn method(&self) -> SignInMethod {
        match self {
            Self::Password(_) => SignInMethod::Password,
            Self::Proxy => SignInMethod::Proxy,
            Self::Oidc(_) => SignInMethod::Oidc,
        }
    }
}

/// Who signs in, and from where.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The user, whom the users' table may not have unless the proof is a password.
    pub user: Name,
    /// What was verified.
    pub proof: Proof,
    /// The client's address.
    pub address: IpAddr,
    /// `User-Agent`, of which 200 characters are kept.
    pub user_agent: String,
}

/// A session without its secret.
#[derive(Debug)]
pub struct Session {
    /// Unique and public.
    pub id: String,
    /// The user's name.
    pub user: Name,
    /// What the user may do.
    pub role: Role,
    /// How the user signed in.
    pub method: SignInMethod,
    /// The address at sign-in.
    pub address: IpAddr,
    /// The browser at sign-in.
    pub user_agent: String,
    /// Unix milliseconds.
    pub created: u64,
    /// The last request.
    pub last_seen: LastUse,
    timeouts: SessionTimeouts,
}

impl Session {
    /// When it ends unless it is used before, in Unix milliseconds.
    pub fn expires(&self) -> u64 {
        let after = |start: u64, timeout: std::time::Duration| start.saturating_add(timeout.as_millis() as u64);
        let idle = after(self.last_seen.get().unwrap_or_default(), self.timeouts.idle);
        idle.min(after(self.created, self.timeouts.absolute))
    }

    pub(super) fn read(row: &Row<'_>, timeouts: SessionTimeouts) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            user: parsed(row, "user_name")?,
            role: chosen(row, "role")?,
            method: chosen(row, "method")?,
            address: parsed(row, "address")?,
            user_agent: row.get("user_agent")?,
            created: row.get("created")?,
            last_seen: LastUse::saved_at(row.get("last_seen")?),
            timeouts,
        })
    }
}
