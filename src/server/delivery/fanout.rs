//! Writes the streams of sockets that were handed over: a few threads, each with its share of the viewers and no task
//! or buffer for any of them.

use crate::server::{
    export::{CloseReason, Statistics},
    log::TickLog,
    stream::{Next, Viewer},
};
use bytes::Bytes;
use mio::{Events, Interest, Poll, Token, Waker, event::Event, net::TcpStream};
use slab::Slab;
use std::{
    io::{self, ErrorKind, Read, Write},
    net::Shutdown,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};

/// News from outside: a new viewer, or a tick.
const NEWS: Token = Token(usize::MAX);
/// Sockets that are heard of at a time.
const EVENTS: usize = 1024;
/// How often deadlines are looked at where no tick comes.
const PATROL: Duration = Duration::from_secs(1);
/// The end of a body in HTTP/1.1's chunked coding (RFC 9112, section 7.1).
const LAST_CHUNK: Bytes = Bytes::from_static(b"0\r\n\r\n");
/// What a viewer may still send: nothing that it sends is answered.
const UNASKED: usize = 64 * 1024;

/// Takes sockets with their viewers, and keeps them fed.
#[derive(Debug)]
pub(in crate::server) struct Fanout {
    handles: Vec<Handle>,
    threads: Mutex<Vec<thread::JoinHandle<()>>>,
    next: AtomicUsize,
}

#[derive(Debug)]
struct Handle {
    inbox: Sender<Arrival>,
    waker: Arc<Waker>,
}

enum Arrival {
    Viewer(std::net::TcpStream, Box<Viewer>),
    /// No more come, and what is left by then is cut off.
    End(Instant),
}

impl Fanout {
    /// Starts the threads: one for every two processors, for they only ever copy to the kernel.
    pub(in crate::server) fn start(
        log: &Arc<TickLog>,
        statistics: &Arc<Statistics>,
        stall: Duration,
    ) -> io::Result<Self> {
        let threads = thread::available_parallelism().map_or(1, |processors| processors.get().div_ceil(2));
        let started = (0..threads).map(|_| Handle::start(log, Arc::clone(statistics), stall));
        let (handles, threads) = started.collect::<io::Result<Vec<_>>>()?.into_iter().unzip();
        Ok(Self { handles, threads: Mutex::new(threads), next: AtomicUsize::new(0) })
    }

    /// Writes to this socket from here on. Nothing may be on its way to it from elsewhere.
    pub(in crate::server) fn take(&self, socket: std::net::TcpStream, viewer: Viewer) {
        let handle = &self.handles[self.next.fetch_add(1, Ordering::Relaxed) % self.handles.len()];
        // A thread that is gone has no use for a viewer, which is dropped, and so counted out.
        let _ = handle.inbox.send(Arrival::Viewer(socket, Box::new(viewer)));
        handle.wake();
    }

    /// Waits until every stream has ended, at most until `deadline`. The log must have been closed.
    pub(in crate::server) fn drain(&self, deadline: Instant) {
        for handle in &self.handles {
            let _ = handle.inbox.send(Arrival::End(deadline));
            handle.wake();
        }
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a fan-out thread had panicked");
            }
        }
    }
}

impl Handle {
    fn start(
        log: &Arc<TickLog>,
        statistics: Arc<Statistics>,
        stall: Duration,
    ) -> io::Result<(Self, thread::JoinHandle<()>)> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), NEWS)?);
        let (inbox, arrivals) = mpsc::channel();
        let share =
            Share { poll, arrivals, log: Arc::downgrade(log), viewers: Slab::new(), end: None, stall, statistics };
        let follow = log.follow();
        let thread = thread::Builder::new().name("fanout".to_owned()).spawn(move || share.run(&follow))?;
        log.wake_with({
            let waker = Arc::clone(&waker);
            move || _ = waker.wake()
        });
        Ok((Self { inbox, waker }, thread))
    }

    fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "a fan-out thread could not be woken");
        }
    }
}

/// One thread's viewers.
struct Share {
    poll: Poll,
    arrivals: Receiver<Arrival>,
    log: Weak<TickLog>,
    /// In one place, since a tick walks through all of them.
    viewers: Slab<Line>,
    end: Option<Instant>,
    /// How long a viewer may take no bytes.
    stall: Duration,
    statistics: Arc<Statistics>,
}

/// A viewer and its socket.
struct Line {
    socket: TcpStream,
    viewer: Viewer,
    /// What the socket didn't take: part of bytes that others share.
    rest: Bytes,
    /// Since when it has taken nothing.
    stuck: Option<Instant>,
    unasked: usize,
    ended: bool,
}

/// What became of a line.
#[derive(Debug, PartialEq, Eq)]
enum State {
    Open,
    Closed,
}

impl Share {
    fn run(mut self, head: &tokio::sync::watch::Receiver<crate::server::log::Head>) {
        let mut events = Events::with_capacity(EVENTS);
        let (mut published, mut patrolled) = (head.borrow().published, Instant::now());
        loop {
            if let Err(error) = self.poll.poll(&mut events, Some(PATROL))
                && error.kind() != ErrorKind::Interrupted
            {
                return tracing::error!(%error, "a fan-out thread can't wait for its sockets");
            }
            for event in &events {
                match event.token() {
                    NEWS => self.welcome(),
                    Token(key) => self.hear(key, event),
                }
            }
            let (now, newest) = (Instant::now(), *head.borrow());
            if newest.published == published && !newest.closing && now < patrolled + PATROL {
                continue;
            }
            self.feed_all(now, newest.closing);
            if newest.published != published
                && let Some(at) = newest.at
            {
                self.statistics.fanout.observe(at.elapsed().as_secs_f64());
            }
            (published, patrolled) = (newest.published, now);
            if let Some(end) = self.end
                && (self.viewers.is_empty() || now >= end)
            {
                return;
            }
        }
    }

    fn welcome(&mut self) {
        while let Ok(arrival) = self.arrivals.try_recv() {
            match arrival {
                Arrival::Viewer(socket, viewer) => self.add(TcpStream::from_std(socket), *viewer),
                Arrival::End(deadline) => self.end = Some(deadline),
            }
        }
    }

    fn add(&mut self, mut socket: TcpStream, viewer: Viewer) {
        let entry = self.viewers.vacant_entry();
        let key = entry.key();
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().register(&mut socket, Token(key), interest) {
            return tracing::warn!(%error, "a viewer's socket could not be watched");
        }
        entry.insert(Line { socket, viewer, rest: Bytes::new(), stuck: None, unasked: 0, ended: false });
        self.serve(key, |line| line.feed(Instant::now()));
    }

    fn hear(&mut self, key: usize, event: &Event) {
        self.serve(key, |line| {
            if event.is_error() || (event.is_readable() && line.has_left()) {
                return State::Closed;
            }
            if event.is_writable() { line.feed(Instant::now()) } else { State::Open }
        });
    }

    fn feed_all(&mut self, now: Instant, closing: bool) {
        let stall = self.stall;
        let mut newest = if closing { None } else { self.log.upgrade().and_then(|log| log.newest()) };
        let (mut events, mut bytes) = (0, 0);
        self.viewers.retain(|_, line| {
            if let Some(since) = line.stuck {
                if now >= since + stall {
                    line.viewer.reason = CloseReason::Stalled;
                }
                // Its socket will tell when it takes more.
                return now < since + stall;
            }
            let live = newest.as_mut().and_then(|newest| line.viewer.keep_up(newest, now));
            let Some(chunk) = live else { return line.feed(now) == State::Open };
            events += u64::from(chunk.events);
            bytes += chunk.data_len() as u64;
            line.send(chunk.framed(), now) == State::Open
        });
        // After a rush, what it took.
        if self.viewers.len() < self.viewers.capacity() / 4 {
            self.viewers.shrink_to_fit();
        }
        self.statistics.events_sent.inc_by(events);
        self.statistics.bytes_sent.inc_by(bytes);
    }

    fn serve(&mut self, key: usize, serve: impl FnOnce(&mut Line) -> State) {
        // A socket that has been let go may still be heard of once.
        if let Some(line) = self.viewers.get_mut(key)
            && serve(line) == State::Closed
        {
            self.viewers.remove(key);
        }
    }
}

impl Line {
    /// Writes what there is to write, as far as the socket takes it.
    fn feed(&mut self, now: Instant) -> State {
        loop {
            let rest = std::mem::take(&mut self.rest);
            if self.send(&rest, now) == State::Closed {
                return State::Closed;
            }
            if self.stuck.is_some() {
                return State::Open;
            }
            if self.ended {
                // What comes after the end tells the client that it has seen everything; an error, that it has left.
                let _ = self.socket.shutdown(Shutdown::Write);
                return State::Closed;
            }
            match self.viewer.next(now) {
                Next::Write(chunk) => self.rest = chunk.framed().clone(),
                Next::Wait(_) => return State::Open,
                Next::End => (self.rest, self.ended) = (LAST_CHUNK, true),
            }
        }
    }

    /// Writes `bytes`, and keeps what the socket doesn't take.
    fn send(&mut self, bytes: &Bytes, now: Instant) -> State {
        let mut sent = 0;
        while sent < bytes.len() {
            match self.socket.write(&bytes[sent..]) {
                Ok(0) => return State::Closed,
                Ok(written) => {
                    sent += written;
                    self.stuck = None;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.rest = bytes.slice(sent..);
                    self.stuck.get_or_insert(now);
                    return State::Open;
                }
                Err(_) => return State::Closed,
            }
        }
        State::Open
    }

    /// Reads what the viewer sends, which means nothing, up to its end, which means that it has left.
    fn has_left(&mut self) -> bool {
        let mut unasked = [0; 1024];
        loop {
            match self.socket.read(&mut unasked) {
                Ok(0) => return true,
                Ok(read) => {
                    self.unasked += read;
                    if self.unasked > UNASKED {
                        return true;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
        }
    }
}
