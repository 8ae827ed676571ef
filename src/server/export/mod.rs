//! Metrics for Prometheus: the server's own statistics, and the host under node_exporter's names.

#[cfg(target_os = "linux")]
mod host_exposition;
mod statistics;

pub(super) use statistics::{CloseReason, Statistics};
