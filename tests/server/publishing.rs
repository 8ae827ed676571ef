//! Tests of publishing values: over HTTP, by the command, and by StatsD; and of the channels' declarations.

use super::{
    server_process::{ServerProcess, hostbeat},
    support::{JSON, StreamReader, TestServer, json as data, open_stream, project_path, request, wait_until},
};
use hostbeat::server::{Settings, log::TickLog};
use serde_json::{Value, json};
use std::{
    fs,
    net::UdpSocket,
    path::Path,
    process::{Command, Output},
};

fn server() -> TestServer {
    TestServer::serve(TickLog::default())
}

/// Publishes again while the limit of requests asks to wait.
fn publish(address: &str, path: &str, content_type: &str, body: &str) -> (u16, Value) {
    let mut answer = (429, Value::Null);
    wait_until("the request is within the limit", || {
        let (status, _, problem) = request(address, "POST", path, content_type, body);
        answer = (status, problem);
        status != 429
    });
    answer
}

/// The published channel of that name, once it is listed.
fn listed(address: &str, name: &str) -> Value {
    let mut found = Value::Null;
    wait_until("the channel is listed", || {
        let (_, _, list) = request(address, "GET", "/api/channels", JSON, "");
        let channels = list["channels"].as_array().cloned().unwrap_or_default();
        found = channels.into_iter().find(|channel| channel["name"] == name).unwrap_or_default();
        !found.is_null()
    });
    found
}

#[test]
fn values_of_each_format_are_taken() {
    let server = server();
    let address = &server.address.to_string();
    for (path, content_type, body) in [
        ("/api/publish", JSON, r#"{"channel":"shop","values":{"baskets":2},"label":"eu"}"#),
        ("/api/publish", "application/x-ndjson", "{\"channel\":\"shop\",\"counters\":{\"orders\":7}}\n"),
        ("/api/publish?channel=shop", "text/plain; version=0.0.4", "# TYPE hits_total counter\nhits_total 3\n"),
    ] {
        assert_eq!(publish(address, path, content_type, body), (204, Value::Null), "{body}");
    }
    let shop = listed(address, "shop");
    assert_eq!(shop["values"], json!(["baskets", "hits_per_second", "orders_per_second"]));
    assert_eq!((&shop["labels"], &shop["title"], &shop["declared"]), (&json!(["eu"]), &json!("Shop"), &json!(false)));
}

#[test]
fn refusal_names_field_and_line() {
    let server = server();
    let address = &server.address.to_string();
    let large = format!("{{\"channel\":\"shop\",\"values\":{{\"a\":1}},\"label\":\"{}\"}}", "a".repeat(70_000));
    for (path, content_type, body, status, field, line) in [
        ("/api/publish", JSON, r#"{"channel":"shop","values":{"orders":"7"}}"#, 400, Some("values.orders"), None),
        ("/api/publish", JSON, r#"{"channel":"cpu","values":{"orders":7}}"#, 400, Some("channel"), None),
        ("/api/publish", "application/x-ndjson", "\n{\"channel\":\"shop\"}", 400, Some("values"), Some(2)),
        ("/api/publish?channel=shop", "text/plain", "ok 1\nbad NaN\n", 400, Some("bad"), Some(2)),
        ("/api/publish", "text/plain", "ok 1\n", 400, Some("channel"), None),
        ("/api/publish", JSON, &large, 413, None, None),
        ("/api/publish", "application/x-www-form-urlencoded", "a=1", 415, None, None),
    ] {
        let (actual, problem) = publish(address, path, content_type, body);
        assert_eq!(actual, status, "{problem}");
        assert_eq!((problem["field"].as_str(), problem["line"].as_u64()), (field, line), "{problem}");
        assert!(problem["detail"].as_str().unwrap().len() < 400, "{problem}");
    }
    let (_, _, list) = request(address, "GET", "/api/channels", JSON, "");
    assert_eq!(list["channels"], json!([]), "nothing was taken");
}

#[test]
fn client_that_publishes_too_often_waits() {
    let server = server();
    let address = &server.address.to_string();
    let body = r#"{"channel":"shop","values":{"orders":1}}"#;
    let mut refused = None;
    wait_until("a request is refused", || {
        let (status, retry, _) = request(address, "POST", "/api/publish", JSON, body);
        refused = (status == 429).then_some(retry);
        refused.is_some()
    });
    assert_eq!(refused.unwrap(), Some(1));
}

#[test]
fn forwarded_request_and_public_server_need_a_token() {
    let body = r#"{"channel":"shop","values":{"orders":1}}"#;
    let status = |server: &TestServer, header: &str| {
        let request = format!(
            "POST /api/publish HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {JSON}\r\n{header}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        server.send_raw(&request).split(' ').nth(1).map(str::to_owned).unwrap()
    };
    let (server, public) =
        (server(), TestServer::serve_with(TickLog::default(), Settings { public: true, ..Settings::default() }));
    assert_eq!(status(&server, ""), "204");
    assert_eq!(status(&server, "X-Forwarded-For: 198.51.100.7\r\n"), "403");
    assert_eq!(status(&server, "Origin: https://evil.example\r\n"), "403");
    assert_eq!(status(&server, "Cookie: a=b\r\n"), "403", "it may be a browser's");
    assert_eq!(status(&public, ""), "401");
}

/// A server process with a data folder of its own, and more arguments.
fn process(folder: &Path, arguments: &[&str]) -> ServerProcess {
    let data = folder.to_str().unwrap();
    ServerProcess::start(hostbeat(&[&["--listen", "127.0.0.1:0", "--data", data], arguments].concat()))
}

#[test]
fn declaration_survives_a_restart_until_it_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let title = "</script><b>\u{202e}Orders & 'more' \"\\u000a";
    let body = json!({"title": title, "unit": "<i>", "kind": "stacked", "warning": 5, "critical": 7.5}).to_string();
    let mut server = process(folder.path(), &[]);
    for expected in [201, 200] {
        let (status, _, channel) = request(&server.address, "PUT", "/api/channels/shop", JSON, &body);
        assert_eq!((status, &channel["title"]), (expected, &json!(title)));
    }
    let (status, _, problem) = request(&server.address, "PUT", "/api/channels/cpu", JSON, "{}");
    assert_eq!((status, &problem["field"]), (400, &json!("name")));
    let (status, _, problem) = request(&server.address, "PUT", "/api/channels/other", JSON, r#"{"kind":"pie"}"#);
    assert_eq!((status, &problem["field"]), (400, &json!("kind")));
    server.terminate();
    assert!(server.wait().success());

    let mut server = process(folder.path(), &[]);
    let shop = listed(&server.address, "shop");
    assert_eq!((&shop["title"], &shop["kind"], &shop["critical"]), (&json!(title), &json!("stacked"), &json!(7.5)));
    assert_eq!(request(&server.address, "DELETE", "/api/channels/shop", JSON, "").0, 204);
    assert_eq!(request(&server.address, "DELETE", "/api/channels/shop", JSON, "").0, 204);
    server.terminate();
    assert!(server.wait().success());
    let server = process(folder.path(), &[]);
    assert_eq!(request(&server.address, "GET", "/api/channels", JSON, "").2["channels"], json!([]));
}

#[test]
fn channel_is_declared_and_removed_by_the_page_and_a_refusal_keeps_what_was_typed() {
    let folder = tempfile::tempdir().unwrap();
    let server = process(folder.path(), &[]);
    let page = |change: &str| {
        let (host, url) = (&server.address, format!("http://{}/settings/channels", server.address));
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
        let request = ureq::Agent::from(config).post(url).header("origin", format!("http://{host}"));
        let mut answer = request.content_type("application/x-www-form-urlencoded").send(change).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    };
    let declare = "change=declare&name=shop&title=Orders+%26+co&unit=orders&kind=stacked";
    let (status, refused) = page(&format!("{declare}&warning=many&critical="));
    assert_eq!(status, 400);
    assert!(refused.contains("warning: ") && refused.contains("value=\"many\""), "{refused}");
    assert!(refused.contains("value=\"Orders &amp; co\""), "{refused}");
    assert_eq!(page(&format!("{declare}&warning=5.5&critical=")).0, 303);
    let shop = listed(&server.address, "shop");
    assert_eq!((&shop["title"], &shop["kind"]), (&json!("Orders & co"), &json!("stacked")));
    assert_eq!((&shop["warning"], &shop["critical"]), (&json!(5.5), &Value::Null));
    assert_eq!(page("change=remove&name=shop").0, 303);
    assert_eq!(request(&server.address, "GET", "/api/channels", JSON, "").2["channels"], json!([]));
}

#[test]
fn statsd_datagrams_are_published() {
    let folder = tempfile::tempdir().unwrap();
    let server = process(folder.path(), &["--statsd", "127.0.0.1:0"]);
    let line = server.log.lines().find(|line| line.contains("receiving StatsD at ")).unwrap();
    let target = line.rsplit("receiving StatsD at ").next().unwrap().split(['"', ' ']).next().unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(b"nonsense\nshop.orders:1|c|#region:eu\nshop.render:320|ms", target).unwrap();
    let shop = listed(&server.address, "shop");
    assert_eq!(shop["values"], json!(["orders_per_second", "render_p50", "render_p95", "render_p99"]));
    assert_eq!(shop["labels"], json!(["region=eu"]));
}

#[test]
fn command_publishes_or_says_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let token = hostbeat(&["token", "add", "shop", "--can", "publish", "--data", folder.path().to_str().unwrap()]);
    let token = { token }.output().unwrap().stdout;
    let file = folder.path().join("token");
    fs::write(&file, &token).unwrap();
    let server = process(folder.path(), &["--public"]);
    let url = format!("http://{}", server.address);
    let run = |args: &[&str]| {
        let Output { status, stderr, .. } = hostbeat(&[&["publish"], args].concat()).output().unwrap();
        (status.code().unwrap(), String::from_utf8(stderr).unwrap())
    };
    let file = file.to_str().unwrap();
    let values = ["shop", "orders_per_minute=42", "basket_eur=19.9", "--label", "eu"];
    let with = |more: &[&str]| run(&[&values, more].concat());
    assert_eq!(with(&["--url", &url, "--token-file", file]), (0, String::new()));
    assert_eq!(listed(&server.address, "shop")["values"], json!(["basket_eur", "orders_per_minute"]));
    for (code, hint, args) in [
        (1, "Authorization: Bearer", &["--url", &url][..]),
        (1, "unreachable", &["--url", "http://127.0.0.1:1", "--token-file", file]),
        (2, "--token-file", &["--url", &url, "--token-file", "/nowhere"]),
        (2, "http://127.0.0.1:3000", &["--url", "localhost"]),
    ] {
        let (actual, message) = with(args);
        assert!(actual == code && message.contains(hint), "{args:?}: {actual} {message}");
    }
    for (args, hint) in [
        (&["shop"][..], "NAME=VALUE"),
        (&["shop", "orders"], "NAME=VALUE"),
        (&["shop", "orders=NaN"], "finite"),
        (&["Shop", "orders=1"], "lower-case"),
        (&["shop", "orders=1", "--label", ""], "label"),
    ] {
        let (code, message) = run(args);
        assert!(code == 2 && message.contains(hint), "{args:?}: {message}");
    }
}

/// The code blocks of that language in docs/publish.md.
fn examples(language: &str) -> Vec<String> {
    let text = fs::read_to_string(project_path("docs/publish.md")).unwrap();
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1).map(|block| block.split("```").next().unwrap());
    blocks.map(str::to_owned).collect()
}

#[test]
fn documented_examples_publish() {
    let folder = tempfile::tempdir().unwrap();
    let server = server();
    let address = &server.address.to_string();
    let run = |command: &mut Command, what: &str| {
        let Output { status, stdout, stderr } = command.output().unwrap();
        let output = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert!(status.success(), "{what}: {output}");
    };
    let program = Path::new(env!("CARGO_BIN_EXE_hostbeat")).parent().unwrap().display().to_string();
    let path = format!("{program}:{}", std::env::var("PATH").unwrap());
    let mut count = 0;
    // curl fails on a refusal. The token is for another server.
    for script in examples("sh").into_iter().filter(|script| !script.contains("token add")) {
        let script =
            script.replace("127.0.0.1:3000", address).replace("curl ", "curl --silent --show-error --fail-with-body ");
        run(Command::new("sh").args(["-ec", &script]).env("PATH", &path), &script);
        count += 1;
    }
    for script in examples("python") {
        run(Command::new("python3").args(["-c", &script.replace("127.0.0.1:3000", address)]), &script);
        count += 1;
    }
    for source in examples("rust") {
        let (file, binary) = (folder.path().join("example.rs"), folder.path().join("example"));
        fs::write(&file, source.replace("127.0.0.1:3000", address)).unwrap();
        let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
        run(Command::new(rustc).args(["--edition", "2024", "-o"]).arg(&binary).arg(&file), &source);
        run(&mut Command::new(&binary), &source);
        count += 1;
    }
    assert!(count >= 6, "only {count} examples were run");
    let shop = listed(address, "shop");
    assert_eq!(shop["labels"], json!(["eu", "python", "region=eu", "rust"]));
    assert_eq!(shop["values"], json!(["basket_eur", "orders_per_minute", "orders_per_second", "queue_length"]));
    assert_eq!((&shop["title"], &shop["warning"]), (&json!("Orders"), &json!(60.0)));
}

/// The next event of the channel `shop` with a value that is known.
fn next_of_shop(stream: &mut StreamReader) -> eventsource_stream::Event {
    stream.find(|event| event.event == "shop" && !data(event)["orders"].is_null()).expect("the stream continues")
}

#[test]
fn published_value_is_an_event_with_id_replay_window_and_filter() {
    let server = TestServer::sample_host();
    let address = &server.address.to_string();
    let body = r#"{"channel":"shop","values":{"orders":42},"label":"a.\"</script><hostile>\u2028"}"#;
    assert_eq!(publish(address, "/api/publish", JSON, body).0, 204);
    assert_eq!(publish(address, "/api/publish", JSON, r#"{"channel":"shop","values":{"orders":7}}"#).0, 204);
    let mut all = server.open_stream("?window=0", &[]);
    let (first, second) = (next_of_shop(&mut all), next_of_shop(&mut all));
    assert_eq!(data(&first)["orders"], 7.0);
    assert_eq!(data(&first)["labels"]["a.\"</script><hostile>\u{2028}"]["orders"], 42.0);
    assert!(data(&first)["t"].is_u64() && data(&first)["dt"].is_number(), "{first:?}");

    let mut resumed = server.open_stream("?events=shop", &[("last-event-id", &first.id)]);
    assert_eq!(data(&resumed.next().unwrap())["start"], "replay");
    let replayed = resumed.next_with_id();
    assert_eq!((replayed.event, replayed.id, replayed.data), (second.event, second.id, second.data));

    let mut filtered = server.open_stream("?events=shop&window=60", &[]);
    let window = data(&filtered.next_with_id());
    let series = window["series"].as_object().unwrap();
    assert!(series.keys().all(|path| path.starts_with("shop.")), "{series:?}");
    assert_eq!(series["shop.orders"].as_array().unwrap().last().unwrap().as_f64(), Some(7.0));
    assert!((0..5).all(|_| filtered.next_with_id().event == "shop"));

    let (head, page) = server.get("/");
    assert_eq!(head.status, 200);
    assert!(!page.contains("<hostile>"), "a label is markup");
    let (_, metrics) = server.get("/metrics");
    let escaped = r#"hostbeat_published_value{channel="shop",label="a.\"</script><hostile>"#;
    let hostile: Vec<&str> = metrics.lines().filter(|line| line.contains("hostile")).collect();
    assert!(!hostile.is_empty() && hostile.iter().all(|line| line.starts_with(escaped)), "{hostile:?}");
}

#[test]
fn published_values_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--history", "30d"];
    let mut server = process(folder.path(), &arguments);
    assert_eq!(publish(&server.address, "/api/publish", JSON, r#"{"channel":"shop","values":{"orders":7}}"#).0, 204);
    let last = next_of_shop(&mut open_stream(&server.address, "?window=0", &[]));
    server.terminate();
    assert!(server.wait().success());
    let server = process(folder.path(), &arguments);
    let mut stream = open_stream(&server.address, "?window=60", &[]);
    let window = data(&stream.next_with_id());
    let values = window["series"]["shop.orders"].as_array().unwrap_or_else(|| panic!("{window}"));
    assert!(values.iter().any(|value| value.as_f64() == Some(7.0)), "{window}");
    let mut resumed = open_stream(&server.address, "", &[("last-event-id", &last.id)]);
    assert_eq!(data(&resumed.next().unwrap())["start"], "replay");
}
