//! `/api/channels`: the published channels and how the page shows them.

use super::{
    Problem,
    access_check::ClientAddress,
    json_document::json,
    publish::{admit, channel_name, read},
};
use crate::{
    schema::Channel,
    server::{
        access::Principal,
        app_state::AppState,
        publish::{ChannelName, parse_declaration},
    },
};
use axum::{
    Extension,
    body::Body,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};

const PATH: &str = "/api/channels";

/// `GET /api/channels`: all channels with the values and labels that they have now.
pub(in crate::server) async fn list(State(state): State<AppState>) -> Response {
    json(StatusCode::OK, &state.publications.list(), PATH)
}

/// `PUT /api/channels/{name}`: declares a channel, in place of an earlier declaration.
pub(in crate::server) async fn declare(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    Path(name): Path<String>,
    body: Body,
) -> Response {
    let declared = async {
        admit(&state, &principal, address)?;
        let name = channel_name(&name, "name")?;
        let (was_declared, channel) = declare_channel(&state, name, &read(body).await?).await?;
        Ok(json(if was_declared { StatusCode::OK } else { StatusCode::CREATED }, &channel, PATH))
    };
    declared.await.unwrap_or_else(|problem| Problem::respond_at(problem, PATH))
}

/// `DELETE /api/channels/{name}`: removes a channel's declaration and values, if there are any.
pub(in crate::server) async fn remove(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    Path(name): Path<String>,
) -> Response {
    let removed = async {
        admit(&state, &principal, address)?;
        let name = channel_name(&name, "name")?;
        remove_channel(&state, name).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    removed.await.unwrap_or_else(|problem| Problem::respond_at(problem, PATH))
}

/// Keeps and shows the declaration in `body`; also returns whether the channel was declared before.
pub(super) async fn declare_channel(
    state: &AppState,
    name: ChannelName,
    body: &[u8],
) -> Result<(bool, Channel), Problem> {
    let channel = parse_declaration(&name, body)?;
    state.publications.check_room(&name)?;
    let kept = channel.clone();
    state.credentials.keep(move |edit| edit.set_channel(&kept)).await.map_err(Problem::not_kept)?;
    Ok((state.publications.declare(name, channel.clone()), channel))
}

/// Removes a channel's declaration and values.
pub(super) async fn remove_channel(state: &AppState, name: ChannelName) -> Result<(), Problem> {
    let removed = name.clone();
    state.credentials.keep(move |edit| edit.remove_channel(removed.as_str())).await.map_err(Problem::not_kept)?;
    state.publications.remove(&name);
    Ok(())
}
