//! One open stream: a cursor into the log, and what to write next. It knows no sockets or threads, and gets the time as an
//! argument.

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
        let subscriber = log.subscribers().subscribe(events);
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
        let retry_ms = fastrand::u32(RETRY_MS);
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

#[cfg(test)]
pub(in crate::server) mod tests {
    use super::*;
    use crate::{
        schema::Tick,
        server::{access::token, log::tests::tick, settings::Settings, store::Scope},
    };
    use axum::http::HeaderMap;

    struct OpenStream {
        viewer: Viewer,
        state: AppState,
        now: Instant,
    }

    fn open_viewer(state: &AppState, query: &str, credential: Option<Arc<Credential>>, now: Instant) -> Viewer {
        let permit = state.limiter.admit([127, 0, 0, 1].into()).unwrap();
        Viewer::open(state, StreamRequest::parse(query, &HeaderMap::new()).unwrap(), permit, credential, now)
    }

    /// A viewer of `log`.
    pub(in crate::server) fn viewer(log: &Arc<TickLog>, query: &str) -> Viewer {
        open_viewer(&AppState::new(Arc::clone(log), Settings::default()), query, None, Instant::now())
    }

    fn open(query: &str) -> OpenStream {
        open_as(query, None)
    }

    fn open_as(query: &str, credential: Option<Arc<Credential>>) -> OpenStream {
        let (state, now) = (AppState::new(Arc::default(), Settings::default()), Instant::now());
        let mut viewer = open_viewer(&state, query, credential, now);
        let NextStep::Write(first) = viewer.next(now) else { panic!("no first chunk") };
        assert!(first.data().starts_with(b"retry: "), "{first:?}");
        OpenStream { viewer, state, now }
    }

    impl OpenStream {
        /// The next bytes as text; `None` if the viewer waits.
        fn next(&mut self) -> Option<String> {
            match self.viewer.next(self.now) {
                NextStep::Write(chunk) => Some(String::from_utf8(chunk.data().to_vec()).unwrap()),
                NextStep::Wait(until) => {
                    assert!(until > self.now, "a wait in the past is a busy loop");
                    None
                }
                NextStep::End => Some("end".to_owned()),
            }
        }
    }

    #[test]
    fn viewer_without_matching_events_gets_heartbeats() {
        let mut stream = open("events=cpu&window=0");
        let mut heartbeats = Vec::new();
        for second in 1..=50 {
            stream.state.log.publish(&Tick { cpu: None, ..tick(second * 1000) });
            stream.now += Duration::from_secs(1);
            if let Some(heartbeat) = stream.next() {
                assert!(heartbeat.starts_with("event: heartbeat\ndata: {\"last_tick\":"), "{heartbeat}");
                assert_eq!(stream.next(), None);
                heartbeats.push(second);
            }
        }
        assert_eq!(heartbeats, [15, 30, 45]);
    }

    #[test]
    fn stream_ends_between_80_and_100_percent_of_maximum_age() {
        let mut stream = open("window=0");
        let start = stream.now;
        let age = stream.state.settings.stream_age;
        let shutdown = loop {
            stream.now += Duration::from_secs(10);
            match stream.next() {
                Some(text) if text.starts_with("event: heartbeat") => {}
                Some(text) => break text,
                None => {}
            }
        };
        let age_at_end = stream.now - start;
        assert!(age_at_end >= age.mul_f64(0.8) && age_at_end <= age + Duration::from_secs(10), "after {age_at_end:?}");
        assert!(shutdown.starts_with("retry: ") && shutdown.contains("\"reason\":\"age\""), "{shutdown}");
        assert_eq!(stream.next().as_deref(), Some("end"));
        assert_eq!(stream.viewer.close_reason, CloseReason::Aged);
    }

    #[test]
    fn stream_of_an_ended_session_gets_shutdown_and_no_event() {
        let session = token(Scope::Read);
        let mut stream = open_as("window=0", Some(Arc::clone(&session)));
        assert_eq!(stream.next(), None);
        session.end();
        stream.state.log.publish(&tick(1000));
        let shutdown = stream.next().unwrap();
        assert!(shutdown.starts_with("retry: ") && shutdown.contains("\"reason\":\"signed-out\""), "{shutdown}");
        assert!(!shutdown.contains("1000-"), "{shutdown}");
        assert_eq!(stream.next().as_deref(), Some("end"));
        assert_eq!(stream.viewer.close_reason, CloseReason::SignedOut);
    }

    #[test]
    fn pending_events_precede_shutdown() {
        let mut stream = open("window=0");
        stream.state.log.publish(&tick(1000));
        stream.state.log.close();
        assert!(stream.next().unwrap().starts_with("id: 1000-0-e3b0c4\n"));
        assert!(stream.next().unwrap().contains("event: shutdown\n"));
        assert_eq!(stream.next().as_deref(), Some("end"));
    }
}
