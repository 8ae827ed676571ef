//! Metrics for Prometheus: what the server counts about itself, and the host's counters.

mod statistics;

pub(super) use statistics::{CloseReason, Statistics};
