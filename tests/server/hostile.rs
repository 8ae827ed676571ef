//! Tests of malformed and unfinished requests, pipelining, connection churn and exhausted file descriptors.

use super::{
    server_process::{ServerProcess, hostbeat, hostbeat_with_file_limit},
    support::{TIMEOUT, TestServer, tick, wait_until},
};
use hostbeat::server::log::TickLog;
use std::{
    fs,
    io::{self, Read, Write},
    net::TcpStream,
    thread,
};

fn connect(address: &str) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    socket
}

/// Sends `request` and reads until the server closes the connection.
fn exchange(address: &str, request: &str) -> String {
    let mut socket = connect(address);
    socket.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).unwrap();
    response
}

#[test]
fn unfinished_request_gets_408_and_is_closed() {
    let server = TestServer::serve(TickLog::default());
    let address = &server.address.to_string();
    let open = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
    thread::scope(|scope| {
        let [silent, slow, second] = ["", open, &format!("{open}\r\n{open}")]
            .map(str::to_owned)
            .map(|request| scope.spawn(move || exchange(address, &request)));
        assert_eq!(silent.join().unwrap(), "");
        let slow = slow.join().unwrap();
        assert!(
            slow.starts_with("HTTP/1.1 408 Request Timeout\r\n") && slow.contains("Connection: close\r\n"),
            "{slow}"
        );
        let second = second.join().unwrap();
        assert!(second.starts_with("HTTP/1.1 200") && second.contains("HTTP/1.1 408"), "{second}");
    });
}

#[test]
fn malformed_or_oversized_request_is_refused() {
    let server = TestServer::serve(TickLog::default());
    let address = &server.address.to_string();
    let long = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    let longer = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let many = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: y\r\n".repeat(2_000));
    for (request, status) in [
        ("\u{16}\u{3}\u{1}\u{2}\r\n\r\n", "400"),
        ("GET /healthz\r\n\r\n", "400"),
        ("GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n", "400"),
        (
            "POST /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1000000000\r\n\r\nx",
            "405",
        ),
        (&long, "431"),
        (&longer, "431"),
        (&many, "431"),
    ] {
        // The server may close before it has read everything, and the reset may discard its response.
        let mut socket = connect(address);
        let _ = socket.write_all(request.as_bytes());
        let mut start = [0; 12];
        match socket.read_exact(&mut start) {
            Ok(()) => assert_eq!(String::from_utf8_lossy(&start), format!("HTTP/1.1 {status}"), "{request:.60}"),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{request:.60}"),
        }
    }
    assert_eq!(server.get("/healthz").0.status, 200);
}

#[test]
fn pipelined_requests_are_answered_in_order_up_to_stream() {
    let server = TestServer::serve(TickLog::default());
    server.log.publish(&tick(1000));
    let mut socket = connect(&server.address.to_string());
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let requests = ["/healthz", "/nothing", "/api/stream", "/healthz", "/healthz"].map(request).concat();
    socket.write_all(requests.as_bytes()).unwrap();
    let mut text = Vec::new();
    let mut published = 1;
    while !String::from_utf8_lossy(&text).contains("id: 3000-2-e3b0c4") {
        let mut bytes = [0; 4096];
        let read = socket.read(&mut bytes).unwrap();
        assert_ne!(read, 0, "the connection closed");
        text.extend(&bytes[..read]);
        if published < 3 && String::from_utf8_lossy(&text).contains("event: window") {
            published += 1;
            server.log.publish(&tick(published * 1000));
        }
    }
    let text = String::from_utf8_lossy(&text);
    let statuses: Vec<_> = text.match_indices("HTTP/1.1 ").map(|(at, _)| &text[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["200", "404", "200"]);
}

/// The value of a metric in `/metrics`.
fn metric(address: &str, name: &str) -> f64 {
    let text = exchange(address, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn connection_churn_leaks_neither_memory_nor_descriptors() {
    const CONNECTIONS: usize = 20_000;
    const CONCURRENT: usize = 200;
    let many = CONNECTIONS.to_string();
    let server = ServerProcess::start(hostbeat(&["--listen", "127.0.0.1:0", "--max-streams-per-address", &many]));
    let stream = "GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let waves = |connections: usize| {
        for wave in 0..connections / CONCURRENT {
            let sockets = (0..CONCURRENT).map(|n| {
                let mut socket = connect(&server.address);
                // No bytes, a partial request, an unread stream, or a stream whose status line is read.
                let request = ["", &stream[..20], stream, stream][n % 4];
                socket.write_all(request.as_bytes()).unwrap();
                if n % 4 == 3 {
                    socket.read_exact(&mut [0; 12]).unwrap_or_else(|error| panic!("{error} in wave {wave}"));
                }
                socket
            });
            drop(sockets.collect::<Vec<_>>());
        }
        wait_until("all connections are closed", || {
            metric(&server.address, "hostbeat_streams") == 0.0 && metric(&server.address, "process_open_fds") < 50.0
        });
    };
    // The first connections fill the allocator's pools.
    waves(CONNECTIONS / 10);
    let before = metric(&server.address, "process_resident_memory_bytes");
    waves(CONNECTIONS);
    let after = metric(&server.address, "process_resident_memory_bytes");
    assert!(after < before * 1.1, "resident memory grew from {before} to {after} bytes");
}

#[cfg(target_os = "linux")]
#[test]
fn server_out_of_descriptors_keeps_viewers_and_recovers() {
    const FILES: usize = 64;
    let server = ServerProcess::start(hostbeat_with_file_limit(FILES));
    let mut viewer = connect(&server.address);
    viewer.write_all(b"GET /api/stream?events=cpu&window=0 HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let silent: Vec<_> = (0..2 * FILES).map(|_| connect(&server.address)).collect();
    wait_until("no file descriptor is left", || {
        fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap().count() >= FILES
    });
    let mut text = String::new();
    while text.matches("\"total_percent\":").count() < 3 {
        let mut bytes = [0; 4096];
        let read = viewer.read(&mut bytes).unwrap();
        assert_ne!(read, 0, "the connection closed");
        text += std::str::from_utf8(&bytes[..read]).unwrap();
    }
    assert!(!text.contains("\"total_percent\":null"), "{text}");
    drop(silent);
    assert!(
        exchange(&server.address, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .contains("200 OK")
    );
}
