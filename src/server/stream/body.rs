//! A stream as the body of a response: all of it, or only until the socket is handed over.

use super::{Handoff, Next, Viewer};
use crate::server::export::CloseReason;
use bytes::Bytes;
use futures::{Stream, stream};
use http_body::{Body, Frame};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};
use tokio::time::timeout_at;

/// The whole stream.
pub(super) fn stay(viewer: Viewer, handoff: Handoff) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let head = viewer.follow();
    stream::unfold((Staying { viewer, handoff }, head), async |(mut staying, mut head)| {
        loop {
            // Seen before looking: what is published in between wakes the next wait.
            head.borrow_and_update();
            match staying.viewer.next(Instant::now()) {
                Next::Write(chunk) => return Some((Ok(chunk.data()), (staying, head))),
                // Whether it ran out of time or there is news: the viewer knows what to do, and it keeps the sender.
                Next::Wait(until) => _ = timeout_at(until.into(), head.changed()).await,
                Next::End => return None,
            }
        }
    })
}

/// A viewer whose socket is hyper's.
struct Staying {
    viewer: Viewer,
    handoff: Handoff,
}

impl Drop for Staying {
    fn drop(&mut self) {
        if self.handoff.stalled() {
            self.viewer.reason = CloseReason::Stalled;
        }
    }
}

/// The beginning of a stream. Then the viewer is offered to whoever serves the connection, and the body waits for its end.
pub(super) struct Detaching {
    viewer: Option<Viewer>,
    handoff: Handoff,
}

impl Detaching {
    pub(super) fn new(viewer: Viewer, handoff: Handoff) -> Self {
        Self { viewer: Some(viewer), handoff }
    }
}

impl Body for Detaching {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(first) = self.viewer.as_mut().and_then(Viewer::take_first) {
            return Poll::Ready(Some(Ok(Frame::data(first.data()))));
        }
        if let Some(viewer) = self.viewer.take() {
            self.handoff.offer(viewer);
        }
        Poll::Pending
    }
}
