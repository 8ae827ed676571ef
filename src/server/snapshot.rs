//! `GET /api/snapshot`: what a stream would have brought, as one answer, for whom no stream reaches.

use super::{
    AppState, Problem, origin,
    stream::{Query, unix_ms},
};
use crate::metrics::{Columns, EventName, Present};
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::time::Instant;

/// All that is newer than the client knows.
#[derive(Debug, Serialize)]
struct Snapshot {
    /// The id to ask with the next time; `None` before the first tick.
    id: Option<String>,
    /// `window`, or `reset` where the client's id means nothing here.
    start: &'static str,
    /// The server's clock, unix milliseconds.
    now: u64,
    window: Columns,
    /// What has no past, whatever events are asked for.
    present: Present,
}

pub(super) async fn snapshot(State(state): State<AppState>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    const PATH: &str = "/api/snapshot";
    let origin = match origin::check(&headers, &state.policy.allow_origin) {
        Ok(origin) => origin,
        Err(problem) => return problem.respond_at(PATH),
    };
    let written = Query::read(&query.unwrap_or_default(), "since").and_then(|query| write(&take(&state, query)));
    let mut response = match written {
        Ok(json) => {
            let head = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (head, json).into_response()
        }
        Err(problem) => problem.respond_at(PATH),
    };
    origin::admit(origin, &mut response);
    response
}

fn write(snapshot: &Snapshot) -> Result<String, Problem> {
    serde_json::to_string(snapshot).map_err(|error| {
        tracing::error!(%error, "a snapshot could not be written");
        let detail = "What was sampled could not be written down. The server's log says more.";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "No snapshot", detail)
    })
}

fn take(state: &AppState, Query { events, window, last_id }: Query) -> Snapshot {
    let (start, window, id) = state.hub.since(events, last_id, window);
    if events.contains(EventName::Processes) {
        state.hub.audience().asked_for_page(Instant::now());
    }
    Snapshot {
        id: id.map(|id| id.to_string()),
        start: start.as_str(),
        now: unix_ms(),
        window,
        present: state.hub.present(),
    }
}
