//! Entry points for the fuzz targets in `tests/fuzz/`.

use super::{NextStep, StreamRequest, open};
use crate::server::{
    access::{self, Principal},
    app_state::AppState,
    log::TickLog,
    settings::Settings,
};
use axum::http::HeaderMap;
use ipnet::IpNet;
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Instant,
};

/// Serves stream requests.
#[derive(Debug)]
pub struct Streams(AppState);

impl Streams {
    /// Serves `log`.
    pub fn of(log: TickLog) -> Self {
        Self(AppState::new(Arc::new(log), Settings::default()))
    }

    /// Everything that is sent at once for a request; `None` if it is refused.
    pub fn begin(&self, query: &str, headers: &HeaderMap) -> Option<Vec<u8>> {
        let request = StreamRequest::parse(query, headers, &self.0.channels).ok()?;
        let mut viewer = open(&self.0, request, Ipv4Addr::LOCALHOST.into(), &Principal::Local).ok()?;
        let mut sent = Vec::new();
        while let NextStep::Write(chunk) = viewer.next(Instant::now()) {
            sent.extend_from_slice(&chunk.data());
        }
        Some(sent)
    }
}

/// The client's address of a request.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    access::client_address(access::Peer::Address(peer), headers, trusted)
}
