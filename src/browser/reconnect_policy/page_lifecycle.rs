//! A page that is hidden, shown or left, and a device that goes offline or online.

use super::{ReconnectPolicy, StreamAction, Transport};
use crate::app::ConnectionState;

impl ReconnectPolicy {
    /// The page became hidden.
    pub fn page_hidden(&mut self, now: f64) {
        self.hidden_at = Some(now);
    }

    /// The page became visible, or returned from the back/forward cache.
    pub fn page_shown(&mut self, now: f64) -> StreamAction {
        self.hidden_at = None;
        if self.status.connection != ConnectionState::Paused {
            return self.timer_fired(now);
        }
        self.open(Transport::Tab, now);
        StreamAction::JoinElection
    }

    /// The user left the page, or it was hidden for too long.
    pub fn pause(&mut self) -> StreamAction {
        self.status.connection = ConnectionState::Paused;
        StreamAction::Close
    }

    /// The device went offline or online.
    pub fn network_changed(&mut self, now: f64, offline: bool) -> StreamAction {
        self.offline = offline;
        let waits =
            self.is_lost || matches!(self.status.connection, ConnectionState::Reconnecting | ConnectionState::Offline);
        let is_refused = matches!(self.status.connection, ConnectionState::Refused | ConnectionState::Paused);
        if offline && waits && !is_refused {
            self.status.connection = ConnectionState::Offline;
        }
        // An open stream belongs to the previous network, which the browser may not notice for minutes.
        let reconnects = waits || self.status.connection == ConnectionState::Stale;
        match self.transport {
            _ if offline || !reconnects => StreamAction::None,
            Transport::Tab => StreamAction::JoinElection,
            _ => self.open(self.preferred, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{OPEN, live, state};
    use super::*;

    #[test]
    fn hidden_page_pauses_after_timeout_and_rejoins_when_shown() {
        let mut policy = live();
        policy.page_hidden(2_000.0);
        policy.tick_arrived(61_000.0, 61_000.0);
        assert_eq!(policy.timer_fired(61_900.0), StreamAction::None);
        policy.tick_arrived(62_000.0, 62_000.0);
        assert_eq!((policy.timer_fired(62_000.0), state(&policy)), (StreamAction::Close, ConnectionState::Paused));
        assert_eq!(policy.timer_fired(900_000.0), StreamAction::None);
        assert_eq!(
            (policy.page_shown(900_500.0), state(&policy)),
            (StreamAction::JoinElection, ConnectionState::Connecting)
        );
    }

    #[test]
    fn briefly_hidden_page_stays_live() {
        let mut policy = live();
        policy.page_hidden(1_500.0);
        assert_eq!((policy.page_shown(3_000.0), state(&policy)), (StreamAction::None, ConnectionState::Live));
    }

    #[test]
    fn online_event_reconnects_at_once() {
        let mut policy = live();
        assert_eq!(
            (policy.network_changed(1_500.0, true), state(&policy)),
            (StreamAction::None, ConnectionState::Live)
        );
        policy.connection_lost(2_000.0, true, 0.5);
        assert_eq!(state(&policy), ConnectionState::Offline);
        assert_eq!(policy.network_changed(60_000.0, false), OPEN);
        // A server on this device is reachable without a network.
        policy.tick_arrived(60_100.0, 60_100.0);
        assert_eq!(state(&policy), ConnectionState::Live);
    }
}
