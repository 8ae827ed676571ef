//! `GET /api/snapshot`, for whom no stream reaches.

use super::support::{Running, tick};
use hostbeat::server::{Settings, log::TickLog};
use serde_json::{Value, json};

fn server() -> Running {
    let log = TickLog::default();
    (1..=5).for_each(|second| log.publish(&tick(second * 1000)));
    Running::show_by(log, Settings::default())
}

fn get(server: &Running, query: &str) -> Value {
    let (head, body) = server.get(&format!("/api/snapshot{query}"));
    assert_eq!((head.status.as_u16(), &head.headers["content-type"]), (200, &"application/json".parse().unwrap()));
    assert_eq!(head.headers["cache-control"], "no-store");
    serde_json::from_str(&body).unwrap()
}

#[test]
fn a_client_that_asks_again_gets_what_has_come_since() {
    let server = server();
    let first = get(&server, "?window=3&events=memory");
    assert_eq!(
        first["window"],
        json!({"t0": 3000, "step_ms": 1000, "n": 3, "series": {"memory.used": [3000, 4000, 5000]}})
    );
    assert_eq!((&first["start"], &first["id"]), (&json!("window"), &json!("5000-2")));
    assert!(first["now"].as_u64().unwrap() > 1_700_000_000_000);

    server.log.publish(&tick(6000));
    let next = get(&server, "?events=memory&since=5000-2");
    assert_eq!(next["window"]["series"]["memory.used"], json!([5000, 6000]));
    assert_eq!(next["id"], "6000-2");
}

#[test]
fn an_id_that_means_nothing_is_a_reset() {
    let server = server();
    for foreign in ["9000-0", "abc"] {
        let answer = get(&server, &format!("?since={foreign}"));
        assert_eq!((&answer["start"], &answer["window"]["n"]), (&json!("reset"), &json!(5)), "{foreign}");
    }
}

#[test]
fn what_is_asked_wrongly_is_answered_with_what_would_be_right() {
    let (head, body) = server().get("/api/snapshot?events=gpu");
    assert_eq!(
        (head.status.as_u16(), &head.headers["content-type"]),
        (400, &"application/problem+json".parse().unwrap())
    );
    assert!(body.contains("cpu, memory"), "{body}");
}

#[test]
fn pages_of_other_origins_need_leave() {
    let ask = |settings: Settings, origin: &str| {
        let log = TickLog::default();
        log.publish(&tick(1000));
        Running::show_by(log, settings).send("GET", "/api/snapshot", &[("origin", origin)]).0
    };
    assert_eq!(ask(Settings::default(), "https://evil.example").status.as_u16(), 403);
    let allowed = Settings { allow_origin: vec!["https://status.example.com".parse().unwrap()], ..Settings::default() };
    let head = ask(allowed, "https://status.example.com");
    assert_eq!(head.headers["access-control-allow-origin"], "https://status.example.com");
}
