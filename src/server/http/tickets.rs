//! `POST /api/tickets`: a secret that opens one stream, for clients that can't send headers.

use super::Problem;
use crate::server::{
    access::{Principal, TICKET_LIFETIME},
    app_state::AppState,
    store::{Secret, SecretHash},
};
use axum::{
    Extension,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::time::Instant;

/// Issues a ticket that opens one stream as the sender of this request.
pub(in crate::server) async fn issue(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
) -> Response {
    let secret = match Secret::of_session() {
        Ok(secret) => secret,
        Err(error) => {
            tracing::error!(%error, "cannot make a ticket");
            return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "No ticket", error.to_string())
                .respond_at("/api/tickets");
        }
    };
    state.tickets.issue(SecretHash::of(secret.expose()), principal, Instant::now());
    let ticket = json!({"ticket": secret.expose(), "expires_in": TICKET_LIFETIME.as_secs()});
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], ticket.to_string())
        .into_response()
}
