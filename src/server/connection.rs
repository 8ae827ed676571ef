//! Accepts connections. A loop of our own, since `axum::serve` sets no deadline for a request's head.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{io, pin::Pin, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

/// A client that hasn't sent a request's head by then is gone or means no good.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// What hyper buffers of a head. Larger than what we accept, so that the answer can say what is wrong.
const HEAD_BUFFER: usize = 64 * 1024;
/// How long answers that are under way may take to end.
const DRAIN: Duration = Duration::from_secs(5);
/// Out of descriptors, accepting again at once would only burn the processor.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);

/// Serves `routes` until `closing` resolves, then waits for the answers under way.
pub(super) async fn accept(listener: &TcpListener, routes: &Router, mut closing: Pin<&mut impl Future<Output = ()>>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_DEADLINE).max_buf_size(HEAD_BUFFER);
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut closing => break,
        };
        match accepted {
            Ok((stream, _)) => serve(&http, stream, routes, &graceful),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                sleep(OUT_OF_DESCRIPTORS).await;
            }
        }
    }
    if timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections were still open {} s after the end", DRAIN.as_secs());
    }
}

fn serve(http: &http1::Builder, stream: TcpStream, routes: &Router, graceful: &GracefulShutdown) {
    // An event leaves when it is written, rather than wait to be sent along with the next.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    let service = TowerToHyperService::new(routes.clone());
    let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
