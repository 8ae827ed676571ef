//! How streams are let in, kept, and ended: limits, slow and silent clients, faults, and the end of the server.

use super::support::{Running, WAYS, eventually, json, tick};
use hostbeat::server::{Settings, log::TickLog};
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

/// A server that has published one tick.
fn server(settings: Settings) -> Running {
    let log = TickLog::default();
    log.publish(&tick(1000));
    Running::show_by(log, settings)
}

fn viewers(server: &Running) -> u64 {
    server.log.subscribers().viewers()
}

#[test]
fn an_address_has_its_share_of_streams() {
    let server = server(Settings { max_streams_per_address: 2, ..Settings::default() });
    let open: Vec<_> = (0..2).map(|_| server.follow("", &[])).collect();
    let (head, body) = server.get("/api/stream");
    assert_eq!(
        (head.status.as_u16(), head.headers["content-type"].to_str().unwrap()),
        (429, "application/problem+json")
    );
    assert!(head.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() > 0);
    assert!(body.contains("2 open streams from your address"), "{body}");
    drop(open);
    eventually("the address may come again", || server.follow("", &[]).head.status == 200);
}

#[test]
fn a_full_server_says_so() {
    let server = server(Settings { max_streams: 1, ..Settings::default() });
    let _open = server.follow("", &[]);
    let (head, _) = server.get("/api/stream");
    assert_eq!(head.status, 503);
    assert!(head.headers.contains_key("retry-after"));
}

#[test]
fn behind_a_trusted_proxy_clients_are_told_apart() {
    let settings = Settings { max_streams_per_address: 1, ..Settings::default() };
    let trusting = Settings { trusted_proxy: vec!["127.0.0.0/8".parse().unwrap()], ..settings.clone() };
    for (settings, status) in [(settings, 429), (trusting, 200)] {
        let server = server(settings);
        let _one = server.follow("", &[("x-forwarded-for", "192.0.2.1")]);
        let two = server.follow("", &[("x-forwarded-for", "192.0.2.2")]);
        assert_eq!(two.head.status, status);
        let again = server.follow("", &[("x-forwarded-for", "203.0.113.5, 192.0.2.1")]);
        assert_eq!(again.head.status, 429, "what a client says about itself counts for nothing");
    }
}

#[test]
fn another_origin_needs_leave() {
    let allow_origin = vec!["https://status.example.com".parse().unwrap()];
    let server = server(Settings { allow_origin, ..Settings::default() });
    let status = |origin: &str| server.follow("", &[("origin", origin)]).head;
    assert_eq!(status("https://evil.example.com").status, 403);
    let allowed = status("https://status.example.com");
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.headers["access-control-allow-origin"], "https://status.example.com");
    let own = status(&format!("http://{}", server.address));
    assert_eq!((own.status.as_u16(), own.headers.get("access-control-allow-origin")), (200, None));
}

#[test]
fn a_stream_ends_at_its_age_and_its_client_resumes() {
    for settings in WAYS {
        let server = server(Settings { stream_age: Duration::from_millis(1500), ..settings() });
        let events: Vec<_> = server.follow("", &[]).collect();
        let last = events.last().unwrap();
        assert_eq!((&*last.event, &json(last)["reason"]), ("shutdown", &"age".into()));
        assert!((1000..=3000).contains(&last.retry.unwrap().as_millis()));
        assert_eq!(last.id, "1000-2");
        server.log.publish(&tick(2000));
        let mut again = server.follow("", &[("last-event-id", &last.id)]);
        assert_eq!(json(&again.next().unwrap())["start"], "replay");
        assert_eq!(again.next().unwrap().id, "2000-0");
        assert!(server.get("/metrics").1.contains("hostbeat_streams_closed_total{reason=\"aged\"} 1\n"));
    }
}

/// A client that speaks for itself: nothing is read that a test doesn't read.
fn silent(server: &Running, version: &str) -> TcpStream {
    let mut socket = TcpStream::connect(server.address).unwrap();
    write!(socket, "GET /api/stream HTTP/{version}\r\nHost: a\r\n\r\n").unwrap();
    socket.read_exact(&mut [0; 9]).unwrap();
    socket
}

/// What comes, up to and with `end`.
fn read_until(socket: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.contains(end) {
        let mut bytes = [0; 4096];
        let read = socket.read(&mut bytes).unwrap();
        assert_ne!(read, 0, "it was cut off after {text}");
        text += std::str::from_utf8(&bytes[..read]).unwrap();
    }
    text
}

#[test]
fn a_viewer_that_takes_nothing_is_let_go_and_hurts_nobody() {
    for settings in WAYS {
        let server = server(Settings { stall: Duration::from_secs(1), ..settings() });
        let stuck = silent(&server, "1.1");
        let mut other = server.follow("", &[]);
        let log = Arc::clone(&server.log);
        eventually("both are there", || viewers(&server) == 2);
        let mut second = 1;
        eventually("the stuck one is let go", || {
            // Enough to fill whatever the kernel would take for it.
            for _ in 0..100 {
                second += 1;
                log.publish(&tick(second * 1000));
            }
            let last = format!("{second}000-2");
            // A window in between would be fair, too, but the other must be up to date at once.
            assert!(other.any(|event| event.id == last));
            viewers(&server) == 1
        });
        assert!(server.get("/metrics").1.contains("hostbeat_streams_closed_total{reason=\"stalled\"} 1\n"));
        drop(stuck);
    }
}

#[test]
fn a_slow_reader_gets_everything_there_was() {
    for settings in WAYS {
        let server = server(settings());
        let mut slow = silent(&server, "1.1");
        let log = Arc::clone(&server.log);
        let publisher = thread::spawn(move || (2..=400).for_each(|second| log.publish(&tick(second * 1000))));
        let mut text = Vec::new();
        let mut bytes = [0; 7];
        // A few bytes at a time: every write to it is a partial one before long.
        while !String::from_utf8_lossy(&text[text.len().saturating_sub(600)..]).contains("id: 400000-2") {
            let read = slow.read(&mut bytes).unwrap();
            assert_ne!(read, 0, "it was cut off");
            text.extend(&bytes[..read]);
        }
        publisher.join().unwrap();
        assert!(String::from_utf8_lossy(&text).contains("event: cpu"));
    }
}

#[test]
fn a_client_that_closes_is_counted_out_without_a_tick() {
    let server = server(Settings::default());
    for close in [|socket: TcpStream| drop(socket), |socket: TcpStream| socket.shutdown(Shutdown::Write).unwrap()] {
        let socket = silent(&server, "1.1");
        eventually("it is there", || viewers(&server) == 1);
        close(socket);
        eventually("it is gone", || viewers(&server) == 0);
    }
    assert!(server.get("/metrics").1.contains("hostbeat_streams_closed_total{reason=\"gone\"} 2\n"));
}

#[test]
fn an_old_client_is_served_without_chunks() {
    let server = server(Settings::default());
    let mut socket = TcpStream::connect(server.address).unwrap();
    socket.write_all(b"GET /api/stream HTTP/1.0\r\nHost: a\r\n\r\n").unwrap();
    eventually("it is there", || viewers(&server) == 1);
    server.log.publish(&tick(2000));
    let text = read_until(&mut socket, "id: 2000-2");
    assert!(!text.contains("transfer-encoding"), "{text}");
    assert!(text.contains("}\n\nid: 2000-0\nevent: cpu\n"), "{text}");
}

#[test]
fn what_a_viewer_sends_unasked_is_no_answer_to_anything() {
    let server = server(Settings::default());
    let mut socket = silent(&server, "1.1");
    socket.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    server.log.publish(&tick(2000));
    let text = read_until(&mut socket, "id: 2000-2");
    assert!(!text.contains("<!DOCTYPE"), "{text}");
    // But it must not go on for ever.
    let flood = vec![b'x'; 1 << 16];
    eventually("it is let go", || {
        let _ = socket.write_all(&flood);
        viewers(&server) == 0
    });
}

#[test]
fn the_end_is_told_to_all_and_waits_for_nobody() {
    for settings in WAYS {
        let mut server = server(settings());
        let streams: Vec<_> = (0..20).map(|_| server.follow("", &[])).collect();
        let _idle = TcpStream::connect(server.address).unwrap();
        let _stuck = silent(&server, "1.1");
        server.stop();
        let mut retries: Vec<_> = streams.into_iter().map(|stream| stream.last().unwrap().retry.unwrap()).collect();
        server.wait();
        retries.sort();
        retries.dedup();
        assert!(retries.len() > 10, "they would all come back at once: {retries:?}");
    }
}

#[test]
fn readiness_follows_the_sampler_and_the_end() {
    let server = Running::show(TickLog::default());
    assert_eq!(server.get("/healthz").0.status, 200);
    let (head, body) = server.get("/readyz");
    assert_eq!((head.status.as_u16(), body.contains("nothing has been sampled")), (503, true), "{body}");
    server.log.publish(&tick(1000));
    assert_eq!(server.get("/readyz").0.status, 200);
    eventually("a sampler that is stuck is noticed", || {
        let (head, body) = server.get("/readyz");
        head.status == 503 && body.contains("stuck")
    });
    server.log.publish(&tick(9000));
    assert_eq!(server.get("/readyz").0.status, 200);
    server.log.close();
    assert_eq!(server.get("/readyz").0.status, 503);
}

#[test]
fn a_page_of_another_origin_may_ask_whether_it_may_say_where_it_was() {
    let allow_origin = vec!["https://status.example.com".parse().unwrap()];
    let server = server(Settings { allow_origin, max_streams: 1, ..Settings::default() });
    let ask = |origin: &str| {
        let asks = [
            ("origin", origin),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "last-event-id"),
        ];
        server.send("OPTIONS", "/api/stream", &asks).0
    };
    let allowed = ask("https://status.example.com");
    assert_eq!(allowed.status, 204);
    assert_eq!(allowed.headers["access-control-allow-origin"], "https://status.example.com");
    assert_eq!(allowed.headers["access-control-allow-headers"], "last-event-id");
    assert_eq!(ask("https://evil.example.com").status, 403);

    let _open = server.follow("", &[]);
    let (refused, _) = server.send("GET", "/api/stream", &[("origin", "https://status.example.com")]);
    assert_eq!(refused.status, 503);
    assert_eq!(
        refused.headers["access-control-allow-origin"], "https://status.example.com",
        "it couldn't see the status"
    );
    assert_eq!(refused.headers["access-control-expose-headers"], "retry-after");
}
