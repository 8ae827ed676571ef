//! Metrics of the host, under the metric names of node_exporter, so that its dashboards and alerts apply.

mod family_writer;
mod interfaces;
mod kernel_counters;
mod latest_values;
mod network_counters;
mod published_values;
#[cfg(test)]
mod tests;

use super::HostMetric;
use crate::{
    schema::{RawCounters, Window},
    server::log::TickLog,
};
use family_writer::{FamilyWriter, Output};
#[cfg(test)]
pub(crate) use latest_values::series_paths;
use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};
use std::{fmt, sync::Arc};

/// Makes metrics of a tick.
#[derive(Clone, Debug)]
pub(in crate::server) struct HostMetrics {
    ticks_per_second: f64,
    page_size: f64,
    /// Takes the place of `node_` in the names.
    prefix: String,
}

impl HostMetrics {
    /// Metrics with `prefix` in place of `node_` in front of their names.
    pub(in crate::server) fn new(prefix: &str) -> Self {
        let ticks_per_second = rustix::param::clock_ticks_per_second() as f64;
        Self { ticks_per_second, page_size: rustix::param::page_size() as f64, prefix: prefix.to_owned() }
    }

    /// The metrics of a tick, with the window that ends with it.
    pub(in crate::server) fn of_tick(&self, counters: &RawCounters, window: &Window) -> Vec<HostMetric> {
        let mut metrics = Vec::new();
        let mut writer = FamilyWriter::new(Output::Metrics(&mut metrics), &self.prefix);
        // Only text can fail to be written.
        let _ =
            kernel_counters::write_kernel(&mut writer).and_then(|()| self.write_tick(&mut writer, counters, window));
        metrics
    }

    fn write_tick(&self, writer: &mut FamilyWriter<'_>, counters: &RawCounters, window: &Window) -> fmt::Result {
        kernel_counters::write_all(writer, counters, self.ticks_per_second)?;
        network_counters::write_all(writer, counters, self.page_size)?;
        interfaces::write_all(writer, counters)?;
        latest_values::write_all(writer, window, &counters.mounts)?;
        published_values::write_all(writer, window)
    }
}

/// Prometheus collector for the metrics of the log's newest tick.
#[derive(Debug)]
pub(super) struct HostExposition {
    log: Arc<TickLog>,
    metrics: HostMetrics,
}

impl HostExposition {
    pub(super) fn new(log: Arc<TickLog>, prefix: &str) -> Self {
        Self { log, metrics: HostMetrics::new(prefix) }
    }
}

impl Collector for HostExposition {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut writer = FamilyWriter::new(Output::Exposition(encoder), &self.metrics.prefix);
        kernel_counters::write_kernel(&mut writer)?;
        // The last values of a stuck sampler are stale.
        if self.log.head().is_stuck() {
            return Ok(());
        }
        self.metrics.write_tick(&mut writer, &self.log.counters(), &self.log.window())
    }
}
