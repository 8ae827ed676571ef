//! An event as it is written, and as a client reads it from bytes that come in portions.

#![no_main]

use bytes::BytesMut;
use hostbeat::{schema::EventId, server::log::write_event, sse::Parser};

libfuzzer_sys::fuzz_target!(|event: ((u64, u32), &str, &str, u8)| {
    let ((ms, n), name, data, portion) = event;
    let id = EventId { ms, n };
    let mut written = BytesMut::new();
    if write_event(&mut written, Some(id), name, data).is_err() {
        assert!(written.is_empty() && (name.to_owned() + data).contains(['\r', '\n', '\0']));
        return;
    }
    let (mut parser, mut read) = (Parser::default(), Vec::new());
    for portion in written.chunks(usize::from(portion).max(1)) {
        parser.read(portion, |event| read.push((event.name, event.data, event.id)));
    }
    // An event without a name is a message to its client.
    let name = if name.is_empty() { "message" } else { name };
    assert_eq!(read, [(name.to_owned(), data.to_owned(), id.to_string())]);
});
