//! Prometheus collector for the host, under the metric names of node_exporter, so that its dashboards and alerts apply.

mod family_writer;
mod kernel_counters;
mod latest_values;
mod network_counters;
#[cfg(test)]
mod tests;

use crate::server::{
    log::TickLog,
    sampler::{HostSource, Procfs, mount_sources},
};
use family_writer::FamilyWriter;
#[cfg(test)]
pub(crate) use latest_values::series_paths;
use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// Collects the kernel's counters at each scrape, and gauges from the log's newest tick.
#[derive(Debug)]
pub(super) struct HostExposition<S = Procfs> {
    log: Arc<TickLog>,
    source: Mutex<S>,
    ticks_per_second: f64,
}

impl HostExposition {
    /// Collects from the running kernel and from `log`.
    pub(super) fn new(log: Arc<TickLog>) -> Self {
        let ticks_per_second = rustix::param::clock_ticks_per_second() as f64;
        Self { log, source: Mutex::default(), ticks_per_second }
    }
}

impl<S: HostSource + fmt::Debug + Send + 'static> Collector for HostExposition<S> {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut writer = FamilyWriter::new(encoder);
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        kernel_counters::write_all(&mut writer, &mut *source, self.ticks_per_second)?;
        // The last values of a stuck sampler are stale.
        if self.log.head().is_stuck() {
            return Ok(());
        }
        let mounts = mount_sources(&kernel_counters::read(&mut *source, "/proc/self/mountinfo"));
        latest_values::write_all(&mut writer, &self.log.window(), &mounts)
    }
}
