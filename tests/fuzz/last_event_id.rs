//! Fuzzes the `Last-Event-ID` header of a request for the stream.

#![no_main]

mod streams;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

libfuzzer_sys::fuzz_target!(|value: &[u8]| {
    let Ok(header) = HeaderValue::from_bytes(value) else { return };
    let id = header.to_str().ok().and_then(|text| text.parse().ok());
    let headers = HeaderMap::from_iter([(HeaderName::from_static("last-event-id"), header)]);
    streams::check("", &headers, id);
});
