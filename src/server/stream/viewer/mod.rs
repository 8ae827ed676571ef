//! One open stream: a cursor into the log, and what to write next. It knows no sockets or threads, and gets the time as an
//! argument.

#[cfg(test)]
pub(in crate::server) mod tests;

use super::{hello::Hello, request::StreamRequest};
use crate::server::{
    access::{ClientPermit, Credential},
    app_state::AppState,
    export::{CloseReason, Statistics},
    http::WindowQuery,
    log::{
        Chunk, Coding, Cursor, Encoder, Head, NewestTick, Progress, SubscriberGuard, TickLog, write_json, write_retry,
    },
    unix_time::unix_ms,
};
use bytes::BytesMut;
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// A stream without an event for this long gets a heartbeat.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);
/// Random per stream, so that clients disconnected at once don't reconnect at once.
const RETRY_MS: std::ops::RangeInclusive<u32> = 1000..=3000;
/// A stream ends at a random age between this share of the maximum and the maximum, so that streams opened at once don't
/// end at once.
const MIN_AGE_SHARE: f64 = 0.8;

/// An open stream, counted as closed when dropped. Each tick walks through all of them, so what a tick doesn't need is
/// boxed.
pub(in crate::server) struct Viewer {
    log: Arc<TickLog>,
    cursor: Cursor,
    encoder: Encoder,
    /// The first chunk, until it is taken.
    first: Option<Box<Chunk>>,
    /// When an event was last written.
    last_write: Instant,
    /// When it reaches its maximum age.
    expires: Instant,
    ended: bool,
    /// The session or token that opened it; it ends with that.
    credential: Option<Arc<Credential>>,
    /// The reason counted when it is dropped.
    pub close_reason: CloseReason,
    accounting: Box<Accounting>,
}

/// What is counted about a stream at its end.
struct Accounting {
    opened: Instant,
    statistics: Arc<Statistics>,
    span: tracing::Span,
    _subscriber: SubscriberGuard,
    _permit: ClientPermit,
}

/// What to do next for a viewer.
#[derive(Debug)]
pub(in crate::server) enum NextStep {
    /// Write this, then poll again.
    Write(Chunk),
    /// Poll again at the next tick, or at this time.
    Wait(Instant),
    /// End the stream.
    End,
}

impl Viewer {
    pub(super) fn open(
        state: &AppState,
        request: StreamRequest,
        permit: ClientPermit,
        credential: Option<Arc<Credential>>,
        now: Instant,
    ) -> Self {
        let log = Arc::clone(&state.log);
        let WindowQuery { events, window, last_id } = request.query;
        let subscriber = log.subscribers().subscribe(&events);
        let (start, cursor) = log.open_cursor(events, last_id, window);
        let mut plain = BytesMut::new();
        write_retry(&mut plain, fastrand::u32(RETRY_MS));
        write_json(&mut plain, None, "hello", &Hello::new(state, start));
        let mut encoder = Encoder::new(request.coding);
        let statistics = Arc::clone(&state.statistics);
        statistics.stream_opened(start);
        let age = state.settings.stream_age.mul_f64(MIN_AGE_SHARE + (1.0 - MIN_AGE_SHARE) * fastrand::f64());
        let span = tracing::debug_span!("stream", start = start.as_str());
        tracing::debug!(parent: &span, "opened");
        let accounting = Accounting { opened: now, statistics, span, _subscriber: subscriber, _permit: permit };
        Self {
            first: Some(Box::new(encoder.first(&plain, 1))),
            log,
            cursor,
            encoder,
            last_write: now,
            expires: now + age,
            ended: false,
            credential,
            close_reason: CloseReason::Gone,
            accounting: Box::new(accounting),
        }
    }

    /// The stream's content coding.
    pub(in crate::server) fn coding(&self) -> Coding {
        self.encoder.coding
    }

    /// Watches the log's head.
    pub(in crate::server) fn watch_head(&self) -> watch::Receiver<Head> {
        self.log.watch_head()
    }

    /// The first chunk, once.
    pub(super) fn take_first(&mut self) -> Option<Chunk> {
        let first = *self.first.take()?;
        Some(self.count(first))
    }

    /// Whether it has to catch up with the log, unless the log is closing.
    pub(in crate::server) fn is_behind(&self) -> bool {
        let head = self.log.head();
        !head.closing && self.cursor.is_behind(head.published)
    }

    /// The newest tick's chunk, for a viewer that has everything before it; otherwise `None`, and [`next`](Self::next)
    /// decides. The caller counts what it writes.
    pub(in crate::server) fn keep_up<'a>(&mut self, newest: &'a mut NewestTick, now: Instant) -> Option<&'a Chunk> {
        if self.first.is_some() || self.ended || now >= self.expires || self.is_signed_out() {
            return None;
        }
        let chunk = newest.pass(&mut self.cursor, self.encoder.coding)?;
        self.encoder.add(chunk);
        self.last_write = now;
        Some(chunk)
    }

    /// What comes next.
    pub(in crate::server) fn next(&mut self, now: Instant) -> NextStep {
        if let Some(first) = self.take_first() {
            return NextStep::Write(first);
        }
        if self.ended {
            return NextStep::End;
        }
        if self.is_signed_out() {
            let shutdown = self.shutdown(CloseReason::SignedOut, "signed-out");
            return NextStep::Write(self.count(shutdown));
        }
        let chunk = match self.log.advance(&mut self.cursor, self.encoder.coding) {
            Progress::Events(chunk) | Progress::Window(chunk) => self.share(chunk),
            Progress::Conflated(chunk) => {
                self.accounting.statistics.conflations.inc();
                self.share(chunk)
            }
            Progress::UpToDate | Progress::Delayed => match self.idle(now) {
                Some(chunk) => chunk,
                // Ticks without an event for this viewer don't postpone the heartbeat.
                None => return NextStep::Wait(self.expires.min(self.last_write + HEARTBEAT_INTERVAL)),
            },
        };
        self.last_write = now;
        NextStep::Write(self.count(chunk))
    }

    /// Whether what admitted the viewer has ended: from then on it gets no event.
    fn is_signed_out(&self) -> bool {
        self.credential.as_ref().is_some_and(|credential| credential.has_ended())
    }

    /// What a viewer with every event gets: `shutdown`, `heartbeat`, or nothing.
    fn idle(&mut self, now: Instant) -> Option<Chunk> {
        let head = self.log.head();
        if head.closing {
            return Some(self.shutdown(CloseReason::Shutdown, "restart"));
        }
        if now >= self.expires {
            return Some(self.shutdown(CloseReason::Aged, "age"));
        }
        (now >= self.last_write + HEARTBEAT_INTERVAL).then(|| {
            let heartbeat = json!({"now": unix_ms(), "last_tick": head.last_tick});
            self.encode(1, |into| write_json(into, None, "heartbeat", &heartbeat))
        })
    }

    /// The last chunk. Browsers obey its `retry`; other clients may obey `retry_ms`.
    fn shutdown(&mut self, close_reason: CloseReason, reason: &str) -> Chunk {
        (self.ended, self.close_reason) = (true, close_reason);
        // A page that is signed out reconnects at once to show it; after a restart, clients spread their reconnects.
        let retry_ms = if close_reason == CloseReason::SignedOut { 0 } else { fastrand::u32(RETRY_MS) };
        let mut plain = BytesMut::new();
        write_retry(&mut plain, retry_ms);
        write_json(&mut plain, None, "shutdown", &json!({"reason": reason, "retry_ms": retry_ms}));
        self.encoder.last(&plain, 1)
    }

    fn encode(&mut self, events: u32, write: impl FnOnce(&mut BytesMut)) -> Chunk {
        let mut plain = BytesMut::new();
        write(&mut plain);
        self.encoder.next(&plain, events)
    }

    /// A chunk that other viewers get too.
    fn share(&mut self, chunk: Chunk) -> Chunk {
        self.encoder.add(&chunk);
        chunk
    }

    fn count(&self, chunk: Chunk) -> Chunk {
        self.accounting.statistics.events_sent.inc_by(chunk.events.into());
        self.accounting.statistics.bytes_sent.inc_by(chunk.data_len() as u64);
        chunk
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let Accounting { opened, statistics, span, .. } = &*self.accounting;
        let age = opened.elapsed();
        statistics.stream_closed(self.close_reason, age);
        tracing::debug!(parent: span, reason = self.close_reason.as_str(), age_s = age.as_secs(), "closed");
    }
}
