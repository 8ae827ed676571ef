//! Tests of HTTPS: handshakes, certificates and their replacement, and plain HTTP on a TLS port.

use super::{
    server_process::{ServerProcess, hostbeat},
    support::{TIMEOUT, wait_until},
    tls_client::{
        CertificateFiles, certificate, connect, issued, params, read_until, request, self_signed, self_signed_server,
        try_connect,
    },
};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::Stdio,
};

const STREAM: &str = "GET /api/stream?events=cpu&window=0 HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[cfg(unix)]
#[test]
fn stream_over_tls_gets_ticks_and_shutdown() {
    let (mut server, _folder) = self_signed_server(&[]);
    let mut stream = request(&server.address, STREAM);
    let fingerprint: Vec<_> = Sha256::digest(certificate(&stream)).iter().map(|byte| format!("{byte:02X}")).collect();
    assert!(server.log.contains(&fingerprint.join(":")), "{}", server.log);
    let head = read_until(&mut stream, "event: cpu\n");
    assert!(head.starts_with("HTTP/1.1 200 ") && !head.contains("strict-transport-security"), "{head}");
    read_until(&mut stream, "event: cpu\n");
    server.terminate();
    let end = read_until(&mut stream, "\r\n0\r\n\r\n");
    assert!(end.contains("event: shutdown\n"), "{end}");
    assert!(server.wait().success());
}

#[test]
fn plain_http_on_tls_port_gets_400_with_the_address() {
    let (server, _folder) = self_signed_server(&[]);
    let mut socket = TcpStream::connect(&server.address).unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    write!(socket, "GET /?window=60 HTTP/1.1\r\nHost: {}\r\n\r\n", server.address).unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).unwrap();
    let address = format!("https://{}/?window=60", server.address);
    assert!(response.starts_with("HTTP/1.1 400 ") && response.contains(&address), "{response}");
}

#[cfg(unix)]
#[test]
fn unix_socket_stays_plain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostbeat.sock");
    let (_server, _data) = self_signed_server(&["--listen", &format!("unix:{}", path.display())]);
    let mut socket = std::os::unix::net::UnixStream::connect(path).unwrap();
    socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert!(read_until(&mut socket, "alive").starts_with("HTTP/1.1 200 "));
}

#[test]
fn unusable_certificate_exits_with_2_and_the_reason() {
    let mut expired = params("localhost");
    (expired.not_before, expired.not_after) = (rcgen::date_time_ymd(2019, 1, 1), rcgen::date_time_ymd(2020, 1, 1));
    let mut future = params("localhost");
    (future.not_before, future.not_after) = (rcgen::date_time_ymd(2090, 1, 1), rcgen::date_time_ymd(2091, 1, 1));
    let (certificate, key) = self_signed(params("localhost"));
    let (chain, chain_key) = issued("localhost");
    let end = "-----END CERTIFICATE-----\n";
    let alone = chain.split_once(end).unwrap().0.to_owned() + end;
    for (files, reason) in [
        (self_signed(expired), "expired at 2020-01-01"),
        (self_signed(future), "valid only from 2090-01-01"),
        ((certificate.clone(), chain_key.clone()), "is not that of the certificate"),
        ((alone, chain_key), "fullchain.pem"),
        (("garbage".to_owned(), key), "-----BEGIN CERTIFICATE-----"),
        ((certificate, "garbage".to_owned()), "-----BEGIN PRIVATE KEY-----"),
    ] {
        let output = CertificateFiles::new(files).hostbeat(&[]).output().unwrap();
        let log = String::from_utf8_lossy(&output.stdout);
        assert_eq!((output.status.code(), log.contains(reason)), (Some(2), true), "{reason}: {log}");
    }
    let missing = CertificateFiles::new(self_signed(params("localhost")));
    fs::remove_file(&missing.key).unwrap();
    let output = missing.hostbeat(&[]).output().unwrap();
    let log = String::from_utf8_lossy(&output.stdout);
    assert_eq!((output.status.code(), log.contains("cannot read")), (Some(2), true), "{log}");
}

#[cfg(unix)]
#[test]
fn exposed_key_is_warned_about() {
    use std::os::unix::fs::PermissionsExt;
    let files = CertificateFiles::new(self_signed(params("localhost")));
    assert!(!ServerProcess::start(files.hostbeat(&[])).log.contains("chmod 600"));
    fs::set_permissions(&files.key, fs::Permissions::from_mode(0o640)).unwrap();
    let server = ServerProcess::start(files.hostbeat(&[]));
    assert!(server.log.contains("chmod 600"), "{}", server.log);
}

#[cfg(unix)]
#[test]
fn replaced_certificate_is_for_new_connections_and_streams_go_on() {
    let files = CertificateFiles::new(self_signed(params("localhost")));
    let mut server = ServerProcess::start(files.hostbeat(&[]));
    let mut stream = request(&server.address, STREAM);
    read_until(&mut stream, "event: cpu\n");
    let current = || certificate(&connect(&server.address, "http/1.1"));
    let first = current();

    files.write(self_signed(params("localhost")));
    wait_until("the changed files are loaded", || current() != first);

    let second = current();
    files.write(self_signed(params("localhost")));
    server.signal("HUP");
    wait_until("the signal loads the files", || current() != second);

    let third = current();
    fs::write(&files.certificate, "garbage").unwrap();
    server.signal("HUP");
    server.find_line("stays in use");
    assert_eq!(certificate(&connect(&server.address, "http/1.1")), third);
    read_until(&mut stream, "event: cpu\n");
    read_until(&mut stream, "event: cpu\n");
}

#[test]
fn issued_certificate_gets_strict_transport_a_host_cookie_and_its_name() {
    let files = CertificateFiles::new(issued("hostbeat.test"));
    let data = files.folder.path().join("data");
    let mut add = hostbeat(&["user", "add", "ann", "--password-stdin", "--data", data.to_str().unwrap()]);
    let mut add = add.stdin(Stdio::piped()).spawn().unwrap();
    add.stdin.take().unwrap().write_all(b"correct horse battery\n").unwrap();
    assert!(add.wait().unwrap().success());
    let server = ServerProcess::start(files.hostbeat(&[]));
    let form = "name=ann&password=correct+horse+battery";
    let mut stream = request(
        &server.address,
        &format!(
            "POST /sign-in HTTP/1.1\r\nHost: hostbeat.test\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{form}",
            form.len()
        ),
    );
    let head = read_until(&mut stream, "\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 303 "), "{head}");
    assert!(head.contains("set-cookie: __Host-hostbeat=") && head.contains("; Secure; Path=/;"), "{head}");
    assert!(head.contains("strict-transport-security: max-age=31536000\r\n"), "{head}");
}

#[test]
fn silent_clients_are_disconnected() {
    let (server, _folder) = self_signed_server(&[]);
    let mut silent = TcpStream::connect(&server.address).unwrap();
    let mut halfway = TcpStream::connect(&server.address).unwrap();
    // The record's length promises more.
    halfway.write_all(&[22, 3, 1, 2, 0, 1]).unwrap();
    for socket in [&mut silent, &mut halfway] {
        socket.set_read_timeout(Some(TIMEOUT)).unwrap();
        assert_eq!(socket.read(&mut [0; 9]).unwrap(), 0);
    }
    for protocol in ["http/1.1", "h2"] {
        try_connect(&server.address, "localhost", protocol).unwrap();
    }
}
