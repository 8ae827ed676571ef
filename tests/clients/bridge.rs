//! Test service for the SSE contract tests at <https://github.com/launchdarkly/sse-contract-tests>
//! (`docs/service_spec.md`) around the project's event stream parser: `bridge ADDRESS`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture that panics fails its test")]

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::LOCATION},
    routing::{delete, get},
};
use hostbeat::sse::{Event, Parser};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    env,
    io::Read,
    process,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::net::TcpListener;

/// A request of the test suite to follow a stream.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StreamRequest {
    stream_url: String,
    callback_url: String,
    initial_delay_ms: Option<u64>,
    last_event_id: Option<String>,
    #[serde(default)]
    headers: HashMap<String, String>,
}

/// Whether each stream is closed, by its number.
type Streams = Arc<Mutex<Vec<Arc<AtomicBool>>>>;

#[tokio::main]
async fn main() {
    let address = env::args().nth(1).unwrap_or_else(|| panic!("an address is missing, such as 127.0.0.1:8111"));
    let listener = TcpListener::bind(address).await.unwrap();
    let capabilities = json!({"capabilities": ["bom", "headers", "last-event-id", "server-directed-shutdown-request"]});
    let routes = Router::new()
        .route("/", get(async || Json(capabilities)).post(open).delete(stop))
        .route("/streams/{number}", delete(close))
        .with_state(Streams::default());
    axum::serve(listener, routes).await.unwrap();
}

async fn stop() -> StatusCode {
    process::exit(0)
}

async fn open(State(streams): State<Streams>, Json(request): Json<StreamRequest>) -> (StatusCode, HeaderMap) {
    let closed = Arc::new(AtomicBool::new(false));
    let mut streams = streams.lock().unwrap();
    let location = format!("/streams/{}", streams.len());
    streams.push(Arc::clone(&closed));
    thread::spawn(move || follow(request, &closed));
    (StatusCode::CREATED, HeaderMap::from_iter([(LOCATION, location.parse().unwrap())]))
}

async fn close(State(streams): State<Streams>, Path(number): Path<usize>) -> StatusCode {
    match streams.lock().unwrap().get(number) {
        Some(closed) => {
            closed.store(true, Ordering::Relaxed);
            StatusCode::NO_CONTENT
        }
        None => StatusCode::NOT_FOUND,
    }
}

/// Follows a stream and reconnects as an `EventSource` does, and posts each event to the callback URL.
fn follow(request: StreamRequest, closed: &AtomicBool) {
    let mut posted = 0;
    let mut post = |message: Value| {
        posted += 1;
        // The callback is gone once the test is over.
        let _ = ureq::post(format!("{}/{posted}", request.callback_url)).send(message.to_string());
    };
    let mut delay = request.initial_delay_ms.unwrap_or(1000);
    let mut id = request.last_event_id.clone().unwrap_or_default();
    while !closed.load(Ordering::Relaxed) {
        let mut http_request = ureq::get(&request.stream_url).config().http_status_as_error(false).build();
        for (name, value) in [("accept", "text/event-stream"), ("cache-control", "no-cache"), ("last-event-id", &id)] {
            if !value.is_empty() {
                http_request = http_request.header(name, value);
            }
        }
        for (name, value) in &request.headers {
            http_request = http_request.header(name, value);
        }
        match http_request.call() {
            // A server sends 204 to stop reconnects.
            Ok(response) if response.status() == 204 => return,
            Ok(response) if response.status() == 200 => {
                let mut parser = Parser::with_last_event_id(id.clone());
                let mut on_event = |event: Event| {
                    id.clone_from(&event.id);
                    post(json!({"kind": "event", "event": {"type": event.name, "data": event.data, "id": event.id}}));
                };
                let (mut body, mut bytes) = (response.into_body().into_reader(), [0; 4096]);
                while let Some(read) = body.read(&mut bytes).ok().filter(|read| *read > 0) {
                    parser.read(&bytes[..read], &mut on_event);
                }
                delay = parser.retry().unwrap_or(delay);
            }
            Ok(response) => post(json!({"kind": "error", "comment": response.status().to_string()})),
            Err(error) => post(json!({"kind": "error", "comment": error.to_string()})),
        }
        thread::sleep(Duration::from_millis(delay));
    }
}
