//! Publishes ticks. Readers share the newest window, and the next tick is recorded and assessed in a copy, so neither waits
//! for the other.

use super::{TickLog, encoded_tick::EncodedTick};
use crate::schema::{EventNames, IdSequence, Level, Processes, Sample, Tick, Verdict, Window};
use std::{sync::Arc, time::Instant};

/// Series beyond the limit are logged again after this long without any.
const LIMIT_LOG_INTERVAL_MS: u64 = 600_000;

/// What only the publishing thread uses.
#[derive(Debug)]
pub(super) struct Publisher {
    pub ids: IdSequence,
    pub names: EventNames,
    /// The newest tick (unix ms) with a series beyond the limit.
    over_limit_at: Option<u64>,
}

impl Publisher {
    pub(super) fn new(ids: IdSequence) -> Self {
        Self { ids, names: EventNames::default(), over_limit_at: None }
    }

    /// The `newest` window with the tick's values.
    fn record(&mut self, newest: &Window, tick: &Tick) -> Window {
        let mut window = newest.clone();
        let dropped = window.dropped();
        tick.record_into(&mut window);
        if window.dropped() > dropped {
            let before = self.over_limit_at.replace(tick.t);
            if before.is_none_or(|before| tick.t.abs_diff(before) > LIMIT_LOG_INTERVAL_MS) {
                let series = window.series_len();
                tracing::warn!(series, "no room for more series; new ones are not recorded (--max-series)");
            }
        }
        window
    }
}

impl TickLog {
    /// Appends a tick. It is encoded here, once for all viewers.
    pub fn publish(&self, tick: &Tick) {
        self.publish_assessed(tick.clone(), |_, _| tick.get().cloned());
    }

    /// Appends a tick with the verdict of `assess`, which gets the window and the processes with the tick's values.
    pub fn publish_assessed(
        &self,
        mut tick: Tick,
        assess: impl FnOnce(&Window, Option<&Processes>) -> Option<Sample<Verdict>>,
    ) {
        let mut publisher = self.publisher();
        let mut values = self.values();
        values.window = Arc::new(publisher.record(&values.window, &tick));
        values.counters = Arc::clone(&tick.counters);
        if let Some(processes) = tick.get::<Processes>() {
            values.processes = Some(Arc::new(processes.clone()));
        }
        values.annotate(tick.t, tick.get().map(|sample| &sample.values));
        if let Some(verdict) = assess(&values.window, values.processes()) {
            self.subscribers.set_unhealthy(verdict.values.level >= Level::Watch);
            values.verdict = Arc::new(verdict.values.clone());
            tick = tick.with(verdict);
        }
        let Publisher { ids, names, .. } = &mut *publisher;
        let encoded = match EncodedTick::encode(&tick, ids, names) {
            Ok(encoded) => Arc::new(encoded),
            Err(error) => return tracing::error!(t = tick.t, %error, "tick dropped"),
        };
        let packed = self.history().aging_tick().and_then(|tick| tick.packed()).map(Arc::new);
        // One lock for both, so that a viewer finds the tick in the window and the ring, or in neither.
        let (replaced, published) = {
            let mut history = self.history_mut();
            (history.push(Arc::clone(&encoded), values, packed), history.published())
        };
        self.chunks.on_tick(published);
        if let Some(previous) = &replaced.previous {
            encoded.take_over_chunks_of(previous);
        }
        self.update_head(|head| {
            head.published = published;
            head.last_tick = Some(tick.t);
            head.at = Some(Instant::now());
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        schema::{Cgroup, EventFilter, RETENTION_S, Service, WindowSnapshot},
        server::log::{
            Coding, Progress,
            tests::{restored, tick},
        },
    };
    use proptest::prelude::*;
    use std::panic::{self, AssertUnwindSafe};

    /// Second `second` of a host with a new container each second.
    fn churn(second: u64) -> Tick {
        let services =
            [(format!("docker {second}"), Service { memory_bytes: Some(second), ..Service::default() })].into();
        let cgroup = Sample { t: second * 1000, at: 0.0, dt: 1.0, values: Cgroup { services, ..Cgroup::default() } };
        tick(second * 1000).with(cgroup)
    }

    fn values(window: &Window) -> WindowSnapshot {
        window.snapshot(None, usize::MAX, &EventFilter::All)
    }

    #[test]
    fn log_of_short_lived_containers_stays_small_also_restored() {
        let log = TickLog::default();
        (0..1000).for_each(|second| log.publish(&churn(second)));
        let restored = restored(&log);
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
        let window = log.window();
        assert_eq!((window.series_len(), window.last("memory.used_bytes")), (20, Some(99_000.0)));
        assert!(window.dropped() > 10 && log.publisher().over_limit_at.is_some());
    }

    #[test]
    fn readers_during_assessment_do_not_wait_and_see_the_previous_tick() {
        let log = TickLog::default();
        log.publish(&tick(1000));
        let (_, mut cursor) = log.open_cursor(EventFilter::All, None, 0);
        log.publish_assessed(tick(2000), |window, _| {
            assert!(log.history.try_read().is_ok(), "readers would wait");
            assert_eq!((window.end(), log.window().end()), (Some(2000), Some(1000)));
            assert!(matches!(log.advance(&mut cursor, Coding::Identity), Progress::UpToDate));
            None
        });
        assert_eq!(log.window().end(), Some(2000));
        assert!(matches!(log.advance(&mut cursor, Coding::Identity), Progress::Events(_)));
    }

    #[test]
    fn tick_whose_assessment_panics_leaves_no_trace() {
        let log = TickLog::default();
        log.publish(&tick(1000));
        let panicked =
            panic::catch_unwind(AssertUnwindSafe(|| log.publish_assessed(tick(2000), |_, _| panic!("injected"))));
        assert!(panicked.is_err());
        assert_eq!((log.window().end(), log.head().published), (Some(1000), 1));
        log.publish(&tick(3000));
        assert_eq!((log.window().value("memory.used_bytes", 1), log.head().published), (None, 2));
    }

    proptest! {
        /// Also when the clock steps back, and while readers keep an earlier window.
        #[test]
        fn window_has_every_tick_once(ticks in prop::collection::vec((1u64..40, any::<bool>()), 1..40)) {
            let (log, mut expected, mut held) = (TickLog::default(), Window::new(RETENTION_S), Vec::new());
            for (second, holds) in ticks {
                log.publish(&tick(second * 1000));
                tick(second * 1000).record_into(&mut expected);
                prop_assert_eq!(values(&log.window()), values(&expected));
                if holds {
                    held.push((log.window(), expected.clone()));
                }
            }
            prop_assert!(held.iter().all(|(window, expected)| values(window) == values(expected)));
        }
    }
}
