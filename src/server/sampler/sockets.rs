//! TCP sockets by state, from the kernel's socket diagnostics over netlink (sock_diag(7), `linux/inet_diag.h`).

use super::SocketStates;
use rustix::{
    fd::OwnedFd,
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType,
        netlink::{SOCK_DIAG, SocketAddrNetlink},
        recv, sendto, socket_with, sockopt,
    },
};
use std::{io, time::Duration};

/// The older of the two requests: it is the one that asks for both IP versions at once. The kernel walks its whole hash
/// table for a request, half a million empty buckets on a large host, so that two would cost twice as much.
const TCPDIAG_GETSOCK: u16 = 18;
const NLM_F_REQUEST_AND_DUMP: u16 = 0x001 | 0x300;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const ESTABLISHED: u32 = 1;
const TIME_WAIT: u32 = 6;
/// States are numbered from 1 to 12; those two can be hundreds of thousands, and are known from elsewhere.
const WANTED: u32 = 0x1ffe & !(1 << ESTABLISHED | 1 << TIME_WAIT);
/// A message's own header, and the offset of the state in the `inet_diag_msg` that follows it.
const HEADER: usize = 16;
const STATE: usize = HEADER + 1;
/// What the kernel fills per read at most.
const BUFFER: usize = 32 * 1024;

/// A netlink socket that is opened at the first use and kept.
#[derive(Debug, Default)]
pub(super) struct SocketDiagnostics {
    socket: Option<OwnedFd>,
    buffer: Vec<u8>,
}

impl SocketDiagnostics {
    /// Counts the sockets of both IP versions.
    pub(super) fn count(&mut self) -> io::Result<SocketStates> {
        let counted = self.dump();
        if counted.is_err() {
            // Half an answer may still be waiting in it.
            self.socket = None;
        }
        counted
    }

    fn dump(&mut self) -> io::Result<SocketStates> {
        let mut states = SocketStates::default();
        self.buffer.resize(BUFFER, 0);
        let socket = match &mut self.socket {
            Some(socket) => socket,
            closed => closed.insert(open()?),
        };
        sendto(&*socket, &request(), SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
        loop {
            let (length, _) = recv(&*socket, &mut self.buffer[..], RecvFlags::empty())?;
            if tally(&self.buffer[..length], &mut states)? {
                return Ok(states);
            }
        }
    }
}

fn open() -> io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(SOCK_DIAG))?;
    // The kernel answers at once or never; a sampler must not wait for it.
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(Duration::from_millis(100)))?;
    Ok(socket)
}

/// A `nlmsghdr` and an `inet_diag_req` that asks for every TCP socket in the wanted states.
fn request() -> [u8; 76] {
    let mut request = [0; 76];
    request[0..4].copy_from_slice(&76u32.to_ne_bytes());
    request[4..6].copy_from_slice(&TCPDIAG_GETSOCK.to_ne_bytes());
    request[6..8].copy_from_slice(&NLM_F_REQUEST_AND_DUMP.to_ne_bytes());
    request[68..72].copy_from_slice(&WANTED.to_ne_bytes());
    request
}

/// Counts the sockets in one read's messages; true after the last message of a dump.
fn tally(mut messages: &[u8], states: &mut SocketStates) -> io::Result<bool> {
    let cut = || io::Error::from(io::ErrorKind::InvalidData);
    while let Some((header, _)) = messages.split_at_checked(HEADER) {
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        match u16::from_ne_bytes([header[4], header[5]]) {
            NLMSG_DONE => return Ok(true),
            NLMSG_ERROR => return Err(io::ErrorKind::Unsupported.into()),
            _ => {}
        }
        let state = *messages.get(STATE).ok_or_else(cut)?;
        *states.by_number.get_mut(usize::from(state)).ok_or_else(cut)? += 1;
        messages = messages.get(length.max(HEADER).next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(kind: u16, state: u8) -> Vec<u8> {
        let mut message = vec![0; 88];
        message[0..4].copy_from_slice(&88u32.to_ne_bytes());
        message[4..6].copy_from_slice(&kind.to_ne_bytes());
        message[STATE] = state;
        message
    }

    #[test]
    fn sockets_are_counted_to_the_end_of_the_dump() {
        let mut states = SocketStates::default();
        let messages = [message(TCPDIAG_GETSOCK, 10), message(TCPDIAG_GETSOCK, 10), message(TCPDIAG_GETSOCK, 8)];
        assert!(!tally(&messages.concat(), &mut states).unwrap());
        assert!(tally(&message(NLMSG_DONE, 0), &mut states).unwrap());
        assert_eq!((states.by_number[10], states.by_number[8]), (2, 1));
        assert!(tally(&message(NLMSG_ERROR, 0), &mut states).is_err());
    }

    #[test]
    fn this_kernel_counts_a_listener_of_ours() {
        let mut diagnostics = SocketDiagnostics::default();
        let listeners = |diagnostics: &mut SocketDiagnostics| diagnostics.count().unwrap().by_number[10];
        let before = listeners(&mut diagnostics);
        let bind = |n| std::net::TcpListener::bind(if n % 2 == 0 { "127.0.0.1:0" } else { "[::1]:0" });
        let ours: Vec<_> = (0..40).filter_map(|n| bind(n).ok()).collect();
        assert!(listeners(&mut diagnostics) >= before.saturating_sub(20) + ours.len() as u64);
    }

    proptest! {
        #[test]
        fn no_answer_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = tally(&bytes, &mut SocketStates::default());
        }
    }
}
