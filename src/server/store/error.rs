//! Why accounts can't be read or changed.

use super::{InvalidName, InvalidPassword, MAX_TOKENS, MAX_USERS, Name, tables::VERSION};
use std::{io, path::PathBuf};

/// Why accounts can't be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is neither a home folder nor a configured one.
    #[error("there is no folder to keep users and tokens in; name one with --data DIR")]
    NoFolder,
    /// The folder or a file in it can't be made or opened.
    #[error("cannot use {}: {source}; choose a folder that this user may write, with --data DIR", path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Another server has the folder.
    #[error("another server uses {}; stop it, or give this one a folder of its own with --data DIR", .0.display())]
    InUse(PathBuf),
    /// A newer Hostbeat wrote the file.
    #[error(
        "{} is of a newer Hostbeat (version {version} of its tables, this one knows up to {VERSION}); it was not \
         changed. Start the newer one, or choose another folder with --data DIR",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: usize,
    },
    /// The file is no database, or not a whole one.
    #[error("{} is damaged: {reason}; a server that starts sets it aside", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A failed read or write.
    #[error("cannot read or write users and tokens: {0}")]
    Database(#[from] rusqlite::Error),
    /// The system has no random bytes.
    #[error("the system has no random bytes: {0}")]
    Random(getrandom::Error),
    /// A password can't be hashed.
    #[error("cannot hash the password: {0}")]
    Password(argon2::password_hash::Error),
    /// No such name.
    #[error(transparent)]
    InvalidName(#[from] InvalidName),
    /// No such password.
    #[error(transparent)]
    InvalidPassword(#[from] InvalidPassword),
    /// The name is taken.
    #[error("there is a user {0} already; change the password with: hostbeat user passwd {0}")]
    UserExists(Name),
    /// The name is taken.
    #[error("there is a token {0} already; choose another name, or revoke it with: hostbeat token revoke {0}")]
    TokenExists(Name),
    /// No user has the name.
    #[error("there is no user {0}; hostbeat user list shows all")]
    UnknownUser(Name),
    /// The user is no longer the one whose password was verified.
    #[error("the user {0} was removed or changed meanwhile")]
    UserChanged(Name),
    /// A provider's user has the name of one with a password.
    #[error("{0} is the name of a user with a password here, and the provider's users are others")]
    NameOfLocalUser(Name),
    /// The session that makes a change is no longer open.
    #[error("the session has ended; sign in again")]
    SessionEnded,
    /// No token has the id or name.
    #[error("there is no token {0}; hostbeat token list shows all")]
    UnknownToken(String),
    /// The bound of users is reached.
    #[error("there are {MAX_USERS} users, the maximum; remove one with: hostbeat user remove NAME")]
    TooManyUsers,
    /// The bound of tokens is reached.
    #[error("there are {MAX_TOKENS} tokens, the maximum; revoke one with: hostbeat token revoke NAME")]
    TooManyTokens,
    /// The file can't be read, as was logged.
    #[error("the file of users and tokens can't be read")]
    Unread,
    /// The thread that was to write has ended.
    #[error("the thread that writes users and tokens has ended")]
    Thread,
}

impl StoreError {
    /// Whether what was asked for must change, rather than the system.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        !matches!(
            self,
            Self::Folder { .. }
                | Self::Damaged { .. }
                | Self::Database(_)
                | Self::Random(_)
                | Self::Password(_)
                | Self::Unread
                | Self::Thread
        )
    }
}

/// Whether the error comes from the file's content, and not from the disk, the system or a busy file.
pub(in crate::server) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::{Error, ErrorCode};
    match error {
        Error::SqliteFailure(failure, _) => matches!(
            failure.code,
            // Unknown: SQLITE_ERROR, as of a missing table.
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SchemaChanged | ErrorCode::Unknown
        ),
        Error::SqlInputError { .. }
        | Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..) => true,
        _ => false,
    }
}
