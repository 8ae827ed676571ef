//! Fuzzes events: the parser, which gets the bytes in portions, must return what was written.
//! Input: id, bytes per portion, name and data, separated by tabs.

#![no_main]

use bytes::BytesMut;
use hostbeat::{schema::EventId, server::log::write_event, sse::Parser};

libfuzzer_sys::fuzz_target!(|input: &str| {
    let fields: Vec<_> = input.splitn(4, '\t').collect();
    let [id, portion, name, data] = fields[..] else { return };
    let (Ok(id), Ok(portion)) = (id.parse::<EventId>(), portion.parse::<u8>()) else { return };
    let mut written = BytesMut::new();
    if write_event(&mut written, Some(id), name, data).is_err() {
        assert!(written.is_empty() && (name.to_owned() + data).contains(['\r', '\n', '\0']));
        return;
    }
    let (mut parser, mut read) = (Parser::default(), Vec::new());
    for bytes in written.chunks(usize::from(portion).max(1)) {
        parser.read(bytes, |event| read.push((event.name, event.data, event.id)));
    }
    // Without a name, an event is a `message` to its client.
    let name = if name.is_empty() { "message" } else { name };
    assert_eq!(read, [(name.to_owned(), data.to_owned(), id.to_string())]);
});
