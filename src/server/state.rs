//! The file that carries the past over a restart.

use super::hub::Hub;
use crate::metrics::RETENTION_S;
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

/// A file that can't be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep the past in {}: {source}; choose a file that this user may write with --state, or leave that out", path.display())]
pub struct StateError {
    path: PathBuf,
    source: io::Error,
}

/// Where the past is kept while the server is not there.
#[derive(Debug)]
pub(super) struct StateFile<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> StateFile<'a> {
    /// Opens it, or makes it: who may not write there shall know it at the start.
    pub(super) fn open(path: &'a Path) -> Result<Self, StateError> {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path);
        Ok(Self { path, file: file.map_err(|source| failed(path, source))? })
    }

    /// The hub that was saved, if there is one that is of any use.
    pub(super) fn restore(&mut self) -> Result<Hub, StateError> {
        let mut text = Vec::new();
        self.file.read_to_end(&mut text).map_err(|source| failed(self.path, source))?;
        let hub = Hub::restore(&text).unwrap_or_else(|error| {
            tracing::warn!(path = %self.path.display(), %error, "what was kept can't be used; starting without");
            Hub::default()
        });
        let age = hub.head().last_tick.map(age_of);
        Ok(if age.is_some_and(|age| age.as_secs() > RETENTION_S as u64) { Hub::default() } else { hub })
    }

    /// Forgets what was saved: should the server not come to save anew, it would be a past with a hole at its end.
    pub(super) fn clear(&self) -> Result<(), StateError> {
        self.file.set_len(0).map_err(|source| failed(self.path, source))
    }

    /// Saves a hub, whole or not at all.
    pub(super) fn save(&self, hub: &Hub) -> Result<(), StateError> {
        let draft = self.path.with_added_extension("new");
        let text = hub.save().map_err(io::Error::other);
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

fn failed(path: &Path, source: io::Error) -> StateError {
    StateError { path: path.to_owned(), source }
}

/// How long ago that was; nothing for what lies ahead.
fn age_of(unix_ms: u64) -> Duration {
    UNIX_EPOCH.elapsed().unwrap_or_default().saturating_sub(Duration::from_millis(unix_ms))
}
