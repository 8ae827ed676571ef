//! A handed-off socket and its viewer: writes chunks, and keeps the bytes that the kernel did not accept, without a copy.

use super::worker::WorkerRole;
use crate::server::{
    delivery::{LAST_CHUNK, MAX_IGNORED_INPUT},
    stream::{NextStep, Viewer},
};
use bytes::Bytes;
use mio::net::TcpStream;
use std::{
    io::{ErrorKind, Read, Write},
    net::Shutdown,
    time::{Duration, Instant},
};

/// A viewer and its socket.
pub(super) struct Connection {
    pub socket: TcpStream,
    pub viewer: Viewer,
    /// What the socket has not taken yet: a slice of shared bytes.
    unsent: Bytes,
    /// When the socket last stopped taking bytes.
    pub blocked_since: Option<Instant>,
    /// When the socket first left a part of the present chunk.
    partial_since: Option<Instant>,
    ignored_input: usize,
    ended: bool,
}

/// Whether a connection stays with its worker.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Stays,
    /// It needs a worker of the other role.
    Leaves,
    Closed,
}

impl Connection {
    pub(super) fn new(socket: TcpStream, viewer: Viewer) -> Self {
        Self {
            socket,
            viewer,
            unsent: Bytes::new(),
            blocked_since: None,
            partial_since: None,
            ignored_input: 0,
            ended: false,
        }
    }

    /// Writes everything that is due, as far as the socket takes it and the worker's `role` includes it.
    pub(super) fn pump(&mut self, role: WorkerRole, now: Instant) -> Outcome {
        loop {
            let unsent = std::mem::take(&mut self.unsent);
            if self.send(&unsent, now) == Outcome::Closed {
                return Outcome::Closed;
            }
            if self.blocked_since.is_some() {
                return Outcome::Stays;
            }
            if self.ended {
                // A clean end reports to the client that the stream is complete. An error reports that it has left.
                let _ = self.socket.shutdown(Shutdown::Write);
                return Outcome::Closed;
            }
            if role == WorkerRole::Live && self.viewer.is_behind() {
                return Outcome::Leaves;
            }
            match self.viewer.next(now) {
                NextStep::Write(chunk) => self.unsent = chunk.framed().clone(),
                NextStep::Wait(_) if role == WorkerRole::CatchUp && !self.viewer.is_behind() => return Outcome::Leaves,
                NextStep::Wait(_) => return Outcome::Stays,
                NextStep::End => (self.unsent, self.ended) = (LAST_CHUNK, true),
            }
        }
    }

    /// Writes `bytes`, and keeps the part that the socket does not take.
    pub(super) fn send(&mut self, bytes: &Bytes, now: Instant) -> Outcome {
        let mut sent = 0;
        while sent < bytes.len() {
            match self.socket.write(&bytes[sent..]) {
                Ok(0) => return Outcome::Closed,
                Ok(written) => {
                    sent += written;
                    self.blocked_since = None;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.unsent = bytes.slice(sent..);
                    self.blocked_since.get_or_insert(now);
                    self.partial_since.get_or_insert(now);
                    return Outcome::Stays;
                }
                Err(_) => return Outcome::Closed,
            }
        }
        self.partial_since = None;
        Outcome::Stays
    }

    /// Whether the client takes longer than `timeout` for the present chunk.
    pub(super) fn is_slow(&self, now: Instant, timeout: Duration) -> bool {
        self.partial_since.is_some_and(|since| now >= since + timeout)
    }

    /// Reads and ignores what the client sends, up to the end of its side of the connection.
    pub(super) fn is_closed_by_client(&mut self) -> bool {
        let mut ignored = [0; 1024];
        loop {
            match self.socket.read(&mut ignored) {
                Ok(0) => return true,
                Ok(read) => {
                    self.ignored_input += read;
                    if self.ignored_input > MAX_IGNORED_INPUT {
                        return true;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
        }
    }
}
