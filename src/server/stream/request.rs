//! What a client asks of the stream.

use crate::server::{
    Problem,
    http::{Encoding, WindowQuery},
    log::Coding,
};
use axum::http::{HeaderMap, StatusCode, header};

/// What a client asks of the stream.
#[derive(Debug, PartialEq)]
pub(super) struct StreamRequest {
    /// What of it, and from where on.
    pub query: WindowQuery,
    /// How its stream is packed.
    pub coding: Coding,
}

impl StreamRequest {
    /// # Errors
    /// When a value is none that we know, or the client doesn't take an event stream.
    pub(super) fn read(query: &str, headers: &HeaderMap) -> Result<Self, Problem> {
        if !accepts_event_stream(headers) {
            let detail = "The stream is text/event-stream; Accept must admit it, or be left out.";
            return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "Not acceptable", detail));
        }
        let coding = if Encoding::Gzip.accepted(headers) { Coding::Gzip } else { Coding::Identity };
        let mut query = WindowQuery::read(query, "last_event_id")?;
        // A browser that reconnects repeats the address it was given, with the header beside it: the header is newer.
        if let Some(id) = headers.get("last-event-id") {
            query.last_id = Some(String::from_utf8_lossy(id.as_bytes()).parse());
        }
        Ok(Self { query, coding })
    }
}

fn accepts_event_stream(headers: &HeaderMap) -> bool {
    let mut lists = headers.get_all(header::ACCEPT).into_iter().filter_map(|list| list.to_str().ok()).peekable();
    let admits = |entry: &str| {
        let media_type = entry.split(';').next().unwrap_or_default().trim();
        ["text/event-stream", "text/*", "*/*"].iter().any(|wanted| media_type.eq_ignore_ascii_case(wanted))
    };
    lists.peek().is_none() || lists.any(|list| list.split(',').any(admits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{EventId, EventName, EventNames};
    use axum::http::{HeaderName, HeaderValue};

    fn read(
        query: &str,
        accept: Option<&'static str>,
        last_id: Option<&'static str>,
    ) -> Result<StreamRequest, Problem> {
        let accept = accept.map(|value| (header::ACCEPT, HeaderValue::from_static(value)));
        let last_id = last_id.map(|value| (HeaderName::from_static("last-event-id"), HeaderValue::from_static(value)));
        let headers: HeaderMap = accept.into_iter().chain(last_id).collect();
        StreamRequest::read(query, &headers)
    }

    #[test]
    fn everything_has_a_default() {
        let request = read("", None, None).unwrap();
        let query = WindowQuery { events: EventNames::ALL, window: 300, last_id: None };
        assert_eq!(request, StreamRequest { query, coding: Coding::Identity });
        assert_eq!(read("_=123&x", None, None).unwrap(), request);
    }

    #[test]
    fn a_query_chooses_events_window_and_place() {
        let request = read("events=memory%2Ccpu&window=60&last_event_id=5-1", None, None).unwrap().query;
        assert_eq!(request.events, EventNames::from_iter([EventName::Memory, EventName::Cpu]));
        assert_eq!((request.window, request.last_id), (60, Some(Ok(EventId { ms: 5, n: 1 }))));
    }

    #[test]
    fn the_header_wins_over_the_query() {
        let request = read("last_event_id=5-1", None, Some("6-0")).unwrap().query;
        assert_eq!(request.last_id, Some(Ok(EventId { ms: 6, n: 0 })));
        assert!(matches!(read("", None, Some("garbage")).unwrap().query.last_id, Some(Err(_))));
    }

    #[test]
    fn unknown_values_are_answered_with_known_ones() {
        let detail = |query: &str| read(query, None, None).unwrap_err().detail;
        assert!(detail("events=cpu,gpu").contains("cpu, memory, load, pressure, connections, network, disk"));
        assert!(detail("events=").contains("cpu, memory, load, pressure, connections, network, disk"));
        for window in ["-1", "3601", "5m", "", "1e3"] {
            assert!(detail(&format!("window={window}")).contains("0 to 3600"), "{window}");
        }
    }

    #[test]
    fn accept_must_admit_an_event_stream() {
        for accept in ["text/event-stream", "text/*", "*/*", "application/json, */*;q=0.1", "Text/Event-Stream; q=1"] {
            assert!(read("", Some(accept), None).is_ok(), "{accept}");
        }
        for accept in ["application/json", "text/html, text/plain", "text/event-streams", ""] {
            assert_eq!(read("", Some(accept), None).unwrap_err().status, StatusCode::NOT_ACCEPTABLE, "{accept}");
        }
    }
}
