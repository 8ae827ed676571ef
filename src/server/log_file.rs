//! The file that carries the past over a restart.

use super::log::{InvalidState, TickLog};
use crate::schema::RETENTION_S;
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

/// Why the past can't be kept.
#[derive(Debug, thiserror::Error)]
pub enum LogFileError {
    /// The file can't be read or written.
    #[error("cannot keep the past in {}: {source}; choose a file that this user may write, in a folder where it may write, with --state, or leave that out", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is somebody else's, and stays as it is.
    #[error("{} is not what this version of Hostbeat keeps the past in: {source}; choose another file with --state, or remove it", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: InvalidState,
    },
}

/// Where the past is kept while the server is not there.
#[derive(Debug)]
pub(super) struct LogFile<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> LogFile<'a> {
    /// Opens it, or makes it: who may not write there shall know it at the start.
    pub(super) fn open(path: &'a Path) -> Result<Self, LogFileError> {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path);
        let state = Self { path, file: file.map_err(|source| failed(path, source))? };
        let tried = write_anew(&state.draft(), &[]).and_then(|()| fs::remove_file(state.draft()));
        tried.map_err(|source| failed(path, source))?;
        Ok(state)
    }

    /// What is written before it takes the file's place.
    fn draft(&self) -> PathBuf {
        self.path.with_added_extension("new")
    }

    /// The log that was saved, if there is one that is of any use.
    pub(super) fn restore(&mut self) -> Result<TickLog, LogFileError> {
        let mut text = Vec::new();
        self.file.read_to_end(&mut text).map_err(|source| failed(self.path, source))?;
        let foreign = |source| LogFileError::Foreign { path: self.path.to_owned(), source };
        let log = TickLog::restore(&text).map_err(foreign)?;
        let age = log.head().last_tick.map(age_of);
        Ok(if age.is_some_and(|age| age.as_secs() > RETENTION_S as u64) { TickLog::default() } else { log })
    }

    /// Forgets what was saved: should the server not come to save anew, it would be a past with a hole at its end.
    pub(super) fn clear(&self) -> Result<(), LogFileError> {
        self.file.set_len(0).map_err(|source| failed(self.path, source))
    }

    /// Saves a log, whole or not at all.
    pub(super) fn save(&self, log: &TickLog) -> Result<(), LogFileError> {
        let draft = self.draft();
        let text = log.save().map_err(io::Error::other);
        let saved = text.and_then(|text| write_anew(&draft, &text)).and_then(|()| fs::rename(&draft, self.path));
        saved.map_err(|source| failed(self.path, source))
    }
}

/// Writes a file that nobody has made before: what stands there could be a link to another one.
fn write_anew(path: &Path, text: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

fn failed(path: &Path, source: io::Error) -> LogFileError {
    LogFileError::Io { path: path.to_owned(), source }
}

/// How long ago that was; nothing for what lies ahead.
fn age_of(unix_ms: u64) -> Duration {
    UNIX_EPOCH.elapsed().unwrap_or_default().saturating_sub(Duration::from_millis(unix_ms))
}
