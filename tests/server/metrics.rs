//! `GET /metrics`: every figure has something that moves it.

use super::support::{Running, WAYS, eventually, tick};
use hostbeat::server::{Settings, log::TickLog};
use std::collections::BTreeMap;

/// Every sample by its name and labels.
fn scrape(server: &Running) -> BTreeMap<String, f64> {
    let (head, text) = server.get("/metrics");
    assert_eq!(head.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(text.ends_with("# EOF\n"), "{text}");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

/// A figure; one that isn't there yet is 0.
fn value(server: &Running, name: &str) -> f64 {
    scrape(server).get(name).copied().unwrap_or_default()
}

#[test]
fn streams_move_their_figures() {
    for settings in WAYS {
        let log = TickLog::with_ring(4);
        (1..=5).for_each(|second| log.publish(&tick(second * 1000)));
        let server = Running::show_by(log, settings());
        let mut live = server.follow("?window=0", &[]);
        let _replay = server.follow("", &[("last-event-id", "5000-1")]);
        let _window = server.follow("", &[]);
        let _reset = server.follow("", &[("last-event-id", "foreign")]);
        for start in ["live", "replay", "window", "reset"] {
            assert_eq!(value(&server, &format!("hostbeat_streams_opened_total{{start=\"{start}\"}}")), 1.0, "{start}");
        }
        assert_eq!(value(&server, "hostbeat_streams"), 4.0);

        let (events, bytes) =
            (value(&server, "hostbeat_events_sent_total"), value(&server, "hostbeat_stream_sent_bytes_total"));
        server.log.publish(&tick(6000));
        assert!(live.any(|event| event.id == "6000-2"));
        eventually("twelve events went out", || {
            value(&server, "hostbeat_events_sent_total") >= events + 12.0
                && value(&server, "hostbeat_stream_sent_bytes_total") > bytes + 1000.0
        });

        drop(live);
        eventually("the one that left is counted", || {
            server.log.publish(&tick(7000));
            value(&server, "hostbeat_streams_closed_total{reason=\"gone\"}") == 1.0
                && value(&server, "hostbeat_stream_age_seconds_count") == 1.0
                && value(&server, "hostbeat_streams") == 3.0
        });
    }
}

#[test]
fn refusals_are_counted_by_status() {
    let server = Running::show_by(TickLog::default(), Settings { max_streams_per_address: 0, ..Settings::default() });
    for (path, headers, status) in [
        ("/api/stream?events=x", &[][..], 400),
        ("/api/stream", &[("origin", "https://evil.example.com")], 403),
        ("/api/stream", &[("accept", "text/html")], 406),
        ("/api/stream", &[], 429),
    ] {
        assert_eq!(server.send("GET", path, headers).0.status, status);
        assert_eq!(value(&server, &format!("hostbeat_streams_refused_total{{status=\"{status}\"}}")), 1.0);
    }
}

#[test]
fn a_viewer_that_is_too_far_behind_is_counted() {
    use std::{
        io::{Read, Write},
        net::TcpStream,
    };
    for settings in WAYS {
        let log = TickLog::with_ring(2);
        log.publish(&tick(1000));
        let server = Running::show_by(log, settings());
        let mut slow = TcpStream::connect(server.address).unwrap();
        slow.write_all(b"GET /api/stream HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        slow.read_exact(&mut [0; 9]).unwrap();
        let mut second = 1;
        let mut bytes = vec![0; 1 << 16];
        eventually("it is passed, and then goes on with a window", || {
            for _ in 0..2000 {
                second += 1;
                server.log.publish(&tick(second * 1000));
            }
            let _ = slow.read(&mut bytes).unwrap();
            value(&server, "hostbeat_conflations_total") >= 1.0
        });
    }
}

#[test]
fn the_fan_out_is_timed() {
    let server = Running::show(TickLog::default());
    let _stream = server.follow("", &[]);
    server.log.publish(&tick(1000));
    eventually("a tick was timed", || value(&server, "hostbeat_fanout_seconds_count") >= 1.0);
}

#[test]
#[cfg(target_os = "linux")]
fn this_host_and_this_process_are_measured() {
    let server = Running::start();
    eventually("two samples were timed", || value(&server, "hostbeat_samples_total") >= 2.0);
    let figures = scrape(&server);
    assert_eq!(figures["hostbeat_sample_lateness_seconds_count"], figures["hostbeat_samples_total"]);
    assert!(figures["hostbeat_sample_cpu_seconds_total"] > 0.0);
    assert!(figures["process_resident_memory_bytes"] > 1e6);
    assert!(figures["process_open_fds"] > 3.0);
    let cpu = figures["process_cpu_seconds_total"];
    assert!(cpu > 0.0);
    eventually("the processor's time goes on", || value(&server, "process_cpu_seconds_total") > cpu);
}
