//! A change of the host: printed by `--dry-run`, and done otherwise.

use super::systemd;
use std::{
    fmt, fs,
    io::{self, Write},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// What systemd is asked to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verb {
    /// Read changed units.
    Reload,
    /// Start the service, or restart it if it runs.
    Restart,
    /// Stop the service.
    Stop,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A program, of which a running one is replaced.
    Copy {
        from: PathBuf,
        to: PathBuf,
    },
    Write {
        path: PathBuf,
        text: String,
    },
    /// A link, in place of an earlier one.
    Link {
        path: PathBuf,
        to: PathBuf,
    },
    /// A file, a link, or a folder with all that it has.
    Remove {
        path: PathBuf,
    },
    Systemd(Verb),
}

impl Step {
    /// Takes the step; a file is replaced whole or not at all.
    pub(super) fn take(&self) -> Result<(), String> {
        let done = match self {
            Self::Copy { from, to } => replace(to, 0o755, |file| io::copy(&mut fs::File::open(from)?, file).map(drop)),
            Self::Write { path, text } => replace(path, 0o644, |file| file.write_all(text.as_bytes())),
            Self::Link { path, to } => link(path, to),
            Self::Remove { path } => remove(path),
            Self::Systemd(verb) => return systemd::request(*verb),
        };
        done.map_err(|error| error.to_string())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Copy { from, to } => write!(f, "copy {} to {}", from.display(), to.display()),
            Self::Write { path, .. } => write!(f, "write {}", path.display()),
            Self::Link { path, to } => write!(f, "link {} to {}", path.display(), to.display()),
            Self::Remove { path } => write!(f, "remove {}", path.display()),
            Self::Systemd(Verb::Reload) => f.write_str("have systemd read its units"),
            Self::Systemd(Verb::Restart) => f.write_str("start hostbeat.service"),
            Self::Systemd(Verb::Stop) => f.write_str("stop hostbeat.service"),
        }
    }
}

fn parent(path: &Path) -> io::Result<&Path> {
    let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(parent)?;
    Ok(parent)
}

fn replace(path: &Path, mode: u32, write: impl FnOnce(&mut fs::File) -> io::Result<()>) -> io::Result<()> {
    let mut file = NamedTempFile::new_in(parent(path)?)?;
    write(file.as_file_mut())?;
    file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn link(path: &Path, to: &Path) -> io::Result<()> {
    parent(path)?;
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => symlink(to, path),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}
