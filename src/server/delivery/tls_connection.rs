//! One connection over TLS: the handshake, the protocol that ALPN chose, and streams that stay with hyper.

use super::{
    acceptor::{self, Acceptor},
    http2_limits::Http2Limits,
    plain_http,
    sliced_body::{SlicedBody, StallWatch},
    socket::Socket,
    stream_executor::StreamExecutor,
    tls::Tls,
};
use crate::server::{
    access::{ClientPermit, Peer, SharedPermit},
    stream::{ClientConnection, StallFlag},
};
use axum::{
    Router,
    http::{HeaderName, HeaderValue, Uri, header},
    response::Response,
};
use hyper::{
    Request,
    body::Incoming,
    service::{Service, service_fn},
};
use hyper_util::{rt::TokioIo, server::graceful::GracefulConnection, service::TowerToHyperService};
use std::{
    convert::Infallible,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_rustls::server::TlsStream;

/// Handshake and first request head take no longer together.
const ESTABLISH_TIMEOUT: Duration = Duration::from_secs(10);
/// An HTTP/2 connection without a request is closed after it, and at the latest after twice as long.
const IDLE_INTERVAL: Duration = Duration::from_secs(30);
/// Tells handlers that the browser uses HTTPS, as a proxy would.
const SCHEME: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-forwarded-proto"), HeaderValue::from_static("https"));

type Stream = TlsStream<TokioIo<Socket>>;

pub(super) async fn serve(
    acceptor: Arc<Acceptor>,
    tls: Arc<Tls>,
    stream: TcpStream,
    peer: Peer,
    permit: Option<ClientPermit>,
) {
    let _open = acceptor.open.clone();
    let mut draining = acceptor.draining.clone();
    let deadline = Instant::now() + ESTABLISH_TIMEOUT;
    let stalled = StallFlag::default();
    let establish = establish(&acceptor, &tls, stream, &stalled);
    let established = tokio::select! {
        established = timeout_at(deadline, establish) => established,
        _ = draining.wait_for(|draining| *draining) => return,
    };
    match established {
        Ok(Ok(Some(stream))) => {
            let connection = TlsConnection {
                peer,
                tls,
                permit: SharedPermit::new(permit),
                stalled,
                requested: AtomicBool::new(false),
            };
            if let Err(error) = connection.respond(acceptor, stream, draining, deadline).await {
                tracing::debug!(%error, "connection ended early");
            }
        }
        Ok(Ok(None)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "no TLS handshake"),
        Err(_) => tracing::debug!("no TLS handshake in time"),
    }
}

/// The stream after its handshake; `None` for a client that sends plain HTTP, which is answered here.
async fn establish(
    acceptor: &Acceptor,
    tls: &Tls,
    stream: TcpStream,
    stalled: &StallFlag,
) -> io::Result<Option<Stream>> {
    if !plain_http::is_handshake(&stream).await? {
        return plain_http::refuse(&acceptor.http, stream).await.map(|()| None);
    }
    let stall = acceptor.service.borrow().settings.stall;
    let (socket, _) = Socket::new(stream, stall, stalled.clone(), Arc::clone(&acceptor.log));
    tls.acceptor.accept(TokioIo::new(socket)).await.map(Some)
}

/// What the requests of a connection share.
struct TlsConnection {
    peer: Peer,
    tls: Arc<Tls>,
    permit: SharedPermit,
    stalled: StallFlag,
    /// Whether a request head came.
    requested: AtomicBool,
}

impl TlsConnection {
    async fn respond(
        self,
        acceptor: Arc<Acceptor>,
        stream: Stream,
        draining: watch::Receiver<bool>,
        deadline: Instant,
    ) -> hyper::Result<()> {
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let acceptor::Service { router, settings } = acceptor.service.borrow().clone();
        let (stream, stall, log) = (TokioIo::new(stream), settings.stall, Arc::clone(&acceptor.log));
        let router = TowerToHyperService::new(router);
        if is_http2 {
            let service = service_fn(|mut request| {
                to_origin_form(&mut request);
                let stalled = StallFlag::default();
                let watch = StallWatch {
                    timeout: stall,
                    connection: self.stalled.clone(),
                    stream: stalled.clone(),
                    log: Arc::clone(&log),
                };
                let response = self.call(&router, request, stalled);
                async move { Ok::<_, Infallible>(response.await?.map(|body| SlicedBody::new(body, watch))) }
            });
            let executor = StreamExecutor::new(stall);
            let connection = Http2Limits::default().builder(executor.clone()).serve_connection(stream, service);
            drop(acceptor);
            drive(connection, draining, deadline, &self.requested, || executor.is_idle()).await
        } else {
            let service = service_fn(|request| self.call(&router, request, self.stalled.clone()));
            let connection = acceptor.http.serve_connection(stream, service);
            drop(acceptor);
            // hyper closes an idle HTTP/1.1 connection by the timeout for a request head.
            drive(connection, draining, deadline, &self.requested, || false).await
        }
    }

    /// Has the router respond. The future borrows nothing, as it runs in a task of its own.
    fn call(
        &self,
        router: &TowerToHyperService<Router>,
        mut request: Request<Incoming>,
        stalled: StallFlag,
    ) -> impl Future<Output = Result<Response, Infallible>> + use<> {
        self.requested.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(ClientConnection { peer: self.peer, handoff: None, stalled });
        request.extensions_mut().insert(self.peer);
        request.extensions_mut().insert(self.permit.clone());
        request.headers_mut().insert(SCHEME.0, SCHEME.1);
        let (response, transport_security) = (Box::pin(router.call(request)), self.tls.transport_security());
        async move {
            let mut response = response.await?;
            if let Some(policy) = transport_security {
                response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, policy);
            }
            Ok(response)
        }
    }
}

/// Serves until the connection ends, is idle, or has no request by the deadline; ends its streams when the server drains.
async fn drive(
    connection: impl GracefulConnection<Error = hyper::Error>,
    mut draining: watch::Receiver<bool>,
    mut deadline: Instant,
    requested: &AtomicBool,
    is_idle: impl Fn() -> bool,
) -> hyper::Result<()> {
    let mut connection = pin!(connection);
    let (mut is_draining, mut was_idle) = (false, false);
    loop {
        tokio::select! {
            outcome = &mut connection => return outcome,
            _ = draining.wait_for(|draining| *draining), if !is_draining => {
                is_draining = true;
                connection.as_mut().graceful_shutdown();
            }
            () = sleep_until(deadline) => {
                if !requested.load(Ordering::Relaxed) {
                    return Ok(());
                }
                let idle = is_idle();
                if idle && was_idle {
                    connection.as_mut().graceful_shutdown();
                }
                (was_idle, deadline) = (idle, Instant::now() + IDLE_INTERVAL);
            }
        }
    }
}

/// HTTP/2 names the host in the request's target (RFC 9113, section 8.3.1), HTTP/1.1 in the header that is checked.
fn to_origin_form(request: &mut Request<Incoming>) {
    let mut target = request.uri().clone().into_parts();
    let host = target.authority.take().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    let Some(host) = host else { return };
    request.headers_mut().insert(header::HOST, host);
    target.scheme = None;
    if let Ok(target) = Uri::from_parts(target) {
        *request.uri_mut() = target;
    }
}
