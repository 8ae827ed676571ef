//! Responses that are complete at once: pages, chart images, files, snapshots, health, metrics, and errors.

pub(super) mod access_check;
pub(super) mod annotations;
mod assets;
pub(super) mod asyncapi;
pub(super) mod base_path;
pub(super) mod channels;
pub(super) mod channels_page;
pub(super) mod chart_image;
mod compression;
pub(super) mod cross_origin;
pub(super) mod fallback;
pub(super) mod files;
mod form_page;
pub(super) mod headers;
pub(super) mod health;
pub(super) mod metrics;
pub(super) mod oidc_sign_in;
pub(super) mod openapi;
mod page_query;
pub(super) mod pages;
mod problem;
mod proxy_session;
pub(super) mod publish;
pub(super) mod schema;
mod script_hashes;
pub(super) mod settings;
mod shared_response;
pub(super) mod sign_in;
pub(super) mod snapshot;
pub(super) mod tickets;
mod window_query;

pub(super) use assets::ASSETS;
pub(super) use compression::Encoding;
pub use problem::Problem;
pub(super) use window_query::WindowQuery;
