//! A listening unix socket and its file, which is removed with it.

use crate::server::listen_address::UnixAccess;
use rustix::{fs::Mode, process::umask};
use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt, chown},
        net::{UnixListener as StdListener, UnixStream},
    },
    path::{Path, PathBuf},
};
use tokio::net::UnixListener;

/// A socket, and where it is.
#[derive(Debug)]
pub(in crate::server) struct UnixSocket {
    pub(super) listener: UnixListener,
    pub(super) path: PathBuf,
    /// The file's device and inode; `None` for a file that belongs to systemd.
    file: Option<(u64, u64)>,
}

impl UnixSocket {
    /// Binds a path. The socket of a server that has ended is replaced.
    pub(super) fn bind(path: &Path, access: &UnixAccess) -> io::Result<Self> {
        remove_stale(path)?;
        // Nobody else may connect before the file has its owner.
        let before = umask(Mode::from_raw_mode(0o177));
        let bound = StdListener::bind(path);
        umask(before);
        let socket = Self::own(bound?, path)?;
        if let Some(owner) = access.owner {
            chown(path, owner.user, owner.group)
                .map_err(|error| io::Error::new(error.kind(), format!("its owner can't be set: {error}")))?;
        }
        fs::set_permissions(path, fs::Permissions::from_mode(access.mode))?;
        Ok(socket)
    }

    fn own(listener: StdListener, path: &Path) -> io::Result<Self> {
        let file = identity(path)?;
        let mut socket = Self::inherited(listener)?;
        socket.file = Some(file);
        Ok(socket)
    }

    /// A socket that another process has bound, and removes.
    pub(super) fn inherited(listener: StdListener) -> io::Result<Self> {
        let path = listener.local_addr()?.as_pathname().map(Path::to_path_buf).unwrap_or_default();
        listener.set_nonblocking(true)?;
        Ok(Self { listener: UnixListener::from_std(listener)?, path, file: None })
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        // Another server may have replaced the file.
        if self.file.is_some()
            && identity(&self.path).ok() == self.file
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(%error, path = %self.path.display(), "cannot remove the socket");
        }
    }
}

/// Removes a socket that no process listens on. Whatever else is at the path stays.
fn remove_stale(path: &Path) -> io::Result<()> {
    let in_use = |message: &str| Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(file) if !file.file_type().is_socket() => {
            return in_use("there is a file that is no socket, which is kept; choose another path");
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(error),
        _ => in_use("a running program listens there; stop it, or choose another path"),
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let file = fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::listen_address::UnixOwner;

    const ACCESS: UnixAccess = UnixAccess { mode: 0o640, owner: None };

    #[tokio::test]
    async fn socket_has_its_mode_and_is_removed_with_the_listener() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let socket = UnixSocket::bind(&path, &ACCESS).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(UnixStream::connect(&path).is_ok());
        drop(socket);
        assert!(!path.exists());
        let umask_is_restored = folder.path().join("file");
        fs::write(&umask_is_restored, "").unwrap();
        assert_ne!(fs::metadata(umask_is_restored).unwrap().permissions().mode() & 0o044, 0);
    }

    #[tokio::test]
    async fn stale_socket_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        drop(StdListener::bind(&path).unwrap());
        assert!(path.exists());
        assert!(UnixSocket::bind(&path, &ACCESS).is_ok());
    }

    #[tokio::test]
    async fn live_socket_and_other_files_are_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (live, file) = (folder.path().join("live"), folder.path().join("file"));
        let _listener = StdListener::bind(&live).unwrap();
        fs::write(&file, "kept").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for (path, hint) in [(&live, "running program"), (&file, "no socket"), (&link, "no socket")] {
            let error = UnixSocket::bind(path, &ACCESS).unwrap_err();
            assert!(error.to_string().contains(hint), "{error}");
        }
        assert!(UnixStream::connect(&live).is_ok());
        assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
    }

    #[tokio::test]
    async fn socket_of_a_later_server_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let first = UnixSocket::bind(&path, &ACCESS).unwrap();
        fs::rename(&path, folder.path().join("moved")).unwrap();
        let _second = UnixSocket::bind(&path, &ACCESS).unwrap();
        drop(first);
        assert!(path.exists());
    }

    #[tokio::test]
    async fn owner_that_cannot_be_set_leaves_no_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let owner = Some(UnixOwner { user: None, group: Some(4242) });
        match UnixSocket::bind(&path, &UnixAccess { owner, ..ACCESS }) {
            Ok(_socket) => assert_eq!(fs::metadata(&path).unwrap().gid(), 4242),
            Err(error) => assert!(error.to_string().contains("owner") && !path.exists(), "{error}"),
        }
    }
}
