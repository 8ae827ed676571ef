//! Tests of recordings: over HTTP, by the command, over a restart, and without a history.

use super::{
    server_process::{ServerProcess, hostbeat},
    support::{JSON, TestServer, request, wait_until},
};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::{fs, path::Path};

const PATH: &str = "/api/recordings";
const MARGIN_MS: u64 = 300_000;

fn process(folder: &Path, arguments: &[&str]) -> ServerProcess {
    let of_history = ["--history", "30d", "--history-commit", "1s"];
    let data = ["--listen", "127.0.0.1:0", "--data", folder.to_str().unwrap()];
    ServerProcess::start(hostbeat(&[&data[..], &of_history, arguments].concat()))
}

fn list(server: &ServerProcess) -> Vec<Value> {
    let (status, _, answer) = request(&server.address, "GET", PATH, JSON, "");
    assert_eq!(status, 200, "{answer}");
    answer["recordings"].as_array().unwrap().clone()
}

/// Those that the verdict on the host of the test did not begin.
fn by_hand(server: &ServerProcess) -> Vec<Value> {
    list(server).into_iter().filter(|recording| recording["is_automatic"] == false).collect()
}

#[test]
fn recording_is_begun_changed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let server = process(folder.path(), &[]);
    let address = &server.address;
    let body = json!({"title": "checkout is slow", "note": "since the deploy"}).to_string();
    let (status, _, begun) = request(address, "POST", PATH, JSON, &body);
    assert_eq!(status, 201, "{begun}");
    assert_eq!((&begun["title"], &begun["note"]), (&json!("checkout is slow"), &json!("since the deploy")));
    assert_eq!((&begun["author"], &begun["is_automatic"]), (&json!("local"), &json!(false)));
    let time = |field: &str| begun[field].as_u64().unwrap();
    assert_eq!(time("to") - time("from"), 2 * MARGIN_MS);
    assert_eq!(by_hand(&server), std::slice::from_ref(&begun));

    let path = format!("{PATH}/{}", begun["id"].as_str().unwrap());
    let (status, _, changed) = request(address, "PATCH", &path, JSON, r#"{"note":"rolled back"}"#);
    assert_eq!((status, &changed["note"], &changed["title"]), (200, &json!("rolled back"), &begun["title"]));
    assert_eq!(request(address, "GET", &path, JSON, "").2["note"], json!("rolled back"));
    assert_eq!(request(address, "DELETE", &path, JSON, "").0, 204);
    assert_eq!(request(address, "DELETE", &path, JSON, "").0, 204, "there is none any more");
    for method in ["GET", "PATCH"] {
        assert_eq!(request(address, method, &path, JSON, if method == "GET" { "" } else { "{}" }).0, 404);
    }
    assert_eq!(by_hand(&server), [Value::Null; 0]);

    for (body, field) in [("{}", json!("title")), (r#"{"title":"a","to":1}"#, json!("to")), ("nonsense", Value::Null)] {
        let (status, _, problem) = request(address, "POST", PATH, JSON, body);
        assert_eq!((status, &problem["field"]), (400, &field), "{problem}");
    }
}

#[test]
fn command_records_and_only_the_author_may_change_it() {
    let folder = tempfile::tempdir().unwrap();
    let [author, other] = ["ci", "other"].map(|name| {
        let data = folder.path().to_str().unwrap();
        let token = hostbeat(&["token", "add", name, "--can", "publish", "--data", data]).output().unwrap().stdout;
        let file = folder.path().join(name);
        fs::write(&file, token).unwrap();
        file.to_str().unwrap().to_owned()
    });
    let server = process(folder.path(), &["--public"]);
    let url = format!("http://{}", server.address);
    let record = |arguments: &[&str]| {
        let output = hostbeat(&[&["record"], arguments].concat()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let sent = record(&["checkout is slow", "--note", "again", "--url", &url, "--token-file", &author]);
    assert_eq!(sent, (0, String::new()));
    let recordings = by_hand(&server);
    assert_eq!(recordings[0]["author"], "ci");
    for (code, hint, arguments) in [
        (1, "Authorization: Bearer", &["x", "--url", &url][..]),
        (1, "title: ", &["", "--url", &url, "--token-file", &author]),
    ] {
        let (actual, message) = record(arguments);
        assert!(actual == code && message.contains(hint), "{arguments:?}: {actual} {message}");
    }
    let path = format!("{PATH}/{}", recordings[0]["id"].as_str().unwrap());
    let change = |file: &str| {
        let request = ureq::http::Request::builder().method("PATCH").uri(format!("{url}{path}"));
        let token = format!("Bearer {}", fs::read_to_string(file).unwrap().trim());
        let request = request.header("authorization", token).body(r#"{"note":"solved"}"#.to_owned()).unwrap();
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        agent.run(request).unwrap().status().as_u16()
    };
    assert_eq!((change(&other), change(&author)), (403, 200));
}

/// A verdict that leaves healthy is a matter of minutes, so this one is an incident that a server was stopped in.
#[test]
fn recordings_survive_a_restart_and_an_open_one_continues() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = process(folder.path(), &[]);
    let (_, _, begun) = request(&server.address, "POST", PATH, JSON, r#"{"title":"kept"}"#);
    server.terminate();
    assert!(server.wait().success());
    let from = begun["from"].as_u64().unwrap();
    let database = Connection::open(folder.path().join("hostbeat.db")).unwrap();
    let open = "UPDATE recordings SET id = 'incident-' || began, is_automatic = 1, owner = 'host', author = 'host'";
    assert_eq!(database.execute(open, []).unwrap(), 1);
    drop(database);

    let server = process(folder.path(), &[]);
    let of_id = || {
        let (status, _, recording) = request(&server.address, "GET", &format!("{PATH}/incident-{from}"), JSON, "");
        assert_eq!(status, 200, "{recording}");
        recording
    };
    assert_eq!((&of_id()["title"], &of_id()["is_automatic"]), (&json!("kept"), &json!(true)));
    wait_until("there are samples", || {
        let path = format!("/api/history?series=cpu.total_percent&points=4000&from={from}");
        let (_, _, answer) = request(&server.address, "GET", &path, JSON, "");
        answer["tier"] == "1s" && answer["series"]["cpu.total_percent"]["mean"].is_array()
    });
    let (status, _, _) = request(&server.address, "DELETE", &format!("{PATH}/incident-{from}"), JSON, "");
    assert_eq!(status, 204, "without users, programs of the host remove what the host began");
}

#[test]
fn server_without_a_history_records_nothing() {
    let server = TestServer::sample_host();
    let address = &server.address.to_string();
    for (method, path, body) in [
        ("GET", PATH, ""),
        ("POST", PATH, r#"{"title":"a"}"#),
        ("GET", "/api/recordings/1", ""),
        ("PATCH", "/api/recordings/1", "{}"),
        ("DELETE", "/api/recordings/1", ""),
    ] {
        let (status, _, problem) = request(address, method, path, JSON, body);
        assert!(status == 503 && problem["detail"].as_str().unwrap().contains("history"), "{method}: {problem}");
    }
}
