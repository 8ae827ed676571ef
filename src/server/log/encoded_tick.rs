//! A tick encoded as SSE events, once. Chunks are shared here: each filter and coding (plain, gzip) is made once per tick,
//! and all viewers with that filter and coding get the same bytes.

use super::{
    chunk::{Chunk, Coding},
    event_writer::{InvalidField, write_event},
};
use crate::schema::{EventId, EventName, EventNames, IdSequence, Tick};
use bytes::BytesMut;
use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
};

/// A tick's events as bytes, and the range of each.
#[derive(Debug)]
pub(super) struct EncodedTick {
    /// Id of the first event; the following ids count up by one.
    pub first_id: EventId,
    bytes: BytesMut,
    events: Vec<(EventName, Range<usize>)>,
    chunks: Mutex<Vec<(EventNames, Coding, Option<Chunk>)>>,
}

/// Why a tick can't be encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// A sample has no JSON form.
    #[error("cannot write a sample as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A field contains a line break.
    #[error(transparent)]
    Field(#[from] InvalidField),
}

impl EncodedTick {
    /// Encodes every group of `tick`.
    pub(super) fn encode(tick: &Tick, ids: &mut IdSequence) -> Result<Self, EncodeError> {
        let events = tick.events().map(|event| Ok((event.name(), event.json()?)));
        let events = events.collect::<Result<Vec<_>, serde_json::Error>>()?;
        let first_id = ids.take(tick.t, events.len() as u32);
        Self::from_json(first_id, events.iter().map(|(name, data)| (*name, &**data)))
    }

    /// Encodes events that are JSON already; the first gets the id `first_id`.
    pub(super) fn from_json<'a>(
        first_id: EventId,
        json: impl IntoIterator<Item = (EventName, &'a str)>,
    ) -> Result<Self, EncodeError> {
        let (mut bytes, mut events) = (BytesMut::new(), Vec::new());
        for (n, (name, data)) in (0..).zip(json) {
            let start = bytes.len();
            write_event(&mut bytes, Some(first_id.plus(n)), name.as_str(), data)?;
            events.push((name, start..bytes.len()));
        }
        Ok(Self { first_id, bytes, events, chunks: Mutex::default() })
    }

    /// Id of the last event.
    pub(super) fn last_id(&self) -> EventId {
        self.first_id.plus((self.events.len() as u32).saturating_sub(1))
    }

    /// How many events have an id up to and including `id`.
    pub(super) fn events_up_to(&self, id: EventId) -> usize {
        (0..).zip(&self.events).take_while(|(n, _)| self.first_id.plus(*n) <= id).count()
    }

    /// The events named in `wanted` as a shared chunk, encoded at most once; `None` without such events.
    pub(super) fn chunk(&self, wanted: EventNames, coding: Coding) -> Option<Chunk> {
        let mut chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        let cached = chunks.iter().find(|(names, known, _)| (*names, *known) == (wanted, coding));
        if let Some((.., chunk)) = cached {
            return chunk.clone();
        }
        let mut plain = BytesMut::new();
        let events = self.write(&mut plain, wanted, 0);
        let chunk = (events > 0).then(|| Chunk::new(&plain, events, coding));
        chunks.push((wanted, coding, chunk.clone()));
        chunk
    }

    /// Drops the shared chunks: once a newer tick exists, few viewers need this one.
    pub(super) fn drop_chunks(&self) {
        *self.chunks.lock().unwrap_or_else(PoisonError::into_inner) = Vec::new();
    }

    /// Appends the events named in `wanted` after the first `skip` of the tick, and returns their number.
    pub(super) fn write(&self, into: &mut BytesMut, wanted: EventNames, skip: usize) -> u32 {
        let chosen = self.events.iter().skip(skip).filter(|(name, _)| wanted.contains(*name));
        chosen.map(|(_, range)| into.extend_from_slice(&self.bytes[range.clone()])).count() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::log::tests::tick;

    fn encoded() -> EncodedTick {
        EncodedTick::encode(&tick(1000), &mut IdSequence::default()).unwrap()
    }

    fn text(tick: &EncodedTick, wanted: EventNames, skip: usize) -> String {
        let mut plain = BytesMut::new();
        tick.write(&mut plain, wanted, skip);
        String::from_utf8(plain.to_vec()).unwrap()
    }

    #[test]
    fn encoded_events_have_consecutive_ids() {
        let text = text(&encoded(), EventNames::ALL, 0);
        for (n, name) in ["cpu", "memory", "connections"].iter().enumerate() {
            assert!(text.contains(&format!("id: 1000-{n}\nevent: {name}\ndata: {{\"t\":1000,")), "{text}");
        }
        assert_eq!(encoded().last_id(), EventId { ms: 1000, n: 2 });
    }

    #[test]
    fn written_events_match_filter_and_skip() {
        let encoded = encoded();
        let some = EventNames::from_iter([EventName::Cpu, EventName::Connections]);
        assert_eq!(text(&encoded, some, 0).matches("event: ").count(), 2);
        assert!(text(&encoded, EventNames::ALL, 2).starts_with("id: 1000-2\n"));
        assert_eq!(text(&encoded, EventNames::ALL, 3), "");
        assert_eq!(encoded.events_up_to(EventId { ms: 1000, n: 1 }), 2);
        assert_eq!(encoded.events_up_to(EventId { ms: 999, n: 9 }), 0);
    }

    #[test]
    fn same_filter_and_coding_share_one_chunk() {
        let encoded = encoded();
        let data = |coding| encoded.chunk(EventNames::ALL, coding).unwrap().data();
        assert_eq!(data(Coding::Identity).as_ptr(), data(Coding::Identity).as_ptr());
        assert_ne!(data(Coding::Identity), data(Coding::Gzip));
        assert!(encoded.chunk(EventNames::default(), Coding::Identity).is_none());
        let before = data(Coding::Identity);
        encoded.drop_chunks();
        assert_eq!(data(Coding::Identity), before);
    }
}
