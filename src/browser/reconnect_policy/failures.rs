//! Lost, refused and failed connections, and when to retry them.

use super::{ReconnectPolicy, StreamAction, Transport};
use crate::app::{ConnectionState, STALE_MS};

/// Failed attempts of the browser's own to reconnect before `fetch` looks for the reason: a redirect to a sign-in page
/// looks to `EventSource` like a network failure.
const BROWSER_RETRY_LIMIT: u32 = 3;

impl ReconnectPolicy {
    /// The stream ended. `browser_retries` is true if `EventSource` reconnects by itself; `jitter` is random, 0 to 1.
    pub fn connection_lost(&mut self, now: f64, browser_retries: bool, jitter: f64) -> StreamAction {
        self.is_lost = true;
        self.show_loss(now);
        self.last_activity = now;
        if browser_retries && self.browser_retries < BROWSER_RETRY_LIMIT {
            self.browser_retries += 1;
            self.requested_at = None;
            return StreamAction::None;
        }
        if self.transport == Transport::Fetch && std::mem::take(&mut self.browser_retries) > 0 {
            // No reason but the network: the browser goes on retrying.
            return self.open(self.preferred, now);
        }
        if self.transport == Transport::EventSource {
            // `EventSource` hides the reason; `fetch` gets it, or a stream.
            return self.open(Transport::Fetch, now);
        }
        self.schedule_retry(now, 0.0, jitter);
        self.transport = self.preferred;
        StreamAction::None
    }

    /// The server refused the stream, and asked to wait at least `retry_after` milliseconds.
    pub fn stream_refused(&mut self, now: f64, reason: String, retry_after: f64, jitter: f64) {
        self.status.connection = ConnectionState::Refused;
        self.status.refusal = reason;
        self.is_lost = false;
        self.browser_retries = 0;
        self.schedule_retry(now, retry_after, jitter);
    }

    /// A snapshot request failed or timed out.
    pub fn snapshot_failed(&mut self, now: f64, jitter: f64) {
        if self.transport == Transport::Poll {
            self.is_lost = true;
            self.show_loss(now);
            self.schedule_retry(now, 0.0, jitter);
            self.transport = self.preferred;
        }
    }

    /// Shows a lost stream: at once while offline, otherwise once ticks are late.
    pub(super) fn show_loss(&mut self, now: f64) {
        if self.offline {
            self.status.connection = ConnectionState::Offline;
        } else if now - self.last_tick >= STALE_MS {
            self.status.connection = ConnectionState::Reconnecting;
        }
    }

    fn schedule_retry(&mut self, now: f64, min_delay: f64, jitter: f64) {
        self.last_activity = now;
        self.retry_at = Some(now + min_delay + self.backoff.next_delay(jitter));
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{OPEN, leader, live, state};
    use super::*;

    #[test]
    fn closed_event_source_falls_back_to_fetch_for_refusal() {
        let mut policy = live();
        assert_eq!(policy.connection_lost(2_000.0, true, 0.5), StreamAction::None);
        assert_eq!(policy.connection_lost(3_000.0, false, 0.5), StreamAction::Open(Transport::Fetch));
        policy.stream_refused(3_100.0, "Too many.".to_owned(), 30_000.0, 0.5);
        let status = policy.status(3_100.0);
        assert_eq!(
            (status.connection, &*status.refusal, status.wait),
            (ConnectionState::Refused, "Too many.", Some(30_500.0))
        );
        assert_eq!(policy.timer_fired(33_500.0), StreamAction::None);
        assert_eq!(policy.timer_fired(33_600.0), StreamAction::Open(Transport::Fetch));
        assert_eq!(policy.connection_lost(34_000.0, false, 0.0), StreamAction::None);
        assert_eq!(policy.timer_fired(34_000.0), OPEN);
    }

    #[test]
    fn lost_stream_is_shown_once_ticks_are_late() {
        let mut policy = live();
        policy.connection_lost(1_500.0, true, 0.5);
        policy.timer_fired(3_900.0);
        assert_eq!(state(&policy), ConnectionState::Live);
        policy.timer_fired(4_000.0);
        assert_eq!(state(&policy), ConnectionState::Reconnecting);
        let mut policy = live();
        policy.connection_lost(1_500.0, true, 0.5);
        policy.stream_started(3_000.0, 3_000.0);
        policy.tick_arrived(3_010.0, 3_000.0);
        policy.timer_fired(4_100.0);
        assert_eq!(state(&policy), ConnectionState::Live, "resumed in time");
    }

    #[test]
    fn repeated_browser_retries_fall_back_to_fetch_for_the_reason() {
        let mut policy = live();
        for now in [2_000.0, 4_000.0, 6_000.0] {
            assert_eq!(policy.connection_lost(now, true, 0.5), StreamAction::None);
        }
        assert_eq!(policy.connection_lost(8_000.0, true, 0.5), StreamAction::Open(Transport::Fetch));
        assert_eq!(policy.connection_lost(8_100.0, false, 0.5), OPEN, "only the network failed");
        for now in [8_200.0, 10_000.0, 12_000.0] {
            assert_eq!(policy.connection_lost(now, true, 0.5), StreamAction::None);
        }
        assert_eq!(policy.connection_lost(14_000.0, true, 0.5), StreamAction::Open(Transport::Fetch));
        policy.stream_refused(14_100.0, "Signed out.".to_owned(), 0.0, 0.5);
        assert_eq!(state(&policy), ConnectionState::Refused);
    }

    #[test]
    fn stream_cut_while_healthy_never_falls_back_to_fetch() {
        let mut policy = live();
        for cut in 1..10 {
            let now = 7_000.0 * f64::from(cut);
            assert_eq!(policy.connection_lost(now, true, 0.5), StreamAction::None);
            policy.tick_arrived(now + 1_010.0, now + 1_000.0);
        }
    }

    #[test]
    fn backoff_doubles_to_limit_and_resets_with_tick() {
        let mut policy = leader(0.0, false);
        let mut now = 2_000.0;
        for delay in [1_000.0, 2_000.0, 4_000.0, 8_000.0, 16_000.0, 30_000.0, 30_000.0] {
            policy.connection_lost(now, false, 1.0);
            assert_eq!(policy.timer_fired(now + delay - 1.0), StreamAction::None);
            now += delay;
            assert_eq!(policy.timer_fired(now), StreamAction::Open(Transport::Fetch), "after {delay} ms");
        }
        policy.tick_arrived(now, now);
        policy.connection_lost(now, false, 1.0);
        assert_eq!(policy.timer_fired(now + 1_000.0), StreamAction::Open(Transport::Fetch));
    }
}
