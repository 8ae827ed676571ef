//! Who reads the log: open streams and recent page loads. Processes are expensive, and sampled only while someone reads them.

use crate::schema::EventFilter;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A page load counts as a reader for this long: without a stream, a page reloads every few seconds.
const PAGE_LOAD: Duration = Duration::from_secs(10);

/// Counts of readers.
#[derive(Debug, Default)]
pub struct Subscribers {
    viewers: AtomicU64,
    processes_viewers: AtomicU64,
    last_page_load: Mutex<Option<Instant>>,
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

    /// Whether anyone reads processes.
    pub fn wants_processes(&self) -> bool {
        let page_load = *self.last_page_load.lock().unwrap_or_else(PoisonError::into_inner);
        self.processes_viewers.load(Ordering::Relaxed) > 0 || page_load.is_some_and(|at| at.elapsed() < PAGE_LOAD)
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
        assert_eq!((subscribers.viewers(), subscribers.wants_processes()), (2, true));
        drop(two);
        assert_eq!((subscribers.viewers(), subscribers.wants_processes()), (1, false));
        drop(one);
        assert_eq!(subscribers.viewers(), 0);
    }

    #[test]
    fn page_load_counts_for_ten_seconds() {
        let subscribers = Subscribers::default();
        subscribers.page_requested(Instant::now());
        assert!(subscribers.wants_processes());
        subscribers.page_requested(Instant::now().checked_sub(PAGE_LOAD).unwrap());
        assert!(!subscribers.wants_processes());
    }
}
