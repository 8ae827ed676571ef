//! Decides when to reconnect (backoff, timeouts), over which transport (polling where a proxy buffers the stream), and
//! which connection state the indicator shows.
//!
//! A pure state machine: callers report events with the time and perform the action that it returns.

mod action;
mod backoff;
#[cfg(test)]
mod tests;

pub use action::{StreamAction, Transport};

use crate::app::{ConnectionState, STALE_MS, Status};
use backoff::Backoff;

/// An open stream without any event for this long is reopened.
const SILENCE_TIMEOUT_MS: f64 = 10_000.0;
/// The same while the server answers but has no new ticks: its heartbeat comes every 15 seconds.
const HEARTBEAT_TIMEOUT_MS: f64 = 20_000.0;
/// A page that is hidden for this long closes its stream.
const HIDDEN_TIMEOUT_MS: f64 = 60_000.0;
/// Consecutive times that a stream may be found buffered by a proxy before the page polls instead.
const FAILURE_LIMIT: u32 = 3;
/// A stream that stays healthy for this long resets the count of buffered streams.
const FAILURE_RESET_MS: f64 = 60_000.0;
/// Failed attempts of the browser's own to reconnect before `fetch` looks for the reason: a redirect to a sign-in page
/// looks to `EventSource` like a network failure.
const BROWSER_RETRY_LIMIT: u32 = 3;
/// The page polls for this long before it tries a stream again.
const POLLING_PERIOD_MS: f64 = 600_000.0;

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

    /// Shows a lost stream: at once while offline, otherwise once ticks are late.
    fn show_loss(&mut self, now: f64) {
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

    /// A snapshot request failed or timed out.
    pub fn snapshot_failed(&mut self, now: f64, jitter: f64) {
        if self.transport == Transport::Poll {
            self.is_lost = true;
            self.show_loss(now);
            self.schedule_retry(now, 0.0, jitter);
            self.transport = self.preferred;
        }
    }

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
