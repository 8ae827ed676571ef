//! Runs slow reads on threads of their own, so that a tick never waits for them: `BackgroundReader` reads on request,
//! `Poller` requests at an interval and keeps the last value until it is too old.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};

/// A thread that reads on request; the result is collected later. Dropping the reader ends the thread.
pub(super) struct BackgroundReader<T> {
    requests: SyncSender<()>,
    result: Arc<Mutex<Option<T>>>,
}

impl<T> fmt::Debug for BackgroundReader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackgroundReader").finish_non_exhaustive()
    }
}

impl<T: Send + 'static> BackgroundReader<T> {
    /// Starts a thread that calls `read` for each request.
    pub(super) fn start(name: &str, mut read: impl FnMut() -> Option<T> + Send + 'static) -> Self {
        let (requests, receiver) = sync_channel(1);
        let result = Arc::default();
        let reader = Self { requests, result: Arc::clone(&result) };
        let serve = move || {
            while receiver.recv().is_ok() {
                let value = read();
                *result.lock().unwrap_or_else(PoisonError::into_inner) = value;
            }
        };
        if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(serve) {
            tracing::warn!(%error, name, "cannot start a thread; its values will be missing");
        }
        reader
    }

    /// Requests a reading. Requests coalesce while one is pending.
    pub(super) fn request(&self) {
        // Fails if a request is pending, or if the thread could not be started, which was logged.
        let _ = self.requests.try_send(());
    }

    /// The result of the last reading, once.
    pub(super) fn take(&self) -> Option<T> {
        self.result.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A value that a thread reads every `interval` ticks.
#[derive(Debug)]
pub(super) struct Poller<T> {
    reader: BackgroundReader<T>,
    interval: u32,
    ticks: u32,
    /// Ticks since the last result.
    age: u32,
    value: T,
}

impl<T: Default + Send + 'static> Poller<T> {
    /// Intervals without a result after which the value is too old.
    const MAX_MISSED: u32 = 3;

    /// Starts a thread that calls `read`. The value is the default until the first result.
    pub(super) fn start(name: &str, interval: u32, read: impl FnMut() -> Option<T> + Send + 'static) -> Self {
        let reader = BackgroundReader::start(name, read);
        Self { reader, interval, ticks: 0, age: 0, value: T::default() }
    }

    /// Advances by one tick, without waiting: requests a reading if one is due, and collects the last result.
    pub(super) fn tick(&mut self) -> &T {
        if self.ticks.is_multiple_of(self.interval) {
            self.reader.request();
        }
        self.ticks = self.ticks.wrapping_add(1);
        self.age = self.age.saturating_add(1);
        if let Some(value) = self.reader.take() {
            (self.value, self.age) = (value, 0);
        } else if self.age > Self::MAX_MISSED * self.interval {
            self.value = T::default();
        }
        &self.value
    }

    /// The value at the last tick: the default when the last result is too old.
    pub(super) fn value(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::mpsc::{self, Receiver, Sender},
        time::{Duration, Instant},
    };

    const TIMEOUT: Duration = Duration::from_secs(20);

    /// A `read` that returns what is sent, and reports each reading it has begun.
    fn controlled_read() -> (impl FnMut() -> Option<u32> + Send + 'static, Sender<u32>, Receiver<()>) {
        let (send_value, values) = mpsc::channel();
        let (report, begun) = mpsc::channel();
        let read = move || {
            report.send(()).ok();
            values.recv_timeout(TIMEOUT).ok()
        };
        (read, send_value, begun)
    }

    fn wait_until(mut condition: impl FnMut() -> bool) {
        let start = Instant::now();
        while !condition() {
            assert!(start.elapsed() < TIMEOUT);
            thread::yield_now();
        }
    }

    #[test]
    fn reader_reads_on_request_and_never_blocks() {
        let (read, values, begun) = controlled_read();
        let reader = BackgroundReader::start("test", read);
        values.send(7).unwrap();
        assert_eq!(begun.try_recv(), Err(mpsc::TryRecvError::Empty), "nothing was requested");
        assert_eq!(reader.take(), None);
        reader.request();
        begun.recv_timeout(TIMEOUT).unwrap();
        let mut result = None;
        wait_until(|| {
            result = reader.take();
            result.is_some()
        });
        assert_eq!(result, Some(7));
        assert_eq!(reader.take(), None, "each result is returned once");
        // The reading hangs; further requests return at once.
        (0..5).for_each(|_| reader.request());
        assert_eq!(reader.take(), None);
    }

    #[test]
    fn poller_requests_at_first_tick_and_each_interval() {
        let (read, values, begun) = controlled_read();
        let mut poller = Poller::start("test", 5, read);
        for value in 1..=3 {
            assert_eq!(*poller.tick() + 1, value);
            begun.recv_timeout(TIMEOUT).unwrap();
            values.send(value).unwrap();
            wait_until(|| poller.reader.result.lock().unwrap().is_some());
            for _ in 1..5 {
                assert_eq!(*poller.tick(), value);
            }
            assert_eq!(begun.try_recv(), Err(mpsc::TryRecvError::Empty));
        }
    }

    #[test]
    fn poller_keeps_value_for_three_intervals_then_resets_until_next_result() {
        let (read, values, _) = controlled_read();
        let mut poller = Poller::start("test", 2, read);
        values.send(7).unwrap();
        wait_until(|| *poller.tick() == 7);
        assert!((0..6).all(|_| *poller.tick() == 7));
        assert_eq!((*poller.tick(), *poller.value()), (0, 0));
        values.send(8).unwrap();
        wait_until(|| *poller.tick() == 8);
    }
}
