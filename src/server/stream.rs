//! `GET /api/stream`: every tick as named events, to the contract in `docs/stream.md`.

use super::{
    AppState, Problem,
    hub::{Cursor, Head, Hub, Progress, Start, ViewerGuard, write_event, write_retry},
};
use crate::metrics::{Columns, EventId, EventName, INTERVAL_MS, InvalidId, RETENTION_S};
use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use futures::stream;
use serde::Serialize;
use serde_json::{Value, json};
use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

/// Seconds of window for a client that doesn't say.
const DEFAULT_WINDOW_S: usize = 300;
/// A stream that has been quiet for so long proves that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Clients that lose their stream at once shall not all come back at once.
const RETRY_MS: std::ops::RangeInclusive<u32> = 1000..=3000;

/// Version of the events' fields. Fields are added within one, never renamed, retyped or removed.
const SCHEMA: u32 = 1;

/// Streams to one viewer until it leaves or the server stops.
pub(super) async fn stream(State(state): State<AppState>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let request = match StreamRequest::read(query.as_deref().unwrap_or_default(), &headers) {
        Ok(request) => request,
        Err(problem) => return problem.respond_at("/api/stream"),
    };
    let viewer = Viewer::open(&state, request);
    let body = stream::unfold(viewer, async |mut viewer| {
        let bytes = viewer.next().await?;
        Some((Ok::<_, Infallible>(bytes), viewer))
    });
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform")),
        // nginx buffers a response unless it is told not to.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (head, Body::from_stream(body)).into_response()
}

/// What a client asks for.
#[derive(Debug, PartialEq)]
struct StreamRequest {
    events: Vec<EventName>,
    window: usize,
    last_id: Option<Result<EventId, InvalidId>>,
}

impl StreamRequest {
    fn read(query: &str, headers: &HeaderMap) -> Result<Self, Problem> {
        if !accepts_event_stream(headers) {
            let detail = "The stream is text/event-stream; Accept must admit it, or be left out.";
            return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "Not acceptable", detail));
        }
        let mut request = Self { events: EventName::ALL.to_vec(), window: DEFAULT_WINDOW_S, last_id: None };
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "events" => request.events = parse_events(&value)?,
                "window" => request.window = parse_window(&value)?,
                "last_event_id" => request.last_id = Some(value.parse()),
                _ => {}
            }
        }
        // A browser that reconnects repeats the address it was given, with the header beside it: the header is newer.
        if let Some(id) = headers.get("last-event-id") {
            request.last_id = Some(String::from_utf8_lossy(id.as_bytes()).parse());
        }
        Ok(request)
    }
}

fn parse_events(list: &str) -> Result<Vec<EventName>, Problem> {
    let chosen = list.split(',').map(|name| name.trim().parse()).collect::<Result<Vec<EventName>, _>>();
    chosen.map_err(|error| bad_query(format!("events: {error}, separated by commas.")))
}

fn parse_window(seconds: &str) -> Result<usize, Problem> {
    let window = seconds.parse().ok().filter(|window| *window <= RETENTION_S);
    window.ok_or_else(|| bad_query(format!("window: {seconds:?} is no number of seconds from 0 to {RETENTION_S}.")))
}

fn bad_query(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "Unknown query value", detail)
}

fn accepts_event_stream(headers: &HeaderMap) -> bool {
    let mut lists = headers.get_all(header::ACCEPT).into_iter().filter_map(|list| list.to_str().ok()).peekable();
    let admits = |entry: &str| {
        let media_type = entry.split(';').next().unwrap_or_default().trim();
        ["text/event-stream", "text/*", "*/*"].iter().any(|wanted| media_type.eq_ignore_ascii_case(wanted))
    };
    lists.peek().is_none() || lists.any(|list| list.split(',').any(admits))
}

/// One open stream: a place in the hub, and what is about to be written.
struct Viewer {
    hub: Arc<Hub>,
    head: watch::Receiver<Head>,
    cursor: Cursor,
    pending: VecDeque<Bytes>,
    /// When the viewer last got something.
    heard: Instant,
    ended: bool,
    _guard: ViewerGuard,
}

impl Viewer {
    fn open(state: &AppState, request: StreamRequest) -> Self {
        let hub = Arc::clone(&state.hub);
        let head = hub.follow();
        let (start, window, cursor) = hub.open(request.events, request.last_id, request.window);
        let mut first = BytesMut::new();
        write_retry(&mut first, fastrand::u32(RETRY_MS));
        write_json(&mut first, None, "hello", &hello(&state.host.name, start));
        if let Some((columns, newest)) = window {
            write_window(&mut first, &columns, newest);
        }
        let (guard, heard) = (hub.enter(), Instant::now());
        Self { hub, head, cursor, pending: VecDeque::from([first.freeze()]), heard, ended: false, _guard: guard }
    }

    /// The bytes to write next; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.pending.pop_front() {
                self.heard = Instant::now();
                return Some(bytes);
            }
            if self.ended {
                return None;
            }
            // Seen before looking: what is published in between wakes the next wait.
            let head = *self.head.borrow_and_update();
            match self.hub.advance(&mut self.cursor) {
                Progress::Events(events) => self.pending.extend(events),
                Progress::Window(columns, newest) => {
                    self.pending.push_back(written(|into| write_window(into, &columns, newest)));
                }
            }
            if !self.pending.is_empty() {
                continue;
            }
            if head.closing {
                self.ended = true;
                let goodbye = json!({"reason": "restart", "retry_ms": fastrand::u32(RETRY_MS)});
                return Some(written(|into| write_json(into, None, "shutdown", &goodbye)));
            }
            // Ticks without an event for this viewer don't count: it can't see them.
            match timeout_at(self.heard + HEARTBEAT, self.head.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => {
                    self.heard = Instant::now();
                    let beat = json!({"now": unix_ms(), "last_tick": head.last_tick});
                    return Some(written(|into| write_json(into, None, "heartbeat", &beat)));
                }
            }
        }
    }
}

fn hello(host: &str, start: Start) -> Value {
    json!({
        "schema": SCHEMA,
        "host": host,
        "interval_ms": INTERVAL_MS,
        "retention_s": RETENTION_S,
        "now": unix_ms(),
        "start": start.to_string(),
    })
}

fn unix_ms() -> u64 {
    std::time::UNIX_EPOCH.elapsed().map_or(0, |now| now.as_millis() as u64)
}

fn written(write: impl FnOnce(&mut BytesMut)) -> Bytes {
    let mut into = BytesMut::new();
    write(&mut into);
    into.freeze()
}

fn write_window(into: &mut BytesMut, columns: &Columns, newest: EventId) {
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
    use crate::{metrics::Tick, server::hub::tests::tick};

    fn read(
        query: &str,
        accept: Option<&'static str>,
        last_id: Option<&'static str>,
    ) -> Result<StreamRequest, Problem> {
        let accept = accept.map(|value| (header::ACCEPT, HeaderValue::from_static(value)));
        let last_id = last_id.map(|value| (HeaderName::from_static("last-event-id"), HeaderValue::from_static(value)));
        let headers: HeaderMap = accept.into_iter().chain(last_id).collect();
        StreamRequest::read(query, &headers)
    }

    /// What a viewer of `events` gets next, as text.
    async fn next(viewer: &mut Viewer) -> String {
        String::from_utf8(viewer.next().await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_viewer_that_no_tick_concerns_hears_that_the_stream_is_alive() {
        let state = AppState::new(Arc::default());
        let mut viewer = Viewer::open(&state, read("events=cpu&window=0", None, None).unwrap());
        assert!(next(&mut viewer).await.starts_with("retry: "));
        let hub = Arc::clone(&state.hub);
        tokio::spawn(async move {
            for second in 1.. {
                tokio::time::sleep(Duration::from_secs(1)).await;
                hub.publish(&Tick { cpu: None, ..tick(second * 1000) });
            }
        });
        let start = Instant::now();
        for beat in 1..=3 {
            let heartbeat = next(&mut viewer).await;
            assert!(heartbeat.starts_with("event: heartbeat\ndata: {\"last_tick\":"), "{heartbeat}");
            assert_eq!(start.elapsed().as_secs(), beat * HEARTBEAT.as_secs());
        }
    }

    #[test]
    fn everything_has_a_default() {
        let request = read("", None, None).unwrap();
        assert_eq!(request, StreamRequest { events: EventName::ALL.to_vec(), window: 300, last_id: None });
        assert_eq!(read("_=123&x", None, None).unwrap(), request);
    }

    #[test]
    fn a_query_chooses_events_window_and_place() {
        let request = read("events=memory%2Ccpu&window=60&last_event_id=5-1", None, None).unwrap();
        assert_eq!(request.events, [EventName::Memory, EventName::Cpu]);
        assert_eq!((request.window, request.last_id), (60, Some(Ok(EventId { ms: 5, n: 1 }))));
    }

    #[test]
    fn the_header_wins_over_the_query() {
        let request = read("last_event_id=5-1", None, Some("6-0")).unwrap();
        assert_eq!(request.last_id, Some(Ok(EventId { ms: 6, n: 0 })));
        assert!(matches!(read("", None, Some("garbage")).unwrap().last_id, Some(Err(_))));
    }

    #[test]
    fn unknown_values_are_answered_with_known_ones() {
        let detail = |query: &str| read(query, None, None).unwrap_err().detail;
        assert!(detail("events=cpu,gpu").contains("cpu, memory, connections"));
        assert!(detail("events=").contains("cpu, memory, connections"));
        for window in ["-1", "3601", "5m", "", "1e3"] {
            assert!(detail(&format!("window={window}")).contains("0 to 3600"), "{window}");
        }
    }

    #[test]
    fn accept_must_admit_an_event_stream() {
        for accept in ["text/event-stream", "text/*", "*/*", "application/json, */*;q=0.1", "Text/Event-Stream; q=1"] {
            assert!(read("", Some(accept), None).is_ok(), "{accept}");
        }
        for accept in ["application/json", "text/html, text/plain", "text/event-streams", ""] {
            assert_eq!(read("", Some(accept), None).unwrap_err().status, StatusCode::NOT_ACCEPTABLE, "{accept}");
        }
    }
}
