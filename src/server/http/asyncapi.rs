//! `/api/asyncapi.json`: the stream and its events, described for programs (AsyncAPI 3.0).

use super::schema::{annotation, event, list, object};
use crate::schema::{SCHEMA_VERSION, groups};
use axum::http::header;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The description as it is sent.
static DESCRIPTION: LazyLock<String> = LazyLock::new(|| description().to_string());

/// `GET /api/asyncapi.json`.
pub(in crate::server) async fn document() -> ([(header::HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, "application/json")], &DESCRIPTION)
}

fn description() -> Value {
    let control = [
        ("hello", "The first event, without an id: whose stream it is, and how it starts.", hello()),
        ("window", "History: values by path, oldest first. Its id is that of the newest tick in it.", window()),
        ("heartbeat", "After 15 seconds without an event, without an id.", heartbeat()),
        ("shutdown", "Before the server ends the stream on purpose, without an id.", shutdown()),
    ];
    let control = control.map(|(name, summary, payload)| (name, message(name, summary, payload)));
    let groups = groups().map(|(name, declarations)| {
        (name, message(name, "One group of a tick, under its id.", event(name, &declarations)))
    });
    let messages: Map<_, _> =
        control.into_iter().chain(groups).map(|(name, message)| (name.to_owned(), message)).collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Hostbeat's stream",
            "version": format!("{SCHEMA_VERSION}.0.0"),
            "description": "Server-Sent Events (WHATWG HTML, section 9.2). A published channel has an event of its own \
                name, which is not listed here. Fields are added within a version, never renamed, retyped or removed.",
        },
        "defaultContentType": "application/json",
        "channels": {"stream": {"address": "/api/stream", "messages": messages}},
        "operations": {"read": {"action": "send", "channel": {"$ref": "#/channels/stream"}}},
    })
}

fn message(name: &str, summary: &str, payload: Value) -> Value {
    json!({"name": name, "summary": summary, "payload": payload})
}

fn hello() -> Value {
    object([
        ("schema", integer()),
        ("host", text()),
        ("host_id", text()),
        ("epoch", text()),
        ("version", text()),
        ("interval_ms", integer()),
        ("retention_s", integer()),
        ("now", integer()),
        ("start", json!({"enum": ["live", "replay", "window", "reset"]})),
    ])
}

fn window() -> Value {
    let values = list(json!({"type": ["number", "null"]}), "A value for each second; null is one without a sample.");
    let series = json!({"type": "object", "additionalProperties": values});
    let mut window = object([("t0", integer()), ("step_ms", integer()), ("n", integer()), ("series", series)]);
    window["properties"]["truncated"] = json!({"type": "boolean"});
    window["properties"]["annotations"] = list(annotation(), "Those of the last hour, unless they are filtered out.");
    window
}

fn heartbeat() -> Value {
    object([("now", integer()), ("last_tick", json!({"type": ["integer", "null"]}))])
}

fn shutdown() -> Value {
    object([("reason", json!({"enum": ["restart", "age", "signed-out"]})), ("retry_ms", integer())])
}

fn integer() -> Value {
    json!({"type": "integer"})
}

fn text() -> Value {
    json!({"type": "string"})
}
