//! Receives StatsD datagrams.

use super::parse_datagram;
use crate::server::publish::{Publications, PublishRefusal, RefusalReason};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::net::UdpSocket;

/// The largest datagram of UDP.
const MAX_DATAGRAM: usize = 65_536;
/// Dropped lines are logged at most this often.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Publishes what arrives, as long as the server runs.
pub(in crate::server) async fn listen(socket: UdpSocket, publications: Arc<Publications>) {
    let (mut buffer, mut dropped) = (vec![0; MAX_DATAGRAM], DroppedLines::default());
    loop {
        let length = match socket.recv_from(&mut buffer).await {
            Ok((length, _)) => length,
            // An ICMP error of an earlier sender; the socket stays usable.
            Err(error) => {
                tracing::debug!(%error, "cannot receive a StatsD datagram");
                tokio::task::yield_now().await;
                continue;
            }
        };
        let now = Instant::now();
        for parsed in parse_datagram(&buffer[..length]) {
            let published = parsed.and_then(|publication| {
                publications.publish(vec![publication], now).map_err(|PublishRefusal { reason, .. }| reason)
            });
            if let Err(reason) = published {
                dropped.count(&reason, now);
            }
        }
    }
}

/// Counts dropped lines, and logs the first and then one a minute: a faulty client must not fill the log.
#[derive(Debug, Default)]
struct DroppedLines {
    count: u64,
    logged: Option<Instant>,
}

impl DroppedLines {
    fn count(&mut self, reason: &RefusalReason, now: Instant) {
        self.count += 1;
        if self.logged.is_none_or(|logged| now >= logged + LOG_INTERVAL) {
            tracing::warn!(lines = self.count, %reason, "StatsD lines are dropped; this is the reason of the last");
            *self = Self { count: 0, logged: Some(now) };
        }
    }
}
