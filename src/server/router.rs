//! The router: which path is answered by which handler.

use super::{
    app_state::AppState,
    http::{chart_image, compression, cross_origin, fallback, files, headers, health, metrics, pages, snapshot},
    stream,
};
use axum::{Router, middleware, response::Redirect, routing::get};

/// Every route.
pub fn router(state: AppState) -> Router {
    Router::new()
        .route("/", get(pages::dashboard))
        .route("/embed/{panel}", get(pages::embedded))
        .route("/chart/{name}", get(chart_image::chart_image))
        .route("/api/stream", get(stream::stream).options(cross_origin::preflight))
        .route("/api/snapshot", get(snapshot::snapshot).options(cross_origin::preflight))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .route("/offline", get(files::offline))
        .route("/docs/operations.md", get(files::operations))
        .route("/assets/{name}", get(files::asset))
        // Browsers request it for responses that aren't pages.
        .route("/favicon.ico", get(async || Redirect::permanent("/favicon.svg")))
        .route("/{name}", get(files::public))
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .fallback(fallback::not_found)
        .with_state(state)
        .layer(middleware::from_fn(compression::compress))
        .layer(middleware::from_fn(headers::limit_head))
        .layer(middleware::from_fn(headers::secure))
}
