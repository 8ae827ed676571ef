//! How the stream is doing and what to do about it. Pure: it is told what happened and when, and never asks.

use crate::app::{ConnectionState, STALE_MS, Status};

/// A stream that is open and says nothing for so long is given up.
const SILENT_MS: f64 = 10_000.0;
/// The same, where the server is known to be there without anything to say: its heartbeat comes every 15 seconds.
const SILENT_STUCK_MS: f64 = 20_000.0;
/// A page that nobody has seen for so long asks for nothing.
const HIDDEN_MS: f64 = 60_000.0;
/// The longest wait after a first failure; it doubles with each.
const FIRST_WAIT_MS: f64 = 1_000.0;
/// The longest wait of all.
const LONGEST_WAIT_MS: f64 = 30_000.0;
/// So often, one after the other, a stream must have held back what the server had, before it is done without.
const STRIKES: u32 = 3;
/// A stream that has gone well for so long has no strikes left.
const FORGIVEN_MS: f64 = 60_000.0;
/// For so long a stream that was held back is done without.
const POLLING_MS: f64 = 600_000.0;

/// How the samples come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// By an EventSource.
    EventSource,
    /// By a stream that we read ourselves, which learns the status and the reason of a refusal.
    Fetch,
    /// By asking for what is new.
    Poll,
    /// By another tab of this browser, which has a stream for all of them.
    Tab,
}

/// What the browser shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Go on.
    None,
    /// Close the stream if one is open, and open one this way.
    Open(Transport),
    /// Close the stream, and leave the other tabs alone.
    Close,
    /// Find out whether another tab has a stream.
    Join,
    /// Close the stream, hear from another tab, and ask for what was missed.
    Follow,
    /// Ask beside the stream for what is new.
    Ask,
}

/// What is known of the stream. Times are unix milliseconds of the browser's clock: a timer in the background may fire
/// once a minute, and a laptop may have slept, so nothing here counts timers.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    status: Status,
    /// The way that is tried first.
    first: Transport,
    way: Transport,
    /// When this way was taken.
    opened: f64,
    /// When the stream was asked for; `None` where the browser did that by itself.
    requested: Option<f64>,
    /// When anything last arrived, or a connection was last begun.
    heard: f64,
    /// When a tick last arrived on time.
    on_time: f64,
    /// How far the browser's clock is ahead of the server's.
    ahead: Option<f64>,
    /// When to connect, if nobody else does.
    retry_at: Option<f64>,
    /// Failures since the last tick.
    failures: i32,
    /// How often the stream has held back what the server had.
    strikes: u32,
    /// Whether the server was asked in this silence.
    asked: bool,
    hidden_at: Option<f64>,
    offline: bool,
}

impl Connection {
    /// A connection that is being made. Not every browser has an EventSource, and none sends a token with it.
    pub fn new(now: f64, by_event_source: bool) -> Self {
        let first = if by_event_source { Transport::EventSource } else { Transport::Fetch };
        Self {
            status: Status::default(),
            first,
            way: Transport::Tab,
            opened: now,
            requested: Some(now),
            heard: now,
            on_time: now,
            ahead: None,
            retry_at: None,
            failures: 0,
            strikes: 0,
            asked: false,
            hidden_at: None,
            offline: false,
        }
    }

    /// How the samples come now.
    pub fn way(&self) -> Transport {
        self.way
    }

    /// This tab is the one that has the stream.
    pub fn elected(&mut self, now: f64) -> Action {
        if self.way == Transport::Tab { self.open(self.first, now) } else { Action::None }
    }

    /// Another tab has the stream.
    pub fn followed(&mut self, now: f64) -> Action {
        self.open(Transport::Tab, now);
        // That one may pass on what its stream begins with.
        self.requested = None;
        Action::Follow
    }

    /// What to show.
    pub fn status(&self, now: f64) -> Status {
        let wait = self.retry_at.map(|at| (at - now).max(0.0));
        Status { silence: now - self.on_time, wait, ..self.status.clone() }
    }

    /// The server has answered what was asked at `asked`, when its own clock said `server`. What it said lies between the
    /// question and the answer, so that the clocks are known to half of that time (as in NTP, RFC 5905, section 8).
    pub fn greeted(&mut self, asked: f64, now: f64, server: f64) {
        self.heard = now;
        self.ahead = Some((asked + now) / 2.0 - server);
    }

    /// The stream that was opened last begins.
    pub fn stream_begun(&mut self, now: f64, server: f64) {
        match self.requested.take() {
            Some(requested) => self.greeted(requested, now, server),
            None => self.heard = now,
        }
    }

    /// Something other than a tick has arrived.
    pub fn sign_of_life(&mut self, now: f64) {
        self.heard = now;
    }

    /// Something has arrived that makes no sense.
    pub fn event_skipped(&mut self) {
        self.status.skipped += 1;
    }

    /// The tick of the server's time `t` has arrived.
    pub fn tick_arrived(&mut self, now: f64, t: f64) {
        self.heard = now;
        let delay = self.ahead.map(|ahead| (now - t - ahead).max(0.0));
        if delay.is_some_and(|delay| delay >= STALE_MS) {
            return;
        }
        self.on_time = now;
        self.failures = 0;
        self.asked = false;
        let link = if self.way == Transport::Poll { ConnectionState::Polling } else { ConnectionState::Live };
        self.status = Status { connection: link, delay, skipped: self.status.skipped, ..Status::default() };
        if self.way != Transport::Poll && now - self.opened >= FORGIVEN_MS {
            self.strikes = 0;
        }
    }

    /// The connection is lost. `retries` says that the browser makes a new one by itself; `chance`, from 0 to 1, spreads
    /// clients that were lost together (full jitter).
    pub fn lost(&mut self, now: f64, retries: bool, chance: f64) -> Action {
        self.status.connection = if self.offline { ConnectionState::Offline } else { ConnectionState::Waiting };
        self.heard = now;
        if retries {
            self.requested = None;
            return Action::None;
        }
        if self.way == Transport::EventSource {
            // It doesn't say why it was refused; whoever asks anew hears that, or has a stream.
            return self.open(Transport::Fetch, now);
        }
        self.wait(now, 0.0, chance);
        self.way = self.first;
        Action::None
    }

    /// The server gives no stream, and says why, and perhaps for how many milliseconds.
    pub fn refused(&mut self, now: f64, reason: String, retry_after: f64, chance: f64) {
        self.status.connection = ConnectionState::Refused;
        self.status.refusal = reason;
        self.wait(now, retry_after, chance);
    }

    fn wait(&mut self, now: f64, at_least: f64, chance: f64) {
        let longest = (FIRST_WAIT_MS * 2f64.powi(self.failures)).min(LONGEST_WAIT_MS);
        self.failures += 1;
        self.heard = now;
        self.retry_at = Some(now + at_least + longest * chance);
    }

    /// Time has passed.
    pub fn timer_fired(&mut self, now: f64) -> Action {
        let link = self.status.connection;
        if link == ConnectionState::Paused {
            return Action::None;
        }
        if self.hidden_at.is_some_and(|at| now - at >= HIDDEN_MS) {
            return self.pause();
        }
        if let Some(at) = self.retry_at {
            return if now >= at { self.open(self.way, now) } else { Action::None };
        }
        if matches!(link, ConnectionState::Live | ConnectionState::Polling) && now - self.on_time >= STALE_MS {
            self.status.connection = ConnectionState::Stale;
        }
        if self.way == Transport::Tab {
            let waits = matches!(self.status.connection, ConnectionState::Connecting | ConnectionState::Stale);
            if !waits || now - self.opened.max(self.on_time) < STALE_MS {
                return Action::None;
            }
            // A tab that answers is followed on; one that is gone doesn't.
            self.opened = now;
            return Action::Join;
        }
        if self.way == Transport::Poll {
            return if now - self.opened >= POLLING_MS { self.open(self.first, now) } else { Action::Ask };
        }
        let silence = now - self.heard;
        if silence >= if self.status.stuck { SILENT_STUCK_MS } else { SILENT_MS } {
            return self.open(self.way, now);
        }
        let waits = matches!(self.status.connection, ConnectionState::Connecting | ConnectionState::Stale);
        if waits && !self.asked && now - self.opened.max(self.on_time) >= STALE_MS {
            self.asked = true;
            return Action::Ask;
        }
        Action::None
    }

    /// The server has answered what was asked beside the stream; `newer` says that it had what the stream has not brought.
    pub fn answered(&mut self, now: f64, newer: bool) -> Action {
        self.heard = now;
        if self.way == Transport::Poll || self.status.connection == ConnectionState::Live {
            return Action::None;
        }
        self.status.stuck = !newer;
        if !newer || self.way == Transport::Tab {
            return Action::None;
        }
        self.strikes += 1;
        self.open(if self.strikes >= STRIKES { Transport::Poll } else { self.first }, now)
    }

    /// The server has not answered.
    pub fn unanswered(&mut self, now: f64, chance: f64) {
        if self.way == Transport::Poll {
            self.status.connection = if self.offline { ConnectionState::Offline } else { ConnectionState::Waiting };
            self.wait(now, 0.0, chance);
            self.way = self.first;
        }
    }

    /// Nobody sees the page any more.
    pub fn hidden(&mut self, now: f64) {
        self.hidden_at = Some(now);
    }

    /// The page is seen again, or back from where the browser keeps the pages that were left.
    pub fn shown(&mut self, now: f64) -> Action {
        self.hidden_at = None;
        if self.status.connection != ConnectionState::Paused {
            return self.timer_fired(now);
        }
        self.open(Transport::Tab, now);
        Action::Join
    }

    /// The page is left, or was not seen for long.
    pub fn pause(&mut self) -> Action {
        self.status.connection = ConnectionState::Paused;
        Action::Close
    }

    /// The device has lost its network, or has one again.
    pub fn network_changed(&mut self, now: f64, offline: bool) -> Action {
        self.offline = offline;
        let waits = matches!(self.status.connection, ConnectionState::Waiting | ConnectionState::Offline);
        if offline && self.status.connection == ConnectionState::Waiting {
            self.status.connection = ConnectionState::Offline;
        }
        // What there is of a stream is of the old network; the browser may not find out for minutes.
        let of_old = waits || self.status.connection == ConnectionState::Stale;
        match self.way {
            _ if offline || !of_old => Action::None,
            Transport::Tab => Action::Join,
            _ => self.open(self.first, now),
        }
    }

    fn open(&mut self, way: Transport, now: f64) -> Action {
        self.way = way;
        self.opened = now;
        self.requested = Some(now);
        self.heard = now;
        self.retry_at = None;
        self.asked = false;
        if matches!(self.status.connection, ConnectionState::Paused | ConnectionState::Refused) {
            self.status.connection = ConnectionState::Connecting;
        }
        Action::Open(way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Action = Action::Open(Transport::EventSource);

    /// A connection of the tab that has the stream.
    fn opened(now: f64, by_event_source: bool) -> Connection {
        let mut connection = Connection::new(now, by_event_source);
        connection.elected(now);
        connection
    }

    fn live() -> Connection {
        let mut connection = opened(0.0, true);
        connection.stream_begun(10.0, 5.0);
        connection.tick_arrived(1_000.0, 1_000.0);
        connection
    }

    fn link(connection: &Connection) -> ConnectionState {
        connection.status(0.0).connection
    }

    #[test]
    fn it_is_live_only_while_ticks_arrive() {
        let mut connection = opened(0.0, true);
        assert_eq!(link(&connection), ConnectionState::Connecting);
        connection.tick_arrived(1_000.0, 1_000.0);
        assert_eq!((connection.timer_fired(3_900.0), link(&connection)), (Action::None, ConnectionState::Live));
        assert_eq!((connection.timer_fired(4_000.0), link(&connection)), (Action::Ask, ConnectionState::Stale));
        assert_eq!(connection.timer_fired(5_000.0), Action::None, "once is enough");
        connection.tick_arrived(5_500.0, 5_000.0);
        assert_eq!(link(&connection), ConnectionState::Live);
    }

    #[test]
    fn the_delay_is_told_whatever_the_clocks_say() {
        let mut connection = opened(1_000_000.0, true);
        // The answer took 40 ms; the server's clock is a quarter of an hour behind.
        connection.stream_begun(1_000_040.0, 100_020.0);
        connection.tick_arrived(1_001_030.0, 101_000.0);
        assert_eq!(connection.status(1_001_030.0).delay, Some(30.0));
        connection.tick_arrived(1_001_900.0, 102_000.0);
        assert_eq!(connection.status(1_001_900.0).delay, Some(0.0), "none arrives before it is sent");
        // When the browser asks anew is not known; how the clocks differ is.
        connection.lost(1_002_000.0, true, 0.5);
        connection.stream_begun(1_005_000.0, 105_000.0);
        connection.tick_arrived(1_006_020.0, 106_000.0);
        assert_eq!(connection.status(1_006_020.0).delay, Some(20.0));
    }

    #[test]
    fn what_makes_no_sense_is_counted_and_ends_nothing() {
        let mut connection = live();
        connection.event_skipped();
        connection.tick_arrived(2_000.0, 2_000.0);
        let status = connection.status(2_000.0);
        assert_eq!((status.connection, status.skipped), (ConnectionState::Live, 1));
    }

    #[test]
    fn what_is_caught_up_on_makes_nothing_live() {
        let mut connection = live();
        connection.lost(2_000.0, true, 0.5);
        connection.stream_begun(60_000.0, 60_000.0);
        connection.tick_arrived(60_001.0, 3_000.0);
        assert_eq!(link(&connection), ConnectionState::Waiting);
        connection.tick_arrived(60_001.0, 60_000.0);
        assert_eq!(link(&connection), ConnectionState::Live);
    }

    #[test]
    fn a_silent_stream_is_given_up_again_and_again() {
        let mut connection = live();
        assert_eq!(connection.timer_fired(4_000.0), Action::Ask);
        assert_eq!(connection.timer_fired(10_900.0), Action::None);
        assert_eq!(connection.timer_fired(11_000.0), OPEN);
        assert_eq!(connection.timer_fired(14_000.0), Action::Ask);
        assert_eq!(connection.timer_fired(20_900.0), Action::None);
        assert_eq!(connection.timer_fired(21_000.0), OPEN);
        assert_eq!(link(&connection), ConnectionState::Stale);
        assert_eq!(connection.status(21_000.0).silence, 20_000.0);
    }

    #[test]
    fn a_server_that_is_there_and_has_nothing_new_is_told_from_one_that_is_not() {
        let mut connection = live();
        assert_eq!(connection.timer_fired(4_000.0), Action::Ask);
        assert_eq!(connection.answered(4_010.0, false), Action::None);
        assert!(connection.status(4_010.0).stuck);
        // Its heartbeat comes in time.
        assert_eq!(connection.timer_fired(16_000.0), Action::None);
        connection.sign_of_life(16_500.0);
        assert_eq!(connection.timer_fired(30_000.0), Action::None);
        assert_eq!(connection.timer_fired(36_500.0), OPEN);
        connection.tick_arrived(37_000.0, 37_000.0);
        assert!(!connection.status(37_000.0).stuck);
    }

    #[test]
    fn a_stream_that_is_held_back_is_done_without_for_a_while() {
        let mut connection = opened(0.0, true);
        let mut now = 0.0;
        for way in [Transport::EventSource, Transport::EventSource, Transport::Poll] {
            now += STALE_MS;
            assert_eq!(connection.timer_fired(now), Action::Ask);
            assert_eq!(connection.answered(now, true), Action::Open(way));
        }
        assert_eq!(connection.timer_fired(now + 1_000.0), Action::Ask);
        assert_eq!(connection.answered(now + 1_010.0, true), Action::None);
        connection.tick_arrived(now + 1_010.0, now + 1_000.0);
        assert_eq!(link(&connection), ConnectionState::Polling);
        assert_eq!(connection.timer_fired(now + POLLING_MS), OPEN);
        // Still held back: once is enough now.
        now += POLLING_MS + STALE_MS;
        assert_eq!((connection.timer_fired(now), link(&connection)), (Action::Ask, ConnectionState::Stale));
        assert_eq!(connection.answered(now, true), Action::Open(Transport::Poll));
    }

    #[test]
    fn strikes_are_forgiven_to_a_stream_that_goes_well() {
        let mut connection = live();
        for second in [4.0, 70.0, 140.0, 210.0] {
            let now = second * 1_000.0;
            assert_eq!(connection.timer_fired(now), Action::Ask);
            assert_eq!(connection.answered(now, true), OPEN, "at {second} s");
            connection.tick_arrived(now + 61_000.0, now + 61_000.0);
        }
    }

    #[test]
    fn a_laptop_that_slept_connects_at_once() {
        assert_eq!(live().timer_fired(8.0 * 3_600_000.0), OPEN);
    }

    #[test]
    fn a_browser_that_gives_up_is_followed_by_one_that_asks_why() {
        let mut connection = live();
        assert_eq!(connection.lost(2_000.0, true, 0.5), Action::None);
        assert_eq!(link(&connection), ConnectionState::Waiting);
        assert_eq!(connection.lost(3_000.0, false, 0.5), Action::Open(Transport::Fetch));
        connection.refused(3_100.0, "Too many.".to_owned(), 30_000.0, 0.5);
        let status = connection.status(3_100.0);
        assert_eq!(
            (status.connection, &*status.refusal, status.wait),
            (ConnectionState::Refused, "Too many.", Some(30_500.0))
        );
        assert_eq!(connection.timer_fired(33_500.0), Action::None);
        assert_eq!(connection.timer_fired(33_600.0), Action::Open(Transport::Fetch));
        assert_eq!(connection.lost(34_000.0, false, 0.0), Action::None);
        assert_eq!(connection.timer_fired(34_000.0), OPEN);
    }

    #[test]
    fn waits_double_up_to_half_a_minute_and_start_over_once_ticks_flow() {
        let mut connection = opened(0.0, false);
        let mut now = 2_000.0;
        for wait in [1_000.0, 2_000.0, 4_000.0, 8_000.0, 16_000.0, 30_000.0, 30_000.0] {
            connection.lost(now, false, 1.0);
            assert_eq!(connection.timer_fired(now + wait - 1.0), Action::None);
            now += wait;
            assert_eq!(connection.timer_fired(now), Action::Open(Transport::Fetch), "after {wait} ms");
        }
        connection.tick_arrived(now, now);
        connection.lost(now, false, 1.0);
        assert_eq!(connection.timer_fired(now + 1_000.0), Action::Open(Transport::Fetch));
    }

    #[test]
    fn a_page_that_nobody_sees_for_a_minute_asks_for_nothing_until_it_is_seen() {
        let mut connection = live();
        connection.hidden(2_000.0);
        connection.tick_arrived(61_000.0, 61_000.0);
        assert_eq!(connection.timer_fired(61_900.0), Action::None);
        connection.tick_arrived(62_000.0, 62_000.0);
        assert_eq!((connection.timer_fired(62_000.0), link(&connection)), (Action::Close, ConnectionState::Paused));
        assert_eq!(connection.timer_fired(900_000.0), Action::None);
        assert_eq!((connection.shown(900_500.0), link(&connection)), (Action::Join, ConnectionState::Connecting));
    }

    #[test]
    fn a_short_look_elsewhere_changes_nothing() {
        let mut connection = live();
        connection.hidden(1_500.0);
        assert_eq!((connection.shown(3_000.0), link(&connection)), (Action::None, ConnectionState::Live));
    }

    #[test]
    fn a_network_that_comes_back_is_used_at_once() {
        let mut connection = live();
        assert_eq!(
            (connection.network_changed(1_500.0, true), link(&connection)),
            (Action::None, ConnectionState::Live)
        );
        connection.lost(2_000.0, true, 0.5);
        assert_eq!(link(&connection), ConnectionState::Offline);
        assert_eq!(connection.network_changed(60_000.0, false), OPEN);
        // A server on this very device is there without a network.
        connection.tick_arrived(60_100.0, 60_100.0);
        assert_eq!(link(&connection), ConnectionState::Live);
    }

    #[test]
    fn a_tab_asks_for_the_leader_when_nothing_comes_from_it() {
        let mut connection = Connection::new(0.0, true);
        assert_eq!(connection.followed(200.0), Action::Follow);
        connection.greeted(200.0, 210.0, 205.0);
        connection.tick_arrived(210.0, 0.0);
        assert_eq!((connection.answered(210.0, true), link(&connection)), (Action::None, ConnectionState::Live));
        assert_eq!((connection.timer_fired(3_210.0), link(&connection)), (Action::Join, ConnectionState::Stale));
        assert_eq!(connection.timer_fired(4_000.0), Action::None, "it has a while to answer");
        assert_eq!(connection.timer_fired(20_000.0), Action::Join);
        assert_eq!((connection.elected(20_300.0), connection.way()), (OPEN, Transport::EventSource));
        assert_eq!(connection.elected(20_400.0), Action::None, "it is that already");
    }
}
