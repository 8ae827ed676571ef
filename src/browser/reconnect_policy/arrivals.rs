//! What arrives from the server: its clock, events, ticks and snapshots.

use super::{ReconnectPolicy, StreamAction, Transport};
use crate::app::{ConnectionState, STALE_MS, Status};

/// Consecutive times that a stream may be found buffered by a proxy before the page polls instead.
const FAILURE_LIMIT: u32 = 3;
/// A stream that stays healthy for this long resets the count of buffered streams.
const FAILURE_RESET_MS: f64 = 60_000.0;

impl ReconnectPolicy {
    /// The server answered a request of `requested_at` with its clock reading `server_time`. The reading lies between
    /// request and answer, so the offset is exact to half the round trip (as in NTP, RFC 5905, section 8).
    pub fn sync_clock(&mut self, requested_at: f64, now: f64, server_time: f64) {
        self.last_activity = now;
        self.clock_offset = Some((requested_at + now) / 2.0 - server_time);
    }

    /// The first event of a stream arrived.
    pub fn stream_started(&mut self, now: f64, server_time: f64) {
        self.is_lost = false;
        self.browser_retries = 0;
        match self.requested_at.take() {
            Some(requested_at) => self.sync_clock(requested_at, now, server_time),
            None => self.last_activity = now,
        }
    }

    /// An event other than a tick arrived, such as a heartbeat.
    pub fn event_arrived(&mut self, now: f64) {
        self.last_activity = now;
    }

    /// An event could not be decoded.
    pub fn event_skipped(&mut self) {
        self.status.skipped += 1;
    }

    /// The tick of server time `t` arrived. A late one, such as a replayed one, does not make the page live.
    pub fn tick_arrived(&mut self, now: f64, t: f64) {
        self.last_activity = now;
        let delay = self.clock_offset.map(|offset| (now - t - offset).max(0.0));
        if delay.is_some_and(|delay| delay >= STALE_MS) {
            return;
        }
        self.last_tick = now;
        self.browser_retries = 0;
        self.backoff.reset();
        self.snapshot_requested = false;
        let polls = self.transport == Transport::Poll;
        let connection = if polls { ConnectionState::Polling } else { ConnectionState::Live };
        self.status = Status { connection, delay, skipped: self.status.skipped, ..Status::default() };
        if !polls && now - self.opened_at >= FAILURE_RESET_MS {
            self.buffered_streams = 0;
        }
    }

    /// A snapshot arrived. `newer` is true if it has ticks that the stream should have delivered: the stream is
    /// buffered.
    pub fn snapshot_arrived(&mut self, now: f64, newer: bool) -> StreamAction {
        self.last_activity = now;
        if self.transport == Transport::Poll || self.status.connection == ConnectionState::Live {
            return StreamAction::None;
        }
        self.status.stuck = !newer;
        if !newer || self.transport == Transport::Tab {
            return StreamAction::None;
        }
        self.buffered_streams += 1;
        self.open(if self.buffered_streams >= FAILURE_LIMIT { Transport::Poll } else { self.preferred }, now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{OPEN, leader, live, state};
    use super::super::timeouts::POLLING_PERIOD_MS;
    use super::*;

    #[test]
    fn delay_excludes_clock_offset() {
        let mut policy = leader(1_000_000.0, true);
        // Round trip 40 ms; the server's clock is 15 minutes behind.
        policy.stream_started(1_000_040.0, 100_020.0);
        policy.tick_arrived(1_001_030.0, 101_000.0);
        assert_eq!(policy.status(1_001_030.0).delay, Some(30.0));
        policy.tick_arrived(1_001_900.0, 102_000.0);
        assert_eq!(policy.status(1_001_900.0).delay, Some(0.0), "never negative");
        // The browser reconnects at an unknown time; the offset measured before stays.
        policy.connection_lost(1_002_000.0, true, 0.5);
        policy.stream_started(1_005_000.0, 105_000.0);
        policy.tick_arrived(1_006_020.0, 106_000.0);
        assert_eq!(policy.status(1_006_020.0).delay, Some(20.0));
    }

    #[test]
    fn undecodable_event_is_counted_and_keeps_page_live() {
        let mut policy = live();
        policy.event_skipped();
        policy.tick_arrived(2_000.0, 2_000.0);
        let status = policy.status(2_000.0);
        assert_eq!((status.connection, status.skipped), (ConnectionState::Live, 1));
    }

    #[test]
    fn replayed_tick_does_not_make_page_live() {
        let mut policy = live();
        policy.connection_lost(2_000.0, true, 0.5);
        policy.timer_fired(5_000.0);
        policy.stream_started(60_000.0, 60_000.0);
        policy.tick_arrived(60_001.0, 3_000.0);
        assert_eq!(state(&policy), ConnectionState::Reconnecting);
        policy.tick_arrived(60_001.0, 60_000.0);
        assert_eq!(state(&policy), ConnectionState::Live);
    }

    #[test]
    fn buffered_stream_is_replaced_by_polling_after_failure_limit() {
        let mut policy = leader(0.0, true);
        let mut now = 0.0;
        for transport in [Transport::EventSource, Transport::EventSource, Transport::Poll] {
            now += STALE_MS;
            assert_eq!(policy.timer_fired(now), StreamAction::RequestSnapshot);
            assert_eq!(policy.snapshot_arrived(now, true), StreamAction::Open(transport));
        }
        assert_eq!(policy.timer_fired(now + 1_000.0), StreamAction::RequestSnapshot);
        assert_eq!(policy.snapshot_arrived(now + 1_010.0, true), StreamAction::None);
        policy.tick_arrived(now + 1_010.0, now + 1_000.0);
        assert_eq!(state(&policy), ConnectionState::Polling);
        assert_eq!(policy.timer_fired(now + POLLING_PERIOD_MS), OPEN);
        // Still buffered: the count is kept, so one failure suffices.
        now += POLLING_PERIOD_MS + STALE_MS;
        assert_eq!((policy.timer_fired(now), state(&policy)), (StreamAction::RequestSnapshot, ConnectionState::Stale));
        assert_eq!(policy.snapshot_arrived(now, true), StreamAction::Open(Transport::Poll));
    }

    #[test]
    fn healthy_stream_resets_buffered_count() {
        let mut policy = live();
        for second in [4.0, 70.0, 140.0, 210.0] {
            let now = second * 1_000.0;
            assert_eq!(policy.timer_fired(now), StreamAction::RequestSnapshot);
            assert_eq!(policy.snapshot_arrived(now, true), OPEN, "at {second} s");
            policy.tick_arrived(now + 61_000.0, now + 61_000.0);
        }
    }
}
