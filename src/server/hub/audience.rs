//! Who is looking, and at what: what is dear to read is only read for somebody.

use crate::metrics::{EventName, EventNames};
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
pub struct Audience {
    viewers: AtomicU64,
    of_processes: AtomicU64,
    page: Mutex<Option<Instant>>,
}

impl Audience {
    /// Counts in a viewer of the events `wanted`, until its seat is dropped.
    pub fn enter(self: Arc<Self>, wanted: EventNames) -> Seat {
        self.viewers.fetch_add(1, Ordering::Relaxed);
        let of_processes = wanted.contains(EventName::Processes);
        self.of_processes.fetch_add(of_processes.into(), Ordering::Relaxed);
        Seat { audience: self, of_processes }
    }

    /// Somebody has asked for a page, with everything that there is.
    pub fn asked_for_page(&self, now: Instant) {
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
pub struct Seat {
    audience: Arc<Audience>,
    of_processes: bool,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.audience.viewers.fetch_sub(1, Ordering::Relaxed);
        self.audience.of_processes.fetch_sub(self.of_processes.into(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_counts_until_its_seat_is_left() {
        let audience = Arc::new(Audience::default());
        let one = Arc::clone(&audience).enter(EventNames::from_iter([EventName::Cpu]));
        let two = Arc::clone(&audience).enter(EventNames::ALL);
        assert_eq!((audience.viewers(), audience.wants_processes()), (2, true));
        drop(two);
        assert_eq!((audience.viewers(), audience.wants_processes()), (1, false));
        drop(one);
        assert_eq!(audience.viewers(), 0);
    }

    #[test]
    fn a_page_looks_for_a_while() {
        let audience = Audience::default();
        audience.asked_for_page(Instant::now());
        assert!(audience.wants_processes());
        audience.asked_for_page(Instant::now().checked_sub(PAGE).unwrap());
        assert!(!audience.wants_processes());
    }
}
