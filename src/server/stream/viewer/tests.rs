//! Tests of what a viewer is sent, and when.

use super::*;
use crate::{
    schema::Cpu,
    server::{access::token, channels::Channels, log::tests::tick, settings::Settings, store::Scope},
};
use axum::http::HeaderMap;

struct OpenStream {
    viewer: Viewer,
    state: AppState,
    now: Instant,
}

fn open_viewer(state: &AppState, query: &str, credential: Option<Arc<Credential>>, now: Instant) -> Viewer {
    let permit = state.limiter.admit(std::net::IpAddr::from([127, 0, 0, 1]).into()).unwrap();
    Viewer::open(
        state,
        StreamRequest::parse(query, &HeaderMap::new(), &Channels::default()).unwrap(),
        permit,
        credential,
        now,
    )
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
        stream.state.log.publish(&tick(second * 1000).with::<Cpu>(None));
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
    assert!(shutdown.starts_with("retry: 0\n") && shutdown.contains("\"reason\":\"signed-out\""), "{shutdown}");
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
