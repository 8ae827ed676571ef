//! Where the figures come from, behind a trait so that recorded hosts can be test cases.

use super::filesystems::{Filesystems, KernelMounts};
use crate::schema::Filesystem;
use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
};

/// What the kernel tells about itself.
pub trait HostSource {
    /// Replaces `text` with the contents of a file such as `/proc/stat`.
    ///
    /// # Errors
    /// When the host has no such file, or it can't be read.
    fn read(&mut self, path: &str, text: &mut String) -> io::Result<()>;

    /// As [`read`](Self::read), of a file that belongs to something that may be gone the next time, and of its first page
    /// only: what tells of one thing is no longer.
    ///
    /// # Errors
    /// When the host has no such file, or it can't be read.
    fn read_once(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        self.read(path, text)
    }

    /// As [`read`](Self::read), of a file that others put another one in the place of.
    ///
    /// # Errors
    /// When the host has no such file, or it can't be read.
    fn read_anew(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        self.read(path, text)
    }

    /// The names in a folder such as `/sys/block`.
    ///
    /// # Errors
    /// When the host has no such folder, or it can't be read.
    fn list(&mut self, path: &str) -> io::Result<Vec<String>>;

    /// How full each filesystem is, by the folder where it is mounted; nothing where that isn't known.
    fn filesystems(&mut self) -> BTreeMap<String, Filesystem>;

    /// Counts TCP sockets by state, all states but established and time-wait, which may be very many.
    ///
    /// # Errors
    /// When the host doesn't tell.
    fn socket_states(&mut self) -> io::Result<SocketStates>;
}

/// How many TCP sockets are in each state, IPv4 and IPv6 together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketStates {
    /// Indexed by the kernel's number of the state (`include/net/tcp_states.h`).
    pub by_number: [u64; 13],
}

/// The running kernel's `/proc` and sockets. What it has opened it keeps open, which costs less than to open it anew, and
/// lets it go on where no descriptor is left: read from its start, such a file is written anew.
#[derive(Debug, Default)]
pub struct Procfs {
    files: HashMap<String, File>,
    sockets: super::sockets::SocketDiagnostics,
    /// Begun when first asked for: it has a thread of its own.
    filesystems: Option<Filesystems<KernelMounts>>,
}

impl HostSource for Procfs {
    fn read(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        if let Some(file) = self.files.get(path) {
            let read = read_text(text, |bytes| read_whole(file, bytes));
            // What belonged to a device that is gone has to be opened anew if that comes back.
            return read.inspect_err(|_| _ = self.files.remove(path));
        }
        let file = File::open(path)?;
        read_text(text, |bytes| read_whole(&file, bytes))?;
        self.files.insert(path.to_owned(), file);
        Ok(())
    }

    fn read_once(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        let file = File::open(path)?;
        read_text(text, |bytes| read_page(&file, bytes))
    }

    fn read_anew(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        text.clear();
        text.push_str(&String::from_utf8_lossy(&fs::read(path)?));
        Ok(())
    }

    fn list(&mut self, path: &str) -> io::Result<Vec<String>> {
        fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn filesystems(&mut self) -> BTreeMap<String, Filesystem> {
        self.filesystems.get_or_insert_default().of_kernel()
    }

    fn socket_states(&mut self) -> io::Result<SocketStates> {
        self.sockets.count()
    }
}

/// Bytes that the kernel writes at once.
const PAGE: usize = 4096;

/// Puts into `text` what `read` puts into bytes; it tells how many.
fn read_text(text: &mut String, read: impl FnOnce(&mut Vec<u8>) -> io::Result<usize>) -> io::Result<()> {
    let mut bytes = std::mem::take(text).into_bytes();
    let length = read(&mut bytes)?;
    bytes.truncate(length);
    // A name that somebody chose needn't be text; the rest is.
    *text = String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Ok(())
}

/// Reads a file from its start, and tells how long it is; `bytes` is left as long as it once had to be. The kernel writes
/// such a file piece by piece, and knows of no length, so that asking for one would be in vain.
fn read_whole(file: &File, bytes: &mut Vec<u8>) -> io::Result<usize> {
    bytes.resize(bytes.capacity().max(PAGE), 0);
    let mut length = 0;
    loop {
        if length == bytes.len() {
            bytes.resize(length + PAGE, 0);
        }
        match file.read_at(&mut bytes[length..], length as u64) {
            Ok(0) => return Ok(length),
            // The kernel leaves off before a line that its page has no room for, and no line takes half a page: this was all.
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
    fn a_file_is_read_anew_each_time_however_long_it_is() {
        let path = std::env::temp_dir().join(format!("hostbeat-source-{}", std::process::id()));
        let name = path.to_str().unwrap();
        let (mut source, mut text) = (Procfs::default(), String::new());
        for length in [10, 100_000, 0, 4096, 5] {
            let written = "x".repeat(length);
            fs::write(&path, &written).unwrap();
            source.read(name, &mut text).unwrap();
            assert_eq!(text, written);
        }
        fs::remove_file(&path).unwrap();
        assert!(Procfs::default().read(name, &mut text).is_err());
    }
}
