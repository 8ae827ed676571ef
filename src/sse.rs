//! Incremental parser of Server-Sent Events (WHATWG HTML, section 9.2.6), for the server and the browser library.
//!
//! Written here because `eventsource-stream` needs an async stream, brings nom along and fails on invalid UTF-8.

/// A dispatched event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Event type; `message` if the server set none.
    pub name: String,
    /// Data lines, joined by LF.
    pub data: String,
    /// Last event id, set by this event or an earlier one.
    pub id: String,
}

/// Parser state between two reads; chunk boundaries may fall anywhere, even inside a character.
#[derive(Clone, Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    /// Whether the first line has ended: only it may start with a byte order mark.
    started: bool,
    /// Whether the last byte was a CR: an LF right after it belongs to the same line end.
    after_cr: bool,
    name: String,
    data: String,
    id: String,
    retry: Option<u64>,
}

const BYTE_ORDER_MARK: char = '\u{feff}';

impl Parser {
    /// Parser for a reconnect: events carry `id` until the server sets another.
    pub fn with_last_event_id(id: String) -> Self {
        Self { id, ..Self::default() }
    }

    /// Parses the next chunk and calls `dispatch` for every event that it completes.
    pub fn read(&mut self, bytes: &[u8], mut dispatch: impl FnMut(Event)) {
        for byte in bytes {
            match byte {
                b'\n' if self.after_cr => {}
                b'\r' | b'\n' => self.end_line(&mut dispatch),
                byte => self.line.push(*byte),
            }
            self.after_cr = *byte == b'\r';
        }
    }

    /// Reconnection time that the server set with `retry:`, in milliseconds.
    pub fn retry(&self) -> Option<u64> {
        self.retry
    }

    fn end_line(&mut self, dispatch: &mut impl FnMut(Event)) {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        let line = if self.started { &*text } else { text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text) };
        self.started = true;
        match line.split_once(':') {
            None if line.is_empty() => self.dispatch(dispatch),
            // A comment.
            Some(("", _)) => {}
            Some((field, value)) => self.set_field(field, value.strip_prefix(' ').unwrap_or(value)),
            None => self.set_field(line, ""),
        }
    }

    fn set_field(&mut self, field: &str, value: &str) {
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry = value.parse().ok().or(self.retry);
            }
            _ => {}
        }
    }

    /// Dispatches the event at a blank line. A block without data is no event, but its id is kept.
    fn dispatch(&mut self, dispatch: &mut impl FnMut(Event)) {
        let (name, mut data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
        if data.pop().is_some() {
            let name = if name.is_empty() { "message".to_owned() } else { name };
            dispatch(Event { name, data, id: self.id.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(chunks: &[&[u8]]) -> Vec<(String, String, String)> {
        let (mut parser, mut events) = (Parser::default(), Vec::new());
        for chunk in chunks {
            parser.read(chunk, |event| events.push((event.name, event.data, event.id)));
        }
        events
    }

    fn event(name: &str, data: &str, id: &str) -> (String, String, String) {
        (name.to_owned(), data.to_owned(), id.to_owned())
    }

    #[test]
    fn parser_reads_examples_of_the_standard() {
        assert_eq!(parse(&[b"data: YHOO\ndata: +2\ndata: 10\n\n"]), [event("message", "YHOO\n+2\n10", "")]);
        let text = b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n";
        let expected = [
            event("message", "first event", "1"),
            event("message", "second event", ""),
            event("message", " third event", ""),
        ];
        assert_eq!(parse(&[text]), expected);
        assert_eq!(parse(&[b"data\n\ndata\ndata\n\ndata:"]), [event("message", "", ""), event("message", "\n", "")]);
        assert_eq!(
            parse(&[b"data:test\n\ndata: test\n\n"]),
            [event("message", "test", ""), event("message", "test", "")]
        );
    }

    #[test]
    fn line_ends_split_across_chunks_end_one_line() {
        for text in ["event: a\ndata: b\n\n", "event: a\r\ndata: b\r\n\r\n", "event: a\rdata: b\r\r"] {
            for cut in 0..text.len() {
                let (one, two) = text.as_bytes().split_at(cut);
                assert_eq!(parse(&[one, two]), [event("a", "b", "")], "{text:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn byte_order_mark_is_stripped_only_at_the_start() {
        assert_eq!(parse(&[b"\xef", b"\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n"]), [event("message", "a", "")]);
    }

    #[test]
    fn unknown_fields_and_invalid_values_are_ignored() {
        let text = b"Data: x\nfoo: y\n data: z\nid: a\0b\nretry: 5x\nevent: n\ndata: d\n\nevent: lost\n\ndata: e\n\n";
        assert_eq!(parse(&[text]), [event("n", "d", ""), event("message", "e", "")]);
    }

    #[test]
    fn block_without_data_updates_the_id() {
        assert_eq!(parse(&[b"id: 7\n\ndata: x\n\n"]), [event("message", "x", "7")]);
    }

    #[test]
    fn initial_last_event_id_applies_until_replaced() {
        let (mut parser, mut ids) = (Parser::with_last_event_id("7".to_owned()), Vec::new());
        parser.read(b"data: a\n\nid: 8\ndata: b\n\nid\ndata: c\n\n", |event| ids.push(event.id));
        assert_eq!(ids, ["7", "8", ""]);
    }

    /// The format cases of web-platform-tests (eventsource/format-*).
    #[test]
    fn web_platform_format_tests_pass() {
        let long = "x".repeat(2048);
        let comments = format!("data:1\r:\0\n:\r\ndata:2\n:{long}\rdata:3\n:data:fail\r:{long}\ndata:4\n\n");
        let cases: [(&[u8], &[&str]); 14] = [
            (b"\xef\xbb\xbf\xef\xbb\xbfdata:1\n\ndata:2\n\n", &["2"]),
            (b"\xef\xbb\xbfdata:1\n\n\xef\xbb\xbfdata:2\n\ndata:3\n\n", &["1", "3"]),
            (b"data:\n\ndata\ndata\n\ndata:test\n\n", &["", "\n", "test"]),
            (b"data:test\r\ndata\ndata:test\r\n\r\n", &["test\n\ntest"]),
            (b"data:a\ndata: a\n\n:\nother:a\n\nother:a\nData:a\n\ndata\n\ndata:end\n\n", &["a\na", "", "end"]),
            (comments.as_bytes(), &["1\n2\n3\n4"]),
            (b"data:\0\n\n", &["\0"]),
            (
                b"data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\rdata_5\n\
                data:3\rdata:\r\n data:32\ndata:4\n\n",
                &["\0\n 2\n1\n3\n\n4"],
            ),
            (b"data:test1\r\ndata:test2\n\rdata:test3\r\n\r\n", &["test1\ntest2", "test3"]),
            (b"data:\ttest\rdata: \ndata:test\n\n", &["\ttest\n\ntest"]),
            (b"data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\ndata:test\n\n", &["test\n\ntest"]),
            (b"data:ok\xe2\x80\xa6\n\n", &["ok\u{2026}"]),
            (b"data:\xff\n\n", &["\u{fffd}"]),
            (b"retry:1000\ndata:test1\n\n\ndata:test2", &["test1"]),
        ];
        for (text, expected) in cases {
            let data: Vec<_> = parse(&[text]).into_iter().map(|(_, data, _)| data).collect();
            assert_eq!(data, expected, "{}", String::from_utf8_lossy(text));
        }
    }

    /// The name and id cases of the same suite.
    #[test]
    fn web_platform_name_and_id_tests_pass() {
        assert_eq!(parse(&[b"event: \ndata:a\n\n"]), [event("message", "a", "")]);
        for id in ["\0\0", "x\0", "\0x", "x\0x", " \0"] {
            assert_eq!(parse(&[format!("id: {id}\ndata: a\n\n").as_bytes()]), [event("message", "a", "")], "{id:?}");
        }
        let ids = |text: &str| parse(&[text.as_bytes()]).into_iter().map(|(_, _, id)| id).collect::<Vec<_>>();
        assert_eq!(ids("id: 1\ndata: 1\n\ndata: 2\n\nid: 2\ndata:3\n\ndata:4\n\n"), ["1", "1", "2", "2"]);
        for empty in ["id:", "id"] {
            assert_eq!(ids(&format!("id: 1\ndata: 1\n\n{empty}\ndata:2\n\ndata:3\n\n")), ["1", "", ""]);
        }
        assert_eq!(ids("id: \u{2026}\ndata: a\n\ndata: b\n\nid: c\ndata: unfinished\n"), ["\u{2026}", "\u{2026}"]);
    }

    #[test]
    fn retry_keeps_the_last_valid_value() {
        let mut parser = Parser::default();
        for (text, retry) in [
            ("retry\n", None),
            ("retry: 01500\n", Some(1500)),
            ("retry: -1\n", Some(1500)),
            ("retry:1000x\n", Some(1500)),
            ("retry: 99999999999999999999\n", Some(1500)),
        ] {
            parser.read(text.as_bytes(), |_| {});
            assert_eq!(parser.retry(), retry, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn chunk_boundaries_do_not_change_events(
            text in "(data|event|id|retry|:|[a-z]|\u{e9}|\u{1f600}| |\r|\n|\0){0,80}",
            cuts in prop::collection::vec(0usize..400, 0..9),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).chain([0, bytes.len()]).collect();
            cuts.sort_unstable();
            let chunks: Vec<_> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(parse(&chunks), parse(&[bytes]));
        }
    }

    #[cfg(feature = "ssr")]
    proptest! {
        #[test]
        fn written_events_parse_back_unchanged(
            events in prop::collection::vec(("[a-z]{1,9}", "[^\r\n\0]{1,60}"), 1..20),
        ) {
            let mut bytes = bytes::BytesMut::new();
            for (n, (name, data)) in (0..).zip(&events) {
                crate::server::log::write_event(&mut bytes, Some(crate::schema::EventId { ms: 1, n, tag: 0xf3a9 }), name, data)?;
            }
            let parsed = parse(&[&bytes]);
            prop_assert_eq!(parsed.len(), events.len());
            for (n, ((name, data), parsed)) in events.into_iter().zip(parsed).enumerate() {
                prop_assert_eq!(parsed, (name, data, format!("1-{n}-00f3a9")));
            }
        }
    }
}
