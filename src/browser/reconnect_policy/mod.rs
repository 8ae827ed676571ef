//! Decides when to reconnect (backoff, timeouts), over which transport (polling where a proxy buffers the stream), and
//! which connection state the indicator shows.
//!
//! A pure state machine: callers report events with the time and perform the action that it returns.

mod action;
mod arrivals;
mod backoff;
mod failures;
#[cfg(test)]
mod fixtures;
mod page_lifecycle;
mod timeouts;

pub use action::{StreamAction, Transport};

use crate::app::{ConnectionState, Status};
use backoff::Backoff;

/// State of the page's connection. Times are unix milliseconds of the browser's clock. Nothing here counts timer calls:
/// browsers throttle background timers to one a minute, and a laptop may have been suspended.
#[derive(Clone, Debug, PartialEq)]
pub struct ReconnectPolicy {
    status: Status,
    /// The transport to try first.
    preferred: Transport,
    transport: Transport,
    opened_at: f64,
    /// When the stream was requested; `None` if the browser reconnected by itself, at an unknown time.
    requested_at: Option<f64>,
    /// When any event last arrived, or the last connection attempt began.
    last_activity: f64,
    /// When a tick last arrived on time.
    last_tick: f64,
    /// Milliseconds by which the browser's clock is ahead of the server's.
    clock_offset: Option<f64>,
    /// When to reconnect; `None` while no retry is scheduled here.
    retry_at: Option<f64>,
    backoff: Backoff,
    /// Whether the stream ended. The page shows it only once ticks are late: most streams resume before.
    is_lost: bool,
    /// Consecutive attempts of the browser's own that failed.
    browser_retries: u32,
    /// Consecutive streams that were found buffered.
    buffered_streams: u32,
    /// Whether a snapshot was requested since the last tick.
    snapshot_requested: bool,
    hidden_at: Option<f64>,
    offline: bool,
}

impl ReconnectPolicy {
    /// A page that is connecting. `can_use_event_source` is false in browsers without one, and with a bearer token,
    /// which `EventSource` cannot send.
    pub fn new(now: f64, can_use_event_source: bool) -> Self {
        let preferred = if can_use_event_source { Transport::EventSource } else { Transport::Fetch };
        Self {
            status: Status::default(),
            preferred,
            transport: Transport::Tab,
            opened_at: now,
            requested_at: Some(now),
            last_activity: now,
            last_tick: now,
            clock_offset: None,
            retry_at: None,
            backoff: Backoff::default(),
            is_lost: false,
            browser_retries: 0,
            buffered_streams: 0,
            snapshot_requested: false,
            hidden_at: None,
            offline: false,
        }
    }

    /// The transport in use.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// The status to show.
    pub fn status(&self, now: f64) -> Status {
        let wait = self.retry_at.map(|at| (at - now).max(0.0));
        Status { silence: now - self.last_tick, wait, ..self.status.clone() }
    }

    /// This tab won the election.
    pub fn election_won(&mut self, now: f64) -> StreamAction {
        if self.transport == Transport::Tab { self.open(self.preferred, now) } else { StreamAction::None }
    }

    /// Another tab leads.
    pub fn election_lost(&mut self, now: f64) -> StreamAction {
        self.open(Transport::Tab, now);
        // The leading tab may relay a `hello` that this tab did not request.
        self.requested_at = None;
        StreamAction::FollowLeader
    }

    fn open(&mut self, transport: Transport, now: f64) -> StreamAction {
        self.transport = transport;
        self.opened_at = now;
        self.requested_at = Some(now);
        self.last_activity = now;
        self.retry_at = None;
        self.is_lost = false;
        self.snapshot_requested = false;
        if matches!(self.status.connection, ConnectionState::Paused | ConnectionState::Refused) {
            self.status.connection = ConnectionState::Connecting;
        }
        StreamAction::Open(transport)
    }
}

#[cfg(test)]
mod tests {
    use super::fixtures::{OPEN, state};
    use super::*;

    #[test]
    fn follower_without_ticks_rejoins_election() {
        let mut policy = ReconnectPolicy::new(0.0, true);
        assert_eq!(policy.election_lost(200.0), StreamAction::FollowLeader);
        policy.sync_clock(200.0, 210.0, 205.0);
        policy.tick_arrived(210.0, 0.0);
        assert_eq!((policy.snapshot_arrived(210.0, true), state(&policy)), (StreamAction::None, ConnectionState::Live));
        assert_eq!((policy.timer_fired(3_210.0), state(&policy)), (StreamAction::JoinElection, ConnectionState::Stale));
        assert_eq!(policy.timer_fired(4_000.0), StreamAction::None, "the leader has time to answer");
        assert_eq!(policy.timer_fired(20_000.0), StreamAction::JoinElection);
        assert_eq!((policy.election_won(20_300.0), policy.transport()), (OPEN, Transport::EventSource));
        assert_eq!(policy.election_won(20_400.0), StreamAction::None, "already leading");
    }
}
