//! A fan-out worker thread: at each tick it writes the same bytes to every connection that has kept up, sends slower ones
//! their next events, and disconnects clients that take no bytes for the stall timeout.

use super::connection::{Connection, Outcome};
use crate::server::{
    export::{CloseReason, Statistics},
    log::{Head, TickLog},
    stream::Viewer,
};
use mio::{Events, Interest, Poll, Token, event::Event, net::TcpStream};
use slab::Slab;
use std::{
    io::ErrorKind,
    sync::{Arc, Weak, mpsc::Receiver},
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// The waker's token: a new viewer or a new tick.
pub(super) const WAKE_TOKEN: Token = Token(usize::MAX);
/// Socket events taken from the kernel at a time.
const MAX_EVENTS: usize = 1024;
/// How often timeouts are checked when no tick comes.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// What a worker is sent.
pub(super) enum Message {
    /// Write this viewer's stream to this socket.
    Add(std::net::TcpStream, Box<Viewer>),
    /// End once no connection is left, and close those that are left at this time.
    Drain(Instant),
}

/// One thread and its connections.
pub(super) struct Worker {
    poll: Poll,
    inbox: Receiver<Message>,
    log: Weak<TickLog>,
    /// Contiguous, since each tick walks through all of them.
    connections: Slab<Connection>,
    drain_deadline: Option<Instant>,
    /// How long a client may take no bytes.
    stall_timeout: Duration,
    statistics: Arc<Statistics>,
}

impl Worker {
    pub(super) fn new(
        poll: Poll,
        inbox: Receiver<Message>,
        log: &Arc<TickLog>,
        stall_timeout: Duration,
        statistics: Arc<Statistics>,
    ) -> Self {
        let log = Arc::downgrade(log);
        Self { poll, inbox, log, connections: Slab::new(), drain_deadline: None, stall_timeout, statistics }
    }

    /// Runs until it was told to drain and has no connection left, or the drain deadline passes.
    pub(super) fn run(mut self, head: &watch::Receiver<Head>) {
        let mut events = Events::with_capacity(MAX_EVENTS);
        let (mut published, mut swept) = (head.borrow().published, Instant::now());
        loop {
            if let Err(error) = self.poll.poll(&mut events, Some(SWEEP_INTERVAL))
                && error.kind() != ErrorKind::Interrupted
            {
                return tracing::error!(%error, "a fan-out worker can't wait for its sockets");
            }
            for event in &events {
                match event.token() {
                    WAKE_TOKEN => self.receive(),
                    Token(key) => self.on_event(key, event),
                }
            }
            let (now, newest) = (Instant::now(), *head.borrow());
            if newest.published == published && !newest.closing && now < swept + SWEEP_INTERVAL {
                continue;
            }
            self.pump_all(now, newest.closing);
            if newest.published != published
                && let Some(at) = newest.at
            {
                self.statistics.fanout.observe(at.elapsed().as_secs_f64());
            }
            (published, swept) = (newest.published, now);
            if let Some(deadline) = self.drain_deadline
                && (self.connections.is_empty() || now >= deadline)
            {
                return;
            }
        }
    }

    fn receive(&mut self) {
        while let Ok(message) = self.inbox.try_recv() {
            match message {
                Message::Add(socket, viewer) => self.accept(TcpStream::from_std(socket), *viewer),
                Message::Drain(deadline) => self.drain_deadline = Some(deadline),
            }
        }
    }

    fn accept(&mut self, mut socket: TcpStream, viewer: Viewer) {
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().register(&mut socket, Token(key), interest) {
            return tracing::warn!(%error, "cannot register a viewer's socket");
        }
        entry.insert(Connection::new(socket, viewer));
        self.update(key, |connection| connection.pump(Instant::now()));
    }

    fn on_event(&mut self, key: usize, event: &Event) {
        self.update(key, |connection| {
            if event.is_error() || (event.is_readable() && connection.is_closed_by_client()) {
                return Outcome::Closed;
            }
            if event.is_writable() { connection.pump(Instant::now()) } else { Outcome::Open }
        });
    }

    /// Writes what is new to every connection that can take it, and closes those that stalled.
    fn pump_all(&mut self, now: Instant, closing: bool) {
        let stall_timeout = self.stall_timeout;
        let mut newest = if closing { None } else { self.log.upgrade().and_then(|log| log.newest_tick()) };
        let (mut events, mut bytes) = (0, 0);
        self.connections.retain(|_, connection| {
            if let Some(since) = connection.blocked_since {
                let stalled = now >= since + stall_timeout;
                if stalled {
                    connection.viewer.close_reason = CloseReason::Stalled;
                }
                // An event reports when the socket takes more.
                return !stalled;
            }
            let live = newest.as_mut().and_then(|newest| connection.viewer.keep_up(newest, now));
            let Some(chunk) = live else { return connection.pump(now) == Outcome::Open };
            events += u64::from(chunk.events);
            bytes += chunk.data_len() as u64;
            connection.send(chunk.framed(), now) == Outcome::Open
        });
        // Gives memory back after a peak.
        if self.connections.len() < self.connections.capacity() / 4 {
            self.connections.shrink_to_fit();
        }
        self.statistics.events_sent.inc_by(events);
        self.statistics.bytes_sent.inc_by(bytes);
    }

    fn update(&mut self, key: usize, update: impl FnOnce(&mut Connection) -> Outcome) {
        // The kernel may report one more event for a socket that was closed.
        if let Some(connection) = self.connections.get_mut(key)
            && update(connection) == Outcome::Closed
        {
            self.connections.remove(key);
        }
    }
}
