//! A stream request: its query, `Last-Event-ID`, `Accept`, and content coding.

use crate::server::{
    channels::Channels,
    http::{Encoding, Problem, WindowQuery},
    log::Coding,
};
use axum::http::{HeaderMap, StatusCode, header};

/// A parsed stream request.
#[derive(Debug, PartialEq)]
pub(super) struct StreamRequest {
    /// Which events, and from which id on.
    pub query: WindowQuery,
    /// The stream's content coding.
    pub coding: Coding,
}

impl StreamRequest {
    /// Parses the query and the headers.
    ///
    /// # Errors
    /// When a value is invalid, or the client doesn't accept an event stream.
    pub(super) fn parse(query: &str, headers: &HeaderMap, channels: &Channels) -> Result<Self, Problem> {
        if !accepts_event_stream(headers) {
            let detail = "The stream is text/event-stream; Accept must admit it, or be left out.";
            return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "Not acceptable", detail));
        }
        let coding = match Encoding::preferred(headers, [Encoding::Gzip]) {
            Some(_) => Coding::Gzip,
            None => Coding::Identity,
        };
        let mut query = WindowQuery::parse(query, "last_event_id", channels)?;
        // A browser reconnects with the original URL and a newer id in the header.
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
    use crate::schema::{EventFilter, EventId};
    use axum::http::{HeaderName, HeaderValue};

    fn parse(
        query: &str,
        accept: Option<&'static str>,
        last_id: Option<&'static str>,
    ) -> Result<StreamRequest, Problem> {
        let accept = accept.map(|value| (header::ACCEPT, HeaderValue::from_static(value)));
        let last_id = last_id.map(|value| (HeaderName::from_static("last-event-id"), HeaderValue::from_static(value)));
        let headers: HeaderMap = accept.into_iter().chain(last_id).collect();
        StreamRequest::parse(query, &headers, &Channels::default())
    }

    #[test]
    fn empty_query_uses_defaults() {
        let request = parse("", None, None).unwrap();
        let query = WindowQuery { events: EventFilter::All, window: 300, last_id: None };
        assert_eq!(request, StreamRequest { query, coding: Coding::Identity });
        assert_eq!(parse("_=123&x", None, None).unwrap(), request);
    }

    #[test]
    fn query_sets_events_window_and_id() {
        let request = parse("events=memory%2Ccpu&window=60&last_event_id=5-1-00f3a9", None, None).unwrap().query;
        assert_eq!(request.events, EventFilter::from_iter(["memory", "cpu"]));
        assert_eq!((request.window, request.last_id), (60, Some(Ok(EventId { ms: 5, n: 1, tag: 0xf3a9 }))));
    }

    #[test]
    fn last_event_id_header_overrides_query() {
        let request = parse("last_event_id=5-1-00f3a9", None, Some("6-0-00f3a9")).unwrap().query;
        assert_eq!(request.last_id, Some(Ok(EventId { ms: 6, n: 0, tag: 0xf3a9 })));
        assert!(matches!(parse("", None, Some("garbage")).unwrap().query.last_id, Some(Err(_))));
    }

    #[test]
    fn unknown_value_is_refused_with_known_values() {
        let detail = |query: &str| parse(query, None, None).unwrap_err().detail;
        assert!(detail("events=cpu,gpu").contains("cpu, memory, load, pressure, connections, network, disk"));
        assert!(detail("events=").contains("cpu, memory, load, pressure, connections, network, disk"));
        for window in ["-1", "3601", "5m", "", "1e3"] {
            assert!(detail(&format!("window={window}")).contains("0 to 3600"), "{window}");
        }
    }

    #[test]
    fn accept_without_event_stream_is_refused() {
        for accept in ["text/event-stream", "text/*", "*/*", "application/json, */*;q=0.1", "Text/Event-Stream; q=1"] {
            assert!(parse("", Some(accept), None).is_ok(), "{accept}");
        }
        for accept in ["application/json", "text/html, text/plain", "text/event-streams", ""] {
            assert_eq!(parse("", Some(accept), None).unwrap_err().status, StatusCode::NOT_ACCEPTABLE, "{accept}");
        }
    }
}
