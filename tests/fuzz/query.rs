//! Fuzzes the query of a request for the stream.

#![no_main]

mod streams;

use axum::http::HeaderMap;

libfuzzer_sys::fuzz_target!(|query: &str| streams::check(query, &HeaderMap::new(), None));
