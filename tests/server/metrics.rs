//! Tests that each of the server's own metrics in `GET /metrics` changes when it should.

use super::support::{DELIVERY_PATHS, TestServer, tick, wait_until};
use hostbeat::server::{Settings, log::TickLog};
use std::collections::BTreeMap;

/// All values by metric name and labels.
fn scrape(server: &TestServer) -> BTreeMap<String, f64> {
    let (head, text) = server.request("GET", "/metrics", &[("accept", "application/openmetrics-text")]);
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

/// The value of a metric; 0 if it isn't exposed yet.
fn value(server: &TestServer, name: &str) -> f64 {
    scrape(server).get(name).copied().unwrap_or_default()
}

#[test]
fn scraper_without_open_metrics_gets_prometheus_text() {
    let server = TestServer::serve(TickLog::default());
    for headers in [&[][..], &[("accept", "text/plain;version=0.0.4")]] {
        let (head, text) = server.request("GET", "/metrics", headers);
        assert_eq!(head.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        assert!(text.contains("# TYPE hostbeat_samples_total counter\nhostbeat_samples_total 0\n"), "{text}");
        assert!(!text.contains("# EOF") && !text.contains("# UNIT"), "{text}");
    }
}

#[test]
fn stream_metrics_follow_open_streams() {
    for settings in DELIVERY_PATHS {
        let log = TickLog::with_ring(4);
        (1..=5).for_each(|second| log.publish(&tick(second * 1000)));
        let server = TestServer::serve_with(log, settings());
        let mut live = server.open_stream("?window=0", &[]);
        let _replay = server.open_stream("", &[("last-event-id", "5000-1-e3b0c4")]);
        let _window = server.open_stream("", &[]);
        let _reset = server.open_stream("", &[("last-event-id", "foreign")]);
        for start in ["live", "replay", "window", "reset"] {
            assert_eq!(value(&server, &format!("hostbeat_streams_opened_total{{start=\"{start}\"}}")), 1.0, "{start}");
        }
        assert_eq!(value(&server, "hostbeat_streams"), 4.0);

        let (events, bytes) =
            (value(&server, "hostbeat_events_sent_total"), value(&server, "hostbeat_stream_sent_bytes_total"));
        server.log.publish(&tick(6000));
        assert!(live.any(|event| event.id == "6000-2-e3b0c4"));
        wait_until("twelve events are sent", || {
            value(&server, "hostbeat_events_sent_total") >= events + 12.0
                && value(&server, "hostbeat_stream_sent_bytes_total") > bytes + 1000.0
        });

        drop(live);
        wait_until("the closed stream is counted", || {
            server.log.publish(&tick(7000));
            value(&server, "hostbeat_streams_closed_total{reason=\"gone\"}") == 1.0
                && value(&server, "hostbeat_stream_age_seconds_count") == 1.0
                && value(&server, "hostbeat_streams") == 3.0
        });
    }
}

#[test]
fn refused_streams_are_counted_by_status() {
    let server =
        TestServer::serve_with(TickLog::default(), Settings { max_streams_per_address: 0, ..Settings::default() });
    for (path, headers, status) in [
        ("/api/stream?events=x", &[][..], 400),
        ("/api/stream", &[("origin", "https://evil.example.com")], 403),
        ("/api/stream", &[("accept", "text/html")], 406),
        ("/api/stream", &[], 429),
    ] {
        assert_eq!(server.request("GET", path, headers).0.status, status);
        let metric = format!("hostbeat_streams_refused_total{{status=\"{status}\"}}");
        wait_until("the refusal is counted, in the metrics of the next second", || value(&server, &metric) == 1.0);
    }
}

#[test]
fn viewer_behind_the_ring_counts_as_conflation() {
    use std::{
        io::{Read, Write},
        net::TcpStream,
    };
    for settings in DELIVERY_PATHS {
        let log = TickLog::with_ring(2);
        log.publish(&tick(1000));
        let server = TestServer::serve_with(log, settings());
        let mut slow = TcpStream::connect(server.address).unwrap();
        slow.write_all(b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        slow.read_exact(&mut [0; 9]).unwrap();
        let mut second = 1;
        let mut bytes = vec![0; 1 << 16];
        wait_until("the viewer falls behind the ring and gets a window", || {
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
fn fanout_of_a_tick_is_timed() {
    let server = TestServer::serve(TickLog::default());
    let _stream = server.open_stream("", &[]);
    server.log.publish(&tick(1000));
    wait_until("a tick is timed", || value(&server, "hostbeat_fanout_seconds_count") >= 1.0);
}

#[test]
#[cfg(target_os = "linux")]
fn sampler_and_process_metrics_have_values() {
    let server = TestServer::sample_host();
    wait_until("two samples are timed", || value(&server, "hostbeat_samples_total") >= 2.0);
    let metrics = scrape(&server);
    assert_eq!(metrics["hostbeat_sample_lateness_seconds_count"], metrics["hostbeat_samples_total"]);
    assert!(metrics["hostbeat_sample_cpu_seconds_total"] > 0.0);
    assert!(metrics["process_resident_memory_bytes"] > 1e6);
    assert!(metrics["process_open_fds"] > 3.0);
    let cpu = metrics["process_cpu_seconds_total"];
    assert!(cpu > 0.0);
    wait_until("the CPU time rises", || value(&server, "process_cpu_seconds_total") > cpu);
}
