//! The latest values of the groups that have no series.

use super::{Annotation, Processes, Verdict};
use serde::Serialize;

/// The values that no series has.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LatestValues {
    /// The top processes, sampled while a client watches them.
    pub processes: Processes,
    /// The health verdict.
    pub verdict: Verdict,
    /// The newest annotations of the last hour, oldest first.
    pub annotations: Vec<Annotation>,
}
