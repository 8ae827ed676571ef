//! The accept loop. Replaces `axum::serve`, which sets no deadlines and can't hand a socket off.

use super::{Fanout, http_connection};
use crate::server::settings::Settings;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use std::{
    io,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

/// A client that has not sent a complete request head by then is disconnected.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// hyper's read buffer. Larger than the accepted head, so that the response can say what is wrong.
const HEAD_BUFFER: usize = 64 * 1024;
/// The pause after a failed `accept`: without file descriptors, an immediate retry only burns CPU.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// What every connection is served with.
pub(in crate::server) struct Acceptor {
    pub(super) http: http1::Builder,
    pub(super) router: Router,
    pub(super) fanout: Option<Arc<Fanout>>,
    pub(super) settings: Arc<Settings>,
    /// Held by each connection; the channel closes when the last one has ended.
    pub(super) open: mpsc::Sender<()>,
    pub(super) draining: watch::Receiver<bool>,
}

impl Acceptor {
    /// Serves `router` until `stop` resolves to a deadline, then waits for responses under way, at most until that
    /// deadline, and returns it.
    pub(in crate::server) async fn run(
        listener: TcpListener,
        router: Router,
        fanout: Option<Arc<Fanout>>,
        settings: Arc<Settings>,
        mut stop: Pin<&mut impl Future<Output = Instant>>,
    ) -> Instant {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(HEAD_BUFFER);
        let ((open, mut all_closed), (drain, draining)) = (mpsc::channel(1), watch::channel(false));
        let acceptor = Arc::new(Self { http, router, fanout, settings, open, draining });
        let mut accepting = true;
        let deadline = loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                deadline = &mut stop => break deadline,
            };
            match accepted {
                Ok((stream, peer)) => {
                    accepting = true;
                    tokio::spawn(http_connection::serve(Arc::clone(&acceptor), stream, peer));
                }
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    // Logged once per outage, not at every retry.
                    if std::mem::take(&mut accepting) {
                        tracing::warn!(%error, "cannot accept connections; retrying");
                    }
                    sleep(ACCEPT_RETRY).await;
                }
            }
        };
        drop((listener, acceptor));
        drain.send_replace(true);
        let remaining = deadline.saturating_duration_since(Instant::now());
        if timeout(remaining, all_closed.recv()).await.is_err() {
            tracing::warn!("the drain timeout passed with connections still open");
        }
        deadline
    }
}

fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
