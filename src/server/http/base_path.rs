//! The path below which the server answers, for a proxy that serves other things beside it.

use super::Problem;
use crate::server::app_state::AppState;
use axum::{
    extract::{Request, State},
    http::{StatusCode, Uri, uri::PathAndQuery},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

/// Removes the base path from a request's, so that routes and handlers don't know it. The page's addresses are relative.
pub(in crate::server) async fn strip_base_path(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let base = &state.settings.base_path;
    let target = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    match target.strip_prefix(base.as_str()) {
        Some(rest) if rest.starts_with('/') => match with_path(request.uri(), rest) {
            Some(uri) => {
                *request.uri_mut() = uri;
                next.run(request).await
            }
            None => outside(base),
        },
        // The page's relative addresses need the slash.
        Some(query) if query.is_empty() || query.starts_with('?') => {
            Redirect::permanent(&format!("{base}/{query}")).into_response()
        }
        _ => outside(base),
    }
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path.parse().ok()?);
    Uri::from_parts(parts).ok()
}

fn outside(base: &str) -> Response {
    let detail = format!("Hostbeat is at {base}/ here, as --base-path says.");
    Problem::new(StatusCode::NOT_FOUND, "Not found", detail).respond_with_page(&format!("{base}/"))
}
