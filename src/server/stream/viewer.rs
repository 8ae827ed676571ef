//! One open stream: a place in the log, and what is about to be written. It knows neither sockets nor threads, and is
//! told the time.

use super::request::StreamRequest;
use crate::{
    schema::{EventId, INTERVAL_MS, RETENTION_S, WindowSnapshot},
    server::{
        AppState,
        access::StreamPermit,
        export::{CloseReason, Statistics},
        http::WindowQuery,
        log::{
            Chunk, Coding, Cursor, Encoder, Head, Newest, Progress, Start, SubscriberGuard, TickLog, write_event,
            write_retry,
        },
        unix_time::unix_ms,
    },
};
use bytes::BytesMut;
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// A stream that has been quiet for so long proves that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Clients that lose their stream at once shall not all come back at once.
const RETRY_MS: std::ops::RangeInclusive<u32> = 1000..=3000;
/// The least share of its age that a stream reaches, so that streams of one moment don't end at one moment.
const LEAST_AGE: f64 = 0.8;

/// Version of the events' fields. Fields are added within one, never renamed, retyped or removed.
const SCHEMA: u32 = 1;

/// An open stream. Whatever way it ends, dropping it counts it out. Small, since a tick walks through all of them: what
/// a tick doesn't need is in the account.
pub(in crate::server) struct Viewer {
    log: Arc<TickLog>,
    cursor: Cursor,
    encoder: Encoder,
    /// The first chunk, until it is taken.
    first: Option<Box<Chunk>>,
    /// When it last got something.
    heard: Instant,
    /// When it is to end.
    until: Instant,
    ended: bool,
    /// Why it is at its end.
    pub reason: CloseReason,
    account: Box<Account>,
}

/// What is counted about an open stream.
struct Account {
    opened: Instant,
    statistics: Arc<Statistics>,
    span: tracing::Span,
    _subscriber: SubscriberGuard,
    _permit: StreamPermit,
}

/// What to do next for a viewer.
#[derive(Debug, PartialEq)]
pub(in crate::server) enum Next {
    /// Write this, and ask again.
    Write(Chunk),
    /// Ask again when there is a tick, or at this time.
    Wait(Instant),
    /// End the stream.
    End,
}

impl Viewer {
    pub(super) fn open(state: &AppState, request: StreamRequest, permit: StreamPermit, now: Instant) -> Self {
        let log = Arc::clone(&state.log);
        let WindowQuery { events: wanted, window, last_id } = request.query;
        let (start, window, cursor) = log.open(wanted, last_id, window);
        let mut plain = BytesMut::new();
        write_retry(&mut plain, fastrand::u32(RETRY_MS));
        write_json(&mut plain, None, "hello", &hello(&state.host.name, start));
        let events = 1 + u32::from(window.is_some());
        if let Some((columns, newest)) = window {
            write_window(&mut plain, &columns, newest);
        }
        let mut encoder = Encoder::new(request.coding);
        let statistics = Arc::clone(&state.statistics);
        statistics.stream_opened(start);
        let age = state.settings.stream_age.mul_f64(LEAST_AGE + (1.0 - LEAST_AGE) * fastrand::f64());
        let span = tracing::debug_span!("stream", start = start.as_str());
        tracing::debug!(parent: &span, "opened");
        let account =
            Account { opened: now, statistics, span, _subscriber: log.subscribers().enter(wanted), _permit: permit };
        Self {
            first: Some(Box::new(encoder.first(&plain, events))),
            log,
            cursor,
            encoder,
            heard: now,
            until: now + age,
            ended: false,
            reason: CloseReason::Gone,
            account: Box::new(account),
        }
    }

    /// How its stream is packed.
    pub(in crate::server) fn coding(&self) -> Coding {
        self.encoder.coding
    }

    /// How far the stream has come, and when it goes on.
    pub(in crate::server) fn follow(&self) -> watch::Receiver<Head> {
        self.log.follow()
    }

    /// What a stream starts with, as long as it hasn't been taken.
    pub(in crate::server) fn take_first(&mut self) -> Option<Chunk> {
        let first = *self.first.take()?;
        Some(self.counted(first))
    }

    /// What the newest tick is to a viewer who has everything before it; if there is more to know, `None`, and
    /// [`next`](Self::next) knows it. The caller counts what is written.
    pub(in crate::server) fn keep_up<'a>(&mut self, newest: &'a mut Newest, now: Instant) -> Option<&'a Chunk> {
        if self.first.is_some() || self.ended || now >= self.until {
            return None;
        }
        let chunk = newest.pass(&mut self.cursor, self.encoder.coding)?;
        self.encoder.count(chunk);
        self.heard = now;
        Some(chunk)
    }

    /// What comes next.
    pub(in crate::server) fn next(&mut self, now: Instant) -> Next {
        if let Some(first) = self.take_first() {
            return Next::Write(first);
        }
        if self.ended {
            return Next::End;
        }
        let chunk = match self.log.advance(&mut self.cursor, self.encoder.coding) {
            Progress::Live(chunk) => self.encoder.share(chunk),
            Progress::Replay(plain, events) => self.encoder.next(&plain, events),
            Progress::Window(columns, newest) => {
                self.account.statistics.conflations.inc();
                self.own(1, |into| write_window(into, &columns, newest))
            }
            Progress::UpToDate => match self.idle(now) {
                Some(chunk) => chunk,
                // Ticks without an event for this viewer don't count: it can't see them.
                None => return Next::Wait(self.until.min(self.heard + HEARTBEAT)),
            },
        };
        self.heard = now;
        Next::Write(self.counted(chunk))
    }

    /// What a viewer gets who has every event: a goodbye, a sign of life, or nothing.
    fn idle(&mut self, now: Instant) -> Option<Chunk> {
        let head = self.log.head();
        if head.closing {
            return Some(self.goodbye(CloseReason::Shutdown, "restart"));
        }
        if now >= self.until {
            return Some(self.goodbye(CloseReason::Aged, "age"));
        }
        (now >= self.heard + HEARTBEAT).then(|| {
            let beat = json!({"now": unix_ms(), "last_tick": head.last_tick});
            self.own(1, |into| write_json(into, None, "heartbeat", &beat))
        })
    }

    /// The last chunk. A browser heeds its `retry`, a client of another kind may heed `retry_ms`.
    fn goodbye(&mut self, reason: CloseReason, told: &str) -> Chunk {
        (self.ended, self.reason) = (true, reason);
        let retry_ms = fastrand::u32(RETRY_MS);
        let mut plain = BytesMut::new();
        write_retry(&mut plain, retry_ms);
        write_json(&mut plain, None, "shutdown", &json!({"reason": told, "retry_ms": retry_ms}));
        self.encoder.last(&plain, 1)
    }

    fn own(&mut self, events: u32, write: impl FnOnce(&mut BytesMut)) -> Chunk {
        let mut plain = BytesMut::new();
        write(&mut plain);
        self.encoder.next(&plain, events)
    }

    fn counted(&self, chunk: Chunk) -> Chunk {
        self.account.statistics.events_sent.inc_by(chunk.events.into());
        self.account.statistics.bytes_sent.inc_by(chunk.data_len() as u64);
        chunk
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let Account { opened, statistics, span, .. } = &*self.account;
        let age = opened.elapsed();
        statistics.stream_closed(self.reason, age);
        tracing::debug!(parent: span, reason = self.reason.as_str(), age_s = age.as_secs(), "closed");
    }
}

fn hello(host: &str, start: Start) -> Value {
    json!({
        "schema": SCHEMA,
        "host": host,
        "interval_ms": INTERVAL_MS,
        "retention_s": RETENTION_S,
        "now": unix_ms(),
        "start": start.as_str(),
    })
}

fn write_window(into: &mut BytesMut, columns: &WindowSnapshot, newest: EventId) {
    write_json(into, Some(newest), "window", columns);
}

fn write_json(into: &mut BytesMut, id: Option<EventId>, name: &str, data: &impl Serialize) {
    // Neither ever fails: the data are plain figures, and JSON escapes every control character.
    let written = serde_json::to_string(data).map(|data| write_event(into, id, name, &data));
    if !matches!(written, Ok(Ok(()))) {
        tracing::error!(name, ?written, "an event could not be written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        schema::Tick,
        server::{Settings, log::tests::tick},
    };
    use axum::http::HeaderMap;

    struct Opened {
        viewer: Viewer,
        state: AppState,
        now: Instant,
    }

    fn open(query: &str) -> Opened {
        let state = AppState::new(Arc::default(), Settings::default());
        let permit = state.limiter.admit([127, 0, 0, 1].into()).unwrap();
        let request = StreamRequest::read(query, &HeaderMap::new()).unwrap();
        let now = Instant::now();
        let mut viewer = Viewer::open(&state, request, permit, now);
        let Next::Write(first) = viewer.next(now) else { panic!("no first chunk") };
        assert!(first.data().starts_with(b"retry: "), "{first:?}");
        Opened { viewer, state, now }
    }

    impl Opened {
        /// What the viewer gets next, as text; nothing if it has to wait.
        fn next(&mut self) -> Option<String> {
            match self.viewer.next(self.now) {
                Next::Write(chunk) => Some(String::from_utf8(chunk.data().to_vec()).unwrap()),
                Next::Wait(until) => {
                    assert!(until > self.now, "it would turn in circles");
                    None
                }
                Next::End => Some("the end".to_owned()),
            }
        }
    }

    #[test]
    fn a_viewer_that_no_tick_concerns_hears_that_the_stream_is_alive() {
        let mut opened = open("events=cpu&window=0");
        let mut beats = Vec::new();
        for second in 1..=50 {
            opened.state.log.publish(&Tick { cpu: None, ..tick(second * 1000) });
            opened.now += Duration::from_secs(1);
            if let Some(beat) = opened.next() {
                assert!(beat.starts_with("event: heartbeat\ndata: {\"last_tick\":"), "{beat}");
                assert_eq!(opened.next(), None);
                beats.push(second);
            }
        }
        assert_eq!(beats, [15, 30, 45]);
    }

    #[test]
    fn an_old_stream_ends_between_four_fifths_of_its_age_and_all_of_it() {
        let mut opened = open("window=0");
        let start = opened.now;
        let age = opened.state.settings.stream_age;
        let goodbye = loop {
            opened.now += Duration::from_secs(10);
            match opened.next() {
                Some(text) if text.starts_with("event: heartbeat") => {}
                Some(text) => break text,
                None => {}
            }
        };
        let passed = opened.now - start;
        assert!(passed >= age.mul_f64(0.8) && passed <= age + Duration::from_secs(10), "after {passed:?}");
        assert!(goodbye.starts_with("retry: ") && goodbye.contains("\"reason\":\"age\""), "{goodbye}");
        assert_eq!(opened.next().as_deref(), Some("the end"));
        assert_eq!(opened.viewer.reason, CloseReason::Aged);
    }

    #[test]
    fn nothing_is_lost_before_the_goodbye() {
        let mut opened = open("window=0");
        opened.state.log.publish(&tick(1000));
        opened.state.log.close();
        assert!(opened.next().unwrap().starts_with("id: 1000-0\n"));
        assert!(opened.next().unwrap().contains("event: shutdown\n"));
        assert_eq!(opened.next().as_deref(), Some("the end"));
    }
}
