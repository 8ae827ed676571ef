//! Secrets in files of their own: other users of the host can read flags.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Why a file has no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// The file can't be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file has nothing in it.
    #[error("{} is empty", .0.display())]
    Empty(PathBuf),
}

/// The secret in a file, without the white space around it.
pub(super) fn read_secret(path: &Path) -> Result<String, SecretFileError> {
    let text = fs::read_to_string(path);
    let text = text.map_err(|source| SecretFileError::Unreadable { path: path.to_owned(), source })?;
    match text.trim() {
        "" => Err(SecretFileError::Empty(path.to_owned())),
        secret => Ok(secret.to_owned()),
    }
}
