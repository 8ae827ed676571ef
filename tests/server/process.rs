//! The program on its command line.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::{Child, Command, Output, Stdio},
};

fn hostbeat(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hostbeat"));
    command.args(args).env_remove("HOSTBEAT_LISTEN").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = hostbeat(args).output().unwrap();
    (status.code(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
}

/// A program that listens, and where.
fn listening(mut command: Command) -> (Child, String) {
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|line| line.contains("listening on")).expect("it says where it listens");
    let address = line.split("http://").nth(1).unwrap();
    let end = address.find(|c: char| !c.is_ascii_digit() && !".:".contains(c)).unwrap_or(address.len());
    (child, address[..end].to_owned())
}

#[cfg(unix)]
fn terminate(child: &Child) {
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
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
        let (mut child, address) = listening(command);
        assert!(address.starts_with(host), "{address}");
        let page = ureq::get(format!("http://{address}/")).call().unwrap();
        assert_eq!(page.status(), 200);
        terminate(&child);
        assert!(child.wait().unwrap().success());
    }
}

#[cfg(unix)]
#[test]
fn the_log_is_json_where_nobody_reads_it_unless_it_is_told_otherwise() {
    let (mut child, _) = listening(hostbeat(&["--listen", "127.0.0.1:0"]));
    terminate(&child);
    child.wait().unwrap();
    let first_line = |args: &[&str]| {
        let mut child = hostbeat(args).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        terminate(&child);
        child.wait().unwrap();
        line
    };
    let json = first_line(&["--listen", "127.0.0.1:0"]);
    assert!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["message"].is_string(), "{json}");
    let text = first_line(&["--listen", "127.0.0.1:0", "--log-format", "text"]);
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_err() && text.contains("INFO"), "{text}");
}

/// Opens a stream by hand, and reads its first bytes.
#[cfg(unix)]
fn open_stream(address: &str) -> std::net::TcpStream {
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    write!(socket, "GET /api/stream HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    socket.read_exact(&mut [0; 9]).unwrap();
    socket
}

#[cfg(unix)]
#[test]
fn told_to_stop_it_says_goodbye_and_ends_well() {
    let (mut child, address) = listening(hostbeat(&["--listen", "127.0.0.1:0"]));
    let mut streams: Vec<_> = (0..20).map(|_| open_stream(&address)).collect();
    terminate(&child);
    for stream in &mut streams {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.contains("event: shutdown\n") && text.ends_with("\r\n0\r\n\r\n"), "{text}");
    }
    assert!(child.wait().unwrap().success());
    assert!(std::net::TcpStream::connect(&address).is_err());
}

#[cfg(unix)]
#[test]
fn told_twice_it_ends_at_once() {
    let (mut child, address) = listening(hostbeat(&["--listen", "127.0.0.1:0", "--drain-timeout", "1h"]));
    // A request that is never finished would be waited for.
    let mut unfinished = std::net::TcpStream::connect(&address).unwrap();
    unfinished.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    let mut stream = open_stream(&address);
    terminate(&child);
    // The goodbye shows that the first signal has come through.
    stream.read_to_end(&mut Vec::new()).unwrap();
    terminate(&child);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[cfg(unix)]
#[test]
fn a_probe_finds_a_server_that_keeps_its_promises() {
    let (child, address) = listening(hostbeat(&["--listen", "127.0.0.1:0"]));
    let (code, output) = run(&["probe", &format!("http://{address}"), "--for", "4s"]);
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("over 1 connections") && output.contains("p99"), "{output}");
    assert!(output.ends_with("every promise was kept\n"), "{output}");
    terminate(&child);
}

#[cfg(unix)]
#[test]
fn a_probe_resumes_where_streams_end() {
    let (child, address) = listening(hostbeat(&["--listen", "127.0.0.1:0", "--stream-age", "1s"]));
    let (code, output) = run(&["probe", &format!("http://{address}/"), "--for", "7s"]);
    assert_eq!(code, Some(0), "{output}");
    assert!(!output.contains("over 1 connections"), "{output}");
    terminate(&child);
}

#[test]
fn a_probe_of_what_is_no_stream_fails() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, output) = run(&["probe", &format!("http://{nobody}"), "--for", "1s"]);
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("can't be reached"), "{output}");

    let liar = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = liar.local_addr().unwrap();
    let answers = std::thread::spawn(move || {
        let body = "retry: 1000\nevent: hello\ndata: {\"now\":0}\n\nid: 5-0\nevent: cpu\ndata: {\"t\":5}\n\nid: 5-0\nevent: cpu\ndata: {\"t\":5}\n\n";
        let (mut socket, _) = liar.accept().unwrap();
        let _ = socket.read(&mut [0; 1024]).unwrap();
        write!(socket, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n{body}").unwrap();
    });
    let (code, output) = run(&["probe", &format!("http://{address}"), "--for", "500ms"]);
    answers.join().unwrap();
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("broken: cpu came twice or out of order: 5-0 after 5-0"), "{output}");
}
