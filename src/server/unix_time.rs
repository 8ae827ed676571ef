//! The wall clock in Unix milliseconds, as events carry it.

use std::time::UNIX_EPOCH;

/// Milliseconds since the Unix epoch; 0 on a clock that is set before it.
pub(super) fn unix_ms() -> u64 {
    UNIX_EPOCH.elapsed().map_or(0, |now| now.as_millis() as u64)
}
