//! One connection while hyper serves it: up to its end, or up to the handoff of its socket to a fan-out worker.

use super::{
    Fanout,
    acceptor::{self, Acceptor},
    socket::{FlushFlag, Socket},
};
use crate::server::{
    access::{ClientPermit, Peer, SharedPermit},
    export::CloseReason,
    stream::{ClientConnection, Handoff, StallFlag, Viewer},
};
use axum::response::Response;
use hyper::{
    Request,
    body::Incoming,
    rt::{Read, Write},
    server::conn::http1::{Connection, Parts},
    service::{Service, service_fn},
};
use hyper_util::service::TowerToHyperService;
use std::{convert::Infallible, future::poll_fn, sync::Arc, task::Poll};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::{mpsc, watch},
};

/// The response to a request head that was begun and not completed in time (RFC 9110, section 15.5.9).
const REQUEST_TIMEOUT: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

pub(super) async fn serve(acceptor: Arc<Acceptor>, stream: TcpStream, peer: Peer, permit: Option<ClientPermit>) {
    let (_open, mut draining) = (acceptor.open.clone(), acceptor.draining.clone());
    let (handoff, mut viewers) = Handoff::new();
    let stalled = StallFlag::default();
    let acceptor::Service { router, settings } = acceptor.service.borrow().clone();
    let (socket, flushed) = Socket::new(stream, settings.stall, stalled.clone(), Arc::clone(&acceptor.log));
    let client = ClientConnection { peer, handoff: Some(handoff), stalled: stalled.clone() };
    let router = TowerToHyperService::new(router);
    let permit = SharedPermit::new(permit);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(client.clone());
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(permit.clone());
        let router = router.clone();
        Box::pin(async move { router.call(request).await })
    });
    let mut connection = acceptor.http.serve_connection(socket, service);
    // This future lives as long as the connection, so it keeps nothing of the acceptor but the fan-out.
    let fanout = acceptor.fanout.clone();
    drop(acceptor);
    let (outcome, handed_off) = drive(&mut connection, &mut viewers, &flushed, &mut draining).await;
    let Parts { io, read_buf, .. } = connection.into_parts();
    let mut stream = io.into_inner();
    match (outcome, handed_off, fanout) {
        (Ok(()), Some(viewer), Some(fanout)) => hand_off(&fanout, stream, viewer),
        (Ok(()), ..) => _ = stream.shutdown().await,
        // hyper closes without a response.
        (Err(error), ..) if error.is_timeout() && !read_buf.is_empty() => {
            // The send buffer is empty, so the kernel takes it at once or never.
            let _ = stream.try_write(REQUEST_TIMEOUT);
            let _ = stream.shutdown().await;
        }
        (Err(error), viewer, _) => {
            if let Some(mut viewer) = viewer.filter(|_| stalled.is_set()) {
                viewer.close_reason = CloseReason::Stalled;
            }
            tracing::debug!(%error, "connection ended early");
        }
    }
}

/// Has hyper serve requests until the connection ends, or until a stream's viewer is handed off.
pub(super) async fn drive<I, S>(
    connection: &mut Connection<I, S>,
    viewers: &mut mpsc::Receiver<Viewer>,
    flushed: &FlushFlag,
    draining: &mut watch::Receiver<bool>,
) -> (hyper::Result<()>, Option<Viewer>)
where
    I: Read + Write + Unpin,
    S: Service<Request<Incoming>, Response = Response, Error = Infallible> + Unpin,
    S::Future: Unpin,
{
    let mut handed_off: Option<Viewer> = None;
    let mut is_draining = false;
    let outcome = loop {
        tokio::select! {
            outcome = poll_fn(|cx| {
                let outcome = connection.poll_without_shutdown(cx);
                if let Poll::Ready(Some(viewer)) = viewers.poll_recv(cx) {
                    handed_off = Some(viewer);
                }
                // The socket is free once hyper has written the head and the first chunk.
                if handed_off.is_some() && flushed.is_set() { Poll::Ready(Ok(())) } else { outcome }
            }) => break outcome,
            _ = draining.wait_for(|draining| *draining), if !is_draining => {
                is_draining = true;
                Pin::new(&mut *connection).graceful_shutdown();
            }
        }
    };
    (outcome, handed_off)
}

fn hand_off(fanout: &Fanout, stream: TcpStream, viewer: Viewer) {
    match stream.into_std() {
        Ok(socket) => fanout.add(socket, viewer),
        Err(error) => tracing::warn!(%error, "cannot hand a socket off"),
    }
}
