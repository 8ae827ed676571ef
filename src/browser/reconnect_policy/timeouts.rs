//! Streams that fall silent, and the periods after which another transport is tried.

use super::{ReconnectPolicy, StreamAction, Transport};
use crate::app::{ConnectionState, STALE_MS};

/// An open stream without any event for this long is reopened.
const SILENCE_TIMEOUT_MS: f64 = 10_000.0;
/// The same while the server answers but has no new ticks: its heartbeat comes every 15 seconds.
const HEARTBEAT_TIMEOUT_MS: f64 = 20_000.0;
/// A page that is hidden for this long closes its stream.
const HIDDEN_TIMEOUT_MS: f64 = 60_000.0;
/// The page polls for this long before it tries a stream again.
pub(super) const POLLING_PERIOD_MS: f64 = 600_000.0;

impl ReconnectPolicy {
    /// Checks all timeouts; called about once a second.
    pub fn timer_fired(&mut self, now: f64) -> StreamAction {
        if self.status.connection == ConnectionState::Paused {
            return StreamAction::None;
        }
        if self.hidden_at.is_some_and(|at| now - at >= HIDDEN_TIMEOUT_MS) {
            return self.pause();
        }
        let is_late = now - self.last_tick >= STALE_MS;
        match self.status.connection {
            ConnectionState::Connecting | ConnectionState::Live | ConnectionState::Polling | ConnectionState::Stale
                if self.is_lost =>
            {
                self.show_loss(now);
            }
            ConnectionState::Live | ConnectionState::Polling if is_late => {
                self.status.connection = ConnectionState::Stale;
            }
            _ => {}
        }
        if let Some(at) = self.retry_at {
            return if now >= at { self.open(self.transport, now) } else { StreamAction::None };
        }
        let without_ticks = matches!(self.status.connection, ConnectionState::Connecting | ConnectionState::Stale)
            && now - self.opened_at.max(self.last_tick) >= STALE_MS;
        match self.transport {
            // A leader that still runs answers; one that crashed does not, and is replaced.
            Transport::Tab if without_ticks => {
                self.opened_at = now;
                StreamAction::JoinElection
            }
            Transport::Tab => StreamAction::None,
            Transport::Poll if now - self.opened_at >= POLLING_PERIOD_MS => self.open(self.preferred, now),
            Transport::Poll => StreamAction::RequestSnapshot,
            transport @ (Transport::EventSource | Transport::Fetch) => {
                let timeout = if self.status.stuck { HEARTBEAT_TIMEOUT_MS } else { SILENCE_TIMEOUT_MS };
                if now - self.last_activity >= timeout {
                    return self.open(transport, now);
                }
                if without_ticks && !self.snapshot_requested {
                    self.snapshot_requested = true;
                    return StreamAction::RequestSnapshot;
                }
                StreamAction::None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{OPEN, leader, live, state};
    use super::*;

    #[test]
    fn stream_without_ticks_becomes_stale() {
        let mut policy = leader(0.0, true);
        assert_eq!(state(&policy), ConnectionState::Connecting);
        policy.tick_arrived(1_000.0, 1_000.0);
        assert_eq!((policy.timer_fired(3_900.0), state(&policy)), (StreamAction::None, ConnectionState::Live));
        assert_eq!(
            (policy.timer_fired(4_000.0), state(&policy)),
            (StreamAction::RequestSnapshot, ConnectionState::Stale)
        );
        assert_eq!(policy.timer_fired(5_000.0), StreamAction::None, "one snapshot per silence");
        policy.tick_arrived(5_500.0, 5_000.0);
        assert_eq!(state(&policy), ConnectionState::Live);
    }

    #[test]
    fn silent_stream_is_reopened_after_each_timeout() {
        let mut policy = live();
        assert_eq!(policy.timer_fired(4_000.0), StreamAction::RequestSnapshot);
        assert_eq!(policy.timer_fired(10_900.0), StreamAction::None);
        assert_eq!(policy.timer_fired(11_000.0), OPEN);
        assert_eq!(policy.timer_fired(14_000.0), StreamAction::RequestSnapshot);
        assert_eq!(policy.timer_fired(20_900.0), StreamAction::None);
        assert_eq!(policy.timer_fired(21_000.0), OPEN);
        assert_eq!(state(&policy), ConnectionState::Stale);
        assert_eq!(policy.status(21_000.0).silence, 20_000.0);
    }

    #[test]
    fn stuck_server_gets_longer_silence_timeout() {
        let mut policy = live();
        assert_eq!(policy.timer_fired(4_000.0), StreamAction::RequestSnapshot);
        assert_eq!(policy.snapshot_arrived(4_010.0, false), StreamAction::None);
        assert!(policy.status(4_010.0).stuck);
        // The heartbeat arrives within the longer timeout.
        assert_eq!(policy.timer_fired(16_000.0), StreamAction::None);
        policy.event_arrived(16_500.0);
        assert_eq!(policy.timer_fired(30_000.0), StreamAction::None);
        assert_eq!(policy.timer_fired(36_500.0), OPEN);
        policy.tick_arrived(37_000.0, 37_000.0);
        assert!(!policy.status(37_000.0).stuck);
    }

    #[test]
    fn timer_after_suspend_reconnects_at_once() {
        assert_eq!(live().timer_fired(8.0 * 3_600_000.0), OPEN);
    }
}
