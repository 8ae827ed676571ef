//! One connection over TLS: the handshake, and the protocol that ALPN chose.

use super::{
    acceptor::{self, Acceptor},
    http_connection,
    http2_limits::Http2Limits,
    plain_http,
    sliced_body::{SlicedBody, StallWatch},
    socket::{FlushFlag, Socket},
    stream_executor::StreamExecutor,
    tls::Tls,
    tls_stream,
};
use crate::server::{
    access::{ClientPermit, Peer, SharedPermit},
    export::CloseReason,
    stream::{ClientConnection, Handoff, StallFlag},
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
    future::pending,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::{mpsc, watch},
    time::{Instant, sleep_until, timeout_at},
};
use tokio_rustls::server::TlsStream;

/// Handshake and first request head take no longer together.
const ESTABLISH_TIMEOUT: Duration = Duration::from_secs(10);
/// An HTTP/2 connection without a request is closed after it, and at the latest after twice as long.
const IDLE_INTERVAL: Duration = Duration::from_secs(30);
/// Reports HTTPS to handlers, as a proxy does.
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
    let open = acceptor.open.clone();
    let mut draining = acceptor.draining.clone();
    let deadline = Instant::now() + ESTABLISH_TIMEOUT;
    let stalled = StallFlag::default();
    let establish = establish(&acceptor, &tls, stream, &stalled);
    let established = tokio::select! {
        established = timeout_at(deadline, establish) => established,
        _ = draining.wait_for(|draining| *draining) => return,
    };
    let (stream, flushed) = match established {
        Ok(Ok(Some(established))) => established,
        Ok(Ok(None)) => return,
        Ok(Err(error)) => return tracing::debug!(%error, "no TLS handshake"),
        Err(_) => return tracing::debug!("no TLS handshake in time"),
    };
    let (permit, requested) = (SharedPermit::new(permit), AtomicBool::new(false));
    let connection = TlsConnection { peer, tls, permit, stalled, draining, deadline, requested };
    let ended = if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        connection.serve_http2(acceptor, stream).await
    } else {
        connection.serve_http1(acceptor, stream, flushed, open).await
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}

/// The stream after its handshake; `None` for a client that sends plain HTTP, which is answered here.
async fn establish(
    acceptor: &Acceptor,
    tls: &Tls,
    stream: TcpStream,
    stalled: &StallFlag,
) -> io::Result<Option<(Stream, FlushFlag)>> {
    if !plain_http::is_handshake(&stream).await? {
        return plain_http::refuse(&acceptor.http, stream).await.map(|()| None);
    }
    let stall = acceptor.service.borrow().settings.stall;
    let (socket, flushed) = Socket::new(stream, stall, stalled.clone(), Arc::clone(&acceptor.log));
    let stream = tls.acceptor.accept(TokioIo::new(socket)).await?;
    Ok(Some((stream, flushed)))
}

/// What the requests of a connection share.
struct TlsConnection {
    peer: Peer,
    tls: Arc<Tls>,
    permit: SharedPermit,
    stalled: StallFlag,
    draining: watch::Receiver<bool>,
    /// By when the first request must come.
    deadline: Instant,
    /// Whether a request head came.
    requested: AtomicBool,
}

impl TlsConnection {
    async fn serve_http2(self, acceptor: Arc<Acceptor>, stream: Stream) -> hyper::Result<()> {
        let acceptor::Service { router, settings } = acceptor.service.borrow().clone();
        let (stall, log) = (settings.stall, Arc::clone(&acceptor.log));
        let router = TowerToHyperService::new(router);
        drop(acceptor);
        let service = service_fn(|mut request| {
            to_origin_form(&mut request);
            let stalled = StallFlag::default();
            let watch = StallWatch {
                timeout: stall,
                connection: self.stalled.clone(),
                stream: stalled.clone(),
                log: Arc::clone(&log),
            };
            let response = self.call(&router, request, stalled, None);
            async move { Ok::<_, Infallible>(response.await?.map(|body| SlicedBody::new(body, watch))) }
        });
        let executor = StreamExecutor::new(stall);
        let connection =
            Http2Limits::default().builder(executor.clone()).serve_connection(TokioIo::new(stream), service);
        drive(connection, self.draining.clone(), self.deadline, &self.requested, || executor.is_idle()).await
    }

    async fn serve_http1(
        self,
        acceptor: Arc<Acceptor>,
        stream: Stream,
        flushed: FlushFlag,
        open: mpsc::Sender<()>,
    ) -> hyper::Result<()> {
        let (handoff, mut viewers) = Handoff::new();
        let router = TowerToHyperService::new(acceptor.service.borrow().router.clone());
        let service =
            service_fn(|request| Box::pin(self.call(&router, request, self.stalled.clone(), Some(handoff.clone()))));
        let mut connection = acceptor.http.serve_connection(TokioIo::new(stream), service);
        drop(acceptor);
        let mut draining = self.draining.clone();
        let (outcome, viewer) = tokio::select! {
            driven = http_connection::drive(&mut connection, &mut viewers, &flushed, &mut draining) => driven,
            () = self.request_timeout() => return Ok(()),
        };
        let mut stream = connection.into_parts().io.into_inner();
        match (outcome, viewer) {
            // In a task of its own, which takes less memory than this one.
            (Ok(()), Some(viewer)) => _ = tokio::spawn(tls_stream::serve(stream, viewer, self.stalled.clone(), open)),
            (Ok(()), None) => _ = stream.shutdown().await,
            (Err(error), viewer) => {
                if let Some(mut viewer) = viewer.filter(|_| self.stalled.is_set()) {
                    viewer.close_reason = CloseReason::Stalled;
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Waits for the deadline, and for ever once there was a request: hyper closes an idle HTTP/1.1 connection.
    async fn request_timeout(&self) {
        sleep_until(self.deadline).await;
        if self.requested.load(Ordering::Relaxed) {
            pending().await
        }
    }

    /// Has the router respond. The future borrows nothing, as it runs in a task of its own.
    fn call(
        &self,
        router: &TowerToHyperService<Router>,
        mut request: Request<Incoming>,
        stalled: StallFlag,
        handoff: Option<Handoff>,
    ) -> impl Future<Output = Result<Response, Infallible>> + use<> {
        self.requested.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(ClientConnection { peer: self.peer, handoff, stalled });
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

/// Serves HTTP/2 until the connection ends, is idle, or has no request by the deadline; ends its streams when the server drains.
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
