//! Handlers that serve the embedded files, the offline page and the operations guide.

use super::{ASSETS, fallback::not_found_at};
use crate::app;
use axum::{
    extract::{Path, Request},
    response::{Html, Response},
};

/// A file under its fingerprinted name.
pub(in crate::server) async fn asset(Path(name): Path<String>, request: Request) -> Response {
    let asset = ASSETS.hashed(&name, request.headers());
    asset.unwrap_or_else(|| not_found_at(request.uri().path()))
}

/// A file of `public/`.
pub(in crate::server) async fn public(Path(name): Path<String>, request: Request) -> Response {
    let file = ASSETS.public(&name, request.headers());
    file.unwrap_or_else(|| not_found_at(request.uri().path()))
}

/// The page that the service worker shows while the server is unreachable.
pub(in crate::server) async fn offline() -> Html<String> {
    Html(app::offline_page(&ASSETS.parts))
}

/// The guide that the page links to.
pub(in crate::server) async fn operations() -> &'static str {
    include_str!("../../../docs/operations.md")
}
