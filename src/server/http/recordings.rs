//! `/api/recordings`: times that are kept, as incidents, people and programs began them.

use super::{
    Problem,
    access_check::ClientAddress,
    history::kept,
    json_document::json,
    publish::{admit, read},
};
use crate::server::{
    access::Principal,
    app_state::AppState,
    recordings::{RecordingError, parse_recording},
    unix_time::unix_ms,
};
use axum::{
    Extension,
    body::Body,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

const PATH: &str = "/api/recordings";

/// `GET /api/recordings`: all of them, newest first.
pub(in crate::server) async fn list(State(state): State<AppState>) -> Response {
    match kept(&state) {
        Ok(_) => json(StatusCode::OK, &json!({"recordings": state.recordings.all()}), PATH),
        Err(problem) => problem.respond_at(PATH),
    }
}

/// `GET /api/recordings/{id}`.
pub(in crate::server) async fn show(State(state): State<AppState>, Path(id): Path<String>) -> Response {
    let found = kept(&state).and_then(|_| state.recordings.find(&id).ok_or_else(unknown));
    match found {
        Ok(recording) => json(StatusCode::OK, &recording, PATH),
        Err(problem) => problem.respond_at(PATH),
    }
}

/// `POST /api/recordings`: a recording of the minutes before and after.
pub(in crate::server) async fn begin(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    body: Body,
) -> Response {
    let begun = async {
        kept(&state)?;
        admit(&state, &principal, address)?;
        let draft = parse_recording(&read(body).await?)?.titled()?;
        let begun = state.recordings.begin(&state.credentials, draft, &principal, unix_ms()).await;
        Ok(json(StatusCode::CREATED, &begun.map_err(not_recorded)?, PATH))
    };
    begun.await.unwrap_or_else(|problem| Problem::respond_at(problem, PATH))
}

/// `PATCH /api/recordings/{id}`: changes the title and the note that the body has.
pub(in crate::server) async fn change(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    Path(id): Path<String>,
    body: Body,
) -> Response {
    let changed = async {
        kept(&state)?;
        admit(&state, &principal, address)?;
        let draft = parse_recording(&read(body).await?)?;
        check_owner(&state, &principal, &id)?;
        let changed = state.recordings.change(&state.credentials, &id, draft).await.map_err(not_recorded)?;
        Ok(json(StatusCode::OK, &changed.ok_or_else(unknown)?, PATH))
    };
    changed.await.unwrap_or_else(|problem| Problem::respond_at(problem, PATH))
}

/// `DELETE /api/recordings/{id}`: removes it, if there is one.
pub(in crate::server) async fn remove(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    Path(id): Path<String>,
) -> Response {
    let removed = async {
        kept(&state)?;
        admit(&state, &principal, address)?;
        check_owner(&state, &principal, &id)?;
        state.recordings.remove(&state.credentials, &id).await.map_err(Problem::not_kept)?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    removed.await.unwrap_or_else(|problem| Problem::respond_at(problem, PATH))
}

/// Refuses to change the recording of another.
pub(super) fn check_owner(state: &AppState, principal: &Principal, id: &str) -> Result<(), Problem> {
    if state.recordings.is_changeable(id, principal) == Some(false) {
        let detail = "Only its author and administrators may change a recording.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "Not your recording", detail));
    }
    Ok(())
}

/// The recording can't be made or changed.
pub(super) fn not_recorded(error: RecordingError) -> Problem {
    match error {
        RecordingError::TooMany => Problem::new(StatusCode::CONFLICT, "Too many recordings", error.to_string()),
        RecordingError::Store(error) => Problem::not_kept(error),
    }
}

pub(super) fn unknown() -> Problem {
    let detail = "There is no such recording; GET /api/recordings lists them.";
    Problem::new(StatusCode::NOT_FOUND, "Unknown recording", detail)
}
