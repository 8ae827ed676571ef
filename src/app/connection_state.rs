//! How the page and the server stand to each other, and how the page says so.

use crate::units::{decimal, duration, time_of_day};

/// Without a tick on time for so long, in milliseconds, the page no longer shows what is: three intervals.
pub const STALE_MS: f64 = 3_000.0;

/// What the page knows of its stream; what it shows is never better than that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionState {
    /// The first connection is being made.
    #[default]
    Connecting,
    /// Ticks arrive on time.
    Live,
    /// Connected, but no tick arrives.
    Stale,
    /// Not connected; being tried again.
    Waiting,
    /// Not connected, since this device isn't.
    Offline,
    /// The server gives no stream just now.
    Refused,
    /// Nobody is looking, so that nothing is asked for.
    Paused,
    /// Ticks arrive on being asked for, since the stream is held back on its way.
    Polling,
}

impl ConnectionState {
    /// The page's class in the stylesheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Stale => "stale",
            Self::Waiting => "waiting",
            Self::Offline => "offline",
            Self::Refused => "refused",
            Self::Paused => "paused",
            Self::Polling => "polling",
        }
    }

    /// Its name on the page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "reconnecting",
            other => other.class(),
        }
    }
}

/// How the stream is doing, in figures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// How page and server stand to each other.
    pub connection: ConnectionState,
    /// Milliseconds from a tick to its arrival, as far as the clocks are known to differ.
    pub delay: Option<f64>,
    /// Milliseconds since a tick last arrived on time.
    pub silence: f64,
    /// Milliseconds until the next attempt, if it is known.
    pub wait: Option<f64>,
    /// Whether the server answers and has nothing newer either.
    pub stuck: bool,
    /// Why the server gives no stream.
    pub refusal: String,
    /// Events that could not be read.
    pub skipped: u32,
}

impl Status {
    /// What stands beside the name of the connection: how late the ticks are.
    pub(super) fn beside(&self) -> String {
        match (self.connection, self.delay) {
            (ConnectionState::Live | ConnectionState::Polling, Some(delay)) => format!("{} ms", decimal(delay, 0)),
            _ => String::new(),
        }
    }

    /// Whether what the page shows may be long past.
    pub(super) fn is_behind(&self) -> bool {
        match self.connection {
            ConnectionState::Live | ConnectionState::Polling => false,
            ConnectionState::Connecting | ConnectionState::Paused => self.silence >= STALE_MS,
            ConnectionState::Stale | ConnectionState::Waiting | ConnectionState::Offline | ConnectionState::Refused => {
                true
            }
        }
    }

    /// What there is to say if all isn't well; `newest` is the newest second on the page, unix ms.
    pub(super) fn notice(&self, newest: Option<u64>) -> String {
        let seconds = |ms: f64| duration((ms / 1000.0) as u64);
        let silence = seconds(self.silence);
        let seen = newest.map_or(String::new(), |t| format!("What you see is of {} UTC. ", time_of_day(t)));
        let again = match self.wait {
            Some(wait) if wait >= 1000.0 => format!("Trying again in {}.", seconds(wait)),
            _ => "Trying again.".to_owned(),
        };
        match self.connection {
            ConnectionState::Connecting | ConnectionState::Live | ConnectionState::Paused => String::new(),
            ConnectionState::Stale if self.stuck => format!(
                "The server answers, and has not sampled its host for {silence}: it is overloaded, or was suspended."
            ),
            ConnectionState::Stale => format!("Nothing has come from the server for {silence}."),
            ConnectionState::Waiting => format!("The server has been out of reach for {silence}. {seen}{again}"),
            ConnectionState::Offline => {
                format!("This device is offline. {seen}The page goes on as soon as there is a network.")
            }
            ConnectionState::Refused => format!("{} {seen}{again}", self.refusal),
            ConnectionState::Polling => {
                "The stream is held back on its way, most likely by a proxy that collects answers before it passes \
                              them on (in nginx: proxy_buffering off). The page asks once a second instead."
                    .to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_reads_a_notice_knows_how_old_the_page_is_and_what_happens_next() {
        let status = Status {
            connection: ConnectionState::Waiting,
            silence: 3_725_000.0,
            wait: Some(5_400.0),
            ..Status::default()
        };
        let notice =
            "The server has been out of reach for 1 h 2 min. What you see is of 00:00:01 UTC. Trying again in 5 s.";
        assert_eq!(status.notice(Some(1000)), notice);
        let status =
            Status { connection: ConnectionState::Refused, refusal: "Too many.".to_owned(), ..Status::default() };
        assert_eq!(status.notice(None), "Too many. Trying again.");
    }

    #[test]
    fn a_page_that_tries_again_knows_no_more_than_before() {
        let status = |link, silence| Status { connection: link, silence, ..Status::default() };
        assert!(
            status(ConnectionState::Refused, 0.0).is_behind()
                && status(ConnectionState::Connecting, 20_000.0).is_behind()
        );
        assert!(
            !status(ConnectionState::Connecting, 0.0).is_behind()
                && !status(ConnectionState::Live, 20_000.0).is_behind()
        );
    }

    #[test]
    fn there_is_nothing_to_say_while_all_is_well() {
        let live = Status { connection: ConnectionState::Live, delay: Some(41.6), ..Status::default() };
        assert_eq!((live.notice(Some(1000)), live.beside()), (String::new(), "42 ms".to_owned()));
        let stale = Status { connection: ConnectionState::Stale, ..live };
        assert_eq!(stale.beside(), "");
    }
}
