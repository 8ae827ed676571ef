//! Which address answers what.

use super::{
    AppState, Problem,
    http::{ASSETS, compression, cross_origin, headers, health, pages, snapshot},
    stream,
};
use crate::app;
use axum::{
    Router,
    extract::{OriginalUri, Path, Request},
    http::{Method, StatusCode},
    middleware,
    response::{Html, Redirect, Response},
    routing::get,
};

/// Everything that the server answers.
pub fn router(state: AppState) -> Router {
    Router::new()
        .route("/", get(pages::dashboard))
        .route("/embed/{panel}", get(pages::embedded))
        .route("/chart/{name}", get(pages::picture))
        .route("/api/stream", get(stream::stream).options(cross_origin::preflight))
        .route("/api/snapshot", get(snapshot::snapshot).options(cross_origin::preflight))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/offline", get(offline))
        .route("/docs/operations.md", get(operations))
        .route("/assets/{name}", get(asset))
        // Asked for by browsers beside what is no page.
        .route("/favicon.ico", get(async || Redirect::permanent("/favicon.svg")))
        .route("/{name}", get(public_file))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .with_state(state)
        .layer(middleware::from_fn(compression::compress))
        .layer(middleware::from_fn(headers::limit_head))
        .layer(middleware::from_fn(headers::secure))
}

/// What a browser keeps to show when it can't reach this server.
async fn offline() -> Html<String> {
    let detail = "This page is what your browser has kept of Hostbeat. The dashboard is there again as soon as this device \
                  has a network and the server runs.";
    Html(app::message_page(&ASSETS.parts, 503, "Out of reach", detail))
}

/// What the page refers its operator to.
async fn operations() -> &'static str {
    include_str!("../../docs/operations.md")
}

async fn asset(Path(name): Path<String>, request: Request) -> Response {
    let asset = ASSETS.hashed(&name, request.headers());
    asset.unwrap_or_else(|| nothing_at(request.uri().path()))
}

async fn public_file(Path(name): Path<String>, request: Request) -> Response {
    let file = ASSETS.public(&name, request.headers());
    file.unwrap_or_else(|| nothing_at(request.uri().path()))
}

async fn not_found(OriginalUri(uri): OriginalUri) -> Response {
    nothing_at(uri.path())
}

fn nothing_at(path: &str) -> Response {
    let detail = "The dashboard is at /, the stream at /api/stream.";
    Problem::new(StatusCode::NOT_FOUND, "There is nothing here", detail).respond_at(path)
}

async fn method_not_allowed(method: Method, OriginalUri(uri): OriginalUri) -> Response {
    let detail = format!("Hostbeat only shows things: this address answers GET and HEAD, not {method}.");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", detail).respond_at(uri.path())
}
