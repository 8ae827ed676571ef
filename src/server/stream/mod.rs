//! `GET /api/stream`: every tick as named events, to the contract in `docs/stream.md`.

mod body;
mod fanout;
#[cfg(fuzzing)]
pub mod fuzz;
mod request;
mod viewer;

use super::{
    AppState, Problem, client,
    connection::{Handover, Peer},
    hub::Coding,
    limits::Refusal,
    origin,
};
use axum::{
    Extension,
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, Version, header},
    response::{IntoResponse, Response},
};
pub(super) use fanout::Fanout;
pub(super) use request::Query;
use request::StreamRequest;
use std::{net::IpAddr, time::Instant};
pub(super) use viewer::{Next, Viewer, unix_ms};

/// Streams to one viewer until it leaves, its stream is old, or the server stops.
pub(super) async fn stream(
    State(state): State<AppState>,
    Extension(Peer(peer)): Extension<Peer>,
    Extension(handover): Extension<Handover>,
    version: Version,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let refuse = |problem: Problem| {
        state.statistics.refused(problem.status);
        problem.respond_at("/api/stream")
    };
    let origin = match origin::check(&headers, &state.policy.allow_origin) {
        Ok(origin) => origin,
        Err(problem) => return refuse(problem),
    };
    let client = client::address(peer.ip(), &headers, &state.policy.trusted_proxy);
    let request = StreamRequest::read(&query.unwrap_or_default(), &headers);
    let mut response = match request.and_then(|request| open(&state, request, client)) {
        // Only HTTP/1.1 has the framing that everyone shares.
        Ok(viewer) => respond(viewer, handover, version == Version::HTTP_11 && state.policy.hand_over),
        Err(problem) => refuse(problem),
    };
    origin::admit(origin, &mut response);
    response
}

fn open(state: &AppState, request: StreamRequest, client: IpAddr) -> Result<Viewer, Problem> {
    let permit = if state.hub.head().closing { Err(Refusal::Draining) } else { state.limits.enter(client) };
    Ok(Viewer::open(state, request, permit?, Instant::now()))
}

fn respond(viewer: Viewer, handover: Handover, hand_over: bool) -> Response {
    let mut head = HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform")),
        // nginx buffers a response unless it is told not to.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ]);
    if viewer.coding() == Coding::Gzip {
        head.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let body = if hand_over {
        head.insert(header::CONNECTION, HeaderValue::from_static("close"));
        Body::new(body::HandedOver::new(viewer, handover))
    } else {
        Body::from_stream(body::stay(viewer, handover))
    };
    (head, body).into_response()
}
