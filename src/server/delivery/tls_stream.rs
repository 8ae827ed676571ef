//! A stream over TLS with HTTP/1.1, once hyper has written the response's head: hyper's buffers would take 16 KiB more.

use super::{LAST_CHUNK, MAX_IGNORED_INPUT, socket::Socket};
use crate::server::{
    export::CloseReason,
    stream::{NextStep, StallFlag, Viewer},
};
use hyper_util::rt::TokioIo;
use std::{io, time::Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
    time::timeout_at,
};
use tokio_rustls::server::TlsStream;

/// Serves the viewer until its stream ends or its client leaves. Holds `_open` as long.
pub(super) async fn serve(
    mut stream: TlsStream<TokioIo<Socket>>,
    mut viewer: Viewer,
    stalled: StallFlag,
    _open: mpsc::Sender<()>,
) {
    if let Err(error) = send(&mut stream, &mut viewer).await {
        if stalled.is_set() {
            viewer.close_reason = CloseReason::Stalled;
        }
        tracing::debug!(%error, "connection ended early");
    }
}

async fn send(stream: &mut TlsStream<TokioIo<Socket>>, viewer: &mut Viewer) -> io::Result<()> {
    let (mut head, mut ignored_input) = (viewer.watch_head(), 0);
    loop {
        // Marked as seen before the viewer is polled, so that a tick published in between wakes the wait below.
        head.borrow_and_update();
        match viewer.next(Instant::now()) {
            NextStep::Write(chunk) => {
                stream.write_all(chunk.framed()).await?;
                stream.flush().await?;
            }
            NextStep::Wait(until) => {
                let mut ignored = [0; 64];
                tokio::select! {
                    _ = timeout_at(until.into(), head.changed()) => {}
                    read = stream.read(&mut ignored) => match read? {
                        0 => return Ok(()),
                        read => ignored_input += read,
                    }
                }
                if ignored_input > MAX_IGNORED_INPUT {
                    return Ok(());
                }
            }
            NextStep::End => {
                stream.write_all(&LAST_CHUNK).await?;
                return stream.shutdown().await;
            }
        }
    }
}
