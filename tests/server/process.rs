//! The program on its command line.

use super::{
    program::{Program, hostbeat},
    support::follow,
};
use std::{
    io::{Read, Write},
    net::TcpListener,
    process::Output,
};

fn run(args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = hostbeat(args).output().unwrap();
    (status.code(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
}

#[test]
fn it_tells_its_version_and_its_flags() {
    assert_eq!(run(&["--version"]), (Some(0), format!("hostbeat {}\n", env!("CARGO_PKG_VERSION"))));
    let (code, help) = run(&["--help"]);
    assert_eq!(code, Some(0));
    for word in ["probe", "--listen", "HOSTBEAT_LISTEN", "127.0.0.1:3000", "--public", "--log-format"] {
        assert!(help.contains(word), "{word} is missing in {help}");
    }
}

#[test]
fn a_bad_command_line_is_answered_with_what_would_be_right() {
    for (args, says) in [
        (&["--port", "80"][..], "--help"),
        (&["--listen", "localhost"], "127.0.0.1:3000"),
        (&["--log-format", "xml"], "json"),
        (&["--listen", "0.0.0.0:0"], "--public"),
        (&["now"], "unrecognized subcommand"),
    ] {
        let (code, output) = run(args);
        assert_eq!(code, Some(2), "{args:?}: {output}");
        assert!(output.contains(says), "{args:?}: {output}");
    }
}

#[test]
fn an_address_in_use_is_said_and_fails() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, output) = run(&["--listen", &address]);
    assert_eq!(code, Some(1));
    assert!(output.contains(&address) && output.contains("--listen"), "{output}");
}

#[cfg(unix)]
#[test]
fn it_listens_where_the_flag_says_before_the_environment_and_ends_well() {
    let mut from_environment = hostbeat(&[]);
    from_environment.env("HOSTBEAT_LISTEN", "127.0.0.2:0");
    let mut from_flag = hostbeat(&["--listen", "127.0.0.3:0", "--log-format", "text"]);
    from_flag.env("HOSTBEAT_LISTEN", "127.0.0.2:0");
    for (command, host) in [(from_environment, "127.0.0.2:"), (from_flag, "127.0.0.3:")] {
        let mut server = Program::start(command);
        assert!(server.address.starts_with(host), "{}", server.address);
        let page = ureq::get(format!("http://{}/", server.address)).call().unwrap();
        assert_eq!(page.status(), 200);
        server.terminate();
        assert!(server.wait().success());
    }
}

#[cfg(unix)]
#[test]
fn the_log_is_json_where_nobody_reads_it_unless_it_is_told_otherwise() {
    let first_line = |args: &[&str]| Program::start(hostbeat(args)).first_line.clone();
    let json = first_line(&["--listen", "127.0.0.1:0"]);
    assert!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["message"].is_string(), "{json}");
    let text = first_line(&["--listen", "127.0.0.1:0", "--log-format", "text"]);
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_err() && text.contains("INFO"), "{text}");
}

/// Opens a stream by hand, and reads its first bytes.
#[cfg(unix)]
fn open_stream(address: &str) -> std::net::TcpStream {
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    write!(socket, "GET /api/stream?window=0 HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    socket.read_exact(&mut [0; 9]).unwrap();
    socket
}

/// Who hasn't got its goodbye when the time to drain is over is cut off: so that everyone gets it shows that it was enough.
#[cfg(unix)]
#[test]
fn told_to_stop_it_says_goodbye_to_ten_thousand_and_ends_well() {
    const VIEWERS: usize = 10_000;
    raise_file_limit();
    let viewers = VIEWERS.to_string();
    let limits = ["--max-streams", &viewers, "--max-streams-per-address", &viewers];
    let mut server = Program::start(hostbeat(&[&["--listen", "127.0.0.1:0"][..], &limits].concat()));
    let mut streams: Vec<_> = (0..VIEWERS).map(|_| open_stream(&server.address)).collect();
    server.terminate();
    for stream in &mut streams {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.contains("event: shutdown\n") && text.ends_with("\r\n0\r\n\r\n"), "{text}");
    }
    assert!(server.wait().success());
    assert!(std::net::TcpStream::connect(&server.address).is_err());
}

/// Opens as many files as the system allows.
#[cfg(unix)]
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}

#[cfg(unix)]
#[test]
fn told_twice_it_ends_at_once() {
    let mut server = Program::start(hostbeat(&["--listen", "127.0.0.1:0", "--drain-timeout", "1h"]));
    // A request that is never finished would be waited for.
    let mut unfinished = std::net::TcpStream::connect(&server.address).unwrap();
    unfinished.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    let mut stream = open_stream(&server.address);
    server.terminate();
    // The goodbye shows that the first signal has come through.
    stream.read_to_end(&mut Vec::new()).unwrap();
    server.terminate();
    assert_eq!(server.wait().code(), Some(1));
}

#[cfg(unix)]
#[test]
fn a_probe_finds_a_server_that_keeps_its_promises() {
    let server = Program::start(hostbeat(&["--listen", "127.0.0.1:0"]));
    let (code, output) = run(&["probe", &format!("http://{}", server.address), "--for", "4s"]);
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("over 1 connections") && output.contains("p99"), "{output}");
    assert!(output.ends_with("no contract violations\n"), "{output}");
}

#[cfg(unix)]
#[test]
fn a_probe_resumes_where_streams_end() {
    let server = Program::start(hostbeat(&["--listen", "127.0.0.1:0", "--stream-age", "1s"]));
    let (code, output) = run(&["probe", &format!("http://{}/", server.address), "--for", "7s"]);
    assert_eq!(code, Some(0), "{output}");
    assert!(!output.contains("over 1 connections"), "{output}");
}

#[test]
fn a_probe_of_what_is_no_stream_fails() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, output) = run(&["probe", &format!("http://{nobody}"), "--for", "1s"]);
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("is unreachable"), "{output}");

    let liar = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = liar.local_addr().unwrap();
    let answers = std::thread::spawn(move || {
        let body = "retry: 1000\nevent: hello\ndata: {\"now\":0}\n\nid: 5-0\nevent: cpu\ndata: {\"t\":5}\n\nid: 5-0\nevent: cpu\ndata: {\"t\":5}\n\n";
        let (mut socket, _) = liar.accept().unwrap();
        let mut request = [0; 1024];
        let read = socket.read(&mut request).unwrap();
        write!(socket, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n{body}").unwrap();
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    let (code, output) = run(&["probe", &format!("http://{address}"), "--for", "500ms", "--token", "s3cret"]);
    let request = answers.join().unwrap();
    assert!(request.contains("authorization: Bearer s3cret\r\n"), "{request}");
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("violation: cpu: duplicate or out of order: 5-0 after 5-0"), "{output}");
}

#[cfg(unix)]
#[test]
fn a_restart_goes_on_where_the_server_was() {
    let state = format!("{}/past-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let start = || Program::start(hostbeat(&["--listen", "127.0.0.1:0", "--state", &state]));
    let mut server = start();
    let stream = follow(&server.address, "", &[]);
    let (sender, seen) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let events =
            stream.filter(|event| event.event != "heartbeat").inspect(|event| sender.send(event.id.clone()).unwrap());
        events.collect::<Vec<_>>()
    });
    // Of the first ticks, one is in the window.
    seen.iter().filter(|id| id.ends_with("-2")).nth(3).unwrap();
    server.terminate();
    assert!(server.wait().success());
    let before = reader.join().unwrap();
    let [_, window, ticks @ .., goodbye] = &before[..] else { panic!("{before:?}") };
    assert_eq!((&*window.event, &*goodbye.event), ("window", "shutdown"));

    let mut server = start();
    let again = follow(&server.address, "", &[("last-event-id", &window.id)]);
    let mut again = again.skip_while(|event| event.event == "hello");
    for event in ticks {
        assert_eq!(again.next().as_ref(), Some(event));
    }
    let last = ticks.last().unwrap();
    let newer = again.next().unwrap();
    assert!(newer.event == "cpu" && newer.id > last.id, "{newer:?} after {last:?}");

    // A server that had no chance to save must not pass an older past off as whole.
    server.kill();
    let server = start();
    let mut anew = follow(&server.address, "", &[("last-event-id", &last.id)]);
    assert!(anew.next().unwrap().data.contains("\"start\":\"window\""));
    assert!(anew.next().unwrap().data.contains("\"truncated\":true"));
    std::fs::remove_file(state).unwrap();
}

#[test]
fn a_past_that_cannot_be_kept_is_said_at_the_start() {
    let (code, output) = run(&["--listen", "127.0.0.1:0", "--state", "/nowhere/past"]);
    assert_eq!(code, Some(1));
    assert!(output.contains("/nowhere/past") && output.contains("--state"), "{output}");

    let foreign = format!("{}/foreign-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    std::fs::write(&foreign, "user = root\n").unwrap();
    let (code, output) = run(&["--listen", "127.0.0.1:0", "--state", &foreign]);
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("choose another file"), "{output}");
    assert_eq!(std::fs::read_to_string(&foreign).unwrap(), "user = root\n", "it isn't ours to empty");
    std::fs::remove_file(foreign).unwrap();
}
