//! Writes Server-Sent Events in the form that clients parse (WHATWG HTML standard, section 9.2.6).

use crate::schema::EventId;
use bytes::{BufMut, BytesMut};
use serde::Serialize;
use std::io::Write;

/// A field with a character that would end it or start another one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("an event's {field} must not contain {character:?}")]
pub struct InvalidField {
    field: &'static str,
    character: char,
}

/// Appends one event: an `id` if it moves the client's position, a name, and one line of data. UTF-8 with LF line ends.
///
/// # Errors
/// When a field contains CR, LF or NUL. Then nothing is appended.
pub fn write_event(into: &mut BytesMut, id: Option<EventId>, name: &str, data: &str) -> Result<(), InvalidField> {
    check("name", name)?;
    check("data", data)?;
    if let Some(id) = id {
        // Writing to memory can't fail.
        let _ = writeln!(into.writer(), "id: {id}");
    }
    for part in ["event: ", name, "\ndata: ", data, "\n\n"] {
        into.put_slice(part.as_bytes());
    }
    Ok(())
}

/// Appends an event with `data` as JSON.
pub fn write_json(into: &mut BytesMut, id: Option<EventId>, name: &str, data: &impl Serialize) {
    // Neither fails: the data has a JSON form, and JSON escapes control characters.
    let written = serde_json::to_string(data).map(|data| write_event(into, id, name, &data));
    if !matches!(written, Ok(Ok(()))) {
        tracing::error!(name, ?written, "cannot write an event");
    }
}

/// CR and LF end a line; NUL makes clients ignore an id, and never occurs in JSON.
fn check(field: &'static str, text: &str) -> Result<(), InvalidField> {
    match text.chars().find(|c| matches!(c, '\r' | '\n' | '\0')) {
        Some(character) => Err(InvalidField { field, character }),
        None => Ok(()),
    }
}

/// Starts the next event with the reconnection time in milliseconds. The standard allows it alone, but some clients drop
/// a block without data.
pub fn write_retry(into: &mut BytesMut, ms: u32) {
    // Writing to memory can't fail.
    let _ = writeln!(into.writer(), "retry: {ms}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use eventsource_stream::{Event, Eventsource};
    use futures::{StreamExt, executor::block_on, stream};
    use proptest::prelude::*;

    /// Our bytes as an independent parser reads them.
    fn parse(bytes: &[u8]) -> Vec<Event> {
        let chunk: Result<_, std::convert::Infallible> = Ok(bytes.to_vec());
        block_on(stream::iter([chunk]).eventsource().map(Result::unwrap).collect())
    }

    #[test]
    fn line_breaks_and_nul_in_a_field_are_refused() {
        for character in ['\r', '\n', '\0'] {
            let mut into = BytesMut::new();
            let broken = format!("a{character}b");
            assert_eq!(write_event(&mut into, None, &broken, ""), Err(InvalidField { field: "name", character }));
            assert_eq!(write_event(&mut into, None, "cpu", &broken), Err(InvalidField { field: "data", character }));
            assert!(into.is_empty());
        }
    }

    #[test]
    fn event_without_id_keeps_client_position() {
        let mut into = BytesMut::new();
        write_event(&mut into, Some(EventId { ms: 5, n: 1, tag: 0xf3a9 }), "cpu", "{}").unwrap();
        write_event(&mut into, None, "heartbeat", "{}").unwrap();
        assert_eq!(into, "id: 5-1-00f3a9\nevent: cpu\ndata: {}\n\nevent: heartbeat\ndata: {}\n\n");
        assert_eq!(parse(&into)[1].id, "5-1-00f3a9");
    }

    #[test]
    fn retry_reaches_the_client() {
        let mut into = BytesMut::new();
        write_retry(&mut into, 1500);
        write_event(&mut into, None, "hello", "{}").unwrap();
        assert_eq!(parse(&into)[0].retry, Some(std::time::Duration::from_millis(1500)));
    }

    proptest! {
        #[test]
        fn written_events_parse_back(
            events in prop::collection::vec((any::<u64>(), any::<u32>(), "[^\r\n\0 :][^\r\n\0]{0,9}", "[^\r\n\0]{1,60}"), 1..20),
        ) {
            let mut into = BytesMut::new();
            for (ms, n, name, data) in &events {
                write_event(&mut into, Some(EventId { ms: *ms, n: *n, tag: 0xf3a9 }), name, data)?;
            }
            let parsed = parse(&into);
            prop_assert_eq!(parsed.len(), events.len());
            for (parsed, (ms, n, name, data)) in parsed.into_iter().zip(events) {
                prop_assert_eq!(parsed.id, EventId { ms, n, tag: 0xf3a9 }.to_string());
                prop_assert_eq!(parsed.event, name);
                prop_assert_eq!(parsed.data, data);
            }
        }

        #[test]
        fn arbitrary_text_stays_within_its_field(name in ".{0,9}", data in any::<String>()) {
            let mut into = BytesMut::new();
            if write_event(&mut into, None, &name, &data).is_ok() {
                prop_assert_eq!(into.iter().filter(|byte| **byte == b'\n').count(), 3);
            }
        }
    }
}
