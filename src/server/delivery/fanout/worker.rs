//! A fan-out worker thread: at each tick it writes the same bytes to every connection that has kept up, hands those that
//! fell behind to the worker for catching up and back, and disconnects clients that take no bytes for the stall timeout.

use super::{
    Workers,
    connection::{Connection, Outcome},
};
use crate::server::{
    delivery::CHUNK_TIMEOUT,
    export::{CloseReason, Statistics},
    log::{Head, TickLog},
};
use mio::{Events, Interest, Poll, Token, event::Event};
use slab::Slab;
use std::{
    io::{self, ErrorKind},
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
    /// Write this connection's stream.
    Add(Box<Connection>),
    /// End once no connection is left, and close those that are left at this time.
    Drain(Instant),
}

/// Which viewers a worker serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WorkerRole {
    /// Those that have everything but the newest tick.
    Live,
    /// Those that have to catch up.
    CatchUp,
}

impl WorkerRole {
    pub(super) const fn thread_name(self) -> &'static str {
        match self {
            Self::Live => "fanout",
            Self::CatchUp => "catch-up",
        }
    }
}

/// One thread and its connections.
pub(super) struct Worker {
    role: WorkerRole,
    poll: Poll,
    inbox: Receiver<Message>,
    workers: Arc<Workers>,
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
        role: WorkerRole,
        poll: Poll,
        inbox: Receiver<Message>,
        workers: Arc<Workers>,
        log: &Arc<TickLog>,
        stall_timeout: Duration,
        statistics: Arc<Statistics>,
    ) -> Self {
        let log = Arc::downgrade(log);
        let connections = Slab::new();
        Self { role, poll, inbox, workers, log, connections, drain_deadline: None, stall_timeout, statistics }
    }

    /// Runs until it drains: no connection is left, or the drain deadline passes.
    ///
    /// # Errors
    /// When it can't wait for its sockets.
    pub(super) fn run(&mut self, head: &watch::Receiver<Head>) -> io::Result<()> {
        let mut events = Events::with_capacity(MAX_EVENTS);
        let (mut published, mut swept) = (head.borrow().published, Instant::now());
        loop {
            if let Err(error) = self.poll.poll(&mut events, Some(SWEEP_INTERVAL))
                && error.kind() != ErrorKind::Interrupted
            {
                return Err(error);
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
            if self.role == WorkerRole::Live
                && newest.published != published
                && let Some(at) = newest.at
            {
                self.statistics.fanout.observe(at.elapsed().as_secs_f64());
            }
            (published, swept) = (newest.published, now);
            if let Some(deadline) = self.drain_deadline
                && (self.connections.is_empty() || now >= deadline)
            {
                return Ok(());
            }
        }
    }

    /// Closes every connection, and waits for new ones.
    pub(super) fn close_all(&mut self) {
        self.connections = Slab::new();
    }

    pub(super) fn receive(&mut self) {
        while let Ok(message) = self.inbox.try_recv() {
            match message {
                Message::Add(connection) => self.accept(*connection),
                Message::Drain(deadline) => self.drain_deadline = Some(deadline),
            }
        }
    }

    fn accept(&mut self, mut connection: Connection) {
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().register(&mut connection.socket, Token(key), interest) {
            return tracing::warn!(%error, "cannot register a viewer's socket");
        }
        entry.insert(connection);
        let role = self.role;
        self.update(key, |connection| connection.pump(role, Instant::now()));
    }

    fn on_event(&mut self, key: usize, event: &Event) {
        let role = self.role;
        self.update(key, |connection| {
            if event.is_error() || (event.is_readable() && connection.is_closed_by_client()) {
                return Outcome::Closed;
            }
            if event.is_writable() { connection.pump(role, Instant::now()) } else { Outcome::Stays }
        });
    }

    /// Writes what is new to every connection that can take it, and closes those that stalled.
    pub(super) fn pump_all(&mut self, now: Instant, closing: bool) {
        let (role, stall_timeout) = (self.role, self.stall_timeout);
        let mut newest = if closing { None } else { self.log.upgrade().and_then(|log| log.newest_tick()) };
        // Live viewers hold a tick at most.
        let must_hurry = role == WorkerRole::CatchUp && self.is_chunk_memory_exhausted();
        let (mut events, mut bytes, mut leaving) = (0, 0, Vec::new());
        self.connections.retain(|key, connection| {
            if let Some(since) = connection.blocked_since {
                let stalled = now >= since + stall_timeout || must_hurry && connection.is_slow(now, CHUNK_TIMEOUT);
                if stalled {
                    connection.viewer.close_reason = CloseReason::Stalled;
                }
                // An event reports when the socket takes more.
                return !stalled;
            }
            let live = newest.as_mut().and_then(|newest| connection.viewer.keep_up(newest, now));
            let outcome = match live {
                Some(chunk) => {
                    events += u64::from(chunk.events);
                    bytes += chunk.data_len() as u64;
                    connection.send(chunk.framed(), now)
                }
                None => connection.pump(role, now),
            };
            if outcome == Outcome::Leaves {
                leaving.push(key);
            }
            outcome != Outcome::Closed
        });
        leaving.into_iter().for_each(|key| self.transfer(key));
        // Gives memory back after a peak.
        if self.connections.len() < self.connections.capacity() / 4 {
            self.connections.shrink_to_fit();
        }
        self.statistics.events_sent.inc_by(events);
        self.statistics.bytes_sent.inc_by(bytes);
    }

    fn is_chunk_memory_exhausted(&self) -> bool {
        self.log.upgrade().is_some_and(|log| log.is_chunk_memory_exhausted())
    }

    fn update(&mut self, key: usize, update: impl FnOnce(&mut Connection) -> Outcome) {
        // The kernel may report one more event for a socket that was closed.
        let Some(connection) = self.connections.get_mut(key) else { return };
        match update(connection) {
            Outcome::Stays => {}
            Outcome::Leaves => self.transfer(key),
            Outcome::Closed => _ = self.connections.remove(key),
        }
    }

    /// Sends a connection to the worker that its viewer needs now.
    fn transfer(&mut self, key: usize) {
        let mut connection = self.connections.remove(key);
        match self.poll.registry().deregister(&mut connection.socket) {
            Ok(()) => self.workers.add(connection),
            Err(error) => tracing::warn!(%error, "cannot transfer a viewer's socket"),
        }
    }
}
