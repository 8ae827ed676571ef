//! Fuzzes what programs publish: each format is parsed or refused, and what is taken makes events of one line of JSON.

#![no_main]

use hostbeat::server::publish::{Publications, parse_datagram, parse_declaration, parse_json_lines, parse_prometheus};
use std::time::Instant;

/// The server's clock, Unix milliseconds.
const NOW: u64 = 1_700_000_000_000;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (channel, now) = ("shop".parse().unwrap(), Instant::now());
    let publications = Publications::default();
    let statsd = parse_datagram(input).into_iter().flatten().collect();
    let parsed = [parse_json_lines(input, NOW), parse_prometheus(&channel, input, NOW), Ok(statsd)];
    for taken in parsed.into_iter().flatten() {
        let _ = publications.publish(taken, now);
    }
    if let Ok(declaration) = parse_declaration(&channel, input) {
        publications.declare(channel, declaration);
    }
    for sample in publications.sample(now) {
        let event = serde_json::to_string(&sample).unwrap();
        assert!(!event.contains(['\n', '\r']) && !sample.channel.is_empty());
        serde_json::from_str::<serde_json::Value>(&event).unwrap();
    }
    serde_json::to_string(&publications.list()).unwrap();
});
