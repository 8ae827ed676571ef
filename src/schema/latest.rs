//! The latest values of the groups that have no series.

use super::{Processes, Verdict};
use serde::Serialize;

/// The groups of which only the latest state is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LatestValues {
    /// The top processes, sampled while a client watches them.
    pub processes: Processes,
    /// The health verdict.
    pub verdict: Verdict,
}
