//! When a token or session was last used: kept in memory, and written to the file once a minute at most.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// How far the file may lag behind, in milliseconds.
pub(super) const SAVE_INTERVAL_MS: u64 = 60_000;

/// A time in Unix milliseconds that several snapshots share; 0 before the first use.
#[derive(Clone, Debug, Default)]
pub struct LastUse(Arc<Times>);

#[derive(Debug, Default)]
struct Times {
    latest: AtomicU64,
    saved: AtomicU64,
}

impl LastUse {
    pub(super) fn saved_at(time: u64) -> Self {
        Self(Arc::new(Times { latest: time.into(), saved: time.into() }))
    }

    /// The last use; `None` before the first.
    pub fn get(&self) -> Option<u64> {
        Some(self.0.latest.load(Relaxed)).filter(|time| *time > 0)
    }

    /// Records a use, as an open stream does from time to time.
    pub fn set(&self, now: u64) {
        self.0.latest.fetch_max(now, Relaxed);
    }

    /// Goes on with the times of an earlier snapshot, which may be newer than the file's.
    pub(super) fn continue_from(&mut self, previous: &Self) {
        previous.set(self.0.latest.load(Relaxed));
        *self = previous.clone();
    }

    /// The time to write to the file, if it is due.
    pub(super) fn take_due(&self) -> Option<u64> {
        let (latest, saved) = (self.0.latest.load(Relaxed), self.0.saved.load(Relaxed));
        // A first use is written at once.
        let is_due = latest > saved && (saved == 0 || latest - saved >= SAVE_INTERVAL_MS);
        is_due.then(|| self.0.saved.store(latest, Relaxed))?;
        Some(latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_due_once_a_minute() {
        let last_use = LastUse::saved_at(1_000);
        last_use.set(60_999);
        assert_eq!((last_use.get(), last_use.take_due()), (Some(60_999), None));
        last_use.set(61_000);
        last_use.set(60_000);
        assert_eq!((last_use.take_due(), last_use.take_due()), (Some(61_000), None));
    }

    #[test]
    fn first_use_is_due_at_once() {
        let last_use = LastUse::default();
        assert_eq!((last_use.get(), last_use.take_due()), (None, None));
        last_use.set(5);
        assert_eq!(last_use.take_due(), Some(5));
    }

    #[test]
    fn later_snapshot_keeps_the_newer_time() {
        let previous = LastUse::saved_at(1);
        previous.set(9);
        let mut next = LastUse::saved_at(5);
        next.continue_from(&previous);
        assert_eq!(next.get(), Some(9));
    }
}
