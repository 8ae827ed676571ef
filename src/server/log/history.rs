//! What the log keeps: a ring of encoded ticks for replay, and a window of values.

use super::encoded_tick::EncodedTick;
use crate::schema::{EventId, Processes, RETENTION_S, Sample, Tick, Verdict, Window};
use std::{collections::VecDeque, sync::Arc};

/// The newest processes describe the present for this long.
const PROCESSES_MAX_AGE_MS: u64 = 10_000;
/// Series beyond the limit are logged again after this long without any.
const LIMIT_LOG_INTERVAL_MS: u64 = 600_000;

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
    /// The newest tick (unix ms) with a series beyond the limit.
    over_limit_at: Option<u64>,
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
            over_limit_at: None,
        }
    }

    /// Adds the tick's values, except its verdict, which follows from them.
    pub(super) fn record(&mut self, tick: &Tick) {
        let dropped = self.window.dropped();
        tick.record_into(Arc::make_mut(&mut self.window));
        if self.window.dropped() > dropped {
            let before = self.over_limit_at.replace(tick.t);
            if before.is_none_or(|before| tick.t.abs_diff(before) > LIMIT_LOG_INTERVAL_MS) {
                let series = self.window.series_len();
                tracing::warn!(series, "no room for more series; new ones are not recorded (--max-series)");
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        schema::{Cgroup, Service},
        server::log::{TickLog, tests::tick},
    };

    /// Second `second` of a host with a new container each second.
    fn churn(second: u64) -> Tick {
        let services = [(format!("docker {second}"), Service { memory: Some(second), ..Service::default() })].into();
        let cgroup =
            Some(Sample { t: second * 1000, at: 0.0, dt: 1.0, values: Cgroup { services, ..Cgroup::default() } });
        Tick { cgroup, ..tick(second * 1000) }
    }

    #[test]
    fn log_of_short_lived_containers_stays_small_also_restored() {
        let log = TickLog::default();
        (0..1000).for_each(|second| log.publish(&churn(second)));
        let restored = TickLog::restore(&log.save().unwrap(), None).unwrap();
        for log in [log, restored] {
            let before = log.window().series_len();
            (1200..1300).for_each(|second| log.publish(&churn(second)));
            let after = log.window().series_len();
            assert!((60..70).contains(&before) && (60..70).contains(&after), "{before}, {after}");
        }
    }

    #[test]
    fn limit_of_series_holds_and_is_logged_once() {
        let log = TickLog::default();
        log.limit_series(20);
        (0..100).for_each(|second| log.publish(&churn(second)));
        let history = log.history();
        assert_eq!((history.window.series_len(), history.window.last("memory.used")), (20, Some(99_000.0)));
        assert!(history.window.dropped() > 10 && history.over_limit_at.is_some());
    }
}
