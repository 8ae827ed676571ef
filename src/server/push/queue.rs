//! The requests that wait for a receiver, in order and in memory.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Bytes of requests that wait: a sample takes less than 20, so a quarter of an hour of 8,000 samples a second.
const MAX_BYTES: usize = 128 << 20;

/// A request that is made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// Its tick, unix milliseconds.
    pub(super) t: u64,
    /// How many samples it has.
    pub(super) samples: u64,
    pub(super) body: Vec<u8>,
}

/// A queue between the thread that makes requests and the one that sends them.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Request>,
    bytes: usize,
    /// The tick of the request that is being sent.
    sending: Option<u64>,
    /// The tick of the newest request.
    newest: u64,
    /// When the sender stops, with or without having sent all.
    deadline: Option<Instant>,
}

impl Queue {
    /// Appends a request. Beyond the limit, the oldest are dropped; returns the number of their samples.
    pub(super) fn push(&self, request: Request) -> u64 {
        let mut state = self.state();
        state.newest = request.t;
        state.bytes += request.body.len();
        state.waiting.push_back(request);
        let mut dropped = 0;
        while state.bytes > MAX_BYTES
            && let Some(oldest) = state.waiting.pop_front()
        {
            state.bytes -= oldest.body.len();
            dropped += oldest.samples;
        }
        drop(state);
        self.changed.notify_all();
        dropped
    }

    /// Waits for the oldest request, which counts as being sent until the next is taken. `None` once the queue is closed, and
    /// is empty or past its deadline.
    pub(super) fn take(&self) -> Option<Request> {
        let mut state = self.state();
        state.sending = None;
        let is_idle = |state: &mut State| state.waiting.is_empty() && state.deadline.is_none();
        let mut state = self.changed.wait_while(state, is_idle).unwrap_or_else(PoisonError::into_inner);
        if state.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return None;
        }
        let oldest = state.waiting.pop_front()?;
        state.bytes -= oldest.body.len();
        state.sending = Some(oldest.t);
        Some(oldest)
    }

    /// Waits for `pause`, or until the queue is closed.
    pub(super) fn pause(&self, pause: Duration) {
        let is_open = |state: &mut State| state.deadline.is_none();
        drop(self.changed.wait_timeout_while(self.state(), pause, is_open));
    }

    /// Lets the sender stop once all is sent, and at `deadline` at the latest.
    pub(super) fn close(&self, deadline: Instant) {
        self.state().deadline = Some(deadline);
        self.changed.notify_all();
    }

    /// Time until the sender must stop; `None` while the queue is open.
    pub(super) fn time_left(&self) -> Option<Duration> {
        self.state().deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Time from the oldest tick that the receiver doesn't have to the newest.
    pub(super) fn behind(&self) -> Duration {
        let state = self.state();
        let oldest = state.sending.or(state.waiting.front().map(|request| request.t));
        Duration::from_millis(oldest.map_or(0, |oldest| state.newest.saturating_sub(oldest)))
    }

    /// Samples that wait.
    pub(super) fn samples(&self) -> u64 {
        self.state().waiting.iter().map(|request| request.samples).sum()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(t: u64, bytes: usize) -> Request {
        Request { t, samples: 10, body: vec![0; bytes] }
    }

    #[test]
    fn requests_are_taken_in_order_and_count_as_behind_until_the_next() {
        let queue = Queue::default();
        assert_eq!(queue.behind(), Duration::ZERO);
        for t in [1000, 2000, 5000] {
            assert_eq!(queue.push(request(t, 1)), 0);
        }
        assert_eq!(queue.behind(), Duration::from_secs(4));
        for (t, behind) in [(1000, 4), (2000, 3), (5000, 0)] {
            assert_eq!(queue.take().unwrap().t, t);
            assert_eq!(queue.behind(), Duration::from_secs(behind));
        }
    }

    #[test]
    fn oldest_requests_go_when_the_memory_is_full() {
        let queue = Queue::default();
        assert_eq!(queue.push(request(1, MAX_BYTES / 2)), 0);
        assert_eq!(queue.push(request(2, MAX_BYTES / 2)), 0);
        assert_eq!(queue.push(request(3, 1)), 10);
        assert_eq!(queue.take().unwrap().t, 2);
        assert_eq!(queue.samples(), 10);
    }

    #[test]
    fn closed_queue_is_emptied_until_its_deadline() {
        let queue = Queue::default();
        assert_eq!([1, 2].map(|t| queue.push(request(t, 1))), [0, 0]);
        assert_eq!(queue.time_left(), None);
        queue.close(Instant::now() + Duration::from_secs(60));
        queue.pause(Duration::from_secs(60));
        assert!(queue.time_left() > Some(Duration::from_secs(30)));
        assert_eq!(queue.take().unwrap().t, 1);
        queue.close(Instant::now());
        assert_eq!((queue.take(), queue.samples()), (None, 10));
    }
}
