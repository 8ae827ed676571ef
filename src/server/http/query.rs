//! The query that the stream and the snapshot share: which events, how long a window, since which id.

use super::Problem;
use crate::schema::{EventId, EventNames, InvalidId, RETENTION_S};
use axum::http::StatusCode;

/// Seconds of window for a client that doesn't say.
const DEFAULT_WINDOW_S: usize = 300;

/// What a client's query asks for.
#[derive(Debug, PartialEq)]
pub(in crate::server) struct WindowQuery {
    /// What it wants to hear of.
    pub events: EventNames,
    /// Seconds of the past, if it is new here.
    pub window: usize,
    /// Where it was, if it was here.
    pub last_id: Option<Result<EventId, InvalidId>>,
}

impl WindowQuery {
    /// Reads a query in which `last_id` says where the client was.
    ///
    /// # Errors
    /// When a value is none that we know.
    pub(in crate::server) fn read(query: &str, last_id: &str) -> Result<Self, Problem> {
        let mut read = Self { events: EventNames::ALL, window: DEFAULT_WINDOW_S, last_id: None };
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "events" => read.events = parse_events(&value)?,
                "window" => read.window = parse_window(&value)?,
                key if key == last_id => read.last_id = Some(value.parse()),
                _ => {}
            }
        }
        Ok(read)
    }
}

fn parse_events(list: &str) -> Result<EventNames, Problem> {
    let chosen = list.split(',').map(|name| name.trim().parse()).collect::<Result<EventNames, _>>();
    chosen.map_err(|error| bad_query(format!("events: {error}, separated by commas.")))
}

fn parse_window(seconds: &str) -> Result<usize, Problem> {
    let window = seconds.parse().ok().filter(|window| *window <= RETENTION_S);
    window.ok_or_else(|| bad_query(format!("window: {seconds:?} is no number of seconds from 0 to {RETENTION_S}.")))
}

fn bad_query(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "Unknown query value", detail)
}
