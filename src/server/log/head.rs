//! The log's head: how many ticks were published, and the time of the newest.

use std::time::{Duration, Instant};

/// A sampler that has published no tick for this long is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(5);

/// The log's head, which everyone who waits for ticks watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Ticks published since the start.
    pub published: u64,
    /// Unix milliseconds of the newest tick.
    pub last_tick: Option<u64>,
    /// When the newest tick was published.
    pub at: Option<Instant>,
    /// Whether the server is about to stop.
    pub closing: bool,
}

impl Head {
    /// Whether ticks were published, and the newest is too old to describe the present.
    pub fn is_stuck(&self) -> bool {
        self.at.is_some_and(|at| at.elapsed() > STUCK_AFTER)
    }
}
