//! `POST /api/publish`: values of other programs, which the next tick carries.

use super::Problem;
use crate::server::{
    access::{Client, Principal},
    app_state::AppState,
    http::access_check::ClientAddress,
    publish::{ChannelName, Publication, RefusalReason, parse_json, parse_json_lines, parse_prometheus},
    unix_time::unix_ms,
};
use axum::{
    Extension,
    body::{Body, Bytes, to_bytes},
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::{
    net::IpAddr,
    time::{Duration, Instant},
};
use tokio::time::timeout;

const PATH: &str = "/api/publish";
/// Bytes of a request's body.
const MAX_BODY: usize = 64 * 1024;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The query of a body in Prometheus' text format, which names no channel.
#[derive(Debug, Deserialize)]
pub(in crate::server) struct PublishQuery {
    channel: Option<String>,
}

/// What a body is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    JsonLines,
    Prometheus,
}

/// Takes all values of the request, or none.
pub(in crate::server) async fn publish(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    Query(query): Query<PublishQuery>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let published = async {
        admit(&state, &principal, address)?;
        let format = Format::of(&headers)?;
        let publications = parse(format, query.channel.as_deref(), &read(body).await?)?;
        Ok(state.publications.publish(publications, Instant::now())?)
    };
    match published.await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(problem) => Problem::respond_at(problem, PATH),
    }
}

fn parse(format: Format, channel: Option<&str>, body: &[u8]) -> Result<Vec<Publication>, Problem> {
    let now = unix_ms();
    let publications = match format {
        Format::Json => parse_json(body, now).map(|publication| vec![publication]),
        Format::JsonLines => parse_json_lines(body, now),
        Format::Prometheus => parse_prometheus(&channel_name(channel.unwrap_or_default(), "channel")?, body, now),
    };
    Ok(publications?)
}

/// A channel's name in an address.
pub(super) fn channel_name(text: &str, field: &str) -> Result<ChannelName, Problem> {
    let refused = |error| Problem {
        field: Some(field.to_owned()),
        ..Problem::new(StatusCode::BAD_REQUEST, "No channel", RefusalReason::Name(error).to_string())
    };
    text.parse().map_err(refused)
}

/// Refuses a client that sends too many requests.
pub(super) fn admit(state: &AppState, principal: &Principal, address: IpAddr) -> Result<(), Problem> {
    state.publish_limiter.check(&Client::of(Some(principal), address)).map_err(|wait| {
        let detail =
            "A token, a user or an address may publish ten times a second. Send several values in one request.";
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests of one client", detail);
        Problem { retry_after: Some(wait.as_secs() as u32 + 1), ..problem }
    })
}

/// The whole body, unless it is too long or too slow.
pub(super) async fn read(body: Body) -> Result<Bytes, Problem> {
    match timeout(BODY_TIMEOUT, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(body)) => Ok(body),
        // A client that broke off gets this, too, and doesn't read it.
        Ok(Err(_)) => {
            let detail = format!("A request has at most {MAX_BODY} bytes; send several.");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "Body too large", detail))
        }
        Err(_) => {
            let detail = format!("The body was not complete within {} seconds.", BODY_TIMEOUT.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "Body too slow", detail))
        }
    }
}

impl Format {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_plain = matches!(text(header::CONTENT_ENCODING), "" | "identity");
        let media_type = text(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match &*media_type {
            "application/json" if is_plain => Ok(Self::Json),
            "application/x-ndjson" | "application/ndjson" if is_plain => Ok(Self::JsonLines),
            "text/plain" if is_plain => Ok(Self::Prometheus),
            _ => {
                let detail = "The content type is application/json, application/x-ndjson, or text/plain for Prometheus' \
                              text format, without a content coding. curl sends JSON with --json.";
                Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unknown content type", detail))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_follows_from_the_content_type() {
        let format = |content_type: &'static str, coding: &'static str| {
            let headers = [(header::CONTENT_TYPE, content_type), (header::CONTENT_ENCODING, coding)];
            let headers = headers.into_iter().filter(|(_, value)| !value.is_empty());
            Format::of(&headers.map(|(name, value)| (name, value.parse().unwrap())).collect())
        };
        assert_eq!(format("application/json; charset=utf-8", "identity"), Ok(Format::Json));
        assert_eq!(format("Application/X-NDJSON", ""), Ok(Format::JsonLines));
        assert_eq!(format("text/plain; version=0.0.4", ""), Ok(Format::Prometheus));
        for (content_type, coding) in [("", ""), ("application/x-www-form-urlencoded", ""), ("text/plain", "gzip")] {
            assert_eq!(format(content_type, coding).unwrap_err().status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
    }
}
