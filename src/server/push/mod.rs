//! Pushes the host's metrics to other systems: by Prometheus remote write, and to OpenTelemetry collectors.
//!
//! For each receiver a thread makes a request of each tick, or of one in each step, and another sends them in order. Between
//! both is a queue in memory, so an outage of the receiver delays no tick, and loses none that the queue has room for.

mod backoff;
mod format;
mod options;
mod otlp;
mod pusher;
mod queue;
mod receiver;
mod remote_write;
mod request_maker;
mod sender;
mod vanished;

pub use options::{InvalidPush, PushOptions, ReceiverUrl};

use super::{
    export::{HostMetrics, PushStatistics},
    http_agent::agent,
    log::TickLog,
};
use crate::schema::HostFacts;
use options::Target;
use pusher::Pusher;
use receiver::{REQUEST_TIMEOUT, Receiver};
use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

/// Time for the last requests when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// The receivers of a server that starts.
#[derive(Debug)]
pub(super) struct OpenPush(Vec<Receiver>);

impl OpenPush {
    /// Reads the secrets and the system's certificates, which a confined server can't.
    ///
    /// # Errors
    /// When the options don't go together, or a secret can't be read.
    pub(super) fn open(options: &PushOptions) -> Result<Self, InvalidPush> {
        let targets = options.targets()?;
        if targets.is_empty() {
            return Ok(Self(Vec::new()));
        }
        for Target { format, url, .. } in targets.iter().filter(|target| target.exposes_secret()) {
            tracing::warn!(
                receiver = format.name(),
                "the way to {url} is not encrypted, and others can read the secret for it"
            );
        }
        let agent = agent(REQUEST_TIMEOUT);
        Ok(Self(targets.into_iter().map(|target| Receiver { target, agent: agent.clone() }).collect()))
    }

    /// Pushes what `log` gets from now on.
    ///
    /// # Errors
    /// When a thread can't be started.
    pub(super) fn start(
        self,
        log: &Arc<TickLog>,
        metrics: &HostMetrics,
        statistics: &PushStatistics,
        host: &HostFacts,
    ) -> io::Result<Pushers> {
        let origin = Origin {
            host_name: host.name.clone(),
            host_id: log.identity().host_id.clone(),
            boot_time_ms: host.boot_time * 1000,
        };
        let pushers = self.0.into_iter().map(|receiver| {
            let statistics = statistics.of(receiver.target.format.name());
            Pusher::start(log, receiver, origin.clone(), metrics.clone(), statistics)
        });
        pushers.collect::<io::Result<_>>().map(Pushers)
    }
}

/// Whose metrics these are.
#[derive(Clone, Debug)]
struct Origin {
    host_name: String,
    host_id: String,
    /// Unix milliseconds; the kernel counts from then on.
    boot_time_ms: u64,
}

/// All that push; they stop when dropped, after a last attempt to send what waits.
#[derive(Debug)]
pub(super) struct Pushers(Vec<Pusher>);

impl Drop for Pushers {
    fn drop(&mut self) {
        let deadline = Instant::now() + STOP_TIMEOUT;
        self.0.iter().for_each(|pusher| pusher.stop(deadline));
        self.0.iter().for_each(|pusher| pusher.wait(deadline));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::export::HostMetric;

    pub(super) fn origin() -> Origin {
        Origin { host_name: "web-1".to_owned(), host_id: "id".to_owned(), boot_time_ms: 5000 }
    }

    pub(super) fn metric(name: &str, is_counter: bool, values: Vec<(Vec<(&'static str, &str)>, f64)>) -> HostMetric {
        let values = values.into_iter().map(|(labels, value)| {
            let labels = labels.into_iter().map(|(name, value)| (name, value.to_owned()));
            (labels.collect(), value)
        });
        let values = values.collect();
        HostMetric { name: name.to_owned(), is_counter, values }
    }
}
