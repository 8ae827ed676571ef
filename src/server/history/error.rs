//! Why the history can't be kept or read.

use super::chunk::DamagedChunk;
use crate::server::store::{self, StoreError};
use pco::errors::PcoError;
use rusqlite::{
    ErrorCode,
    ffi::{SQLITE_IOERR_CORRUPTFS, SQLITE_IOERR_READ, SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_SHORT_READ},
};
use std::{io, path::PathBuf};

/// Why the history can't be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The data folder can't be used.
    #[error(transparent)]
    Folder(#[from] StoreError),
    /// A newer Hostbeat wrote the file.
    #[error(
        "{} is of a newer Hostbeat; it was not changed. Start the newer one, choose another folder with --data DIR, or \
         keep no history with --history off",
        .0.display()
    )]
    Newer(PathBuf),
    /// The file can't be read or written.
    #[error("cannot use the history: {0}")]
    Database(#[from] rusqlite::Error),
    /// A check of the whole file found damage.
    #[error("{0}")]
    Damaged(String),
    /// Values can't be compressed.
    #[error("cannot compress the history: {0}")]
    Compress(#[from] PcoError),
    /// A chunk can't be read.
    #[error("a chunk of the history is damaged: {0}")]
    Chunk(#[from] DamagedChunk),
    /// A file beside it can't be read or written.
    #[error("cannot use the file of the history: {0}")]
    File(#[from] io::Error),
    /// The recorder's thread can't be started, or a query's has ended.
    #[error("cannot start the thread that records the history: {0}")]
    Thread(io::Error),
}

impl HistoryError {
    /// Whether a flag must change, rather than the system.
    pub(in crate::server) fn is_bad_input(&self) -> bool {
        match self {
            Self::Folder(error) => error.is_bad_input(),
            Self::Newer(_) => true,
            _ => false,
        }
    }

    /// Whether another server records in the folder.
    pub(super) fn is_in_use(&self) -> bool {
        matches!(self, Self::Folder(StoreError::InUse(_)))
    }

    /// Whether the disk has no room.
    pub(super) fn is_full_disk(&self) -> bool {
        match self {
            Self::Database(error) => {
                // The file of shared memory can't grow.
                error.sqlite_error_code() == Some(ErrorCode::DiskFull)
                    || error.sqlite_error().is_some_and(|error| error.extended_code == SQLITE_IOERR_SHMSIZE)
            }
            Self::File(error) | Self::Folder(StoreError::Folder { source: error, .. }) => {
                error.kind() == io::ErrorKind::StorageFull
            }
            _ => false,
        }
    }

    /// Whether the cause is the file's content.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Database(error) => is_damage(error),
            Self::Damaged(_) => true,
            _ => false,
        }
    }
}

/// Whether the error comes from the file's content, or from a part of the disk that can't be read.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    let unreadable = [SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ, SQLITE_IOERR_CORRUPTFS];
    store::is_damage(error)
        || matches!(error, rusqlite::Error::Utf8Error(..))
        || error.sqlite_error().is_some_and(|failure| unreadable.contains(&failure.extended_code))
}
