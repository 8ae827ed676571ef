//! A stream as the body of a response: all of it, or only its first chunk before the handoff.

use super::{Handoff, NextStep, StallFlag, Viewer};
use crate::server::export::CloseReason;
use bytes::Bytes;
use futures::{Stream, stream};
use http_body::{Body, Frame};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::time::timeout_at;

/// The whole stream, for a connection that stays with hyper. It wakes hyper every `interval`: one that is not polled
/// then has stalled.
pub(super) fn whole_stream(
    viewer: Viewer,
    stalled: StallFlag,
    interval: Duration,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let head = viewer.watch_head();
    stream::unfold((AttachedViewer { viewer, stalled, interval }, head), async |(mut attached, mut head)| {
        loop {
            // Marked as seen before the viewer is polled, so that a tick published in between wakes the wait below.
            head.borrow_and_update();
            match attached.viewer.next(Instant::now()) {
                NextStep::Write(chunk) => return Some((Ok(chunk.data()), (attached, head))),
                // A timeout and a tick lead to the same: the viewer is polled again. It also keeps the sender alive.
                NextStep::Wait(until) => {
                    let until = until.min(Instant::now() + attached.interval);
                    let _ = timeout_at(until.into(), head.changed()).await;
                }
                NextStep::End => return None,
            }
        }
    })
}

/// A viewer whose socket stays with hyper.
struct AttachedViewer {
    viewer: Viewer,
    stalled: StallFlag,
    /// It is polled at least this often.
    interval: Duration,
}

impl Drop for AttachedViewer {
    fn drop(&mut self) {
        if self.stalled.is_set() {
            self.viewer.close_reason = CloseReason::Stalled;
        }
    }
}

/// The first chunk of a stream. After it, the viewer is handed off, and the body stays pending until the connection's
/// task takes the socket.
pub(super) struct FirstChunk {
    viewer: Option<Viewer>,
    handoff: Handoff,
}

impl FirstChunk {
    pub(super) fn new(viewer: Viewer, handoff: Handoff) -> Self {
        Self { viewer: Some(viewer), handoff }
    }
}

impl Body for FirstChunk {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(first) = self.viewer.as_mut().and_then(Viewer::take_first) {
            return Poll::Ready(Some(Ok(Frame::data(first.data()))));
        }
        if let Some(viewer) = self.viewer.take() {
            self.handoff.send(viewer);
        }
        Poll::Pending
    }
}
