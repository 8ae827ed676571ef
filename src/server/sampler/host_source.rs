//! Reads files of `/proc` and `/sys`, behind a trait so that tests can replay recorded hosts.
//!
//! Not sysinfo: that takes 0.85 ms a sample without PSI, iowait or sockets; this reads all of `/proc` in 0.2–0.5 ms, with
//! files kept open.

use super::filesystems::{Filesystems, KernelMounts};
use crate::schema::{Filesystem, MountSource};
use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    sync::Arc,
};

/// Source of a host's kernel files and statistics.
pub trait HostSource {
    /// Replaces `text` with the contents of a file such as `/proc/stat`, which may be kept open for the next call.
    ///
    /// # Errors
    /// When the file does not exist or cannot be read.
    fn read_cached(&mut self, path: &str, text: &mut String) -> io::Result<()>;

    /// Replaces `text` with the first page of a short-lived file, such as a process's, and does not keep it open.
    ///
    /// # Errors
    /// When the file does not exist or cannot be read.
    fn read_first_page(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        self.read_cached(path, text)
    }

    /// Replaces `text` with the contents of a file that other programs replace, such as `/etc/passwd`.
    ///
    /// # Errors
    /// When the file does not exist or cannot be read.
    fn read_file(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        self.read_cached(path, text)
    }

    /// Names of the entries of a directory such as `/sys/block`.
    ///
    /// # Errors
    /// When the directory does not exist or cannot be read.
    fn list(&mut self, path: &str) -> io::Result<Vec<String>>;

    /// Usage of each filesystem, by mount point; empty where unknown.
    fn filesystems(&mut self) -> BTreeMap<String, Filesystem>;

    /// What is mounted at each path of a filesystem that can fill up, as of the last `filesystems`; empty where unknown.
    fn mount_sources(&mut self) -> Arc<BTreeMap<String, MountSource>> {
        Arc::default()
    }

    /// Counts TCP sockets by state, except established and time-wait, of which there can be very many.
    ///
    /// # Errors
    /// When the kernel does not report them.
    fn socket_states(&mut self) -> io::Result<SocketStates>;
}

/// Number of TCP sockets in each state, IPv4 and IPv6 together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketStates {
    /// Indexed by the kernel's state number (`include/net/tcp_states.h`).
    pub by_number: [u64; 13],
}

/// The running kernel's `/proc`, `/sys` and sockets. Files stay open: reading from offset 0 again returns current
/// contents, costs less than opening, and works when the process has run out of descriptors.
#[derive(Debug, Default)]
pub struct Procfs {
    files: HashMap<String, File>,
    sockets: super::sockets::SocketDiagnostics,
    /// Started on first use, because it starts a thread.
    filesystems: Option<Filesystems<KernelMounts>>,
}

impl HostSource for Procfs {
    fn read_cached(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        if let Some(file) = self.files.get(path) {
            let read = read_text(text, |bytes| read_whole(file, bytes));
            // The file of a removed device stays unreadable, so it is reopened in case the device returns.
            return read.inspect_err(|_| _ = self.files.remove(path));
        }
        let file = File::open(path)?;
        read_text(text, |bytes| read_whole(&file, bytes))?;
        self.files.insert(path.to_owned(), file);
        Ok(())
    }

    fn read_first_page(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        let file = File::open(path)?;
        read_text(text, |bytes| read_page(&file, bytes))
    }

    fn read_file(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        text.clear();
        text.push_str(&String::from_utf8_lossy(&fs::read(path)?));
        Ok(())
    }

    fn list(&mut self, path: &str) -> io::Result<Vec<String>> {
        fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn filesystems(&mut self) -> BTreeMap<String, Filesystem> {
        self.filesystems.get_or_insert_with(|| Filesystems::new(KernelMounts)).usage()
    }

    fn mount_sources(&mut self) -> Arc<BTreeMap<String, MountSource>> {
        self.filesystems.as_ref().map(Filesystems::sources).unwrap_or_default()
    }

    fn socket_states(&mut self) -> io::Result<SocketStates> {
        self.sockets.count()
    }
}

/// Bytes that the kernel returns per read.
const PAGE: usize = 4096;

/// Replaces `text` with the bytes that `read` writes; `read` returns their number.
fn read_text(text: &mut String, read: impl FnOnce(&mut Vec<u8>) -> io::Result<usize>) -> io::Result<()> {
    let mut bytes = std::mem::take(text).into_bytes();
    let length = read(&mut bytes)?;
    bytes.truncate(length);
    // Names chosen by users, such as process names, can be invalid UTF-8.
    *text = String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Ok(())
}

/// Reads a file from its start and returns its length; `bytes` may stay longer. Reads page by page, because files of
/// `/proc` report no size.
fn read_whole(file: &File, bytes: &mut Vec<u8>) -> io::Result<usize> {
    bytes.resize(bytes.capacity().max(PAGE), 0);
    let mut length = 0;
    loop {
        if length == bytes.len() {
            bytes.resize(length + PAGE, 0);
        }
        match file.read_at(&mut bytes[length..], length as u64) {
            Ok(0) => return Ok(length),
            // The kernel ends a read before a line that does not fit; no line is half a page, so the file ends here.
            Ok(read) if length == 0 && read < PAGE / 2 => return Ok(read),
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn read_page(file: &File, bytes: &mut Vec<u8>) -> io::Result<usize> {
    bytes.resize(PAGE, 0);
    loop {
        match file.read_at(bytes, 0) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_file_of_any_length_is_read_in_full_each_time() {
        let path = std::env::temp_dir().join(format!("hostbeat-source-{}", std::process::id()));
        let name = path.to_str().unwrap();
        let (mut source, mut text) = (Procfs::default(), String::new());
        for length in [10, 100_000, 0, 4096, 5] {
            let written = "x".repeat(length);
            fs::write(&path, &written).unwrap();
            source.read_cached(name, &mut text).unwrap();
            assert_eq!(text, written);
        }
        fs::remove_file(&path).unwrap();
        assert!(Procfs::default().read_cached(name, &mut text).is_err());
    }
}
