//! Doors for the fuzz targets in `tests/fuzz/` to what nobody else has any business with.

use super::{Next, StreamRequest, open};
use crate::server::{AppState, Settings, access, log::TickLog};
use axum::http::HeaderMap;
use ipnet::IpNet;
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Instant,
};

/// Answers requests for the stream.
#[derive(Debug)]
pub struct Streams(AppState);

impl Streams {
    /// Answers from `log`.
    pub fn of(log: TickLog) -> Self {
        Self(AppState::new(Arc::new(log), Settings::default()))
    }

    /// What a request is sent before it has to wait, unless it is refused.
    pub fn begin(&self, query: &str, headers: &HeaderMap) -> Option<Vec<u8>> {
        let request = StreamRequest::read(query, headers).ok()?;
        let mut viewer = open(&self.0, request, Ipv4Addr::LOCALHOST.into()).ok()?;
        let mut sent = Vec::new();
        while let Next::Write(chunk) = viewer.next(Instant::now()) {
            sent.extend_from_slice(&chunk.data());
        }
        Some(sent)
    }
}

/// The address that a request comes from.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    access::client_address(peer, headers, trusted)
}
