//! What proxies, or those who pretend to be some, say about the client.

#![no_main]

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use hostbeat::server::fuzz::client_address;
use std::net::IpAddr;

libfuzzer_sys::fuzz_target!(|lines: (Vec<&[u8]>, Vec<&[u8]>)| {
    let (stranger, proxy) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([10, 0, 0, 1]));
    let trusted = [proxy.into()];
    let named = |name: HeaderName, lines: &[&[u8]]| {
        let values: Vec<_> = lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok()).collect();
        values.into_iter().map(move |value| (name.clone(), value))
    };
    let (forwarded, x_forwarded_for) = lines;
    let one = named(header::FORWARDED, &forwarded);
    let other = named(HeaderName::from_static("x-forwarded-for"), &x_forwarded_for);
    let headers: HeaderMap = one.chain(other).collect();
    assert_eq!(client_address(stranger, &headers, &trusted), stranger);
    let told = client_address(proxy, &headers, &trusted);
    if headers.keys_len() != 1 {
        assert_eq!(told, proxy, "neither is believed where both are there");
    }
});
