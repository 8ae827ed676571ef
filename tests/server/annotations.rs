//! Tests of annotations: over HTTP, by the command, in the stream, on the page, and over a restart.

use super::{
    server_process::{ServerProcess, hostbeat},
    support::{JSON, StreamReader, TestServer, json as data, open_stream, request, wait_until},
};
use serde_json::{Value, json};
use std::{fs, path::Path};

const PATH: &str = "/api/annotations";

fn write(address: &str, body: &Value) -> Value {
    let (status, _, annotation) = request(address, "POST", PATH, JSON, &body.to_string());
    assert_eq!(status, 201, "{annotation}");
    annotation
}

fn list(address: &str) -> Vec<Value> {
    request(address, "GET", PATH, JSON, "").2["annotations"].as_array().unwrap().clone()
}

fn titles(list: &[Value]) -> Vec<&str> {
    list.iter().map(|annotation| annotation["title"].as_str().unwrap()).collect()
}

/// The next event `annotation`, with its id.
fn next_change(stream: &mut StreamReader) -> (String, Value) {
    let event = stream.find(|event| event.event == "annotation").expect("the stream continues");
    (event.id.clone(), data(&event))
}

#[test]
fn written_changed_and_removed_annotation_is_an_event_each_with_replay_and_window() {
    let server = TestServer::sample_host();
    let address = &server.address.to_string();
    let mut stream = server.open_stream("?window=0", &[]);
    stream.find(|event| event.event == "cpu").unwrap();
    let title = "deploy </script><hostile> \u{2028}1.42";
    let written = write(address, &json!({"title": title, "level": "warning", "tags": ["shop"]}));
    let (first_id, first) = next_change(&mut stream);
    assert_eq!(first["annotations"], json!([written]));
    assert!(first["t"].is_u64() && first["dt"].is_number(), "{first}");

    let path = format!("{PATH}/{}", written["id"].as_str().unwrap());
    let (status, _, changed) = request(address, "PATCH", &path, JSON, r#"{"text":"rolled back"}"#);
    assert_eq!((status, &changed["text"], &changed["title"]), (200, &json!("rolled back"), &json!(title)));
    assert_eq!(next_change(&mut stream).1["annotations"], json!([changed]));

    let window = data(&server.open_stream("?window=60", &[]).next_with_id());
    assert_eq!(window["annotations"], json!([changed]));
    let window = data(&server.open_stream("?window=60&events=cpu", &[]).next_with_id());
    assert!(window.get("annotations").is_none(), "{window}");
    let snapshot: Value = serde_json::from_str(&server.get("/api/snapshot").1).unwrap();
    assert_eq!(snapshot["present"]["annotations"], json!([changed]));

    let (_, page) = server.get("/");
    assert!(page.contains("rolled back") && !page.contains("<hostile>"), "a title is markup");
    let line = |svg: &str| svg.matches("#9c5a00").count();
    let (_, marked) = server.get("/chart/load.svg");
    assert!(line(&marked) > 0, "no mark in {marked}");

    assert_eq!(request(address, "DELETE", &path, JSON, "").0, 204);
    assert_eq!(next_change(&mut stream).1["annotations"], json!([]));
    assert_eq!(request(address, "DELETE", &path, JSON, "").0, 204, "there is none any more");
    assert_eq!(request(address, "PATCH", &path, JSON, "{}").0, 404);
    assert_eq!(list(address), [Value::Null; 0]);

    let mut resumed = server.open_stream("?events=annotation", &[("last-event-id", &first_id)]);
    assert_eq!(data(&resumed.next().unwrap())["start"], "replay");
    assert_eq!(next_change(&mut resumed).1["annotations"], json!([changed]));
    assert_eq!(next_change(&mut resumed).1["annotations"], json!([]));
}

#[test]
fn refusal_names_the_field() {
    let server = TestServer::sample_host();
    let address = &server.address.to_string();
    for (body, field) in [
        ("{}", json!("title")),
        (r#"{"title":"a","level":"bad"}"#, json!("level")),
        (r#"{"title":"a","until":1}"#, json!("until")),
        ("nonsense", Value::Null),
    ] {
        let (status, _, problem) = request(address, "POST", PATH, JSON, body);
        assert_eq!((status, &problem["field"]), (400, &field), "{problem}");
    }
    let (status, _, problem) = request(address, "GET", "/api/annotations?limit=0", JSON, "");
    assert!(status == 400 && problem["detail"].as_str().unwrap().contains("1 to 1000"), "{problem}");
}

fn process(folder: &Path, arguments: &[&str]) -> ServerProcess {
    let data = folder.to_str().unwrap();
    ServerProcess::start(hostbeat(&[&["--listen", "127.0.0.1:0", "--data", data], arguments].concat()))
}

/// A file with a new token that can publish.
fn token_file(folder: &Path, name: &str) -> String {
    let mut add = hostbeat(&["token", "add", name, "--can", "publish", "--data", folder.to_str().unwrap()]);
    let file = folder.join(name);
    fs::write(&file, add.output().unwrap().stdout).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn command_annotates_and_only_the_author_may_change_it() {
    let folder = tempfile::tempdir().unwrap();
    let [author, other] = ["ci", "other"].map(|name| token_file(folder.path(), name));
    let server = process(folder.path(), &["--public"]);
    let url = format!("http://{}", server.address);
    let annotate = |arguments: &[&str]| {
        let output = hostbeat(&[&["annotate"], arguments].concat()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let at = ["--at", "2026-01-02T03:04:05Z", "--until", "2026-01-02T03:05:05Z"];
    let words = ["deploy 1.42", "--level", "critical", "--tag", "shop", "--tag", "v1.42", "--text", "by alice"];
    let sent = annotate(&[&words[..], &at, &["--url", &url, "--token-file", &author]].concat());
    assert_eq!(sent, (0, String::new()));
    let mut annotations = list(&server.address);
    annotations.retain(|annotation| annotation["author"] != "host");
    assert_eq!(
        annotations,
        [json!({
            "id": annotations[0]["id"], "t": 1_767_323_045_000_u64, "until": 1_767_323_105_000_u64, "level": "critical",
            "title": "deploy 1.42", "text": "by alice", "tags": ["shop", "v1.42"], "author": "ci",
        })]
    );
    for (code, hint, arguments) in [
        (1, "Authorization: Bearer", &["x", "--url", &url][..]),
        (1, "until: ", &["x", "--until", "2020-01-01T00:00:00Z", "--url", &url, "--token-file", &author]),
        (2, "info, warning", &["x", "--level", "bad"]),
        (2, "2026-", &["x", "--at", "yesterday"]),
    ] {
        let (actual, message) = annotate(arguments);
        assert!(actual == code && message.contains(hint), "{arguments:?}: {actual} {message}");
    }

    let path = format!("{PATH}/{}", annotations[0]["id"].as_str().unwrap());
    let change = |file: &str| {
        let request = ureq::http::Request::builder().method("PATCH").uri(format!("{url}{path}"));
        let token = format!("Bearer {}", fs::read_to_string(file).unwrap().trim());
        let request = request.header("authorization", token).body(r#"{"level":"info"}"#.to_owned()).unwrap();
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        agent.run(request).unwrap().status().as_u16()
    };
    assert_eq!((change(&other), change(&author)), (403, 200));
}

#[test]
fn annotations_survive_a_restart_on_the_page_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = process(folder.path(), &[]);
    write(&server.address, &json!({"title": "kept"}));
    let removed = write(&server.address, &json!({"title": "removed"}));
    let path = format!("{PATH}/{}", removed["id"].as_str().unwrap());
    assert_eq!(request(&server.address, "DELETE", &path, JSON, "").0, 204);
    server.terminate();
    assert!(server.wait().success());

    let server = process(folder.path(), &[]);
    let mut kept = list(&server.address);
    kept.retain(|annotation| annotation["author"] != "host");
    assert_eq!(titles(&kept), ["kept"]);
    let window = data(&open_stream(&server.address, "?window=60", &[]).next_with_id());
    assert!(titles(window["annotations"].as_array().unwrap()).contains(&"kept"), "{window}");
}

#[test]
fn start_of_the_host_is_annotated_once_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let starts = |server: &ServerProcess| {
        let (_, _, found) = request(&server.address, "GET", "/api/annotations?tag=boot", JSON, "");
        found["annotations"].as_array().unwrap().clone()
    };
    let uptime_s: f64 =
        fs::read_to_string("/proc/uptime").unwrap().split(' ').next().and_then(|text| text.parse().ok()).unwrap();
    let expected = usize::from(uptime_s < 24.0 * 3600.0);
    for _ in 0..2 {
        let mut server = process(folder.path(), &[]);
        write(&server.address, &json!({"title": "makes the file"}));
        wait_until("the start is annotated", || starts(&server).len() == expected);
        assert!(starts(&server).iter().all(|start| start["author"] == "host"));
        server.terminate();
        assert!(server.wait().success());
    }
}
