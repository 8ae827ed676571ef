//! Answers that are complete at once: pages, images, assets, a snapshot, health and metrics.

mod assets;
pub(super) mod compression;
pub(super) mod cross_origin;
pub(super) mod headers;
pub(super) mod health;
pub(super) mod pages;
mod problem;
mod query;
pub(super) mod snapshot;

pub(super) use assets::ASSETS;
pub(super) use compression::Encoding;
pub use problem::Problem;
pub(super) use query::WindowQuery;
