//! `GET /api/snapshot`: what a stream would have sent since an id, as one response, for clients that must poll.

use super::{ASSETS, Problem, WindowQuery, cross_origin};
use crate::{
    schema::{EventName, Identity, LatestValues, WindowSnapshot},
    server::{access::check_origin, app_state::AppState, log::Start, unix_time::unix_ms},
};
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::time::Instant;

/// Everything since the client's id.
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
    /// The server's clock, unix milliseconds.
    now: u64,
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
    let written = WindowQuery::parse(&query.unwrap_or_default(), "since").and_then(|query| write(&take(&state, query)));
    let mut response = match written {
        Ok(json) => {
            let head = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (head, json).into_response()
        }
        Err(problem) => problem.respond_at(PATH),
    };
    cross_origin::allow_origin(origin, &mut response);
    response
}

fn write(snapshot: &Snapshot) -> Result<String, Problem> {
    serde_json::to_string(snapshot).map_err(|error| {
        tracing::error!(%error, "cannot write a snapshot");
        let detail = "The snapshot could not be written as JSON. The server's log has the error.";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "No snapshot", detail)
    })
}

fn take(state: &AppState, WindowQuery { events, window, last_id }: WindowQuery) -> Snapshot<'_> {
    let (start, window, id) = state.log.since(events, last_id, window);
    if events.contains(EventName::Processes) {
        state.log.subscribers().page_requested(Instant::now());
    }
    if start == Start::Reset {
        state.statistics.snapshot_resets.inc();
    }
    Snapshot {
        host: &state.host.name,
        identity: state.log.identity(),
        version: &ASSETS.version,
        id: id.map(|id| id.to_string()),
        start: start.as_str(),
        now: unix_ms(),
        window,
        present: state.log.latest_values(),
    }
}
