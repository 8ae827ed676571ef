//! The thread that makes requests of ticks. The log only hands it the values of a tick, which it shares.

use super::{
    Origin,
    format::Format,
    queue::{Queue, Request},
    vanished::VanishedSeries,
};
use crate::{
    schema::{RawCounters, Window},
    server::{
        export::{HostMetrics, ReceiverStatistics},
        log::TickLog,
    },
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError},
    },
    time::{Duration, Instant},
};

/// Ticks that wait until requests are made of them. It takes a millisecond each.
pub(super) const MAX_TICKS: usize = 30;

/// What the thread gets.
#[derive(Debug)]
pub(super) enum Order {
    /// Make a request.
    Push(TickValues),
    /// Stop; what waits is sent until then.
    Stop(Instant),
}

/// The values of a tick.
#[derive(Debug)]
pub(super) struct TickValues {
    /// Unix milliseconds.
    t: u64,
    counters: Arc<RawCounters>,
    /// Ends with the tick.
    window: Arc<Window>,
}

/// Makes requests for one receiver.
#[derive(Debug)]
pub(super) struct RequestMaker {
    pub(super) format: Format,
    pub(super) origin: Origin,
    pub(super) metrics: HostMetrics,
    pub(super) queue: Arc<Queue>,
    pub(super) statistics: ReceiverStatistics,
}

/// Orders a request of the first tick in each `step`. Called by the thread that publishes ticks, it waits for nothing.
pub(super) fn follow(log: &Arc<TickLog>, step: Duration, orders: SyncSender<Order>) {
    let (weak, step_ms, last) = (Arc::downgrade(log), step.as_millis() as u64, AtomicU64::new(u64::MAX));
    log.on_head_change(move || {
        let Some((log, t)) = weak.upgrade().and_then(|log| log.head().last_tick.map(|t| (log, t))) else { return };
        let step = t / step_ms;
        if last.swap(step, Ordering::Relaxed) == step {
            return;
        }
        let values = TickValues { t, counters: log.counters(), window: log.window() };
        if let Err(TrySendError::Full(_)) = orders.try_send(Order::Push(values)) {
            tracing::warn!("a tick is not pushed, because the host is too busy");
        }
    });
}

impl RequestMaker {
    /// Makes a request of each tick, until it is stopped.
    pub(super) fn run(self, orders: &Receiver<Order>) {
        let (mut vanished, mut is_full) = (VanishedSeries::default(), false);
        while let Ok(order) = orders.recv() {
            let values = match order {
                Order::Push(values) => values,
                Order::Stop(deadline) => return self.queue.close(deadline),
            };
            let dropped = self.make(&values, &mut vanished).map_or(0, |request| self.queue.push(request));
            self.statistics.behind.set(self.queue.behind().as_secs_f64());
            self.statistics.dropped.inc_by(dropped);
            if dropped > 0 && !is_full {
                tracing::warn!(receiver = self.format.name(), "too many metrics wait; the oldest are dropped");
            }
            is_full = dropped > 0;
        }
    }

    fn make(&self, TickValues { t, counters, window }: &TickValues, vanished: &mut VanishedSeries) -> Option<Request> {
        let mut metrics = self.metrics.of_tick(counters, window);
        vanished.mark(&mut metrics);
        let samples = metrics.iter().map(|metric| metric.values.len() as u64).sum();
        match self.format.encode(&self.origin, *t, metrics) {
            Ok(body) => Some(Request { t: *t, samples, body }),
            Err(error) => {
                tracing::error!(%error, "cannot make a request of a tick");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Tick;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn first_tick_of_each_step_is_pushed_with_its_window() {
        let log = Arc::<TickLog>::default();
        let (orders, ordered) = sync_channel(MAX_TICKS);
        follow(&log, Duration::from_secs(3), orders);
        [1, 2, 3, 4, 6, 11].iter().for_each(|second| log.publish(&Tick::at(second * 1000)));
        log.close();
        let times = ordered.try_iter().map(|order| match order {
            Order::Push(TickValues { t, window, .. }) => (t, window.end()),
            Order::Stop(_) => (0, None),
        });
        assert_eq!(times.collect::<Vec<_>>(), [1000, 3000, 6000, 11_000].map(|t| (t, Some(t))));
    }

    #[test]
    fn publishing_does_not_wait_for_requests() {
        let log = Arc::<TickLog>::default();
        let (orders, ordered) = sync_channel(1);
        follow(&log, Duration::from_secs(1), orders);
        (1..=5).for_each(|second| log.publish(&Tick::at(second * 1000)));
        assert_eq!(ordered.try_iter().count(), 1);
    }
}
