//! Clients that mean no good, or fare badly: whatever they do, the server answers the next one, and is as it was.

use super::{
    program::{Program, hostbeat, limited},
    support::{PATIENCE, Running, eventually, tick},
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
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Sends what there is of a request, and reads what comes until the server closes.
fn answer(address: &str, request: &str) -> String {
    let mut socket = connect(address);
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn who_never_finishes_a_request_is_told_and_let_go() {
    let server = Running::show(TickLog::default());
    let address = &server.address.to_string();
    let open = "GET /healthz HTTP/1.1\r\nHost: a\r\n";
    thread::scope(|scope| {
        let [silent, slow, second] = ["", open, &format!("{open}\r\n{open}")]
            .map(str::to_owned)
            .map(|request| scope.spawn(move || answer(address, &request)));
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
fn what_is_no_request_is_refused() {
    let server = Running::show(TickLog::default());
    let address = &server.address.to_string();
    let long = format!("GET /healthz HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    let longer = format!("GET /healthz HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let many = format!("GET /healthz HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(2_000));
    for (request, status) in [
        ("\u{16}\u{3}\u{1}\u{2}\r\n\r\n", "400"),
        ("GET /healthz\r\n\r\n", "400"),
        ("GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n", "400"),
        ("POST /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1000000000\r\n\r\nx", "405"),
        (&long, "431"),
        (&longer, "431"),
        (&many, "431"),
    ] {
        // The server may close before it has read everything, and then what it said may be lost on the way.
        let mut socket = connect(address);
        let _ = socket.write_all(request.as_bytes());
        let mut answer = [0; 12];
        match socket.read_exact(&mut answer) {
            Ok(()) => assert_eq!(String::from_utf8_lossy(&answer), format!("HTTP/1.1 {status}"), "{request:.60}"),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{request:.60}"),
        }
    }
    assert_eq!(server.get("/healthz").0.status, 200);
}

#[test]
fn requests_that_come_at_once_are_answered_in_turn_and_a_stream_is_the_last() {
    let server = Running::show(TickLog::default());
    server.log.publish(&tick(1000));
    let mut socket = connect(&server.address.to_string());
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let requests = ["/healthz", "/nothing", "/api/stream", "/healthz", "/healthz"].map(request).concat();
    socket.write_all(requests.as_bytes()).unwrap();
    let mut text = Vec::new();
    let mut published = 1;
    while !String::from_utf8_lossy(&text).contains("id: 3000-2") {
        let mut bytes = [0; 4096];
        let read = socket.read(&mut bytes).unwrap();
        assert_ne!(read, 0, "it was cut off");
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

/// A figure from `/metrics`.
fn figure(address: &str, name: &str) -> f64 {
    let text = answer(address, "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn twenty_thousand_connections_that_come_and_go_leave_nothing_behind() {
    const CONNECTIONS: usize = 20_000;
    const AT_A_TIME: usize = 200;
    let many = CONNECTIONS.to_string();
    let server = Program::start(hostbeat(&["--listen", "127.0.0.1:0", "--max-streams-per-address", &many]));
    let stream = "GET /api/stream HTTP/1.1\r\nHost: a\r\n\r\n";
    let waves = |connections: usize| {
        for wave in 0..connections / AT_A_TIME {
            let sockets = (0..AT_A_TIME).map(|n| {
                let mut socket = connect(&server.address);
                // Nothing, part of a request, a request, or a stream that is looked at before it is dropped.
                let request = ["", &stream[..20], stream, stream][n % 4];
                socket.write_all(request.as_bytes()).unwrap();
                if n % 4 == 3 {
                    socket.read_exact(&mut [0; 12]).unwrap_or_else(|error| panic!("{error} in wave {wave}"));
                }
                socket
            });
            drop(sockets.collect::<Vec<_>>());
        }
        eventually("all are gone", || {
            figure(&server.address, "hostbeat_streams") == 0.0 && figure(&server.address, "process_open_fds") < 50.0
        });
    };
    // A server that is in use has its allocator's pools filled.
    waves(CONNECTIONS / 10);
    let before = figure(&server.address, "process_resident_memory_bytes");
    waves(CONNECTIONS);
    let after = figure(&server.address, "process_resident_memory_bytes");
    assert!(after < before * 1.1, "it had {before} bytes and has {after}");
}

#[cfg(target_os = "linux")]
#[test]
fn out_of_descriptors_it_keeps_its_viewers_and_recovers() {
    const FILES: usize = 64;
    let server = Program::start(limited(FILES));
    let mut viewer = connect(&server.address);
    viewer.write_all(b"GET /api/stream?events=cpu&window=0 HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let silent: Vec<_> = (0..2 * FILES).map(|_| connect(&server.address)).collect();
    eventually("no descriptor is left", || fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap().count() >= FILES);
    let mut text = String::new();
    while text.matches("\"total\":").count() < 3 {
        let mut bytes = [0; 4096];
        let read = viewer.read(&mut bytes).unwrap();
        assert_ne!(read, 0, "it was cut off");
        text += std::str::from_utf8(&bytes[..read]).unwrap();
    }
    assert!(!text.contains("\"total\":null"), "{text}");
    drop(silent);
    assert!(
        answer(&server.address, "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").contains("200 OK")
    );
}
