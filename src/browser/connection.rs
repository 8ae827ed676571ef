//! How the stream is doing and when to connect anew. Pure: it is told what happened and when, and never asks.

use crate::app::Link;

/// Without a tick for so long, the page no longer shows what is.
const STALE_MS: f64 = 3_000.0;
/// A stream that is open and says nothing for so long is given up.
const SILENT_MS: f64 = 10_000.0;
/// The wait before a new connection, after the first refusal; it doubles with each.
const FIRST_WAIT_MS: f64 = 1_000.0;
/// The longest wait.
const LONGEST_WAIT_MS: f64 = 30_000.0;

/// What the browser shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Go on.
    None,
    /// Close the stream if it is open, and open a new one.
    Reopen,
}

/// What is known of the stream. Times are unix milliseconds of the wall clock: a timer in the background may fire once
/// a minute, and a laptop may have slept, so nothing here counts timers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Connection {
    link: Link,
    /// When something last arrived, or a connection was last begun.
    heard: f64,
    /// When to connect, if the browser has given up.
    retry_at: Option<f64>,
    /// Refusals since the last event.
    refusals: i32,
}

impl Connection {
    /// A connection that is being made.
    pub fn new(now: f64) -> Self {
        Self { link: Link::Connecting, heard: now, retry_at: None, refusals: 0 }
    }

    /// What to show.
    pub fn link(&self) -> Link {
        self.link
    }

    /// A tick has arrived.
    pub fn tick_arrived(&mut self, now: f64) {
        *self = Self { link: Link::Live, ..Self::new(now) };
    }

    /// The connection failed. `closed` says that the browser won't try again by itself; `chance`, from 0 to 1, spreads
    /// clients that were refused together (full jitter).
    pub fn failed(&mut self, now: f64, closed: bool, chance: f64) {
        self.link = Link::Reconnecting;
        self.heard = now;
        if closed {
            let wait = (FIRST_WAIT_MS * 2f64.powi(self.refusals)).min(LONGEST_WAIT_MS);
            self.retry_at = Some(now + wait * chance);
            self.refusals += 1;
        }
    }

    /// Time has passed.
    pub fn timer_fired(&mut self, now: f64) -> Action {
        if let Some(at) = self.retry_at {
            return if now >= at { self.begun(now) } else { Action::None };
        }
        let silence = now - self.heard;
        if self.link == Link::Live && silence >= STALE_MS {
            self.link = Link::Stale;
        }
        // While it reconnects, the browser keeps its own time.
        if self.link != Link::Reconnecting && silence >= SILENT_MS { self.begun(now) } else { Action::None }
    }

    fn begun(&mut self, now: f64) -> Action {
        self.heard = now;
        self.retry_at = None;
        Action::Reopen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> Connection {
        let mut connection = Connection::new(0.0);
        connection.tick_arrived(1_000.0);
        connection
    }

    #[test]
    fn it_is_live_only_while_ticks_arrive() {
        let mut connection = Connection::new(0.0);
        assert_eq!(connection.link(), Link::Connecting);
        connection.tick_arrived(1_000.0);
        assert_eq!((connection.timer_fired(3_900.0), connection.link()), (Action::None, Link::Live));
        assert_eq!((connection.timer_fired(4_000.0), connection.link()), (Action::None, Link::Stale));
        connection.tick_arrived(4_500.0);
        assert_eq!(connection.link(), Link::Live);
    }

    #[test]
    fn a_silent_stream_is_given_up_again_and_again() {
        let mut connection = live();
        assert_eq!(connection.timer_fired(10_900.0), Action::None);
        assert_eq!(connection.timer_fired(11_000.0), Action::Reopen);
        assert_eq!(connection.timer_fired(12_000.0), Action::None);
        assert_eq!(connection.timer_fired(21_000.0), Action::Reopen);
        assert_eq!(connection.link(), Link::Stale);
    }

    #[test]
    fn a_laptop_that_slept_connects_at_once() {
        assert_eq!(live().timer_fired(8.0 * 3_600_000.0), Action::Reopen);
    }

    #[test]
    fn the_browser_reconnects_by_itself_unless_it_was_refused() {
        let mut connection = live();
        connection.failed(2_000.0, false, 0.5);
        assert_eq!(connection.link(), Link::Reconnecting);
        assert_eq!(connection.timer_fired(60_000.0), Action::None);
        connection.failed(61_000.0, true, 0.5);
        assert_eq!(connection.timer_fired(61_400.0), Action::None);
        assert_eq!(connection.timer_fired(61_500.0), Action::Reopen);
    }

    #[test]
    fn waits_double_up_to_half_a_minute_and_start_over_once_ticks_flow() {
        let mut connection = live();
        let mut now = 2_000.0;
        for wait in [1_000.0, 2_000.0, 4_000.0, 8_000.0, 16_000.0, 30_000.0, 30_000.0] {
            connection.failed(now, true, 1.0);
            assert_eq!(connection.timer_fired(now + wait - 1.0), Action::None);
            now += wait;
            assert_eq!(connection.timer_fired(now), Action::Reopen, "after {wait} ms");
        }
        connection.tick_arrived(now);
        connection.failed(now, true, 1.0);
        assert_eq!(connection.timer_fired(now + 1_000.0), Action::Reopen);
    }
}
