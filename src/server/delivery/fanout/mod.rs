//! Fan-out: a few worker threads write the streams of the sockets that left hyper, without a task or a buffer for each.

mod connection;
mod worker;

use crate::server::{export::Statistics, log::TickLog, stream::Viewer};
use mio::{Poll, Waker};
use std::{
    io,
    net::TcpStream,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use worker::{Message, WAKE_TOKEN, Worker};

/// Distributes handed-off sockets over the workers.
#[derive(Debug)]
pub(in crate::server) struct Fanout {
    workers: Vec<WorkerHandle>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    next: AtomicUsize,
}

#[derive(Debug)]
struct WorkerHandle {
    messages: Sender<Message>,
    waker: Arc<Waker>,
}

impl Fanout {
    /// Starts one worker for every two processors: they only copy shared bytes to the kernel.
    pub(in crate::server) fn start(
        log: &Arc<TickLog>,
        statistics: &Arc<Statistics>,
        stall_timeout: Duration,
    ) -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, |processors| processors.get().div_ceil(2));
        let started = (0..count).map(|_| start_worker(log, Arc::clone(statistics), stall_timeout));
        let (workers, threads) = started.collect::<io::Result<Vec<_>>>()?.into_iter().unzip();
        Ok(Self { workers, threads: Mutex::new(threads), next: AtomicUsize::new(0) })
    }

    /// Writes the viewer's stream to this socket from now on. Nothing else may write to it.
    pub(in crate::server) fn add(&self, socket: TcpStream, viewer: Viewer) {
        let worker = &self.workers[self.next.fetch_add(1, Ordering::Relaxed) % self.workers.len()];
        worker.send(Message::Add(socket, Box::new(viewer)));
    }

    /// Waits until every stream has ended, at most until `deadline`. The log must be closed before.
    pub(in crate::server) fn drain(&self, deadline: Instant) {
        self.workers.iter().for_each(|worker| worker.send(Message::Drain(deadline)));
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a fan-out worker panicked");
            }
        }
    }
}

impl WorkerHandle {
    fn send(&self, message: Message) {
        // A worker that has ended drops the viewer, which is then counted as closed.
        let _ = self.messages.send(message);
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "cannot wake a fan-out worker");
        }
    }
}

fn start_worker(
    log: &Arc<TickLog>,
    statistics: Arc<Statistics>,
    stall_timeout: Duration,
) -> io::Result<(WorkerHandle, JoinHandle<()>)> {
    let poll = Poll::new()?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKE_TOKEN)?);
    let (messages, inbox) = mpsc::channel();
    let worker = Worker::new(poll, inbox, log, stall_timeout, statistics);
    let head = log.watch_head();
    let thread = thread::Builder::new().name("fanout".to_owned()).spawn(move || worker.run(&head))?;
    log.on_head_change({
        let waker = Arc::clone(&waker);
        move || _ = waker.wake()
    });
    Ok((WorkerHandle { messages, waker }, thread))
}
