//! Where the figures come from, behind a trait so that recorded hosts can be test cases.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read, Seek},
};

/// What the kernel tells about itself.
pub trait Source {
    /// Replaces `text` with the contents of a file such as `/proc/stat`.
    ///
    /// # Errors
    /// When the host has no such file, or it can't be read.
    fn read(&mut self, path: &str, text: &mut String) -> io::Result<()>;

    /// The names in a folder such as `/sys/block`.
    ///
    /// # Errors
    /// When the host has no such folder, or it can't be read.
    fn list(&mut self, path: &str) -> io::Result<Vec<String>>;

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
}

impl Source for Procfs {
    fn read(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        text.clear();
        let mut file = match self.files.remove(path) {
            Some(file) => file,
            None => File::open(path)?,
        };
        file.rewind()?;
        file.read_to_string(text)?;
        self.files.insert(path.to_owned(), file);
        Ok(())
    }

    fn list(&mut self, path: &str) -> io::Result<Vec<String>> {
        fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn socket_states(&mut self) -> io::Result<SocketStates> {
        self.sockets.count()
    }
}
