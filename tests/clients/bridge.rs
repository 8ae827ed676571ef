//! The parser of event streams behind the interface that a suite of tests for clients asks for, that of
//! <https://github.com/launchdarkly/sse-contract-tests> (`docs/service_spec.md`): `bridge ADDRESS`.

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

/// What a client of the suite is to do.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    stream_url: String,
    callback_url: String,
    initial_delay_ms: Option<u64>,
    last_event_id: Option<String>,
    #[serde(default)]
    headers: HashMap<String, String>,
}

/// Which streams are closed, by their number.
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

async fn open(State(streams): State<Streams>, Json(order): Json<Order>) -> (StatusCode, HeaderMap) {
    let closed = Arc::new(AtomicBool::new(false));
    let mut streams = streams.lock().unwrap();
    let location = format!("/streams/{}", streams.len());
    streams.push(Arc::clone(&closed));
    thread::spawn(move || follow(order, &closed));
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

/// Follows a stream over any number of connections, as an `EventSource` would, and tells what it hears.
fn follow(order: Order, closed: &AtomicBool) {
    let mut told = 0;
    let mut tell = |message: Value| {
        told += 1;
        // Nobody is there to hear it once the test is over.
        let _ = ureq::post(format!("{}/{told}", order.callback_url)).send(message.to_string());
    };
    let mut delay = order.initial_delay_ms.unwrap_or(1000);
    let mut id = order.last_event_id.clone().unwrap_or_default();
    while !closed.load(Ordering::Relaxed) {
        let mut request = ureq::get(&order.stream_url).config().http_status_as_error(false).build();
        for (name, value) in [("accept", "text/event-stream"), ("cache-control", "no-cache"), ("last-event-id", &id)] {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        for (name, value) in &order.headers {
            request = request.header(name, value);
        }
        match request.call() {
            // So a server says that nobody is to come back.
            Ok(response) if response.status() == 204 => return,
            Ok(response) if response.status() == 200 => {
                let mut parser = Parser::with_last_event_id(id.clone());
                let mut hear = |event: Event| {
                    id.clone_from(&event.id);
                    tell(json!({"kind": "event", "event": {"type": event.name, "data": event.data, "id": event.id}}));
                };
                let (mut body, mut bytes) = (response.into_body().into_reader(), [0; 4096]);
                while let Some(read) = body.read(&mut bytes).ok().filter(|read| *read > 0) {
                    parser.read(&bytes[..read], &mut hear);
                }
                delay = parser.retry().unwrap_or(delay);
            }
            Ok(response) => tell(json!({"kind": "error", "comment": response.status().to_string()})),
            Err(error) => tell(json!({"kind": "error", "comment": error.to_string()})),
        }
        thread::sleep(Duration::from_millis(delay));
    }
}
