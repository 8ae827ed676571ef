//! The state of the event stream, and the texts that the page shows for it.

use crate::units::{decimal, duration};

/// Milliseconds without a timely tick after which the page counts as stale: three intervals.
pub const STALE_MS: f64 = 3_000.0;

/// The state of the event stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionState {
    /// Making the first connection.
    #[default]
    Connecting,
    /// Ticks arrive on time.
    Live,
    /// Connected, but no tick arrives.
    Stale,
    /// Not connected; reconnecting.
    Reconnecting,
    /// Not connected: this device is offline.
    Offline,
    /// The server refuses the stream for now.
    Refused,
    /// Disconnected while the page is hidden.
    Paused,
    /// Polling for ticks: the stream is buffered on its way.
    Polling,
}

impl ConnectionState {
    /// The page's class in the stylesheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Stale => "stale",
            Self::Reconnecting => "waiting",
            Self::Offline => "offline",
            Self::Refused => "refused",
            Self::Paused => "paused",
            Self::Polling => "polling",
        }
    }

    /// The label on the page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reconnecting => "reconnecting",
            other => other.class(),
        }
    }
}

/// The stream's state, with delays and errors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// The state of the connection.
    pub connection: ConnectionState,
    /// Milliseconds from a tick to its arrival, corrected by the known difference of the clocks.
    pub delay: Option<f64>,
    /// Milliseconds since the last timely tick.
    pub silence: f64,
    /// Milliseconds until the next attempt; `None` if unknown.
    pub wait: Option<f64>,
    /// Whether the server responds but has no newer sample either.
    pub stuck: bool,
    /// The server's reason for refusing the stream.
    pub refusal: String,
    /// Malformed events, which are skipped.
    pub skipped: u32,
}

impl Status {
    /// The delay beside the label, `42 ms`; empty while no ticks arrive.
    pub(super) fn delay_text(&self) -> String {
        match (self.connection, self.delay) {
            (ConnectionState::Live | ConnectionState::Polling, Some(delay)) => format!("{} ms", decimal(delay, 0)),
            _ => String::new(),
        }
    }

    /// Whether the values on the page may be outdated.
    pub(super) fn is_behind(&self) -> bool {
        match self.connection {
            ConnectionState::Live | ConnectionState::Polling => false,
            ConnectionState::Connecting | ConnectionState::Paused => self.silence >= STALE_MS,
            ConnectionState::Stale
            | ConnectionState::Reconnecting
            | ConnectionState::Offline
            | ConnectionState::Refused => true,
        }
    }

    /// The notice about a disturbed stream, or nothing; `newest` is the time of the newest second on the page.
    pub(super) fn notice(&self, newest: Option<&str>) -> String {
        let seconds = |ms: f64| duration((ms / 1000.0) as u64);
        let silence = seconds(self.silence);
        let last_sample = newest.map_or(String::new(), |time| format!("Last sample at {time}. "));
        let retry = match self.wait {
            Some(wait) if wait >= 1000.0 => format!("Retrying in {}.", seconds(wait)),
            _ => "Retrying.".to_owned(),
        };
        match self.connection {
            ConnectionState::Connecting | ConnectionState::Live | ConnectionState::Paused => String::new(),
            ConnectionState::Stale if self.stuck => format!(
                "No new samples for {silence}: the server is overloaded or was suspended."
            ),
            ConnectionState::Stale => format!("No data from the server for {silence}."),
            ConnectionState::Reconnecting => format!("Server unreachable for {silence}. {last_sample}{retry}"),
            ConnectionState::Offline => {
                format!("This device is offline. {last_sample}The page reconnects when the network is back.")
            }
            ConnectionState::Refused => format!("{} {last_sample}{retry}", self.refusal),
            ConnectionState::Polling => {
                "The event stream is buffered on its way, probably by a proxy (in nginx, set proxy_buffering off). Polling \
                 once a second instead."
                    .to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notice_reports_last_sample_and_retry() {
        let status = Status {
            connection: ConnectionState::Reconnecting,
            silence: 3_725_000.0,
            wait: Some(5_400.0),
            ..Status::default()
        };
        let notice = "Server unreachable for 1 h 2 min. Last sample at 00:00:01 UTC. Retrying in 5 s.";
        assert_eq!(status.notice(Some("00:00:01 UTC")), notice);
        let status =
            Status { connection: ConnectionState::Refused, refusal: "Too many.".to_owned(), ..Status::default() };
        assert_eq!(status.notice(None), "Too many. Retrying.");
    }

    #[test]
    fn reconnecting_page_is_behind_until_live() {
        let status = |connection, silence| Status { connection, silence, ..Status::default() };
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
    fn live_stream_shows_delay_and_no_notice() {
        let live = Status { connection: ConnectionState::Live, delay: Some(41.6), ..Status::default() };
        assert_eq!((live.notice(Some("00:00:01 UTC")), live.delay_text()), (String::new(), "42 ms".to_owned()));
        let stale = Status { connection: ConnectionState::Stale, ..live };
        assert_eq!(stale.delay_text(), "");
    }
}
