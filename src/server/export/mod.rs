//! Metrics for Prometheus: the server's own statistics, and the host under node_exporter's names.

#[cfg(target_os = "linux")]
mod host_exposition;
mod process_metrics;
mod statistics;
mod text_format;

#[cfg(all(test, target_os = "linux"))]
pub(crate) use host_exposition::series_paths;
pub(super) use statistics::{CloseReason, Statistics};
pub(super) use text_format::TextFormat;
