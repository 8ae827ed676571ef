//! What makes no series.

use super::{Processes, Verdict};
use serde::Serialize;

/// What is known of the present alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LatestValues {
    /// Who takes the processor and the memory, while somebody asks.
    pub processes: Processes,
    /// Whether the host is all right.
    pub verdict: Verdict,
}
