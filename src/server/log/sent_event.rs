//! An event as it was sent, read back from a file.

use super::EncodeError;
use crate::{
    schema::{EventId, InvalidId},
    sse::Parser,
};
use serde::Deserialize;
use std::io;

/// Why kept events can't be restored.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEvents {
    /// They can't be decompressed.
    #[error("they can't be decompressed: {0}")]
    Compression(io::Error),
    /// An event's data is not valid.
    #[error("there is an event with invalid data: {0}")]
    Data(#[from] serde_json::Error),
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

/// An event as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentEvent {
    /// Its id.
    pub id: EventId,
    /// Its tick, unix milliseconds.
    pub t: u64,
    /// Its name.
    pub name: String,
    /// Its data, as JSON.
    pub data: String,
}

#[derive(Deserialize)]
struct Stamp {
    t: u64,
}

/// The events in the text of a stream.
///
/// # Errors
/// When an event has no id or no tick.
pub fn sent_events(text: &[u8]) -> Result<Vec<SentEvent>, InvalidEvents> {
    let mut events = Vec::new();
    Parser::default().read(text, |event| events.push(event));
    let sent = events.into_iter().map(|event| {
        let Stamp { t } = serde_json::from_str(&event.data)?;
        Ok(SentEvent { id: event.id.parse()?, t, name: event.name, data: event.data })
    });
    sent.collect()
}
