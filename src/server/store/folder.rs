//! The data folder: where it is, who may read it, and the locks that keep its files to one server.

use super::{DataOptions, StoreError};
use std::{
    env,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

/// A folder that may not exist yet.
#[derive(Clone, Debug)]
pub(in crate::server) struct Folder {
    path: PathBuf,
    /// Nobody named it: several servers of one user may share it without meaning to.
    pub(in crate::server) is_default: bool,
}

/// The path of the data folder, which is made if it is missing.
///
/// # Errors
/// When there is none, or it can't be made.
pub(in crate::server) fn data_folder(options: &DataOptions) -> Result<PathBuf, StoreError> {
    let folder = Folder::find(options).ok_or(StoreError::NoFolder)?;
    folder.create()?;
    Ok(folder.path)
}

impl Folder {
    /// The configured folder, or the default one. `None` without a home folder.
    pub(in crate::server) fn find(options: &DataOptions) -> Option<Self> {
        let variable = |name| env::var_os(name).filter(|value| !value.is_empty());
        // systemd lists several folders with colons between them.
        let by_systemd = || env::split_paths(&variable("STATE_DIRECTORY")?).next();
        if let Some(path) = options.data.clone().or_else(by_systemd) {
            return Some(Self { path, is_default: false });
        }
        let by_desktop = variable("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let in_home = || Some(Path::new(&variable("HOME")?).join(".local/state"));
        let path = by_desktop.or_else(in_home)?.join("hostbeat");
        Some(Self { path, is_default: true })
    }

    /// The path of a file in it.
    pub(in crate::server) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes the folder, for its owner only.
    pub(in crate::server) fn create(&self) -> Result<(), StoreError> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(&self.path).map_err(|source| folder_error(&self.path, source))
    }

    /// Makes an empty file unless there is one. SQLite gives the mode and the owner of a database to the files beside it.
    pub(in crate::server) fn create_file(&self, name: &str) -> Result<(), StoreError> {
        self.open_or_create(name).map(drop)
    }

    /// Keeps other servers from what the lock stands for until the file is dropped.
    pub(in crate::server) fn lock(&self, name: &str) -> Result<File, StoreError> {
        let file = self.open_or_create(name)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(self.path.clone())),
            Err(TryLockError::Error(source)) => Err(folder_error(&self.path.join(name), source)),
        }
    }

    /// Renames a database to `<name>.<label>-<unix seconds>`, and returns its new path. Its log goes first: beside a new
    /// database it would be taken for that one's.
    pub(in crate::server) fn set_aside(&self, name: &str, label: &str) -> Result<PathBuf, StoreError> {
        let kept = self.file(&format!("{name}.{label}-{}", UNIX_EPOCH.elapsed().unwrap_or_default().as_secs()));
        let rename = |suffix: &str| {
            let with = |path: &Path| PathBuf::from([path.as_os_str(), suffix.as_ref()].join("".as_ref()));
            match fs::rename(with(&self.file(name)), with(&kept)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(folder_error(&self.path, error)),
                _ => Ok(()),
            }
        };
        ["-wal", "-shm", ""].into_iter().try_for_each(rename)?;
        Ok(kept)
    }

    /// Whether a database was set aside here under `label`.
    pub(super) fn has_set_aside(&self, name: &str, label: &str) -> bool {
        let start = format!("{name}.{label}-");
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with(&start))
    }

    /// A file for its owner only. What root makes in another user's folder belongs to that user.
    fn open_or_create(&self, name: &str) -> Result<File, StoreError> {
        let path = self.path.join(name);
        let mut options = File::options();
        options.read(true).write(true);
        let created = {
            let mut options = options.clone();
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            options.create_new(true).open(&path)
        };
        let file = match created {
            Ok(file) => give_to_owner(&self.path, &file).map(|()| file),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(&path),
            Err(error) => Err(error),
        };
        file.map_err(|source| folder_error(&path, source))
    }
}

fn give_to_owner(folder: &Path, file: &File) -> io::Result<()> {
    #[cfg(unix)]
    if rustix::process::geteuid().is_root() {
        use std::os::unix::fs::{MetadataExt, fchown};
        let owner = fs::metadata(folder)?;
        fchown(file, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(())
}

fn folder_error(path: &Path, source: io::Error) -> StoreError {
    StoreError::Folder { path: path.to_owned(), source }
}
