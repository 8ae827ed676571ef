//! Accepts connections. A loop of our own, since `axum::serve` sets no deadlines, and can't give a socket away.

mod fanout;
mod handoff;
mod socket;

use super::{Settings, stream::Viewer};
use axum::Router;
pub(super) use fanout::Fanout;
pub(super) use handoff::Handoff;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1::{self, Parts},
    service::service_fn,
};
use hyper_util::{rt::TokioTimer, service::TowerToHyperService};
use socket::Socket;
use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

/// A client that hasn't sent a request's head by then is gone or means no good.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// What hyper buffers of a head. Larger than what we accept, so that the answer can say what is wrong.
const HEAD_BUFFER: usize = 64 * 1024;
/// Out of descriptors, accepting again at once would only burn the processor.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);
/// Connections that may wait to be accepted, as far as the system lets them.
const BACKLOG: u32 = 4096;
/// A peer that acknowledges nothing for so long has vanished (RFC 5482).
#[cfg(target_os = "linux")]
const VANISHED: Duration = Duration::from_secs(30);

/// What a client is told whose request's head was begun and not finished in time (RFC 9110, section 15.5.9).
const HEAD_TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// The other end of a connection's socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub SocketAddr);

/// Takes the port.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Windows lets others steal such a port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves connections.
pub(super) struct Acceptor {
    http: http1::Builder,
    routes: Router,
    fanout: Option<Arc<Fanout>>,
    settings: Arc<Settings>,
    /// Dropped when the last connection has ended.
    open: mpsc::Sender<()>,
    closing: watch::Receiver<bool>,
}

impl Acceptor {
    /// Serves `routes` until `closing` resolves, then waits for the answers under way, at most until the deadline that
    /// it resolves to, and returns.
    pub(super) async fn run(
        listener: TcpListener,
        routes: Router,
        fanout: Option<Arc<Fanout>>,
        settings: Arc<Settings>,
        mut closing: Pin<&mut impl Future<Output = Instant>>,
    ) -> Instant {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_DEADLINE).max_buf_size(HEAD_BUFFER);
        let ((open, mut ended), (close, closes)) = (mpsc::channel(1), watch::channel(false));
        let acceptor = Arc::new(Self { http, routes, fanout, settings, open, closing: closes });
        let mut accepting = true;
        let deadline = loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                deadline = &mut closing => break deadline,
            };
            match accepted {
                Ok((stream, peer)) => {
                    accepting = true;
                    tokio::spawn(Arc::clone(&acceptor).serve(stream, peer));
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    if std::mem::take(&mut accepting) {
                        tracing::warn!(%error, "cannot accept connections; trying again and again");
                    }
                    sleep(OUT_OF_DESCRIPTORS).await;
                }
            }
        };
        drop((listener, acceptor));
        close.send_replace(true);
        let left = deadline.saturating_duration_since(Instant::now());
        if timeout(left, ended.recv()).await.is_err() {
            tracing::warn!("connections were still open when the time to end was over");
        }
        deadline
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let (_open, mut closing) = (self.open.clone(), self.closing.clone());
        if let Err(error) = set_options(&stream) {
            tracing::debug!(%error, "a socket's options could not be set");
        }
        let handoff = Handoff::default();
        let socket = Socket::new(stream, handoff.clone(), self.settings.stall);
        let offered = handoff.clone();
        let routes = TowerToHyperService::new(self.routes.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            request.extensions_mut().insert(offered.clone());
            let routes = routes.clone();
            Box::pin(async move { hyper::service::Service::call(&routes, request).await })
        });
        let mut connection = self.http.serve_connection(socket, service);
        // The rest of this future is kept for as long as the connection is: nothing of the acceptor must be.
        let fanout = self.fanout.clone();
        drop(self);
        let mut draining = false;
        let outcome = loop {
            tokio::select! {
                outcome = poll_fn(|cx| {
                    let outcome = connection.poll_without_shutdown(cx);
                    match handoff.take() {
                        Some(viewer) => Poll::Ready(Ok(Some(viewer))),
                        None => outcome.map_ok(|()| None),
                    }
                }) => break outcome,
                _ = closing.wait_for(|closing| *closing), if !draining => {
                    draining = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
            }
        };
        let Parts { io, read_buf, .. } = connection.into_parts();
        let mut stream = io.into_inner();
        match (outcome, fanout) {
            (Ok(Some(viewer)), Some(fanout)) => hand_off(&fanout, stream, viewer),
            (Ok(_), _) => _ = stream.shutdown().await,
            // hyper closes without a word.
            (Err(error), _) if error.is_timeout() && !read_buf.is_empty() => {
                // Nothing waits to be written before it, so that the system takes it at once, or never.
                let _ = stream.try_write(HEAD_TOO_SLOW);
                let _ = stream.shutdown().await;
            }
            (Err(error), _) => tracing::debug!(%error, "a connection ended early"),
        }
    }
}

fn hand_off(fanout: &Fanout, stream: TcpStream, viewer: Viewer) {
    match stream.into_std() {
        Ok(socket) => fanout.take(socket, viewer),
        Err(error) => tracing::warn!(%error, "a socket could not be handed over"),
    }
}

/// An event leaves when it is written, rather than wait to be sent along with the next; and a peer that has vanished is
/// noticed.
fn set_options(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_user_timeout(stream, VANISHED.as_millis() as u32)?;
    Ok(())
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
