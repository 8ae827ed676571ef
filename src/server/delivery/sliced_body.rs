//! The body of a response over HTTP/2. hyper polls it only while the client takes bytes, so that a body which is not
//! polled shows a client that has stalled. It is passed in slices, so that a slow client is polled for each of them.

use super::CHUNK_TIMEOUT;
use crate::server::{log::TickLog, stream::StallFlag};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

/// As much as a frame of HTTP/2 has (RFC 9113, section 4.2).
const SLICE: usize = 16 * 1024;

pub(super) struct SlicedBody {
    body: axum::body::Body,
    /// What is left of a chunk.
    rest: Bytes,
    /// When the chunk was begun.
    begun: Instant,
    polled: Instant,
    watch: StallWatch,
}

/// How it is found, and marked, that the client has stalled.
pub(super) struct StallWatch {
    pub(super) timeout: Duration,
    /// Of the connection, whose socket may stall with all its streams.
    pub(super) connection: StallFlag,
    /// Of the stream.
    pub(super) stream: StallFlag,
    pub(super) log: Arc<TickLog>,
}

impl SlicedBody {
    pub(super) fn new(body: axum::body::Body, watch: StallWatch) -> Self {
        let now = Instant::now();
        Self { body, rest: Bytes::new(), begun: now, polled: now, watch }
    }
}

impl Body for SlicedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let now = Instant::now();
        self.polled = now;
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)).map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => (self.rest, self.begun) = (data, now),
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        } else if now.duration_since(self.begun) >= CHUNK_TIMEOUT && self.watch.log.is_chunk_memory_exhausted() {
            self.watch.stream.set();
            return Poll::Ready(Some(Err(axum::Error::new(std::io::Error::from(std::io::ErrorKind::TimedOut)))));
        }
        let length = self.rest.len().min(SLICE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.rest.is_empty() { self.body.size_hint() } else { SizeHint::default() }
    }
}

impl Drop for SlicedBody {
    fn drop(&mut self) {
        if self.watch.connection.is_set() || self.polled.elapsed() >= self.watch.timeout {
            self.watch.stream.set();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::log::tests::exhaust_chunk_memory;
    use std::future::poll_fn;

    fn body(timeout: Duration) -> (SlicedBody, StallFlag, Arc<TickLog>) {
        let (stream, log) = (StallFlag::default(), Arc::<TickLog>::default());
        let watch =
            StallWatch { timeout, connection: StallFlag::default(), stream: stream.clone(), log: Arc::clone(&log) };
        (SlicedBody::new(vec![7; SLICE + 5].into(), watch), stream, log)
    }

    async fn next(body: &mut SlicedBody) -> Option<Result<usize, axum::Error>> {
        let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
        Some(frame.map(|frame| frame.into_data().unwrap().len()))
    }

    #[tokio::test]
    async fn body_is_passed_whole_in_slices() {
        let (mut body, stalled, _) = body(Duration::from_secs(3600));
        assert_eq!(next(&mut body).await.unwrap().unwrap(), SLICE);
        assert!(!body.is_end_stream());
        assert_eq!(next(&mut body).await.unwrap().unwrap(), 5);
        assert!(body.is_end_stream() && next(&mut body).await.is_none());
        drop(body);
        assert!(!stalled.is_set());
    }

    #[test]
    fn body_that_was_not_polled_for_the_timeout_has_stalled() {
        let (body, stalled, _) = body(Duration::ZERO);
        drop(body);
        assert!(stalled.is_set());
    }

    #[tokio::test]
    async fn slow_client_is_cut_off_only_while_memory_for_chunks_is_exhausted() {
        let (mut body, stalled, log) = body(Duration::from_secs(3600));
        let _exhausted = exhaust_chunk_memory(&log);
        next(&mut body).await.unwrap().unwrap();
        body.begun -= CHUNK_TIMEOUT;
        assert!(next(&mut body).await.unwrap().is_err());
        assert!(stalled.is_set());
    }
}
