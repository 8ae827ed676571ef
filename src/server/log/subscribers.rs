//! Who reads the log: open streams, recent page loads and the history. Processes are expensive, and sampled only as often as
//! someone reads them.

use crate::schema::EventFilter;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A page load counts as a reader for this long: without a stream, a page reloads every few seconds.
const PAGE_LOAD: Duration = Duration::from_secs(10);

/// Milliseconds between two samples of processes for viewers, for the history of a healthy host, and for that of another.
const VIEWED_MS: u64 = 2_000;
const RECORDED_MS: u64 = 10_000;
const UNHEALTHY_MS: u64 = 1_000;

/// Counts of readers.
#[derive(Debug, Default)]
pub struct Subscribers {
    viewers: AtomicU64,
    processes_viewers: AtomicU64,
    last_page_load: Mutex<Option<Instant>>,
    is_recorded: AtomicBool,
    is_unhealthy: AtomicBool,
}

impl Subscribers {
    /// Counts a viewer of these events until the guard is dropped.
    pub fn subscribe(self: Arc<Self>, events: &EventFilter) -> SubscriberGuard {
        self.viewers.fetch_add(1, Ordering::Relaxed);
        let reads_processes = events.contains("processes");
        self.processes_viewers.fetch_add(reads_processes.into(), Ordering::Relaxed);
        SubscriberGuard { subscribers: self, reads_processes }
    }

    /// Records a page load, which shows every group.
    pub fn page_requested(&self, now: Instant) {
        *self.last_page_load.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Open streams.
    pub fn viewers(&self) -> u64 {
        self.viewers.load(Ordering::Relaxed)
    }

    /// From now on, a history records the log.
    pub fn record(&self) {
        self.is_recorded.store(true, Ordering::Relaxed);
    }

    /// Whether the newest verdict is other than healthy.
    pub fn set_unhealthy(&self, is_unhealthy: bool) {
        self.is_unhealthy.store(is_unhealthy, Ordering::Relaxed);
    }

    /// Milliseconds between two samples of processes; `None` while nobody reads them.
    pub fn processes_interval_ms(&self) -> Option<u64> {
        let page_load = *self.last_page_load.lock().unwrap_or_else(PoisonError::into_inner);
        let is_viewed =
            self.processes_viewers.load(Ordering::Relaxed) > 0 || page_load.is_some_and(|at| at.elapsed() < PAGE_LOAD);
        match (self.is_recorded.load(Ordering::Relaxed), self.is_unhealthy.load(Ordering::Relaxed)) {
            (true, true) => Some(UNHEALTHY_MS),
            _ if is_viewed => Some(VIEWED_MS),
            (true, false) => Some(RECORDED_MS),
            (false, _) => None,
        }
    }
}

/// Counts a viewer until it is dropped, however its connection ends.
#[derive(Debug)]
pub struct SubscriberGuard {
    subscribers: Arc<Subscribers>,
    reads_processes: bool,
}

impl Drop for SubscriberGuard {
    fn drop(&mut self) {
        self.subscribers.viewers.fetch_sub(1, Ordering::Relaxed);
        self.subscribers.processes_viewers.fetch_sub(self.reads_processes.into(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewer_counts_until_guard_drops() {
        let subscribers = Arc::new(Subscribers::default());
        let one = Arc::clone(&subscribers).subscribe(&EventFilter::from_iter(["cpu"]));
        let two = Arc::clone(&subscribers).subscribe(&EventFilter::All);
        assert_eq!((subscribers.viewers(), subscribers.processes_interval_ms()), (2, Some(VIEWED_MS)));
        drop(two);
        assert_eq!((subscribers.viewers(), subscribers.processes_interval_ms()), (1, None));
        drop(one);
        assert_eq!(subscribers.viewers(), 0);
    }

    #[test]
    fn page_load_counts_for_ten_seconds() {
        let subscribers = Subscribers::default();
        subscribers.page_requested(Instant::now());
        assert_eq!(subscribers.processes_interval_ms(), Some(VIEWED_MS));
        subscribers.page_requested(Instant::now().checked_sub(PAGE_LOAD).unwrap());
        assert_eq!(subscribers.processes_interval_ms(), None);
    }

    #[test]
    fn history_reads_processes_seldom_and_each_second_of_trouble() {
        let subscribers = Arc::new(Subscribers::default());
        subscribers.set_unhealthy(true);
        assert_eq!(subscribers.processes_interval_ms(), None, "nobody records");
        subscribers.record();
        assert_eq!(subscribers.processes_interval_ms(), Some(UNHEALTHY_MS));
        subscribers.set_unhealthy(false);
        assert_eq!(subscribers.processes_interval_ms(), Some(RECORDED_MS));
        let _viewer = Arc::clone(&subscribers).subscribe(&EventFilter::All);
        assert_eq!(subscribers.processes_interval_ms(), Some(VIEWED_MS));
    }
}
