//! Runs the streams of an HTTP/2 connection, each as a task, and resets those whose client takes no bytes: flow control
//! stops a stream without the others, so the socket does not show it.

use hyper::rt::Executor;
use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// A response may take this long to render.
const MIN_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(super) struct StreamExecutor {
    timeout: Duration,
    /// Each stream holds a receiver.
    open: watch::Sender<()>,
}

impl StreamExecutor {
    pub(super) fn new(stall_timeout: Duration) -> Self {
        Self { timeout: stall_timeout.max(MIN_TIMEOUT), open: watch::Sender::default() }
    }

    /// Whether no stream is open.
    pub(super) fn is_idle(&self) -> bool {
        self.open.receiver_count() == 0
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for StreamExecutor {
    /// A stream whose client takes bytes is polled more often than the timeout; see `SlicedBody`.
    fn execute(&self, stream: F) {
        let (timeout, open) = (self.timeout, self.open.subscribe());
        tokio::spawn(async move {
            let _open = open;
            let (mut stream, mut deadline) = (pin!(stream), pin!(sleep(timeout)));
            poll_fn(|cx| {
                if deadline.as_mut().poll(cx).is_ready() || stream.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                deadline.as_mut().reset(Instant::now() + timeout);
                deadline.as_mut().poll(cx)
            })
            .await;
        });
    }
}
