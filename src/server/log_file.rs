//! The file that holds the saved log across a restart: it is replaced whole or not at all. `log/persistence.rs` has the
//! format.

use super::log::TickLog;
use crate::schema::{Identity, RETENTION_S};
use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};
use tempfile::NamedTempFile;

/// Why the log can't be kept in a file.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep the history in {}: {source}; choose a file that this user may write, in a folder where it may write, with --state, or leave that out", path.display())]
pub struct LogFileError {
    path: PathBuf,
    source: io::Error,
}

/// Keeps the log while the server is not running.
#[derive(Debug)]
pub(super) struct LogFile<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> LogFile<'a> {
    /// Opens or creates the file. A folder that can't be written is reported at the start, not at the end, and so is a
    /// file that another server uses.
    pub(super) fn open(path: &'a Path) -> Result<Self, LogFileError> {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.and_then(|file| draft_beside(path).and_then(|_| regular(file)));
        let file = file.map_err(|source| io_error(path, source))?;
        // Filesystems without locks are no reason to warn.
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            tracing::warn!("another server uses {} too: the last to stop replaces its history", path.display());
        }
        Ok(Self { path, file })
    }

    /// The saved log; an empty one if there is none within the retention. A file that can't be restored, or is another
    /// host's, is set aside, so that the server starts and the next save doesn't replace it.
    pub(super) fn restore(&mut self, host_id: Option<String>) -> Result<TickLog, LogFileError> {
        let mut text = Vec::new();
        self.file.read_to_end(&mut text).map_err(|source| io_error(self.path, source))?;
        let log = match TickLog::restore(&text, host_id.as_deref()) {
            Ok(log) => log,
            Err(error) => {
                let kept = self.set_aside().map_err(|source| io_error(self.path, source))?;
                let (path, kept) = (self.path.display(), kept.display());
                tracing::warn!("cannot restore the history from {path}: {error}; the file is kept as {kept}");
                return Ok(TickLog::of(Identity::new_epoch(host_id)));
            }
        };
        let age = log.head().last_tick.map(age_of);
        let is_expired = age.is_some_and(|age| age.as_secs() > RETENTION_S as u64);
        Ok(if is_expired { TickLog::of(Identity::new_epoch(Some(log.identity().host_id.clone()))) } else { log })
    }

    /// Renames the file to `<name>.damaged-<unix seconds>`, and returns its new path.
    fn set_aside(&self) -> io::Result<PathBuf> {
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".damaged-{}", UNIX_EPOCH.elapsed().unwrap_or_default().as_secs()));
        fs::rename(self.path, &name)?;
        Ok(name.into())
    }

    /// Saves the log whole or not at all.
    pub(super) fn save(&self, log: &TickLog) -> Result<(), LogFileError> {
        let saved = log.save().map_err(io::Error::other).and_then(|text| replace(self.path, &text));
        saved.map_err(|source| io_error(self.path, source))
    }
}

/// Saving would replace a device such as `/dev/null`.
fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no regular file")) }
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
    LogFileError { path: path.to_owned(), source }
}

/// Time since then; zero for a time in the future.
fn age_of(unix_ms: u64) -> Duration {
    UNIX_EPOCH.elapsed().unwrap_or_default().saturating_sub(Duration::from_millis(unix_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::log::tests::tick;

    fn now_s() -> u64 {
        UNIX_EPOCH.elapsed().unwrap().as_secs()
    }

    /// A log of the last three seconds.
    fn log() -> TickLog {
        let log = TickLog::default();
        (now_s() - 2..=now_s()).for_each(|second| log.publish(&tick(second * 1000)));
        log
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn device_is_refused_and_kept() {
        // A link, so that a fault would replace only that.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        assert!(LogFile::open(&path).unwrap_err().to_string().contains("no regular file"));
        assert!(path.is_symlink() && names(folder.path()) == ["state"]);
    }

    #[test]
    fn file_is_unchanged_until_the_next_save() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        LogFile::open(&path).unwrap().save(&log()).unwrap();
        let saved = fs::read(&path).unwrap();
        let mut file = LogFile::open(&path).unwrap();
        let restored = file.restore(None).unwrap();
        assert_eq!(restored.snapshot(3600).0.n, 3);
        assert_eq!(fs::read(&path).unwrap(), saved);
        file.save(&TickLog::default()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
        assert_eq!(names(folder.path()), ["state"]);
    }

    #[test]
    fn damaged_file_is_set_aside_and_the_log_starts_empty() {
        let saved = log().save().unwrap();
        let newer = String::from_utf8(saved.clone()).unwrap().replace("\"schema\":2", "\"schema\":3").into_bytes();
        for content in [saved[..saved.len() * 2 / 3].to_vec(), vec![0; 4000], newer, b"user = me\n".to_vec()] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("state");
            fs::write(&path, &content).unwrap();
            let mut file = LogFile::open(&path).unwrap();
            let log = file.restore(None).unwrap();
            assert_eq!(log.head().last_tick, None);
            let [kept] = &names(folder.path())[..] else { panic!("{:?}", names(folder.path())) };
            assert!(kept.starts_with("state.damaged-"), "{kept}");
            file.save(&log).unwrap();
            assert_eq!(fs::read(folder.path().join(kept)).unwrap(), content);
        }
    }

    /// Servers that share a file must not harm each other's drafts.
    #[test]
    fn servers_with_one_file_leave_a_whole_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| LogFile::open(&path).unwrap().save(&log()).unwrap());
            }
        });
        assert_eq!(LogFile::open(&path).unwrap().restore(None).unwrap().snapshot(3600).0.n, 3);
        assert_eq!(names(folder.path()), ["state"]);
    }
}
