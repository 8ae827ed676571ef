//! Tests of signing in and out, of tokens and of tickets, with the real binary and its commands.

use super::{
    server_process::{ServerProcess, hostbeat},
    support::wait_until,
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use ureq::{Agent, Body, http::Response};

pub(crate) const PASSWORD: &str = "correct horse battery";

struct Server {
    process: ServerProcess,
    folder: TempDir,
}

impl Server {
    /// A server with the viewer `ann`.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        command(&folder, &["user", "add", "ann", "--password-stdin"], PASSWORD);
        let mut start = hostbeat(&["--listen", "127.0.0.1:0"]);
        start.arg("--data").arg(folder.path());
        Self { process: ServerProcess::start(start), folder }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.process.address)
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
        headers
            .iter()
            .fold(agent().get(self.url(path)), |request, (name, value)| request.header(*name, *value))
            .call()
            .unwrap()
    }

    fn sign_in(&self, name: &str, password: &str) -> Response<Body> {
        agent()
            .post(self.url("/sign-in"))
            .send_form([("name", name), ("password", password), ("next", "?window=60")])
            .unwrap()
    }

    /// The cookie of a new session.
    fn session(&self) -> String {
        cookie(&self.sign_in("ann", PASSWORD))
    }

    fn command(&self, args: &[&str]) -> String {
        command(&self.folder, args, "")
    }
}

/// Runs a command on the data folder, and returns what it prints.
pub(crate) fn command(folder: &TempDir, args: &[&str], input: &str) -> String {
    let mut command: Command = hostbeat(args);
    let mut child =
        command.arg("--data").arg(folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{args:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Neither follows redirects nor treats a status as an error.
pub(crate) fn agent() -> Agent {
    Agent::config_builder().max_redirects(0).max_redirects_will_error(false).http_status_as_error(false).build().into()
}

pub(crate) fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

pub(crate) fn cookie(response: &Response<Body>) -> String {
    header(response, "set-cookie").split(';').next().unwrap().to_owned()
}

#[test]
fn page_asks_for_a_session_and_signing_in_returns_to_it() {
    let server = Server::start();
    let asked = server.get("/embed/cpu?window=60", &[]);
    assert_eq!(
        (asked.status().as_u16(), header(&asked, "location")),
        (303, "../sign-in?next=embed%2Fcpu%3Fwindow%3D60")
    );
    assert_eq!(server.get("/api/snapshot", &[]).status(), 401);
    assert_eq!(server.get("/healthz", &[]).status(), 200);

    for (name, password) in [("ann", "wrong password"), ("nobody", PASSWORD)] {
        let mut refused = server.sign_in(name, password);
        assert_eq!((refused.status().as_u16(), header(&refused, "set-cookie")), (401, ""));
        assert!(refused.body_mut().read_to_string().unwrap().contains("Name or password is wrong."));
    }
    let signed_in = server.sign_in("ann", PASSWORD);
    assert_eq!((signed_in.status().as_u16(), header(&signed_in, "location")), (303, "./?window=60"));
    let attributes = header(&signed_in, "set-cookie");
    assert!(attributes.contains("HttpOnly; SameSite=Lax") && !attributes.contains(PASSWORD), "{attributes}");

    let cookie = cookie(&signed_in);
    let mut page = server.get("/", &[("cookie", &cookie)]);
    assert!(page.body_mut().read_to_string().unwrap().contains("<summary>ann</summary>"));
    let out =
        agent().post(server.url("/sign-out")).header("cookie", &cookie).header("origin", server.url("")).send_empty();
    assert_eq!(out.unwrap().status(), 303);
    assert_eq!(server.get("/api/snapshot", &[("cookie", &cookie)]).status(), 401);
}

#[test]
fn removed_user_loses_the_open_stream_within_two_seconds() {
    let server = Server::start();
    let cookie = server.session();
    let stream = server.get("/api/stream?window=0", &[("cookie", &cookie)]);
    assert_eq!(stream.status(), 200);
    let mut lines = BufReader::new(stream.into_body().into_reader()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "event: cpu"));
    server.command(&["user", "remove", "ann"]);
    let removed = Instant::now();
    let rest: Vec<_> = lines.collect();
    assert!(removed.elapsed() < Duration::from_secs(2), "after {:?}", removed.elapsed());
    assert!(rest.iter().any(|line| line.contains("\"reason\":\"signed-out\"")), "{rest:?}");
}

#[test]
fn revoked_token_is_refused_within_a_second() {
    let server = Server::start();
    let bearer = format!("Bearer {}", server.command(&["token", "add", "ci", "--can", "read"]));
    let status = || server.get("/metrics", &[("authorization", &bearer)]).status().as_u16();
    wait_until("the token is known", || status() == 200);
    server.command(&["token", "revoke", "ci"]);
    let revoked = Instant::now();
    wait_until("the token is refused", || status() == 401);
    assert!(revoked.elapsed() < Duration::from_secs(1), "after {:?}", revoked.elapsed());
}

#[test]
fn ticket_opens_one_stream() {
    let server = Server::start();
    let cookie = server.session();
    let request = agent().post(server.url("/api/tickets")).header("cookie", &cookie).header("origin", server.url(""));
    let answer: serde_json::Value =
        serde_json::from_reader(request.send_empty().unwrap().into_body().into_reader()).unwrap();
    assert_eq!(answer["expires_in"], 60);
    let path = format!("/api/stream?ticket={}", answer["ticket"].as_str().unwrap());
    let first = server.get(&path, &[]);
    assert_eq!(first.status(), 200);
    let mut begin = [0; 6];
    first.into_body().into_reader().read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"retry:");
    assert_eq!(server.get(&path, &[]).status(), 401, "it is used");
}

#[test]
fn attempts_to_sign_in_are_limited() {
    let server = Server::start();
    let mut refused = (0..60).map(|_| server.sign_in("ann", "wrong password").status().as_u16());
    assert_eq!(refused.next(), Some(401));
    // A slow host hashes so slowly that some attempts are allowed again meanwhile.
    assert!(refused.any(|status| status == 429));
}
