//! Where the figures come from, behind a trait so that recorded hosts can be test cases.

use std::{fs::File, io, io::Read};

/// What the kernel tells about itself.
pub trait Source {
    /// Replaces `text` with the contents of a file such as `/proc/stat`.
    ///
    /// # Errors
    /// When the host has no such file, or it can't be read.
    fn read(&mut self, path: &str, text: &mut String) -> io::Result<()>;

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

/// The running kernel's `/proc` and sockets.
#[derive(Debug, Default)]
pub struct Procfs {
    sockets: super::sockets::SocketDiagnostics,
}

impl Source for Procfs {
    fn read(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        text.clear();
        File::open(path)?.read_to_string(text)?;
        Ok(())
    }

    fn socket_states(&mut self) -> io::Result<SocketStates> {
        self.sockets.count()
    }
}
