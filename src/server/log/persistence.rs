//! The format of a saved log, which a restart restores exactly: an event stream with a `hello` that names host and epoch,
//! a window of every series, then the ring's ticks as first sent.

use super::{EncodeError, EncodedTick, Head, RING_TICKS, TickLog, write_event};
use crate::{
    schema::{
        EventFilter, EventId, EventName, IdSequence, Identity, InvalidId, RETENTION_S, SCHEMA_VERSION, WindowSnapshot,
    },
    sse::Parser,
};
use bytes::BytesMut;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// Why a saved log can't be restored.
#[derive(Debug, thiserror::Error)]
pub enum InvalidLog {
    /// It has no `hello`.
    #[error("it doesn't begin with a hello")]
    NoHello,
    /// The second event is not a window.
    #[error("it has no window")]
    NoWindow,
    /// The samples are another host's.
    #[error("it is the history of another host")]
    OtherHost,
    /// The window is longer than any that is saved.
    #[error("its window of {0} seconds is too long")]
    Length(usize),
    /// The last event is not the newest of the window.
    #[error("it is cut off before event {0}")]
    CutOff(EventId),
    /// An event's data is not valid.
    #[error("it has an event with invalid data: {0}")]
    Data(#[from] serde_json::Error),
    /// The values have other names.
    #[error("it is of schema {0}, and this version reads schema {SCHEMA_VERSION}")]
    Schema(u32),
    /// An event's id is malformed.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// An event's id doesn't follow the previous one.
    #[error("event {0} is out of order")]
    Order(EventId),
    /// An event can't be encoded.
    #[error(transparent)]
    Event(#[from] EncodeError),
}

/// Whose log it is.
#[derive(Serialize, Deserialize)]
struct SavedHello {
    /// Those before 2 did not name theirs.
    #[serde(default = "first_schema")]
    schema: u32,
    #[serde(flatten)]
    identity: Identity,
}

fn first_schema() -> u32 {
    1
}

/// An event of a saved tick.
struct SavedEvent {
    t: u64,
    id: EventId,
    name: EventName,
    data: String,
}

#[derive(Deserialize)]
struct Stamp {
    t: u64,
}

impl TickLog {
    /// The log as text; empty before the first tick.
    ///
    /// # Errors
    /// When values have no JSON form, which doesn't happen.
    pub fn save(&self) -> Result<Vec<u8>, EncodeError> {
        let (ring, window) = {
            let history = self.history();
            (history.ring.clone(), Arc::clone(&history.values.window))
        };
        let mut text = BytesMut::new();
        // A tick without samples has no event that shows where the file ends.
        let newest = ring.iter().rfind(|tick| tick.events_up_to(tick.last_id()) > 0).map(|tick| tick.last_id());
        if let Some(newest) = newest {
            let snapshot = window.snapshot(None, usize::MAX, &EventFilter::All);
            let hello = SavedHello { schema: SCHEMA_VERSION, identity: self.identity.clone() };
            write_event(&mut text, None, "hello", &serde_json::to_string(&hello)?)?;
            let data = serde_json::to_string(&snapshot)?;
            write_event(&mut text, Some(newest), "window", &data)?;
        }
        ring.iter().for_each(|tick| _ = tick.write(&mut text, &EventFilter::All, 0));
        Ok(without_command_lines(&String::from_utf8_lossy(&text))?.into_bytes())
    }

    /// The log that [`save`](Self::save) wrote; its ids continue after the saved ones. A host without an id of its own
    /// keeps the saved one.
    ///
    /// # Errors
    /// When the text is not of that form, or of another host.
    pub fn restore(text: &[u8], host_id: Option<&str>) -> Result<Self, InvalidLog> {
        let mut events = Vec::new();
        Parser::default().read(text, |event| events.push(event));
        let mut events = events.into_iter().peekable();
        let Some(hello) = events.next_if(|event| event.name == "hello") else {
            return if text.is_empty() {
                Ok(Self::of(Identity::new_epoch(host_id.map(str::to_owned))))
            } else {
                Err(InvalidLog::NoHello)
            };
        };
        let SavedHello { schema, identity } = serde_json::from_str(&hello.data)?;
        if schema != SCHEMA_VERSION {
            return Err(InvalidLog::Schema(schema));
        }
        if host_id.is_some_and(|host_id| host_id != identity.host_id) {
            return Err(InvalidLog::OtherHost);
        }
        let log = Self::of(identity);
        let (window, newest): (WindowSnapshot, EventId) = match events.next() {
            Some(event) if event.name == "window" => (serde_json::from_str(&event.data)?, event.id.parse()?),
            _ => return Err(InvalidLog::NoWindow),
        };
        if window.n > RETENTION_S {
            return Err(InvalidLog::Length(window.n));
        }
        let mut publisher = log.publisher();
        let saved = events.map(|event| {
            let Stamp { t } = serde_json::from_str(&event.data)?;
            Ok(SavedEvent { t, id: event.id.parse()?, name: publisher.names.share(&event.name), data: event.data })
        });
        let saved = saved.collect::<Result<Vec<_>, InvalidLog>>()?;
        if saved.last().map(|event| event.id) != Some(newest) {
            return Err(InvalidLog::CutOff(newest));
        }
        let mut history = log.history_mut();
        Arc::make_mut(&mut history.values.window).merge(&window);
        if let Some([_, early]) = saved.array_windows().find(|[before, next]| !follows(next, before)) {
            return Err(InvalidLog::Order(early.id));
        }
        for tick in saved.chunk_by(|one, next| one.t == next.t) {
            let json = tick.iter().map(|event| (event.name.clone(), event.data.as_str()));
            let encoded = EncodedTick::from_json(tick[0].id, json)?;
            history.ring.push_back(Arc::new(encoded.packed().unwrap_or(encoded)));
        }
        let surplus = history.ring.len().saturating_sub(RING_TICKS);
        history.ring.drain(..surplus);
        publisher.ids = IdSequence::after(log.tag, history.last_id());
        let head = Head { published: history.published(), last_tick: history.values.window.end(), ..Head::default() };
        drop((history, publisher));
        log.head.send_replace(head);
        Ok(log)
    }
}

/// Removes command lines, which may contain secrets and are never saved.
fn without_command_lines(text: &str) -> serde_json::Result<String> {
    let mut redacted = String::with_capacity(text.len());
    let mut is_processes = false;
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("data: ") {
            Some(data) if is_processes && data.contains("\"command\":") => {
                let mut data: Value = serde_json::from_str(data)?;
                for process in data["top"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
                    process.remove("command");
                }
                redacted += &format!("data: {data}\n");
            }
            _ => redacted += line,
        }
        is_processes = line == "event: processes\n";
    }
    Ok(redacted)
}

fn follows(event: &SavedEvent, previous: &SavedEvent) -> bool {
    if event.t == previous.t { event.id == previous.id.plus(1) } else { event.id > previous.id }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        schema::{Process, Processes, Sample, Tick},
        server::log::{
            Coding, Cursor, Progress,
            tests::{id, tick},
        },
    };
    use proptest::prelude::*;

    /// Everything that a viewer after `last_id` gets.
    fn replay(log: &TickLog, last_id: EventId) -> Vec<u8> {
        let (_, mut cursor): (_, Cursor) = log.open_cursor(EventFilter::All, Some(Ok(last_id)), 0);
        let mut sent = Vec::new();
        loop {
            match log.advance(&mut cursor, Coding::Identity) {
                Progress::Events(chunk) => sent.extend_from_slice(&chunk.data()),
                Progress::UpToDate => return sent,
                other => panic!("{other:?} instead of a replay"),
            }
        }
    }

    fn log(seconds: impl IntoIterator<Item = u64>) -> TickLog {
        let log = TickLog::default();
        seconds.into_iter().for_each(|second| log.publish(&tick(second * 1000)));
        log
    }

    #[test]
    fn restored_log_replays_and_continues_exactly() {
        // Longer than the ring, with a gap and a clock that steps back.
        let (one, last) = (log((1..1000).chain([1100, 1101, 1050, 1051])), id(500_000, 1));
        let two = TickLog::restore(&one.save().unwrap(), None).unwrap();
        for log in [&one, &two] {
            log.publish(&tick(1_060_000));
        }
        assert_eq!(one.snapshot(3600), two.snapshot(3600));
        let (replayed, expected) = (replay(&two, last), replay(&one, last));
        assert!(expected.starts_with(b"id: 500000-2-e3b0c4\n"));
        assert_eq!(String::from_utf8(replayed), String::from_utf8(expected));
    }

    #[test]
    fn saved_log_has_no_command_lines() {
        let secret =
            Process { pid: 7, name: "x".to_owned(), command: Some("x --key s3cret".to_owned()), ..Process::default() };
        let open = Process { pid: 8, name: "y".to_owned(), ..Process::default() };
        let values = Processes { total: 2, top: vec![secret, open] };
        let processes = Sample { t: 1000, at: 1.0, dt: 2.0, values };
        let log = TickLog::default();
        log.publish(&tick(1000).with(processes));
        let text = String::from_utf8(log.save().unwrap()).unwrap();
        assert!(!text.contains("s3cret") && text.contains("\"pid\":7") && text.contains("\"pid\":8"), "{text}");
        let restored = TickLog::restore(text.as_bytes(), None).unwrap();
        assert_eq!(restored.snapshot(1).1, log.snapshot(1).1, "ids are unchanged");
    }

    #[test]
    fn log_that_ends_without_samples_restores() {
        let log = log(1..4);
        log.publish(&Tick::at(4000));
        let restored = TickLog::restore(&log.save().unwrap(), None).unwrap();
        assert_eq!(restored.snapshot(3600).1, Some(id(3000, 2)));
    }

    #[test]
    fn empty_log_restores_empty() {
        let log = TickLog::restore(&TickLog::default().save().unwrap(), None).unwrap();
        assert_eq!((log.head(), log.snapshot(3600).1), (Head::default(), None));
    }

    #[test]
    fn foreign_text_is_refused_with_reason() {
        let text = String::from_utf8(log(1..4).save().unwrap()).unwrap();
        for (from, to, reason) in [
            ("event: window", "event: cpu", "it has no window"),
            ("id: 2000-1-", "id: 2000-2-", "2000-2-e3b0c4 is out of order"),
            ("id: 3000-0-", "id: 1000-0-", "1000-0-e3b0c4 is out of order"),
            ("id: 2000-1-", "id: 2000", "invalid event id"),
            ("{\"t\":2000", "{\"t\":true", "invalid data"),
            ("\"n\":3", "\"n\":3000000", "too long"),
        ] {
            let error = TickLog::restore(text.replace(from, to).as_bytes(), None).map(|_| ()).unwrap_err();
            assert!(error.to_string().contains(reason), "{from} -> {to}: {error}");
        }
    }

    #[test]
    fn log_cut_off_anywhere_is_refused() {
        let text = log(1..4).save().unwrap();
        for end in 1..text.len() - 1 {
            assert!(TickLog::restore(&text[..end], None).is_err(), "the first {end} of {} bytes", text.len());
        }
    }

    #[test]
    fn log_of_an_older_version_restores_as_a_new_epoch() {
        let text = String::from_utf8(log(1..4).save().unwrap()).unwrap().replace("-e3b0c4\n", "\n");
        let old = &text[text.find("id: ").unwrap()..];
        let restored = TickLog::restore(old.as_bytes(), Some("this host")).unwrap();
        assert_eq!(restored.snapshot(3600).0, log(1..4).snapshot(3600).0);
        let newest = restored.snapshot(3600).1.unwrap();
        assert_eq!((newest.ms, newest.n, newest.tag), (3000, 2, restored.identity().tag()));
        assert_eq!(restored.identity().host_id, "this host");
        assert_ne!(restored.identity().epoch, "");
    }

    #[test]
    fn restored_log_keeps_host_and_epoch() {
        let identity = Identity::new_epoch(None);
        let log = TickLog::of(identity.clone());
        log.publish(&tick(1000));
        let saved = log.save().unwrap();
        for host_id in [None, Some(&*identity.host_id)] {
            assert_eq!(*TickLog::restore(&saved, host_id).unwrap().identity(), identity);
        }
        let other = TickLog::restore(&saved, Some("another host"));
        assert!(matches!(other, Err(InvalidLog::OtherHost)), "{other:?}");
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in ".*", cut in 0usize..2000) {
            let _ = TickLog::restore(text.as_bytes(), None);
            let saved = log(1..4).save().unwrap();
            let _ = TickLog::restore(&saved[..cut.min(saved.len())], None);
        }
    }
}
