//! Who is looking, and at what: what is dear to read is only read for somebody.

use crate::schema::{EventName, EventNames};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A page that can't follow a stream is drawn anew every few seconds; for so long, whoever asked for it is looking.
const PAGE: Duration = Duration::from_secs(10);

/// All who look.
#[derive(Debug, Default)]
pub struct Subscribers {
    viewers: AtomicU64,
    of_processes: AtomicU64,
    page: Mutex<Option<Instant>>,
}

impl Subscribers {
    /// Counts in a viewer of the events `wanted`, until its seat is dropped.
    pub fn enter(self: Arc<Self>, wanted: EventNames) -> SubscriberGuard {
        self.viewers.fetch_add(1, Ordering::Relaxed);
        let of_processes = wanted.contains(EventName::Processes);
        self.of_processes.fetch_add(of_processes.into(), Ordering::Relaxed);
        SubscriberGuard { subscribers: self, of_processes }
    }

    /// Somebody has asked for a page, with everything that there is.
    pub fn page_requested(&self, now: Instant) {
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Open streams.
    pub fn viewers(&self) -> u64 {
        self.viewers.load(Ordering::Relaxed)
    }

    /// Whether somebody looks at processes.
    pub fn wants_processes(&self) -> bool {
        let page = *self.page.lock().unwrap_or_else(PoisonError::into_inner);
        self.of_processes.load(Ordering::Relaxed) > 0 || page.is_some_and(|asked| asked.elapsed() < PAGE)
    }
}

/// Counts a viewer out when dropped, whatever way its connection ends.
#[derive(Debug)]
pub struct SubscriberGuard {
    subscribers: Arc<Subscribers>,
    of_processes: bool,
}

impl Drop for SubscriberGuard {
    fn drop(&mut self) {
        self.subscribers.viewers.fetch_sub(1, Ordering::Relaxed);
        self.subscribers.of_processes.fetch_sub(self.of_processes.into(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_counts_until_its_seat_is_left() {
        let subscribers = Arc::new(Subscribers::default());
        let one = Arc::clone(&subscribers).enter(EventNames::from_iter([EventName::Cpu]));
        let two = Arc::clone(&subscribers).enter(EventNames::ALL);
        assert_eq!((subscribers.viewers(), subscribers.wants_processes()), (2, true));
        drop(two);
        assert_eq!((subscribers.viewers(), subscribers.wants_processes()), (1, false));
        drop(one);
        assert_eq!(subscribers.viewers(), 0);
    }

    #[test]
    fn a_page_looks_for_a_while() {
        let subscribers = Subscribers::default();
        subscribers.page_requested(Instant::now());
        assert!(subscribers.wants_processes());
        subscribers.page_requested(Instant::now().checked_sub(PAGE).unwrap());
        assert!(!subscribers.wants_processes());
    }
}
