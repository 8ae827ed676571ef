//! Why the history can't be kept or read.

use super::chunk::DamagedChunk;
use crate::server::store::StoreError;
use pco::errors::PcoError;
use std::path::PathBuf;

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
    /// Values can't be compressed.
    #[error("cannot compress the history: {0}")]
    Compress(#[from] PcoError),
    /// A chunk can't be read.
    #[error("a chunk of the history is damaged: {0}")]
    Chunk(#[from] DamagedChunk),
    /// The recorder's thread can't be started.
    #[error("cannot start the thread that records the history: {0}")]
    Thread(#[from] std::io::Error),
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

    /// Whether the cause is the file's content.
    pub(super) fn is_damage(&self) -> bool {
        matches!(self, Self::Database(error) if crate::server::store::is_damage(error))
    }
}
