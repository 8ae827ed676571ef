//! Tests of `GET /api/snapshot`, which clients poll where streams don't pass.

use super::support::{TestServer, tick};
use hostbeat::server::{Settings, log::TickLog};
use serde_json::{Value, json};

fn server() -> TestServer {
    let log = TickLog::default();
    (1..=5).for_each(|second| log.publish(&tick(second * 1000)));
    TestServer::serve_with(log, Settings::default())
}

fn get(server: &TestServer, query: &str) -> Value {
    let (head, body) = server.get(&format!("/api/snapshot{query}"));
    assert_eq!((head.status.as_u16(), &head.headers["content-type"]), (200, &"application/json".parse().unwrap()));
    assert_eq!(head.headers["cache-control"], "no-store");
    serde_json::from_str(&body).unwrap()
}

#[test]
fn snapshot_since_id_starts_at_its_second() {
    let server = server();
    let first = get(&server, "?window=3&events=memory");
    assert_eq!(
        first["window"],
        json!({"t0": 3000, "step_ms": 1000, "n": 3, "series": {"memory.used_bytes": [3000, 4000, 5000]}})
    );
    assert_eq!((&first["start"], &first["id"]), (&json!("window"), &json!("5000-2-e3b0c4")));
    assert!(first["now"].as_u64().unwrap() > 1_700_000_000_000);

    server.log.publish(&tick(6000));
    let next = get(&server, "?events=memory&since=5000-2-e3b0c4");
    assert_eq!(next["window"]["series"]["memory.used_bytes"], json!([5000, 6000]));
    assert_eq!(next["id"], "6000-2-e3b0c4");
}

/// Snapshots of a tick are shared, but not their time.
#[test]
fn snapshot_has_the_time_of_its_response_in_every_coding() {
    let server = server();
    for coding in ["identity", "gzip", "br"] {
        let now = || {
            let address = format!("http://{}/api/snapshot", server.address);
            let mut response = ureq::get(address).header("accept-encoding", coding).call().unwrap();
            let is_gzip = response.headers().get("content-encoding").is_some_and(|coding| coding == "gzip");
            assert_eq!(is_gzip, coding == "gzip");
            let body = response.body_mut().read_to_vec().unwrap();
            let snapshot: Value = match is_gzip {
                true => serde_json::from_reader(flate2::read::GzDecoder::new(&*body)).unwrap(),
                false => serde_json::from_slice(&body).unwrap(),
            };
            snapshot["now"].as_u64().unwrap()
        };
        let first = now();
        assert!((0..1000).map(|_| now()).any(|later| later > first), "{coding}");
    }
}

#[test]
fn snapshot_since_unknown_id_resets() {
    let server = server();
    for foreign in ["9000-0-e3b0c4", "abc"] {
        let snapshot = get(&server, &format!("?since={foreign}"));
        assert_eq!((&snapshot["start"], &snapshot["window"]["n"]), (&json!("reset"), &json!(5)), "{foreign}");
    }
}

#[test]
fn invalid_snapshot_query_gets_400_with_valid_values() {
    let (head, body) = server().get("/api/snapshot?events=gpu");
    assert_eq!(
        (head.status.as_u16(), &head.headers["content-type"]),
        (400, &"application/problem+json".parse().unwrap())
    );
    assert!(body.contains("cpu, memory"), "{body}");
}

#[test]
fn snapshot_for_foreign_origin_needs_permission() {
    let request = |settings: Settings, origin: &str| {
        let log = TickLog::default();
        log.publish(&tick(1000));
        TestServer::serve_with(log, settings).request("GET", "/api/snapshot", &[("origin", origin)]).0
    };
    assert_eq!(request(Settings::default(), "https://evil.example").status.as_u16(), 403);
    let allowed = Settings { allow_origin: vec!["https://status.example.com".parse().unwrap()], ..Settings::default() };
    let head = request(allowed, "https://status.example.com");
    assert_eq!(head.headers["access-control-allow-origin"], "https://status.example.com");
}
