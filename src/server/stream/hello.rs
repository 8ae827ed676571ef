//! The event that a stream starts with.

use crate::{
    schema::{INTERVAL_MS, Identity, RETENTION_S, SCHEMA_VERSION},
    server::{app_state::AppState, http::ASSETS, log::Start, unix_time::unix_ms},
};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Hello<'a> {
    schema: u32,
    host: &'a str,
    #[serde(flatten)]
    identity: &'a Identity,
    /// The page's code that belongs to this server.
    version: &'a str,
    interval_ms: u64,
    retention_s: usize,
    now: u64,
    start: &'static str,
}

impl<'a> Hello<'a> {
    pub(super) fn new(state: &'a AppState, start: Start) -> Self {
        Self {
            schema: SCHEMA_VERSION,
            host: &state.host.name,
            identity: state.log.identity(),
            version: &ASSETS.version,
            interval_ms: INTERVAL_MS,
            retention_s: RETENTION_S,
            now: unix_ms(),
            start: start.as_str(),
        }
    }
}
