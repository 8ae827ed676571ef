//! The query that the stream and the snapshot share: which events, how long a window, since which id.

use super::Problem;
use crate::{
    schema::{EventFilter, EventId, InvalidId, RETENTION_S},
    server::channels::Channels,
};
use axum::http::StatusCode;

/// Seconds of window without `window=`.
const DEFAULT_WINDOW_S: usize = 300;

/// A parsed query.
#[derive(Debug, PartialEq)]
pub(in crate::server) struct WindowQuery {
    /// The event filter.
    pub events: EventFilter,
    /// Seconds of window for a client without an id.
    pub window: usize,
    /// The client's last event id.
    pub last_id: Option<Result<EventId, InvalidId>>,
}

impl WindowQuery {
    /// Parses a query; `last_id` is the key of the client's last event id.
    ///
    /// # Errors
    /// When a value is invalid; the problem lists valid ones.
    pub(in crate::server) fn parse(query: &str, last_id: &str, channels: &Channels) -> Result<Self, Problem> {
        let mut parsed = Self { events: EventFilter::All, window: DEFAULT_WINDOW_S, last_id: None };
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "events" => parsed.events = parse_events(&value, channels)?,
                "window" => parsed.window = parse_window(&value)?,
                key if key == last_id => parsed.last_id = Some(value.parse()),
                _ => {}
            }
        }
        Ok(parsed)
    }
}

fn parse_events(list: &str, channels: &Channels) -> Result<EventFilter, Problem> {
    let (names, known) = (list.split(',').map(str::trim), channels.event_names());
    match names.clone().find(|name| !known.iter().any(|known| known == name)) {
        None => Ok(names.collect()),
        Some(unknown) => {
            let known = known.join(", ");
            Err(bad_query(format!("events: unknown event {unknown:?}; the events are {known}, separated by commas.")))
        }
    }
}

fn parse_window(seconds: &str) -> Result<usize, Problem> {
    let window = seconds.parse().ok().filter(|window| *window <= RETENTION_S);
    window.ok_or_else(|| bad_query(format!("window: {seconds:?} is not a number of seconds from 0 to {RETENTION_S}.")))
}

fn bad_query(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "Unknown query value", detail)
}
