//! What a log keeps over a restart: text as a client would be sent it, a window of everything and then each tick of the
//! ring as it was first sent.

use super::{EncodeError, EncodedTick, Head, RING_TICKS, TickLog, write_event};
use crate::{
    schema::{EventId, EventName, EventNames, IdSequence, InvalidId, UnknownEvent, WindowSnapshot},
    sse::Parser,
};
use bytes::BytesMut;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// A text that [`TickLog::save`] has not written, or that of another version.
#[derive(Debug, thiserror::Error)]
pub enum InvalidState {
    /// It begins with something else.
    #[error("it doesn't begin with a window")]
    NoWindow,
    /// The data of an event can't be read.
    #[error("it has an event that can't be read: {0}")]
    Data(#[from] serde_json::Error),
    /// It has an event that nobody here knows.
    #[error(transparent)]
    Name(#[from] UnknownEvent),
    /// It has an event whose id is none of ours.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// An event's id doesn't follow that of the one before.
    #[error("the event {0} comes too early")]
    Order(EventId),
    /// An event can't be sent again.
    #[error(transparent)]
    Event(#[from] EncodeError),
}

/// An event of a tick.
struct Saved {
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
    /// All that is kept; nothing where nothing was published yet.
    ///
    /// # Errors
    /// When figures can't be written as text, which doesn't happen.
    pub fn save(&self) -> Result<Vec<u8>, EncodeError> {
        let history = self.history();
        let mut text = BytesMut::new();
        if let Some(newest) = history.last_id() {
            let columns = history.window.snapshot(None, usize::MAX, EventNames::ALL);
            let data = serde_json::to_string(&columns)?;
            write_event(&mut text, Some(newest), "window", &data)?;
        }
        history.ring.iter().for_each(|tick| _ = tick.write(&mut text, EventNames::ALL, 0));
        Ok(without_commands(&String::from_utf8_lossy(&text))?.into_bytes())
    }

    /// A log that goes on where another one was.
    ///
    /// # Errors
    /// When the text is not what [`save`](Self::save) writes.
    pub fn restore(text: &[u8]) -> Result<Self, InvalidState> {
        let mut events = Vec::new();
        Parser::default().read(text, |event| events.push(event));
        let mut events = events.into_iter();
        let log = Self::default();
        let columns: WindowSnapshot = match events.next() {
            Some(window) if window.name == "window" => serde_json::from_str(&window.data)?,
            Some(_) => return Err(InvalidState::NoWindow),
            None if text.is_empty() => return Ok(log),
            None => return Err(InvalidState::NoWindow),
        };
        let saved = events.map(|event| {
            let Stamp { t } = serde_json::from_str(&event.data)?;
            Ok(Saved { t, id: event.id.parse()?, name: event.name.parse()?, data: event.data })
        });
        let saved = saved.collect::<Result<Vec<_>, InvalidState>>()?;
        let mut history = log.history_mut();
        history.window.merge(&columns);
        if let Some([_, early]) = saved.array_windows().find(|[before, next]| !follows(next, before)) {
            return Err(InvalidState::Order(early.id));
        }
        for tick in saved.chunk_by(|one, next| one.t == next.t) {
            let parts = tick.iter().map(|event| (event.name, event.data.as_str()));
            history.ring.push_back(Arc::new(EncodedTick::of(tick[0].id, parts)?));
        }
        let surplus = history.ring.len().saturating_sub(RING_TICKS);
        history.ring.drain(..surplus);
        *log.ids() = IdSequence::after(history.last_id());
        let head = Head { published: history.published(), last_tick: history.window.end(), ..Head::default() };
        drop(history);
        log.head.send_replace(head);
        Ok(log)
    }
}

/// Command lines are shown while the operator lets them be shown. They hold secrets, and are kept nowhere.
fn without_commands(text: &str) -> serde_json::Result<String> {
    let mut kept = String::with_capacity(text.len());
    let mut is_list = false;
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("data: ") {
            Some(data) if is_list && data.contains("\"command\":") => {
                let mut data: Value = serde_json::from_str(data)?;
                for process in data["top"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
                    process.remove("command");
                }
                kept += &format!("data: {data}\n");
            }
            _ => kept += line,
        }
        is_list = line == "event: processes\n";
    }
    Ok(kept)
}

fn follows(next: &Saved, before: &Saved) -> bool {
    if next.t == before.t { next.id == before.id.plus(1) } else { next.id > before.id }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        schema::{Process, Processes, Sample, Tick},
        server::log::{Coding, Cursor, Progress, tests::tick},
    };
    use proptest::prelude::*;

    /// All that a viewer gets who was at `last_id`.
    fn replay(log: &TickLog, last_id: EventId) -> Vec<u8> {
        let (_, window, mut cursor): (_, _, Cursor) = log.open(EventNames::ALL, Some(Ok(last_id)), 0);
        assert_eq!(window, None);
        let mut sent = Vec::new();
        loop {
            match log.advance(&mut cursor, Coding::Identity) {
                Progress::Live(chunk) => sent.extend_from_slice(&chunk.data()),
                Progress::Replay(bytes, _) => sent.extend_from_slice(&bytes),
                Progress::Window(..) => panic!("a window where there should be a replay"),
                Progress::UpToDate => return sent,
            }
        }
    }

    fn log(seconds: impl IntoIterator<Item = u64>) -> TickLog {
        let log = TickLog::default();
        seconds.into_iter().for_each(|second| log.publish(&tick(second * 1000)));
        log
    }

    #[test]
    fn what_is_restored_goes_on_as_if_nothing_had_happened() {
        // Longer than the ring, with a gap, and a clock that was set back.
        let (one, last) = (log((1..1000).chain([1100, 1101, 1050, 1051])), EventId { ms: 500_000, n: 1 });
        let two = TickLog::restore(&one.save().unwrap()).unwrap();
        for log in [&one, &two] {
            log.publish(&tick(1_060_000));
        }
        assert_eq!(one.snapshot(3600), two.snapshot(3600));
        let (replayed, expected) = (replay(&two, last), replay(&one, last));
        assert!(expected.starts_with(b"id: 500000-2\n"));
        assert_eq!(String::from_utf8(replayed), String::from_utf8(expected));
    }

    #[test]
    fn command_lines_are_not_kept() {
        let secret =
            Process { pid: 7, name: "x".to_owned(), command: Some("x --key s3cret".to_owned()), ..Process::default() };
        let open = Process { pid: 8, name: "y".to_owned(), ..Process::default() };
        let values = Processes { total: 2, top: vec![secret, open] };
        let processes = Some(Sample { t: 1000, at: 1.0, dt: 2.0, values });
        let log = TickLog::default();
        log.publish(&Tick { processes, ..tick(1000) });
        let text = String::from_utf8(log.save().unwrap()).unwrap();
        assert!(!text.contains("s3cret") && text.contains("\"pid\":7") && text.contains("\"pid\":8"), "{text}");
        let restored = TickLog::restore(text.as_bytes()).unwrap();
        assert_eq!(restored.snapshot(1).1, log.snapshot(1).1, "and its place in the stream stays");
    }

    #[test]
    fn of_nothing_nothing_is_restored() {
        let log = TickLog::restore(&TickLog::default().save().unwrap()).unwrap();
        assert_eq!((log.head(), log.snapshot(3600).1), (Head::default(), None));
    }

    #[test]
    fn what_was_not_saved_here_is_refused() {
        let text = String::from_utf8(log(1..4).save().unwrap()).unwrap();
        for (from, to, says) in [
            ("event: window", "event: hello", "begin with a window"),
            ("event: memory", "event: gpu", "\"gpu\""),
            ("id: 2000-1", "id: 2000-2", "2000-2 comes too early"),
            ("id: 3000-0", "id: 1000-0", "1000-0 comes too early"),
            ("id: 2000-1", "id: 2000", "invalid event id"),
            ("{\"t\":2000", "{\"t\":true", "can't be read"),
        ] {
            let error = TickLog::restore(text.replace(from, to).as_bytes()).map(|_| ()).unwrap_err();
            assert!(error.to_string().contains(says), "{from} -> {to}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in ".*", cut in 0usize..2000) {
            let _ = TickLog::restore(text.as_bytes());
            let saved = log(1..4).save().unwrap();
            let _ = TickLog::restore(&saved[..cut.min(saved.len())]);
        }
    }
}
