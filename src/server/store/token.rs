//! Tokens: access for programs.

use super::{
    Name,
    accounts::{chosen, parsed},
    last_use::LastUse,
};
use clap::ValueEnum;
use rusqlite::Row;

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// To see everything.
    Read,
    /// To publish values.
    Publish,
    /// What an admin may do.
    Admin,
}

/// A token without its secret.
#[derive(Debug)]
pub struct Token {
    /// Unique and public.
    pub id: String,
    /// Unique name.
    pub name: Name,
    /// What it allows.
    pub scope: Scope,
    /// Unix milliseconds.
    pub created: u64,
    /// Unix milliseconds; `None` for never.
    pub expires: Option<u64>,
    /// Its last use by a request.
    pub last_used: LastUse,
}

impl Token {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            name: parsed(row, "name")?,
            scope: chosen(row, "scope")?,
            created: row.get("created")?,
            expires: row.get("expires")?,
            last_used: LastUse::saved_at(row.get::<_, Option<u64>>("last_used")?.unwrap_or_default()),
        })
    }
}
