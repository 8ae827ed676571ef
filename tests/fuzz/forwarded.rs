//! Fuzzes the headers by which proxies forward a client's address. Input: header lines.

#![no_main]

use axum::http::{HeaderMap, HeaderName, HeaderValue, header::FORWARDED};
use hostbeat::server::fuzz::client_address;
use std::net::IpAddr;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A header that forwards an address; `None` for any other line.
fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(&line[..colon]).ok()?;
    let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
    [FORWARDED, X_FORWARDED_FOR].contains(&name).then_some((name, value))
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (untrusted, proxy) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([10, 0, 0, 1]));
    let trusted = [proxy.into()];
    let headers: HeaderMap = input.split(|byte| *byte == b'\n').filter_map(header).collect();
    assert_eq!(client_address(untrusted, &headers, &trusted), untrusted);
    let address = client_address(proxy, &headers, &trusted);
    if headers.keys_len() != 1 {
        assert_eq!(address, proxy, "headers of both kinds must not be trusted");
    }
});
