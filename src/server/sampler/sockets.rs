//! Counts TCP sockets by state with a sock_diag dump over netlink (sock_diag(7), `linux/inet_diag.h`).
//! Own code, because it takes a hundred lines without `unsafe`, and the netlink crates would add several dependencies.

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

/// The older of the two requests: one dump covers IPv4 and IPv6. Each dump walks the kernel's whole hash table, half a
/// million buckets on a large host, so two dumps would cost twice as much.
const TCPDIAG_GETSOCK: u16 = 18;
const NLM_F_REQUEST_AND_DUMP: u16 = 0x001 | 0x300;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// States 1 to 12, except two that can hold hundreds of thousands of sockets: `/proc/net` counts those.
const STATE_MASK: u32 = 0x1ffe & !(1 << TcpState::Established as u32 | 1 << TcpState::TimeWait as u32);
/// Length of a `nlmsghdr`.
const HEADER_LENGTH: usize = 16;
/// Offset of `idiag_state` in a message: an `inet_diag_msg` follows the header.
const STATE_OFFSET: usize = HEADER_LENGTH + 1;
/// The most that the kernel returns for one `recv()` of a dump.
const BUFFER_LENGTH: usize = 32 * 1024;

/// TCP states by the kernel's numbers (`include/net/tcp_states.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TcpState {
    Established = 1,
    SynSent = 2,
    SynRecv = 3,
    FinWait1 = 4,
    FinWait2 = 5,
    TimeWait = 6,
    CloseWait = 8,
    LastAck = 9,
    Listen = 10,
    Closing = 11,
    NewSynRecv = 12,
}

/// A netlink socket for sock_diag, opened at the first dump and kept.
#[derive(Debug, Default)]
pub(super) struct SocketDiagnostics {
    socket: Option<OwnedFd>,
    buffer: Vec<u8>,
}

impl SocketDiagnostics {
    /// Counts IPv4 and IPv6 sockets in the states of [`STATE_MASK`].
    pub(super) fn count(&mut self) -> io::Result<SocketStates> {
        let states = self.dump();
        if states.is_err() {
            // The rest of a failed dump may still be queued on the socket.
            self.socket = None;
        }
        states
    }

    fn dump(&mut self) -> io::Result<SocketStates> {
        let mut states = SocketStates::default();
        self.buffer.resize(BUFFER_LENGTH, 0);
        let socket = match &mut self.socket {
            Some(socket) => socket,
            closed => closed.insert(open()?),
        };
        sendto(&*socket, &request(), SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
        loop {
            let (length, _) = recv(&*socket, &mut self.buffer[..], RecvFlags::empty())?;
            if count_states(&self.buffer[..length], &mut states)? {
                return Ok(states);
            }
        }
    }
}

fn open() -> io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(SOCK_DIAG))?;
    // The kernel replies at once or not at all; the sampler thread must not block.
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(Duration::from_millis(100)))?;
    Ok(socket)
}

/// A `nlmsghdr` and an `inet_diag_req` for all TCP sockets in the states of [`STATE_MASK`].
fn request() -> [u8; 76] {
    let mut request = [0; 76];
    request[0..4].copy_from_slice(&76u32.to_ne_bytes());
    request[4..6].copy_from_slice(&TCPDIAG_GETSOCK.to_ne_bytes());
    request[6..8].copy_from_slice(&NLM_F_REQUEST_AND_DUMP.to_ne_bytes());
    request[68..72].copy_from_slice(&STATE_MASK.to_ne_bytes());
    request
}

/// Counts the sockets in the messages of one `recv()`; true after the last message of a dump.
fn count_states(mut messages: &[u8], states: &mut SocketStates) -> io::Result<bool> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidData);
    while let Some((header, _)) = messages.split_at_checked(HEADER_LENGTH) {
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        match u16::from_ne_bytes([header[4], header[5]]) {
            NLMSG_DONE => return Ok(true),
            NLMSG_ERROR => return Err(io::ErrorKind::Unsupported.into()),
            _ => {}
        }
        let state = *messages.get(STATE_OFFSET).ok_or_else(invalid)?;
        *states.by_number.get_mut(usize::from(state)).ok_or_else(invalid)? += 1;
        messages = messages.get(length.max(HEADER_LENGTH).next_multiple_of(4)..).unwrap_or_default();
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
        message[STATE_OFFSET] = state;
        message
    }

    #[test]
    fn states_are_counted_until_end_of_dump() {
        let mut states = SocketStates::default();
        let messages = [TcpState::Listen, TcpState::Listen, TcpState::CloseWait]
            .map(|state| message(TCPDIAG_GETSOCK, state as u8));
        assert!(!count_states(&messages.concat(), &mut states).unwrap());
        assert!(count_states(&message(NLMSG_DONE, 0), &mut states).unwrap());
        let count = |state: TcpState| states.by_number[state as usize];
        assert_eq!((count(TcpState::Listen), count(TcpState::CloseWait)), (2, 1));
        assert!(count_states(&message(NLMSG_ERROR, 0), &mut states).is_err());
    }

    #[test]
    fn running_kernel_counts_new_listeners() {
        let mut diagnostics = SocketDiagnostics::default();
        let listeners =
            |diagnostics: &mut SocketDiagnostics| diagnostics.count().unwrap().by_number[TcpState::Listen as usize];
        let before = listeners(&mut diagnostics);
        let bind = |n| std::net::TcpListener::bind(if n % 2 == 0 { "127.0.0.1:0" } else { "[::1]:0" });
        let bound: Vec<_> = (0..40).filter_map(|n| bind(n).ok()).collect();
        assert!(listeners(&mut diagnostics) >= before.saturating_sub(20) + bound.len() as u64);
    }

    proptest! {
        #[test]
        fn arbitrary_reply_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = count_states(&bytes, &mut SocketStates::default());
        }
    }
}
