//! Tests of stream limits, origins, maximum age, stalled clients, disconnects and server shutdown.

use super::support::{DELIVERY_PATHS, TestServer, json, tick, wait_until};
use hostbeat::server::{Settings, log::TickLog};
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    sync::Arc,
    time::Duration,
};

/// A server that has published one tick.
fn server(settings: Settings) -> TestServer {
    let log = TickLog::default();
    log.publish(&tick(1000));
    TestServer::serve_with(log, settings)
}

fn viewers(server: &TestServer) -> u64 {
    server.log.subscribers().viewers()
}

#[test]
fn streams_over_address_limit_get_429() {
    let server = server(Settings { max_streams_per_address: 2, ..Settings::default() });
    let open: Vec<_> = (0..2).map(|_| server.open_stream("", &[])).collect();
    let (head, body) = server.get("/api/stream");
    assert_eq!(
        (head.status.as_u16(), head.headers["content-type"].to_str().unwrap()),
        (429, "application/problem+json")
    );
    assert!(head.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() > 0);
    assert!(body.contains("2 open streams from your address"), "{body}");
    drop(open);
    wait_until("the address is admitted again", || server.open_stream("", &[]).head.status == 200);
}

#[test]
fn streams_over_total_limit_get_503() {
    let server = server(Settings { max_streams: 1, ..Settings::default() });
    let _open = server.open_stream("", &[]);
    let (head, _) = server.get("/api/stream");
    assert_eq!(head.status, 503);
    assert!(head.headers.contains_key("retry-after"));
}

#[test]
fn address_limit_behind_trusted_proxy_applies_to_forwarded_client() {
    let settings = Settings { max_streams_per_address: 1, public: true, ..Settings::default() };
    let trusting = Settings { trusted_proxy: vec!["127.0.0.0/8".parse().unwrap()], ..settings.clone() };
    for (settings, status) in [(settings, 429), (trusting, 200)] {
        let server = server(settings);
        let _one = server.open_stream("", &[("x-forwarded-for", "192.0.2.1")]);
        let two = server.open_stream("", &[("x-forwarded-for", "192.0.2.2")]);
        assert_eq!(two.head.status, status);
        let again = server.open_stream("", &[("x-forwarded-for", "203.0.113.5, 192.0.2.1")]);
        assert_eq!(again.head.status, 429, "the address before the proxy's own entry is not trusted");
    }
}

#[test]
fn foreign_origin_without_permission_gets_403() {
    let allow_origin = vec!["https://status.example.com".parse().unwrap()];
    let server = server(Settings { allow_origin, ..Settings::default() });
    let response = |origin: &str| server.open_stream("", &[("origin", origin)]).head;
    assert_eq!(response("https://evil.example.com").status, 403);
    let allowed = response("https://status.example.com");
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.headers["access-control-allow-origin"], "https://status.example.com");
    let own = response(&format!("http://{}", server.address));
    assert_eq!((own.status.as_u16(), own.headers.get("access-control-allow-origin")), (200, None));
}

#[test]
fn stream_at_maximum_age_ends_and_resumes() {
    for settings in DELIVERY_PATHS {
        let server = server(Settings { stream_age: Duration::from_millis(1500), ..settings() });
        let events: Vec<_> = server.open_stream("", &[]).collect();
        let last = events.last().unwrap();
        assert_eq!((&*last.event, &json(last)["reason"]), ("shutdown", &"age".into()));
        assert!((1000..=3000).contains(&last.retry.unwrap().as_millis()));
        assert_eq!(last.id, "1000-2-e3b0c4");
        server.log.publish(&tick(2000));
        let mut again = server.open_stream("", &[("last-event-id", &last.id)]);
        assert_eq!(json(&again.next().unwrap())["start"], "replay");
        assert_eq!(again.next().unwrap().id, "2000-0-e3b0c4");
        assert!(server.get("/metrics").1.contains("hostbeat_streams_closed_total{reason=\"aged\"} 1\n"));
    }
}

/// Opens a stream by hand and reads only the start of its status line.
fn open_unread(server: &TestServer, version: &str) -> TcpStream {
    let mut socket = TcpStream::connect(server.address).unwrap();
    write!(socket, "GET /api/stream HTTP/{version}\r\nHost: localhost\r\n\r\n").unwrap();
    socket.read_exact(&mut [0; 9]).unwrap();
    socket
}

/// Reads until the text contains `end`.
fn read_until(socket: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.contains(end) {
        let mut bytes = [0; 4096];
        let read = socket.read(&mut bytes).unwrap();
        assert_ne!(read, 0, "the connection closed after {text}");
        text += std::str::from_utf8(&bytes[..read]).unwrap();
    }
    text
}

#[test]
fn stalled_viewer_is_closed_without_delaying_others() {
    for settings in DELIVERY_PATHS {
        let server = server(Settings { stall: Duration::from_secs(1), ..settings() });
        let stuck = open_unread(&server, "1.1");
        let mut other = server.open_stream("", &[]);
        let log = Arc::clone(&server.log);
        wait_until("both viewers are counted", || viewers(&server) == 2);
        let mut second = 1;
        wait_until("the stuck viewer is closed", || {
            // Enough to fill the socket buffers of the kernel.
            for _ in 0..100 {
                second += 1;
                log.publish(&tick(second * 1000));
            }
            let last = format!("{second}000-2-e3b0c4");
            // The other viewer may get a window in between, but must be up to date.
            assert!(other.any(|event| event.id == last));
            viewers(&server) == 1
        });
        assert!(server.get("/metrics").1.contains("hostbeat_streams_closed_total{reason=\"stalled\"} 1\n"));
        drop(stuck);
    }
}

#[test]
fn closed_connection_without_tick_is_noticed() {
    let server = server(Settings::default());
    for close in [|socket: TcpStream| drop(socket), |socket: TcpStream| socket.shutdown(Shutdown::Write).unwrap()] {
        let socket = open_unread(&server, "1.1");
        wait_until("the viewer is counted", || viewers(&server) == 1);
        close(socket);
        wait_until("no viewer is counted", || viewers(&server) == 0);
    }
    assert!(server.get("/metrics").1.contains("hostbeat_streams_closed_total{reason=\"gone\"} 2\n"));
}

#[test]
fn http_1_0_stream_has_no_chunked_coding() {
    let server = server(Settings::default());
    let mut socket = TcpStream::connect(server.address).unwrap();
    socket.write_all(b"GET /api/stream HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut text = read_until(&mut socket, "\"annotations\":[]}\n\n");
    server.log.publish(&tick(2000));
    text += &read_until(&mut socket, "id: 2000-2-e3b0c4");
    assert!(!text.contains("transfer-encoding"), "{text}");
    assert!(text.contains("}\n\nid: 2000-0-e3b0c4\nevent: cpu\n"), "{text}");
}

#[test]
fn input_on_open_stream_is_ignored_up_to_limit() {
    let server = server(Settings::default());
    let mut socket = open_unread(&server, "1.1");
    socket.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    server.log.publish(&tick(2000));
    let text = read_until(&mut socket, "id: 2000-2-e3b0c4");
    assert!(!text.contains("<!DOCTYPE"), "{text}");
    // More than the limit closes the connection.
    let flood = vec![b'x'; 1 << 16];
    wait_until("the viewer is closed", || {
        let _ = socket.write_all(&flood);
        viewers(&server) == 0
    });
}

#[test]
fn server_stop_with_stuck_clients_notifies_others_and_completes() {
    for settings in DELIVERY_PATHS {
        let mut server = server(settings());
        let streams: Vec<_> = (0..20).map(|_| server.open_stream("", &[])).collect();
        let _idle = TcpStream::connect(server.address).unwrap();
        let _stuck = open_unread(&server, "1.1");
        server.stop();
        let mut retries: Vec<_> = streams.into_iter().map(|stream| stream.last().unwrap().retry.unwrap()).collect();
        server.wait();
        retries.sort();
        retries.dedup();
        assert!(retries.len() > 10, "clients would reconnect at the same time: {retries:?}");
    }
}

#[test]
fn readiness_follows_sampler_and_shutdown() {
    let server = TestServer::serve(TickLog::default());
    assert_eq!(server.get("/healthz").0.status, 200);
    let (head, body) = server.get("/readyz");
    assert_eq!((head.status.as_u16(), body.contains("nothing has been sampled")), (503, true), "{body}");
    server.log.publish(&tick(1000));
    assert_eq!(server.get("/readyz").0.status, 200);
    wait_until("a stuck sampler makes the server unready", || {
        let (head, body) = server.get("/readyz");
        head.status == 503 && body.contains("stuck")
    });
    server.log.publish(&tick(9000));
    assert_eq!(server.get("/readyz").0.status, 200);
    server.log.close();
    assert_eq!(server.get("/readyz").0.status, 503);
}

#[test]
fn preflight_of_allowed_origin_permits_last_event_id() {
    let allow_origin = vec!["https://status.example.com".parse().unwrap()];
    let server = server(Settings { allow_origin, max_streams: 1, ..Settings::default() });
    let preflight = |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "last-event-id"),
        ];
        server.request("OPTIONS", "/api/stream", &headers).0
    };
    let allowed = preflight("https://status.example.com");
    assert_eq!(allowed.status, 204);
    assert_eq!(allowed.headers["access-control-allow-origin"], "https://status.example.com");
    assert_eq!(allowed.headers["access-control-allow-headers"], "authorization, last-event-id");
    assert_eq!(preflight("https://evil.example.com").status, 403);

    let _open = server.open_stream("", &[]);
    let (refused, _) = server.request("GET", "/api/stream", &[("origin", "https://status.example.com")]);
    assert_eq!(refused.status, 503);
    assert_eq!(
        refused.headers["access-control-allow-origin"], "https://status.example.com",
        "a script could not read the status"
    );
    assert_eq!(refused.headers["access-control-expose-headers"], "retry-after");
}
