//! What the log keeps: a ring of encoded ticks for replay, and a window of values.

use super::encoded_tick::EncodedTick;
use crate::schema::{EventId, Processes, RETENTION_S, Sample, Tick, Verdict, Window};
use std::{collections::VecDeque, sync::Arc};

/// The newest processes describe the present for this long.
const PROCESSES_MAX_AGE_MS: u64 = 10_000;

#[derive(Debug)]
pub(super) struct History {
    pub ring: VecDeque<Arc<EncodedTick>>,
    /// Ticks that the ring keeps at most.
    pub capacity: usize,
    /// Ticks that have left the ring.
    pub dropped: u64,
    /// Shared with readers, so that none holds the lock while it copies values. A write copies what is still being read.
    pub window: Arc<Window>,
    /// The newest sample: processes make no series.
    processes: Option<Sample<Processes>>,
    pub verdict: Verdict,
}

impl History {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            ring: VecDeque::new(),
            capacity: capacity.max(1),
            dropped: 0,
            window: Arc::new(Window::new(RETENTION_S)),
            processes: None,
            verdict: Verdict::before_samples(),
        }
    }

    /// Adds the tick's values, except its verdict, which follows from them.
    pub(super) fn record(&mut self, tick: &Tick) {
        tick.record_into(Arc::make_mut(&mut self.window));
        if tick.processes.is_some() {
            self.processes.clone_from(&tick.processes);
        }
    }

    /// Adds the encoded tick, and its verdict; returns the tick before it.
    pub(super) fn push(&mut self, tick: &Tick, encoded: Arc<EncodedTick>) -> Option<Arc<EncodedTick>> {
        if self.ring.len() == self.capacity {
            self.ring.pop_front();
            self.dropped += 1;
        }
        let previous = self.ring.back().cloned();
        self.ring.push_back(encoded);
        if let Some(verdict) = &tick.verdict {
            self.verdict.clone_from(&verdict.values);
        }
        previous
    }

    /// Ticks published since the start.
    pub(super) fn published(&self) -> u64 {
        self.dropped + self.ring.len() as u64
    }

    /// Id of the newest event.
    pub(super) fn last_id(&self) -> Option<EventId> {
        self.ring.back().map(|tick| tick.last_id())
    }

    /// The newest processes, unless they are too old to describe the present.
    pub(super) fn processes(&self) -> Option<Processes> {
        let now = self.window.end()?;
        let newest = self.processes.as_ref().filter(|sample| now.abs_diff(sample.t) < PROCESSES_MAX_AGE_MS);
        newest.map(|sample| sample.values.clone())
    }
}
