//! Metrics: the server's own statistics, and the host under node_exporter's names, as text for Prometheus and as values.

#[cfg(target_os = "linux")]
mod host_exposition;
#[cfg(target_os = "linux")]
mod host_metric;
mod process_metrics;
#[cfg(target_os = "linux")]
mod push_statistics;
mod statistics;
mod text_format;

#[cfg(target_os = "linux")]
pub(super) use host_exposition::HostMetrics;
#[cfg(all(test, target_os = "linux"))]
pub(crate) use host_exposition::series_paths;
#[cfg(target_os = "linux")]
pub(super) use host_metric::{HostMetric, Labels};
#[cfg(target_os = "linux")]
pub(super) use push_statistics::{PushStatistics, ReceiverStatistics};
pub(super) use statistics::{CloseReason, Statistics};
pub(super) use text_format::TextFormat;
