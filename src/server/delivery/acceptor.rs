//! The accept loop. Replaces `axum::serve`, which sets no deadlines and can't hand a socket off.

use super::{Fanout, Tls, http_connection, listener::Listener, tls_connection};
use crate::server::{
    access::{ClientLimiter, ClientPermit, Peer, Refusal},
    log::TickLog,
    settings::Settings,
};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpStream,
    sync::{mpsc, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

/// A client that has not sent a complete request head by then is disconnected.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// hyper's read buffer. Larger than the accepted head, so that the response can say what is wrong.
const HEAD_BUFFER: usize = 64 * 1024;
/// The pause after a failed `accept`: without file descriptors, an immediate retry only burns CPU.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// The response to a connection beyond the limit of its address, whose request is not read.
const TOO_MANY_CONNECTIONS: &[u8] =
    b"HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n";

/// What answers new connections, until a reload.
#[derive(Clone, Debug)]
pub(in crate::server) struct Service {
    pub(in crate::server) router: Router,
    pub(in crate::server) settings: Arc<Settings>,
}

/// What every connection is served with.
pub(in crate::server) struct Acceptor {
    pub(super) http: http1::Builder,
    pub(super) service: watch::Receiver<Service>,
    pub(super) fanout: Option<Arc<Fanout>>,
    /// For TCP ports; only programs of this host reach a unix socket.
    tls: Option<Arc<Tls>>,
    pub(super) log: Arc<TickLog>,
    /// Limits the connections of an address that have no stream yet.
    connections: Arc<ClientLimiter>,
    /// Held by each connection; the channel closes when the last one has ended.
    pub(super) open: mpsc::Sender<()>,
    pub(super) draining: watch::Receiver<bool>,
}

impl Acceptor {
    /// Serves the newest `service` on every listener until `stop` resolves to a deadline, then waits for responses under
    /// way, at most until that deadline, and returns it.
    pub(in crate::server) async fn run(
        listeners: Vec<Listener>,
        service: watch::Receiver<Service>,
        fanout: Option<Arc<Fanout>>,
        tls: Option<Arc<Tls>>,
        log: Arc<TickLog>,
        stop: impl Future<Output = Instant>,
    ) -> Instant {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(HEAD_BUFFER);
        let ((open, mut all_closed), (drain, draining)) = (mpsc::channel(1), watch::channel(false));
        let connections = ClientLimiter::new(connections_per_address(&service.borrow().settings), usize::MAX);
        let acceptor = Arc::new(Self { http, service, fanout, tls, log, connections, open, draining });
        let accept = |listener| Arc::clone(&acceptor).accept(listener);
        let accepting: JoinSet<_> = listeners.into_iter().map(accept).collect();
        drop(acceptor);
        let deadline = stop.await;
        drain.send_replace(true);
        accepting.join_all().await;
        let remaining = deadline.saturating_duration_since(Instant::now());
        if timeout(remaining, all_closed.recv()).await.is_err() {
            tracing::warn!("the drain timeout passed with connections still open");
        }
        deadline
    }

    /// Accepts connections until the server stops.
    async fn accept(self: Arc<Self>, listener: Listener) {
        let mut draining = self.draining.clone();
        let mut accepting = true;
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = draining.wait_for(|draining| *draining) => return,
            };
            match accepted {
                Ok((stream, peer)) => {
                    accepting = true;
                    match self.admit(peer) {
                        Ok(permit) => Arc::clone(&self).serve(stream, peer, permit),
                        // The send buffer is empty, so the kernel takes it at once.
                        Err(_) => _ = stream.try_write(TOO_MANY_CONNECTIONS),
                    }
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
        }
    }

    fn serve(self: Arc<Self>, stream: TcpStream, peer: Peer, permit: Option<ClientPermit>) {
        match self.tls.clone().filter(|_| peer != Peer::UnixSocket) {
            Some(tls) => _ = tokio::spawn(tls_connection::serve(self, tls, stream, peer, permit)),
            None => _ = tokio::spawn(http_connection::serve(self, stream, peer, permit)),
        }
    }

    /// Admits a connection until it has a stream or ends. Trusted proxies and programs of this host aren't limited, as
    /// they serve many clients.
    fn admit(&self, peer: Peer) -> Result<Option<ClientPermit>, Refusal> {
        let settings = Arc::clone(&self.service.borrow().settings);
        if peer.is_trusted(&settings.trusted_proxy) || peer.address().is_loopback() {
            return Ok(None);
        }
        let peer = peer.address();
        let admitted = self.connections.admit(peer.into());
        if admitted.is_err() && self.connections.is_log_due(Instant::now()) {
            let limit = connections_per_address(&settings);
            tracing::warn!(%peer, limit, "connections were refused: too many from one address, apart from streams");
        }
        admitted.map(Some)
    }
}

/// Twice its streams, as each may be about to open one beside loading a page.
fn connections_per_address(settings: &Settings) -> usize {
    settings.max_streams_per_address.saturating_mul(2)
}

fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acceptor() -> Acceptor {
        let trusted_proxy = vec!["192.0.2.0/24".parse().unwrap()];
        let settings = Settings { max_streams_per_address: 2, trusted_proxy, ..Settings::default() };
        Acceptor {
            http: http1::Builder::new(),
            fanout: None,
            tls: None,
            log: Arc::default(),
            connections: ClientLimiter::new(connections_per_address(&settings), usize::MAX),
            service: watch::channel(Service { router: Router::new(), settings: Arc::new(settings) }).1,
            open: mpsc::channel(1).0,
            draining: watch::channel(false).1,
        }
    }

    #[test]
    fn connections_of_a_stranger_are_limited() {
        let (acceptor, stranger) = (acceptor(), Peer::Address("::ffff:198.51.100.7".parse().unwrap()));
        let mut open: Vec<_> = (0..4).map(|_| acceptor.admit(stranger).unwrap()).collect();
        assert!(acceptor.admit(stranger).is_err());
        open.pop();
        assert!(acceptor.admit(stranger).is_ok());
    }

    #[test]
    fn connections_of_proxies_and_of_this_host_are_not_limited() {
        let acceptor = acceptor();
        let addresses = ["127.0.0.1", "::1", "192.0.2.9", "::ffff:192.0.2.9"].map(|peer| peer.parse().unwrap());
        for peer in addresses.map(Peer::Address).into_iter().chain([Peer::UnixSocket]) {
            let open: Vec<_> = (0..99).map(|_| acceptor.admit(peer)).collect();
            assert!(open.iter().all(Result::is_ok), "{peer:?}");
        }
    }
}
