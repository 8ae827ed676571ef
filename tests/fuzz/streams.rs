//! Opens streams of a log with a few ticks and checks how they start.

use axum::http::HeaderMap;
use hostbeat::{
    schema::{EventId, Identity, Memory, Sample, Tick},
    server::{fuzz::Streams, log::TickLog},
    sse::Parser,
};
use std::sync::LazyLock;

/// Ticks kept for replay, out of twice as many.
const RING: u64 = 5;

static STREAMS: LazyLock<Streams> = LazyLock::new(|| {
    let log = TickLog::with_ring(RING as usize);
    for second in 1..=2 * RING {
        let t = second * 1000;
        let memory =
            Sample { t, at: t as f64 / 1000.0, dt: 1.0, values: Memory { used_bytes: Some(t), ..Memory::default() } };
        log.publish(&Tick::at(t).with(memory));
    }
    Streams::of(log)
});

/// Checks that ids rise, and that a stream resumes after a valid `last_id`.
pub(crate) fn check(query: &str, headers: &HeaderMap, last_id: Option<EventId>) {
    let Some(sent) = STREAMS.begin(query, headers) else { return };
    let (mut parser, mut names, mut ids) = (Parser::default(), Vec::new(), Vec::new());
    parser.read(&sent, |event| {
        if !event.id.is_empty() {
            ids.push(event.id.parse::<EventId>().expect("a valid id"));
        }
        names.push(event.name);
    });
    assert_eq!(names[0], "hello");
    assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
    let newest = EventId { ms: 2 * RING * 1000, n: 0, tag: Identity::default().tag() };
    let later = last_id.filter(|last| *last == newest || newest.follows(*last));
    assert!(
        ids.iter().all(|id| later.is_none_or(|last| *id > last || names.contains(&"window".to_owned()))),
        "{ids:?}"
    );
}
