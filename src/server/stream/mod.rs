//! `GET /api/stream`: what is sent to a viewer, as `docs/stream.md` specifies. `delivery` handles the sockets.

mod body;
mod client_connection;
#[cfg(fuzzing)]
pub mod fuzz;
mod hello;
mod request;
mod viewer;

use super::{
    access::{Client, Principal, Refusal, check_origin},
    app_state::AppState,
    http::{Problem, access_check::ClientAddress, cross_origin},
    log::Coding,
};
use axum::{
    Extension,
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, Version, header},
    response::{IntoResponse, Response},
};
pub(super) use client_connection::{ClientConnection, Handoff, StallFlag};
use request::StreamRequest;
use std::{
    net::IpAddr,
    time::{Duration, Instant},
};
#[cfg(test)]
pub(super) use viewer::tests;
pub(super) use viewer::{NextStep, Viewer};

/// Streams to one viewer until it leaves, its stream reaches its maximum age, or the server stops.
pub(super) async fn stream(
    State(state): State<AppState>,
    Extension(connection): Extension<ClientConnection>,
    Extension(ClientAddress(client)): Extension<ClientAddress>,
    Extension(principal): Extension<Principal>,
    version: Version,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let refuse = |problem: Problem| {
        state.statistics.stream_refused(problem.status);
        problem.respond_at("/api/stream")
    };
    let origin = match check_origin(&headers, &state.settings.allow_origin) {
        Ok(origin) => origin,
        Err(foreign) => return refuse(foreign.into()),
    };
    let peer = connection.peer;
    let request = StreamRequest::parse(&query.unwrap_or_default(), &headers, &state.channels);
    let mut response = match request.and_then(|request| {
        Ok(open(&state, request, client, &principal).map_err(|refusal| {
            let refusal = refusal.through_proxy(peer, client, &headers);
            if matches!(refusal, Refusal::Proxy { .. }) && state.limiter.is_log_due(Instant::now()) {
                tracing::warn!("a stream was refused. {refusal}");
            }
            refusal
        })?)
    }) {
        // The shared chunks carry HTTP/1.1's chunk framing, which HTTP/1.0 lacks.
        Ok(viewer) => {
            let can_hand_off = version == Version::HTTP_11 && state.settings.hand_off;
            let handoff = connection.handoff.filter(|_| can_hand_off);
            respond(viewer, handoff, connection.stalled, state.settings.stall)
        }
        Err(problem) => refuse(problem),
    };
    cross_origin::allow_origin(origin, &mut response);
    response
}

fn open(state: &AppState, request: StreamRequest, client: IpAddr, principal: &Principal) -> Result<Viewer, Refusal> {
    let client = Client::of(Some(principal), client);
    let permit = if state.log.head().closing { Err(Refusal::Draining) } else { state.limiter.admit(client) };
    Ok(Viewer::open(state, request, permit?, principal.credential().cloned(), Instant::now()))
}

fn respond(viewer: Viewer, handoff: Option<Handoff>, stalled: StallFlag, stall_timeout: Duration) -> Response {
    let mut head = HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform")),
        // nginx buffers a response without it.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ]);
    if viewer.coding() == Coding::Gzip {
        head.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let body = if let Some(handoff) = handoff {
        head.insert(header::CONNECTION, HeaderValue::from_static("close"));
        Body::new(body::FirstChunk::new(viewer, handoff))
    } else {
        Body::from_stream(body::whole_stream(viewer, stalled, stall_timeout / 2))
    };
    (head, body).into_response()
}
