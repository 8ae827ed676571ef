//! Reads the file that `--state` kept before there was a history: an event stream with a `hello` that names host and epoch,
//! a window of every series, then the ring's ticks as first sent.

use crate::{
    schema::{EventId, Identity, InvalidId, RETENTION_S, SCHEMA_VERSION, WindowSnapshot},
    server::log::{InvalidEvents, SentEvent, sent_events},
    sse::Parser,
};
use serde::Deserialize;

/// Why the file can't be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidStateFile {
    /// It has no `hello` or no window.
    #[error("it doesn't begin with a hello and a window")]
    NoWindow,
    /// The window is longer than any that was saved.
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
    /// The window's id is malformed.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// The ticks are not those of a log.
    #[error(transparent)]
    Events(#[from] InvalidEvents),
}

#[derive(Deserialize)]
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

/// What the file has.
#[derive(Debug)]
pub(super) struct SavedLog {
    pub(super) identity: Identity,
    pub(super) window: WindowSnapshot,
    pub(super) text: Vec<u8>,
    pub(super) events: Vec<SentEvent>,
}

impl SavedLog {
    /// The log that the file has; `None` for an empty file.
    pub(super) fn read(text: &[u8]) -> Result<Option<Self>, InvalidStateFile> {
        if text.is_empty() {
            return Ok(None);
        }
        let mut events = Vec::new();
        // The window is the second event; what follows are ticks.
        let ticks =
            text.windows(2).enumerate().filter(|(_, end)| end == b"\n\n").nth(1).map_or(text.len(), |(at, _)| at + 2);
        Parser::default().read(&text[..ticks], |event| events.push(event));
        let [hello, window] = &events[..] else { return Err(InvalidStateFile::NoWindow) };
        if (&*hello.name, &*window.name) != ("hello", "window") {
            return Err(InvalidStateFile::NoWindow);
        }
        let SavedHello { schema, identity } = serde_json::from_str(&hello.data)?;
        if schema != SCHEMA_VERSION {
            return Err(InvalidStateFile::Schema(schema));
        }
        let newest: EventId = window.id.parse()?;
        let window: WindowSnapshot = serde_json::from_str(&window.data)?;
        if window.n > RETENTION_S {
            return Err(InvalidStateFile::Length(window.n));
        }
        let text = text[ticks..].to_vec();
        let events = sent_events(&text)?;
        if events.last().map(|event| event.id) != Some(newest) {
            return Err(InvalidStateFile::CutOff(newest));
        }
        Ok(Some(Self { identity, window, text, events }))
    }
}
