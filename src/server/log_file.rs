//! The file that holds the saved log across a restart: opened, emptied and replaced whole. `log/persistence.rs` has the
//! format.

use super::log::{InvalidLog, TickLog};
use crate::schema::RETENTION_S;
use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};
use tempfile::NamedTempFile;

/// Why the log can't be kept in a file.
#[derive(Debug, thiserror::Error)]
pub enum LogFileError {
    /// The file can't be read or written.
    #[error("cannot keep the history in {}: {source}; choose a file that this user may write, in a folder where it may write, with --state, or leave that out", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file has another format, and is left as it is.
    #[error("{} is not a history that this version of Hostbeat wrote: {source}; choose another file with --state, or remove it", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: InvalidLog,
    },
}

/// Keeps the log while the server is not running.
#[derive(Debug)]
pub(super) struct LogFile<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> LogFile<'a> {
    /// Opens or creates the file. A folder that can't be written is reported at the start, not at the end.
    pub(super) fn open(path: &'a Path) -> Result<Self, LogFileError> {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.and_then(|file| draft_beside(path).map(|_| file));
        Ok(Self { path, file: file.map_err(|source| io_error(path, source))? })
    }

    /// The saved log; an empty one if there is none within the retention.
    pub(super) fn restore(&mut self) -> Result<TickLog, LogFileError> {
        let mut text = Vec::new();
        self.file.read_to_end(&mut text).map_err(|source| io_error(self.path, source))?;
        let foreign = |source| LogFileError::Foreign { path: self.path.to_owned(), source };
        let log = TickLog::restore(&text).map_err(foreign)?;
        let age = log.head().last_tick.map(age_of);
        Ok(if age.is_some_and(|age| age.as_secs() > RETENTION_S as u64) { TickLog::default() } else { log })
    }

    /// Empties the file. If the server ends without saving, an old log would end in a gap.
    pub(super) fn clear(&self) -> Result<(), LogFileError> {
        self.file.set_len(0).map_err(|source| io_error(self.path, source))
    }

    /// Saves the log whole or not at all.
    pub(super) fn save(&self, log: &TickLog) -> Result<(), LogFileError> {
        let saved = log.save().map_err(io::Error::other).and_then(|text| replace(self.path, &text));
        saved.map_err(|source| io_error(self.path, source))
    }
}

/// Writes a file beside `path`, and renames it over `path`.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut draft = draft_beside(path)?;
    draft.write_all(text)?;
    draft.as_file().sync_all()?;
    draft.persist(path)?;
    Ok(())
}

/// A new file in the folder of `path`, removed when dropped. A rename can't cross filesystems.
fn draft_beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
}

fn io_error(path: &Path, source: io::Error) -> LogFileError {
    LogFileError::Io { path: path.to_owned(), source }
}

/// Time since then; zero for a time in the future.
fn age_of(unix_ms: u64) -> Duration {
    UNIX_EPOCH.elapsed().unwrap_or_default().saturating_sub(Duration::from_millis(unix_ms))
}
