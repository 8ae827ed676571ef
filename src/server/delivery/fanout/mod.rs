//! Fan-out: a few worker threads write the streams of the sockets that left hyper, without a task or a buffer for each.
//!
//! Live first: one worker serves the viewers that catch up, and the others those that have kept up. Encoding a replay or a
//! window delays only the former.

mod connection;
#[cfg(test)]
mod tests;
mod worker;

use crate::server::{export::Statistics, log::TickLog, stream::Viewer};
use connection::Connection;
use mio::{Poll, Waker};
use std::{
    io,
    net::TcpStream,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use worker::{Message, WAKE_TOKEN, Worker, WorkerRole};

/// How long a failed worker pauses.
const RESTART_PAUSE: Duration = Duration::from_millis(100);

/// Distributes handed-off sockets over the workers.
#[derive(Debug)]
pub(in crate::server) struct Fanout {
    workers: Arc<Workers>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// The workers as seen from outside, and from each other.
#[derive(Debug)]
struct Workers {
    live: Vec<WorkerHandle>,
    catch_up: WorkerHandle,
    next: AtomicUsize,
}

#[derive(Debug)]
struct WorkerHandle {
    messages: Sender<Message>,
    waker: Arc<Waker>,
}

impl Fanout {
    /// Starts one live worker for every two processors, since they only copy shared bytes to the kernel, and the worker for
    /// viewers that catch up.
    pub(in crate::server) fn start(
        log: &Arc<TickLog>,
        statistics: &Arc<Statistics>,
        stall_timeout: Duration,
    ) -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, |processors| processors.get().div_ceil(2));
        let (live, inboxes): (Vec<_>, Vec<_>) =
            (0..count).map(|_| WorkerHandle::new(log)).collect::<io::Result<Vec<_>>>()?.into_iter().unzip();
        let (catch_up, catch_up_inbox) = WorkerHandle::new(log)?;
        let workers = Arc::new(Workers { live, catch_up, next: AtomicUsize::new(0) });
        let roles =
            inboxes.into_iter().map(|inbox| (WorkerRole::Live, inbox)).chain([(WorkerRole::CatchUp, catch_up_inbox)]);
        let threads = roles.map(|(role, (poll, inbox))| {
            let (workers, statistics) = (Arc::clone(&workers), Arc::clone(statistics));
            let worker = Worker::new(role, poll, inbox, workers, log, stall_timeout, Arc::clone(&statistics));
            let head = log.watch_head();
            thread::Builder::new().name(role.thread_name().to_owned()).spawn(move || {
                supervise(worker, &statistics, |worker| worker.run(&head));
            })
        });
        let threads = Mutex::new(threads.collect::<io::Result<_>>()?);
        Ok(Self { workers, threads })
    }

    /// Writes the viewer's stream to this socket from now on. Nothing else may write to it.
    pub(in crate::server) fn add(&self, socket: TcpStream, viewer: Viewer) {
        self.workers.add(Connection::new(mio::net::TcpStream::from_std(socket), viewer));
    }

    /// Waits until every stream has ended, at most until `deadline`. The log must be closed before.
    pub(in crate::server) fn drain(&self, deadline: Instant) {
        let Workers { live, catch_up, .. } = &*self.workers;
        live.iter().chain([catch_up]).for_each(|worker| worker.send(Message::Drain(deadline)));
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // Its failure is logged already.
            let _ = thread.join();
        }
    }
}

/// Runs a worker until it has drained. One that fails, by error or panic, is counted and runs again without its
/// connections, so that their viewers reconnect.
fn supervise(mut worker: Worker, statistics: &Statistics, mut run: impl FnMut(&mut Worker) -> io::Result<()>) {
    loop {
        let error = match catch_unwind(AssertUnwindSafe(|| run(&mut worker))) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it panicked".to_owned(),
        };
        statistics.failed_workers.inc();
        tracing::error!(
            error,
            "a fan-out worker failed; its viewers reconnect, and /readyz answers 503 until a restart"
        );
        worker.close_all();
        // An error that lasts must not take a processor.
        thread::sleep(RESTART_PAUSE);
    }
}

impl Workers {
    /// Sends a connection to the worker that its viewer needs.
    fn add(&self, connection: Connection) {
        let worker = if connection.viewer.is_behind() {
            &self.catch_up
        } else {
            &self.live[self.next.fetch_add(1, Ordering::Relaxed) % self.live.len()]
        };
        worker.send(Message::Add(Box::new(connection)));
    }
}

impl WorkerHandle {
    /// A handle, and what the worker's thread needs. The worker is woken whenever the log's head changes.
    fn new(log: &Arc<TickLog>) -> io::Result<(Self, (Poll, Receiver<Message>))> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE_TOKEN)?);
        let (messages, inbox) = mpsc::channel();
        log.on_head_change({
            let waker = Arc::clone(&waker);
            move || _ = waker.wake()
        });
        Ok((Self { messages, waker }, (poll, inbox)))
    }

    fn send(&self, message: Message) {
        // A worker that has ended drops the viewer, which is then counted as closed.
        let _ = self.messages.send(message);
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "cannot wake a fan-out worker");
        }
    }
}
