//! Prometheus collector for the host, under the metric names of node_exporter, so that its dashboards and alerts apply.

mod family_writer;
mod interfaces;
mod kernel_counters;
mod latest_values;
mod network_counters;
mod published_values;
#[cfg(test)]
mod tests;

use crate::server::log::TickLog;
use family_writer::FamilyWriter;
#[cfg(test)]
pub(crate) use latest_values::series_paths;
use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};
use std::{fmt, sync::Arc};

/// Collects the raw counters and the gauges of the log's newest tick.
#[derive(Debug)]
pub(super) struct HostExposition {
    log: Arc<TickLog>,
    ticks_per_second: f64,
    page_size: f64,
    /// Takes the place of `node_` in the names.
    prefix: String,
}

impl HostExposition {
    pub(super) fn new(log: Arc<TickLog>, prefix: String) -> Self {
        let ticks_per_second = rustix::param::clock_ticks_per_second() as f64;
        Self { log, ticks_per_second, page_size: rustix::param::page_size() as f64, prefix }
    }
}

impl Collector for HostExposition {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut writer = FamilyWriter::new(encoder, self.prefix.clone());
        kernel_counters::write_kernel(&mut writer)?;
        // The last values of a stuck sampler are stale.
        if self.log.head().is_stuck() {
            return Ok(());
        }
        let counters = self.log.counters();
        kernel_counters::write_all(&mut writer, &counters, self.ticks_per_second)?;
        network_counters::write_all(&mut writer, &counters, self.page_size)?;
        interfaces::write_all(&mut writer, &counters)?;
        let window = self.log.window();
        latest_values::write_all(&mut writer, &window, &counters.mounts)?;
        published_values::write_all(&mut writer, &window)
    }
}
