//! Confines the process to what a server needs, so that a fault in it is of little use to an attacker: landlock(7) limits
//! the files, seccomp(2) the system calls.

mod files;
mod system_calls;

use super::{certificate::TlsOptions, config::Config, listen_address::ListenAddress, store};
use std::{
    collections::BTreeSet,
    fs, iter,
    path::{Path, PathBuf},
};

/// The folders that the process may use, besides `/proc` and `/sys`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confinement {
    /// Their files may be read.
    pub readable: Vec<PathBuf>,
    /// Their files may be read, written, made and removed.
    pub writable: Vec<PathBuf>,
    /// Sockets may be bound and removed there.
    pub with_sockets: Vec<PathBuf>,
}

impl Confinement {
    /// What a server with these options needs. Makes its data folder.
    pub(super) fn of(config: &Config) -> Self {
        let sockets = config.listen.iter().filter_map(|address| match address {
            ListenAddress::Unix(path) => Some(folder_of(path)),
            ListenAddress::Tcp(_) | ListenAddress::Systemd => None,
        });
        let TlsOptions { tls_cert, tls_key, acme_ca, .. } = &config.tls;
        let files = [&config.config_file, tls_cert, tls_key, acme_ca].into_iter().flatten();
        Self {
            readable: files.flat_map(|path| folders_of(path)).chain(beyond_proc()).collect(),
            writable: store::data_folder(&config.data)
                .inspect_err(|error| tracing::debug!("{error}"))
                .into_iter()
                .collect(),
            with_sockets: sockets.collect(),
        }
    }

    /// Confines this thread and those that it starts to the files, and the whole process to the system calls. There is no
    /// way back. What the kernel lacks is logged.
    pub fn apply(&self) {
        files::restrict(self);
        system_calls::restrict();
    }
}

/// The folder of a file, and of what it links to: a renewed certificate is another file there.
fn folders_of(path: &Path) -> impl Iterator<Item = PathBuf> {
    iter::once(folder_of(path)).chain(path.canonicalize().ok().as_deref().map(folder_of))
}

/// The folders that links in `/proc` lead to where something emulates it. The kernel's own lead nowhere else.
fn beyond_proc() -> BTreeSet<PathBuf> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let links = entries.filter(|entry| entry.file_type().is_ok_and(|of| of.is_symlink()));
    let targets = links.filter_map(|link| link.path().canonicalize().ok());
    targets.filter(|target| !target.starts_with("/proc")).map(|target| folder_of(&target)).collect()
}

fn folder_of(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}
