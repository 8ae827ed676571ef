//! Lists the mounted filesystems that can fill up, and reads their usage with statvfs(3).

use super::{
    super::rate::round_to_hundredths,
    mountinfo::{Mount, mounts},
};
use crate::schema::Filesystem;
use std::{fs, io};

/// A source of mounted filesystems and their usage.
pub(in crate::server::sampler) trait Mounts: Clone + Send + 'static {
    /// Mounted filesystems, the most important first.
    ///
    /// # Errors
    /// When they cannot be read.
    fn list(&self) -> io::Result<Vec<Mount>>;

    /// The folder where `mount` is mounted, and its usage, without an age. Blocks while the filesystem does not answer.
    ///
    /// # Errors
    /// When it cannot be read, or only files of it are mounted.
    fn usage(&self, mount: &Mount) -> io::Result<(String, Filesystem)>;
}

/// The kernel's mounts.
#[derive(Clone, Copy, Debug)]
pub(in crate::server::sampler) struct KernelMounts;

impl Mounts for KernelMounts {
    fn list(&self) -> io::Result<Vec<Mount>> {
        // Paths can be invalid UTF-8.
        fs::read("/proc/self/mountinfo").map(|text| mounts(&String::from_utf8_lossy(&text)))
    }

    fn usage(&self, mount: &Mount) -> io::Result<(String, Filesystem)> {
        let folder = folder(&mount.paths)?;
        let stat = rustix::fs::statvfs(folder)?;
        // No permission, or a tmpfs without limit.
        if stat.f_blocks == 0 {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let used = stat.f_blocks.saturating_sub(stat.f_bfree);
        // As df(1) does: blocks reserved for root are neither used nor available.
        let usable = used.saturating_add(stat.f_bavail);
        let bytes = |blocks: u64| blocks.checked_mul(stat.f_frsize);
        let has_inodes = stat.f_files > 0;
        let filesystem = Filesystem {
            size_bytes: bytes(stat.f_blocks),
            used_bytes: bytes(used),
            available_bytes: bytes(stat.f_bavail),
            full_percent: round_to_hundredths(used as f64 / usable as f64 * 100.0),
            inodes: has_inodes.then_some(stat.f_files),
            inodes_used: has_inodes.then_some(stat.f_files.saturating_sub(stat.f_ffree)),
            read_only: Some(mount.read_only.into()),
            age_seconds: None,
        };
        Ok((folder.to_owned(), filesystem))
    }
}

/// The first of `paths` that is a folder: containers have files of their host's disk mounted, such as `/etc/hosts`.
fn folder(paths: &[String]) -> io::Result<&str> {
    let mut result = Err(io::ErrorKind::NotADirectory.into());
    for path in paths {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => return Ok(path),
            Ok(_) => {}
            Err(error) => result = Err(error),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounted_at(paths: &[&str]) -> Mount {
        Mount { paths: paths.iter().map(|path| (*path).to_owned()).collect(), ..Mount::default() }
    }

    #[test]
    fn statvfs_of_root_reports_usage() {
        let (_, root) = KernelMounts.usage(&mounted_at(&["/"])).unwrap();
        assert!(root.size_bytes > Some(0) && root.used_bytes <= root.size_bytes, "{root:?}");
        assert!(root.full_percent.unwrap() <= 100.0);
        assert!(KernelMounts.usage(&mounted_at(&["/nowhere"])).is_err());
    }

    #[test]
    fn file_that_is_a_mount_yields_to_a_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let file = file.path().to_str().unwrap();
        assert_eq!(KernelMounts.usage(&mounted_at(&[file, "/"])).unwrap().0, "/");
        assert_eq!(KernelMounts.usage(&mounted_at(&[file])).unwrap_err().kind(), io::ErrorKind::NotADirectory);
    }
}
