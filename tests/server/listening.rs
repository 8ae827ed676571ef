//! Tests of unix sockets and of sockets that systemd passes.

use super::server_process::{ServerProcess, hostbeat};
use std::{
    io::{Read, Write},
    net::TcpListener,
    os::{
        fd::OwnedFd,
        unix::{
            fs::PermissionsExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::Path,
    process::{Command, Stdio},
};

/// Sends a request over the unix socket and returns what is read until the text contains `end`.
fn exchange(path: &Path, request: &str, end: &str) -> (UnixStream, String) {
    let mut socket = UnixStream::connect(path).unwrap();
    write!(socket, "GET {request}\r\nHost: localhost\r\n\r\n").unwrap();
    let text = read_until(&mut socket, end);
    (socket, text)
}

fn read_until(socket: &mut impl Read, end: &str) -> String {
    let mut text = String::new();
    while !text.contains(end) {
        let mut bytes = [0; 4096];
        let read = socket.read(&mut bytes).unwrap();
        assert_ne!(read, 0, "the connection closed after {text}");
        text += &String::from_utf8_lossy(&bytes[..read]);
    }
    text
}

#[test]
fn stream_over_unix_socket_gets_ticks_and_shutdown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostbeat.sock");
    let listen = format!("127.0.0.1:0,unix:{}", path.display());
    let mut server = ServerProcess::start(hostbeat(&["--listen", &listen, "--unix-mode", "600"]));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let (mut stream, head) = exchange(&path, "/api/stream?events=cpu HTTP/1.1", "event: cpu\n");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    read_until(&mut stream, "event: cpu\n");
    let over_tcp = ureq::get(format!("http://{}/healthz", server.address)).call().unwrap();
    assert_eq!(over_tcp.status(), 200);
    server.terminate();
    let end = read_until(&mut stream, "\r\n0\r\n\r\n");
    assert!(end.contains("event: shutdown\n"), "{end}");
    assert!(server.wait().success());
    assert!(!path.exists());
}

#[test]
fn program_at_unix_socket_reports_the_client_address() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostbeat.sock");
    let listen = format!("127.0.0.1:0,unix:{}", path.display());
    let _server = ServerProcess::start(hostbeat(&["--listen", &listen, "--max-streams-per-address", "1", "--public"]));
    let open = |client: &str| {
        exchange(&path, &format!("/api/stream HTTP/1.1\r\nX-Forwarded-For: 203.0.113.5, {client}"), "\r\n\r\n")
    };
    let first = open("192.0.2.1");
    let second = open("192.0.2.2");
    let third = open("192.0.2.1");
    let status = |(_, head): &(UnixStream, String)| head[9..12].to_owned();
    assert_eq!([status(&first), status(&second), status(&third)], ["200", "200", "429"]);
}

#[test]
fn socket_of_killed_server_is_replaced_and_of_running_server_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostbeat.sock");
    let listen = format!("127.0.0.1:0,unix:{}", path.display());
    let mut killed = ServerProcess::start(hostbeat(&["--listen", &listen]));
    killed.kill();
    assert!(path.exists());
    let _running = ServerProcess::start(hostbeat(&["--listen", &listen]));
    let refused = hostbeat(&["--listen", &listen]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let log = String::from_utf8_lossy(&refused.stdout);
    assert!(log.contains("a running program listens there") && log.contains("hostbeat.sock"), "{log}");
    let (_, response) = exchange(&path, "/healthz HTTP/1.1", "alive");
    assert!(response.contains(" 200 "), "{response}");
}

/// The program with `socket` passed as systemd does: descriptor 3, named by the environment.
fn activated(socket: OwnedFd, more: &[&str]) -> Command {
    let mut command = Command::new("sh");
    let script = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"";
    command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_hostbeat"), "--listen"]).args(more);
    command.stdin(Stdio::from(socket)).stdout(Stdio::piped());
    command
}

#[test]
fn inherited_sockets_are_served() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap().to_string();
    let server = ServerProcess::start(activated(port.into(), &["systemd"]));
    assert_eq!(server.address, address);
    assert_eq!(ureq::get(format!("http://{address}/healthz")).call().unwrap().status(), 200);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostbeat.sock");
    let socket = UnixListener::bind(&path).unwrap();
    let mut server = ServerProcess::start(activated(socket.into(), &["127.0.0.1:0,systemd"]));
    exchange(&path, "/healthz HTTP/1.1", "alive");
    server.terminate();
    assert!(server.wait().success());
    assert!(path.exists(), "the file is systemd's");
}

#[test]
fn inherited_port_beyond_loopback_needs_public_flag() {
    let bind = || TcpListener::bind("0.0.0.0:0").unwrap().into();
    let refused = activated(bind(), &["systemd"]).output().unwrap();
    let log = String::from_utf8_lossy(&refused.stdout);
    assert_eq!((refused.status.code(), log.contains("--public")), (Some(2), true), "{log}");
    let server = ServerProcess::start(activated(bind(), &["systemd", "--public"]));
    assert!(server.address.starts_with("0.0.0.0:"), "{}", server.address);
}

#[test]
fn missing_inherited_sockets_are_reported() {
    let output = hostbeat(&["--listen", "systemd"]).output().unwrap();
    let log = String::from_utf8_lossy(&output.stdout);
    assert_eq!((output.status.code(), log.contains(".socket")), (Some(1), true), "{log}");
}
