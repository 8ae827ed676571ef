//! `GET /api/snapshot`: what a stream would have sent since an id, as one response, for clients that must poll.

use super::{ASSETS, Encoding, Problem, WindowQuery, cross_origin, shared_response};
use crate::{
    schema::{Identity, LatestValues, WindowSnapshot},
    server::{
        access::check_origin,
        app_state::AppState,
        log::{Chunk, Coding, Encoder, Start, TickLog},
        rendering::RenderError,
        unix_time::unix_ms,
    },
};
use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use serde::Serialize;
use std::{sync::Arc, time::Instant};

/// Everything since the client's id, without the time of the response.
#[derive(Debug, Serialize)]
struct Snapshot<'a> {
    host: &'a str,
    #[serde(flatten)]
    identity: &'a Identity,
    /// The page's code that belongs to this server.
    version: &'a str,
    /// The id for the next request; `None` before the first tick.
    id: Option<String>,
    /// `window`, or `reset` if the client's id is unknown here.
    start: &'static str,
    window: WindowSnapshot,
    /// Values that make no series, whatever the event filter.
    present: LatestValues,
}

pub(in crate::server) async fn snapshot(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    const PATH: &str = "/api/snapshot";
    let origin = match check_origin(&headers, &state.settings.allow_origin) {
        Ok(origin) => origin,
        Err(foreign) => return Problem::from(foreign).respond_at(PATH),
    };
    let snapshot = match WindowQuery::parse(&query.unwrap_or_default(), "since", &state.channels) {
        Ok(query) => respond(&state, query, &headers).await,
        Err(problem) => Err(problem),
    };
    let mut response = snapshot.unwrap_or_else(|problem| problem.respond_at(PATH));
    cross_origin::allow_origin(origin, &mut response);
    response
}

async fn respond(state: &AppState, query: WindowQuery, headers: &HeaderMap) -> Result<Response, Problem> {
    if query.events.contains("processes") {
        state.log.subscribers().page_requested(Instant::now());
    }
    // Only gzip can be continued after the time of the response, which is not shared.
    let encoding = Encoding::preferred(headers, [Encoding::Gzip]);
    let coding = if encoding.is_some() { Coding::Gzip } else { Coding::Identity };
    let known_id = query.last_id.as_ref().map(|id| id.as_ref().ok());
    let key = format!("{:?} {} {known_id:?} {coding:?}", query.events, query.window);
    let (log, host) = (Arc::clone(&state.log), Arc::clone(&state.host));
    let (start, shared) = state.snapshots.get(key, move || render(&log, &host.name, query, coding)).await?;
    if start == Start::Reset {
        state.statistics.snapshot_resets.inc();
    }
    let body = with_time(unix_ms(), &shared, coding);
    let mut response = shared_response::respond("application/json", body, encoding);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The snapshot as JSON without its opening brace, which comes with the time.
fn render(
    log: &TickLog,
    host: &str,
    WindowQuery { events, window, last_id }: WindowQuery,
    coding: Coding,
) -> Result<(Start, Chunk), RenderError> {
    let (start, window, id) = log.since(&events, last_id, window);
    let snapshot = Snapshot {
        host,
        identity: log.identity(),
        version: &ASSETS.version,
        id: id.map(|id| id.to_string()),
        start: start.as_str(),
        window,
        present: log.latest_values(),
    };
    let json = serde_json::to_string(&snapshot).map_err(|error| shared_response::failed(&error))?;
    Ok((start, Encoder::new(coding).next(json.trim_start_matches('{').as_bytes(), 0)))
}

/// The snapshot with the server's clock, unix milliseconds, when it is sent: clients compare it with theirs.
fn with_time(now: u64, shared: &Chunk, coding: Coding) -> Bytes {
    let mut encoder = Encoder::new(coding);
    let first = encoder.first(format!("{{\"now\":{now},").as_bytes(), 0);
    encoder.add(shared);
    let last = encoder.last(b"", 0);
    [first.data(), shared.data(), last.data()].concat().into()
}
