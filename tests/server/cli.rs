//! Tests of the program's command line, signals, log format and probe.

use super::{
    server_process::{ServerProcess, hostbeat},
    support::{json, open_stream, wait_until},
};
use std::{
    io::{Read, Write},
    net::TcpListener,
    process::{Output, Stdio},
};

fn run(args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = hostbeat(args).output().unwrap();
    (status.code(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
}

#[test]
fn version_and_help_are_printed() {
    assert_eq!(run(&["--version"]), (Some(0), format!("hostbeat {}\n", env!("CARGO_PKG_VERSION"))));
    let (code, help) = run(&["--help"]);
    assert_eq!(code, Some(0));
    for word in ["probe", "--listen", "HOSTBEAT_LISTEN", "127.0.0.1:3000", "--public", "--log-format"] {
        assert!(help.contains(word), "{word} is missing in {help}");
    }
}

#[test]
fn invalid_arguments_exit_with_2_and_a_hint() {
    for (args, hint) in [
        (&["--port", "80"][..], "--help"),
        (&["--listen", "localhost"], "127.0.0.1:3000"),
        (&["--log-format", "xml"], "json"),
        (&["--listen", "0.0.0.0:0"], "--public"),
        (&["--stall-timeout", "0s"], "such as 10s"),
        (&["--max-streams", "-1"], "--help"),
        (&["--max-streams", "many"], "such as 32"),
        (&["probe", "ftp://localhost"], "http://127.0.0.1:3000"),
        (&["probe", "localhost:3000"], "http://127.0.0.1:3000"),
        (&["now"], "unrecognized subcommand"),
    ] {
        let (code, output) = run(args);
        assert_eq!(code, Some(2), "{args:?}: {output}");
        assert!(output.contains(hint), "{args:?}: {output}");
    }
}

#[test]
fn config_check_prints_ok_or_each_fault() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostbeat.toml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, "listen = \"127.0.0.1:0\"\n").unwrap();
    assert_eq!(run(&["config", "check", path]), (Some(0), "ok\n".to_owned()));
    std::fs::write(&file, "\nlisten = 3000\nlog-levle = \"debug\"\n").unwrap();
    for args in [&["config", "check", path][..], &["--config", path]] {
        let (code, output) = run(args);
        assert_eq!(code, Some(2), "{output}");
        for expected in [format!("{path}, line 2: "), format!("{path}, line 3: "), "log-level?".to_owned()] {
            assert!(output.contains(&expected), "{output}");
        }
    }
    let (code, output) = run(&["--config", "/nowhere/hostbeat.toml"]);
    assert!(code == Some(2) && output.contains("/nowhere/hostbeat.toml"), "{output}");
}

#[test]
fn options_that_need_each_other_may_come_from_the_config_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostbeat.toml");
    let path = file.to_str().unwrap();
    for (text, expected) in [
        ("tls-cert = \"a.pem\"\ntls-key = \"b.pem\"\n", "ok\n"),
        ("acme = \"a.example.com\"\nacme-contact = \"ops@example.com\"\n", "ok\n"),
        ("tls-cert = \"a.pem\"\n", "--tls-cert needs --tls-key"),
        ("acme-contact = \"ops@example.com\"\n", "--acme-contact needs --acme"),
        ("tls-self-signed = true\nacme = \"a.example.com\"\n", "choose one"),
    ] {
        std::fs::write(&file, text).unwrap();
        let (code, output) = run(&["config", "check", path]);
        let expected_code = if expected == "ok\n" { 0 } else { 2 };
        assert!(code == Some(expected_code) && output.contains(expected), "{text}: {output}");
    }
    // One on the command line, the other in the file.
    std::fs::write(&file, "tls-key = \"/nowhere/b.pem\"\n").unwrap();
    let (code, output) = run(&["--config", path, "--tls-cert", "/nowhere/a.pem", "--listen", "127.0.0.1:0"]);
    assert!(code == Some(2) && output.contains("cannot read /nowhere/a.pem"), "{output}");
}

/// Status of a request for the page under a name.
#[cfg(unix)]
fn status_under(server: &ServerProcess, host: &str) -> u16 {
    let request = ureq::get(format!("http://{}/api/snapshot", server.address)).header("host", host);
    request.config().http_status_as_error(false).build().call().unwrap().status().as_u16()
}

#[cfg(unix)]
#[test]
fn sighup_reloads_the_config_file_unless_it_is_faulty() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostbeat.toml");
    // As editors do, a new file replaces the old one.
    let write = |text: &str| {
        let draft = folder.path().join("draft");
        std::fs::write(&draft, text).unwrap();
        std::fs::rename(draft, &file).unwrap();
    };
    write("listen = \"127.0.0.4:0\"\nallow-host = \"a.example\"\n");
    let mut command = hostbeat(&["--config", file.to_str().unwrap()]);
    command.stdin(Stdio::null()).env("HOSTBEAT_ALLOW_ORIGIN", "https://b.example");
    let server = ServerProcess::start(command);
    assert!(server.address.starts_with("127.0.0.4:"), "{}", server.address);
    assert_eq!((status_under(&server, "a.example"), status_under(&server, "b.example")), (200, 421));
    for (text, name) in
        [("allow-host = [\"b.example\"]\nmax-streams = 1\n", "b.example"), ("allow-host = \"c.example\"", "c.example")]
    {
        write(text);
        server.signal("HUP");
        wait_until("the file is reloaded", || status_under(&server, name) == 200);
        assert_eq!(status_under(&server, "a.example"), 421);
        write("allow-host = 1.5\n");
        server.signal("HUP");
    }
    write("allow-host = \"d.example\"");
    server.signal("HUP");
    wait_until("the file is reloaded", || status_under(&server, "d.example") == 200);
}

#[test]
fn address_in_use_exits_with_1_and_a_hint() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (code, output) = run(&["--listen", &address]);
    assert_eq!(code, Some(1));
    assert!(output.contains(&address) && output.contains("--listen"), "{output}");
}

#[cfg(unix)]
#[test]
fn listen_flag_overrides_environment_and_sigterm_exits_with_0() {
    let mut from_environment = hostbeat(&[]);
    from_environment.env("HOSTBEAT_LISTEN", "127.0.0.2:0");
    let mut from_flag = hostbeat(&["--listen", "127.0.0.3:0", "--log-format", "text"]);
    from_flag.env("HOSTBEAT_LISTEN", "127.0.0.2:0");
    for (command, host) in [(from_environment, "127.0.0.2:"), (from_flag, "127.0.0.3:")] {
        let mut server = ServerProcess::start(command);
        assert!(server.address.starts_with(host), "{}", server.address);
        let page = ureq::get(format!("http://{}/", server.address)).call().unwrap();
        assert_eq!(page.status(), 200);
        server.terminate();
        assert!(server.wait().success());
    }
}

#[cfg(unix)]
#[test]
fn log_without_terminal_is_json_unless_flag_is_given() {
    let first_line = |args: &[&str]| ServerProcess::start(hostbeat(args)).first_line.clone();
    let json = first_line(&["--listen", "127.0.0.1:0"]);
    assert!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["message"].is_string(), "{json}");
    let text = first_line(&["--listen", "127.0.0.1:0", "--log-format", "text"]);
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_err() && text.contains("INFO"), "{text}");
}

/// Opens a stream by hand and reads its first bytes.
#[cfg(unix)]
fn open_raw_stream(address: &str) -> std::net::TcpStream {
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    write!(socket, "GET /api/stream?window=0 HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    socket.read_exact(&mut [0; 9]).unwrap();
    socket
}

/// The drain timeout cuts off the remaining viewers, so every viewer must get its `shutdown` within it.
#[cfg(unix)]
#[test]
fn sigterm_with_ten_thousand_viewers_sends_shutdown_to_all() {
    const VIEWERS: usize = 10_000;
    raise_file_limit();
    let viewers = VIEWERS.to_string();
    let limits = ["--max-streams", &viewers, "--max-streams-per-address", &viewers];
    let mut server = ServerProcess::start(hostbeat(&[&["--listen", "127.0.0.1:0"][..], &limits].concat()));
    let mut streams: Vec<_> = (0..VIEWERS).map(|_| open_raw_stream(&server.address)).collect();
    server.terminate();
    for stream in &mut streams {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.contains("event: shutdown\n") && text.ends_with("\r\n0\r\n\r\n"), "{text}");
    }
    assert!(server.wait().success());
    assert!(std::net::TcpStream::connect(&server.address).is_err());
}

/// Raises the open-file limit to its maximum.
#[cfg(unix)]
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}

#[cfg(unix)]
#[test]
fn second_sigterm_exits_at_once() {
    let mut server = ServerProcess::start(hostbeat(&["--listen", "127.0.0.1:0", "--drain-timeout", "1h"]));
    // An unfinished request delays the graceful stop.
    let mut unfinished = std::net::TcpStream::connect(&server.address).unwrap();
    unfinished.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    let mut stream = open_raw_stream(&server.address);
    server.terminate();
    // The end of the stream shows that the first signal arrived.
    stream.read_to_end(&mut Vec::new()).unwrap();
    server.terminate();
    assert_eq!(server.wait().code(), Some(1));
}

#[cfg(unix)]
#[test]
fn probe_of_conforming_server_succeeds() {
    let server = ServerProcess::start(hostbeat(&["--listen", "127.0.0.1:0"]));
    let (code, output) = run(&["probe", &format!("http://{}", server.address), "--for", "4s"]);
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("over 1 connections") && output.contains("p99"), "{output}");
    assert!(output.ends_with("no contract violations\n"), "{output}");
}

#[cfg(unix)]
#[test]
fn probe_of_short_streams_resumes() {
    let server = ServerProcess::start(hostbeat(&["--listen", "127.0.0.1:0", "--stream-age", "1s"]));
    let (code, output) = run(&["probe", &format!("http://{}/", server.address), "--for", "7s"]);
    assert_eq!(code, Some(0), "{output}");
    assert!(!output.contains("over 1 connections"), "{output}");
}

#[test]
fn probe_of_missing_or_broken_stream_fails() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, output) = run(&["probe", &format!("http://{unused}"), "--for", "1s"]);
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("is unreachable"), "{output}");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let body = "retry: 1000\nevent: hello\ndata: {\"now\":0,\"host_id\":\"\",\"epoch\":\"\"}\n\nid: 5-0-e3b0c4\nevent: cpu\ndata: {\"t\":5}\n\nid: 5-0-e3b0c4\nevent: cpu\ndata: {\"t\":5}\n\n";
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let read = socket.read(&mut request).unwrap();
        write!(socket, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n{body}").unwrap();
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    let (code, output) = run(&["probe", &format!("http://{address}"), "--for", "500ms", "--token", "s3cret"]);
    let request = server.join().unwrap();
    assert!(request.contains("authorization: Bearer s3cret\r\n"), "{request}");
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("violation: cpu: duplicate or out of order: 5-0-e3b0c4 after 5-0-e3b0c4"), "{output}");
}

#[cfg(target_os = "linux")]
#[test]
fn stream_resumed_at_another_host_on_the_same_port_resets() {
    let mut server = ServerProcess::start(hostbeat(&["--listen", "127.0.0.1:0"]));
    let address = server.address.clone();
    let mut stream = open_stream(&address, "", &[]);
    let (hello, window) = (json(&stream.next().unwrap()), stream.next().unwrap());
    server.kill();

    let _other = ServerProcess::start(super::server_process::hostbeat_on_other_host(&["--listen", &address]));
    let mut stream = open_stream(&address, "", &[("last-event-id", &window.id)]);
    let (other, other_window) = (json(&stream.next().unwrap()), stream.next().unwrap());
    assert_eq!((&other["start"], &*other_window.event), (&"reset".into(), "window"));
    assert_ne!(hello["host_id"], other["host_id"]);
    let tag = |id: &str| id.rsplit('-').next().map(str::to_owned);
    assert_ne!(tag(&window.id), tag(&other_window.id));
}

/// A service manager and logrotate send SIGHUP to request a reload.
#[cfg(unix)]
#[test]
fn sighup_without_config_file_changes_nothing() {
    let mut command = hostbeat(&["--listen", "127.0.0.1:0"]);
    command.stdin(Stdio::null());
    let mut server = ServerProcess::start(command);
    server.signal("HUP");
    let health = ureq::get(format!("http://{}/healthz", server.address)).call().unwrap();
    assert_eq!(health.status(), 200);
    server.terminate();
    assert!(server.wait().success());
}
