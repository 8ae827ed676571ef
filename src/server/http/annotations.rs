//! `/api/annotations`: what happened, as people, programs and the host itself wrote it.

use super::{
    Problem,
    access_check::ClientAddress,
    json_document::json,
    publish::{admit, read},
};
use crate::{
    schema::Annotation,
    server::{
        access::Principal,
        annotations::{AnnotationQuery, Owner, parse_draft},
        app_state::AppState,
        store::KeptAnnotation,
        unix_time::unix_ms,
    },
};
use axum::{
    Extension,
    body::Body,
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

const PATH: &str = "/api/annotations";
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1_000;

/// `GET /api/annotations`: the newest that match the query, newest first.
pub(in crate::server) async fn list(State(state): State<AppState>, RawQuery(query): RawQuery) -> Response {
    match parse_query(&query.unwrap_or_default()) {
        Ok(query) => json(StatusCode::OK, &json!({"annotations": state.annotations.find(&query)}), PATH),
        Err(problem) => problem.respond_at(PATH),
    }
}

/// `POST /api/annotations`: a new annotation, at the present time unless the body has another.
pub(in crate::server) async fn write(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    body: Body,
) -> Response {
    let written = async {
        admit(&state, &principal, address)?;
        let now = unix_ms();
        let id = format!("{:016x}", fastrand::u64(..));
        let new = Annotation { id, t: now, author: Owner::author(&principal), ..Annotation::default() };
        let annotation = parse_draft(&read(body).await?)?.applied_to(new, now)?;
        keep(&state, KeptAnnotation { annotation, owner: Owner::of(&principal).to_text() }, StatusCode::CREATED).await
    };
    written.await.unwrap_or_else(|problem| problem.respond_at(PATH))
}

/// `PATCH /api/annotations/{id}`: changes the fields that the body has.
pub(in crate::server) async fn change(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    Path(id): Path<String>,
    body: Body,
) -> Response {
    let changed = async {
        admit(&state, &principal, address)?;
        let draft = parse_draft(&read(body).await?)?;
        let KeptAnnotation { annotation, owner } = changeable(&state, &principal, &id)?.ok_or_else(unknown)?;
        let annotation = draft.applied_to(annotation, unix_ms())?;
        keep(&state, KeptAnnotation { annotation, owner }, StatusCode::OK).await
    };
    changed.await.unwrap_or_else(|problem| problem.respond_at(PATH))
}

/// `DELETE /api/annotations/{id}`: removes it, if there is one.
pub(in crate::server) async fn remove(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    Path(id): Path<String>,
) -> Response {
    let removed = async {
        admit(&state, &principal, address)?;
        if changeable(&state, &principal, &id)?.is_some() {
            state.annotations.remove(&state.credentials, id).await.map_err(Problem::not_kept)?;
        }
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    removed.await.unwrap_or_else(|problem| Problem::respond_at(problem, PATH))
}

/// The annotation, if there is one.
fn changeable(state: &AppState, principal: &Principal, id: &str) -> Result<Option<KeptAnnotation>, Problem> {
    match state.annotations.changeable(id, principal) {
        None if state.annotations.contains(id) => {
            let detail = "Only its author and administrators may change an annotation.";
            Err(Problem::new(StatusCode::FORBIDDEN, "Not your annotation", detail))
        }
        kept => Ok(kept),
    }
}

async fn keep(state: &AppState, kept: KeptAnnotation, status: StatusCode) -> Result<Response, Problem> {
    let annotation = kept.annotation.clone();
    state.annotations.write(&state.credentials, kept).await.map_err(Problem::not_kept)?;
    Ok(json(status, &annotation, PATH))
}

fn parse_query(query: &str) -> Result<AnnotationQuery, Problem> {
    let mut parsed = AnnotationQuery { from: 0, to: u64::MAX, tag: None, limit: DEFAULT_LIMIT };
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*key {
            "from" => parsed.from = time(&key, &value)?,
            "to" => parsed.to = time(&key, &value)?,
            "tag" => parsed.tag = Some(value.into_owned()),
            "limit" => parsed.limit = limit(&value)?,
            _ => {}
        }
    }
    Ok(parsed)
}

fn time(key: &str, value: &str) -> Result<u64, Problem> {
    value.parse().map_err(|_| bad_query(format!("{key}: {value:?} is no time in Unix milliseconds.")))
}

fn limit(value: &str) -> Result<usize, Problem> {
    let limit = value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| bad_query(format!("limit: {value:?} is not a number from 1 to {MAX_LIMIT}.")))
}

fn bad_query(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "Unknown query value", detail)
}

fn unknown() -> Problem {
    let detail = "There is no such annotation; GET /api/annotations lists them.";
    Problem::new(StatusCode::NOT_FOUND, "Unknown annotation", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_has_defaults_and_names_what_is_wrong() {
        let query = parse_query("from=5&to=9&tag=shop&limit=3&other=1").unwrap();
        assert_eq!(query, AnnotationQuery { from: 5, to: 9, tag: Some("shop".to_owned()), limit: 3 });
        assert_eq!(parse_query("").unwrap().limit, DEFAULT_LIMIT);
        for (query, hint) in [("from=yesterday", "Unix milliseconds"), ("limit=0", "1 to 1000"), ("to=-1", "to:")] {
            assert!(parse_query(query).unwrap_err().detail.contains(hint), "{query}");
        }
    }
}
