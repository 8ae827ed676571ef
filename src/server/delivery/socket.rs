//! A socket while hyper uses it: fails writes when the client takes no bytes for the stall timeout, and tracks whether
//! everything was flushed.

use super::CHUNK_TIMEOUT;
use crate::server::{log::TickLog, stream::StallFlag};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    time::{Instant, Sleep, sleep},
};

/// Whether hyper has flushed the socket since it last wrote to it.
#[derive(Clone, Debug, Default)]
pub(super) struct FlushFlag(Arc<AtomicBool>);

impl FlushFlag {
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, flushed: bool) {
        self.0.store(flushed, Ordering::Relaxed);
    }
}

pub(super) struct Socket {
    stream: TokioIo<TcpStream>,
    flushed: FlushFlag,
    stalled: StallFlag,
    stall_timeout: Duration,
    /// Runs while the peer takes no bytes.
    deadline: Option<Pin<Box<Sleep>>>,
    log: Arc<TickLog>,
    /// Since when hyper has something to write.
    unflushed_since: Option<Instant>,
}

impl Socket {
    pub(super) fn new(
        stream: TcpStream,
        stall_timeout: Duration,
        stalled: StallFlag,
        log: Arc<TickLog>,
    ) -> (Self, FlushFlag) {
        let flushed = FlushFlag::default();
        let stream = TokioIo::new(stream);
        let (deadline, unflushed_since) = (None, None);
        (Self { stream, flushed: flushed.clone(), stalled, stall_timeout, deadline, log, unflushed_since }, flushed)
    }

    pub(super) fn into_inner(self) -> TcpStream {
        self.stream.into_inner()
    }

    /// Passes a write's outcome on; a write that stays pending for the stall timeout fails, and so does one of a chunk
    /// that takes too long while the memory for chunks is exhausted.
    fn before_stall<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        self.flushed.set(false);
        let is_slow = self.unflushed_since.get_or_insert_with(Instant::now).elapsed() >= CHUNK_TIMEOUT;
        if is_slow && self.log.is_chunk_memory_exhausted() {
            self.stalled.set();
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if outcome.is_ready() {
            self.deadline = None;
            return outcome;
        }
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(self.stall_timeout)));
        ready!(deadline.as_mut().poll(cx));
        self.stalled.set();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Read for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl Write for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.before_stall(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.before_stall(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes only once its own buffer is written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flushed.set(true);
        self.unflushed_since = None;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::log::tests::exhaust_chunk_memory;
    use hyper::rt::Write;
    use std::future::poll_fn;
    use tokio::net::TcpListener;

    #[tokio::test(start_paused = true)]
    async fn write_of_slow_client_fails_only_while_memory_for_chunks_is_exhausted() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let stream = listener.accept().await.unwrap().0;
        let (log, stalled) = (Arc::<TickLog>::default(), StallFlag::default());
        let (mut socket, _) = Socket::new(stream, Duration::from_secs(3600), stalled.clone(), Arc::clone(&log));
        let exhausted = exhaust_chunk_memory(&log);
        for (pause, outcome) in [(Duration::ZERO, Ok(1)), (CHUNK_TIMEOUT, Err(io::ErrorKind::TimedOut))] {
            tokio::time::advance(pause).await;
            let written = poll_fn(|cx| Pin::new(&mut socket).poll_write(cx, b"x")).await;
            assert_eq!(written.map_err(|error| error.kind()), outcome);
        }
        assert!(stalled.is_set());
        drop(exhausted);
        poll_fn(|cx| Pin::new(&mut socket).poll_write(cx, b"x")).await.unwrap();
        // What is flushed takes no time.
        let _exhausted = exhaust_chunk_memory(&log);
        poll_fn(|cx| Pin::new(&mut socket).poll_flush(cx)).await.unwrap();
        poll_fn(|cx| Pin::new(&mut socket).poll_write(cx, b"x")).await.unwrap();
    }
}
