//! A tick encoded as SSE events, once. Chunks are shared here: each filter and coding (plain, gzip) is made once per tick,
//! and all viewers with that filter and coding get the same bytes.

use super::{
    chunk::{Chunk, Coding},
    event_bytes::EventBytes,
    event_writer::{InvalidField, write_event},
};
use crate::schema::{EventFilter, EventId, EventName, EventNames, IdSequence, Tick};
use bytes::BytesMut;
use std::{
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Combinations of filter and coding whose chunks a tick keeps.
pub(super) const MAX_SHARED_CHUNKS: usize = 32;

/// A tick's events as bytes, and the range of each.
#[derive(Debug)]
pub(super) struct EncodedTick {
    /// Id of the first event; the following ids count up by one.
    pub first_id: EventId,
    bytes: EventBytes,
    events: Box<[(EventName, Range<u32>)]>,
    chunks: Mutex<Vec<SharedChunk>>,
}

/// A chunk of a tick, for one filter and coding.
#[derive(Debug)]
struct SharedChunk {
    wanted: EventFilter,
    coding: Coding,
    chunk: Chunk,
    /// Whether a viewer got it.
    is_used: bool,
}

impl SharedChunk {
    fn has(&self, wanted: &EventFilter, coding: Coding) -> bool {
        self.wanted == *wanted && self.coding == coding
    }
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
    pub(super) fn encode(tick: &Tick, ids: &mut IdSequence, names: &mut EventNames) -> Result<Self, EncodeError> {
        let events = tick.events().map(|event| Ok((names.share(event.name()), event.json()?)));
        let events = events.collect::<Result<Vec<_>, serde_json::Error>>()?;
        let first_id = ids.take(tick.t, events.len() as u32);
        Self::from_json(first_id, events.iter().map(|(name, data)| (name.clone(), &**data)))
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
            events.push((name, start as u32..bytes.len() as u32));
        }
        // The ring keeps it, so without the buffer's spare room.
        Ok(Self {
            first_id,
            bytes: EventBytes::Plain(bytes[..].into()),
            events: events.into(),
            chunks: Mutex::default(),
        })
    }

    /// The same tick in less memory; `None` if it is so already.
    pub(super) fn packed(&self) -> Option<Self> {
        if self.bytes.is_packed() {
            return None;
        }
        let bytes = self.bytes.packed().inspect_err(|error| tracing::error!(%error, "cannot compress a tick")).ok()?;
        Some(Self { first_id: self.first_id, bytes, events: self.events.clone(), chunks: Mutex::default() })
    }

    /// Id of the last event.
    pub(super) fn last_id(&self) -> EventId {
        self.first_id.plus((self.events.len() as u32).saturating_sub(1))
    }

    /// How many events have an id up to and including `id`.
    pub(super) fn events_up_to(&self, id: EventId) -> usize {
        (0..).zip(&self.events).take_while(|(n, _)| self.first_id.plus(*n) <= id).count()
    }

    /// The events named in `wanted` as a shared chunk, without events if the tick has none of them.
    pub(super) fn chunk(&self, wanted: &EventFilter, coding: Coding) -> Chunk {
        let mut chunks = self.chunks();
        let cached = chunks.iter_mut().find(|shared| shared.has(wanted, coding));
        if let Some(shared) = cached {
            shared.is_used = true;
            return shared.chunk.clone();
        }
        let chunk = Chunk::of_tick(self, wanted, coding);
        // Clients choose filters freely; what few of them use is encoded for each.
        if chunks.len() < MAX_SHARED_CHUNKS {
            chunks.push(SharedChunk { wanted: wanted.clone(), coding, chunk: chunk.clone(), is_used: true });
        }
        chunk
    }

    /// Makes the chunks that viewers of the `previous` tick used, so that no fan-out worker has to, and drops those of
    /// `previous`, which few viewers need from now on.
    pub(super) fn take_over_chunks_of(&self, previous: &Self) {
        let previous = std::mem::take(&mut *previous.chunks());
        let made =
            previous.into_iter().filter(|shared| shared.is_used).map(|SharedChunk { wanted, coding, .. }| {
                let chunk = Chunk::of_tick(self, &wanted, coding);
                SharedChunk { wanted, coding, chunk, is_used: false }
            });
        *self.chunks() = made.collect();
    }

    fn chunks(&self) -> MutexGuard<'_, Vec<SharedChunk>> {
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends the events named in `wanted` after the first `skip` of the tick, and returns their number.
    pub(super) fn write(&self, into: &mut BytesMut, wanted: &EventFilter, skip: usize) -> u32 {
        let mut chosen = self.events.iter().skip(skip).filter(|(name, _)| wanted.contains(name.as_str())).peekable();
        if chosen.peek().is_none() {
            return 0;
        }
        match self.bytes.plain() {
            Ok(bytes) => chosen
                .map(|(_, range)| into.extend_from_slice(&bytes[range.start as usize..range.end as usize]))
                .count() as u32,
            Err(error) => {
                tracing::error!(%error, "cannot read a tick of the log");
                0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        schema::Identity,
        server::log::tests::{id, tick},
    };

    fn encoded() -> EncodedTick {
        EncodedTick::encode(
            &tick(1000),
            &mut IdSequence::after(Identity::default().tag(), None),
            &mut EventNames::default(),
        )
        .unwrap()
    }

    fn text(tick: &EncodedTick, wanted: &EventFilter, skip: usize) -> String {
        let mut plain = BytesMut::new();
        tick.write(&mut plain, wanted, skip);
        String::from_utf8(plain.to_vec()).unwrap()
    }

    #[test]
    fn encoded_events_have_consecutive_ids() {
        let text = text(&encoded(), &EventFilter::All, 0);
        for (n, name) in ["cpu", "memory", "connections"].iter().enumerate() {
            assert!(text.contains(&format!("id: 1000-{n}-e3b0c4\nevent: {name}\ndata: {{\"t\":1000,")), "{text}");
        }
        assert_eq!(encoded().last_id(), id(1000, 2));
    }

    #[test]
    fn written_events_match_filter_and_skip() {
        let encoded = encoded();
        let some = EventFilter::from_iter(["cpu", "connections"]);
        assert_eq!(text(&encoded, &some, 0).matches("event: ").count(), 2);
        assert!(text(&encoded, &EventFilter::All, 2).starts_with("id: 1000-2-e3b0c4\n"));
        assert_eq!(text(&encoded, &EventFilter::All, 3), "");
        assert_eq!(encoded.events_up_to(id(1000, 1)), 2);
        assert_eq!(encoded.events_up_to(id(999, 9)), 0);
    }

    #[test]
    fn packed_tick_writes_the_same_events() {
        let (plain, packed) = (encoded(), encoded().packed().unwrap());
        let some = EventFilter::from_iter(["cpu", "connections"]);
        for (wanted, skip) in [(EventFilter::All, 0), (some, 0), (EventFilter::All, 2), (EventFilter::from_iter([]), 0)]
        {
            assert_eq!(text(&packed, &wanted, skip), text(&plain, &wanted, skip));
        }
        assert_eq!(packed.last_id(), plain.last_id());
        assert!(packed.packed().is_none());
    }

    #[test]
    fn next_tick_has_the_chunks_that_the_previous_one_used() {
        let (first, second, third) = (encoded(), encoded(), encoded());
        first.chunk(&EventFilter::All, Coding::Gzip);
        second.take_over_chunks_of(&first);
        assert_eq!(second.chunks().len(), 1);
        third.take_over_chunks_of(&second);
        assert_eq!(third.chunks().len(), 0, "no viewer got a chunk of the second");
    }

    #[test]
    fn same_filter_and_coding_share_one_chunk() {
        let encoded = encoded();
        let data = |coding| encoded.chunk(&EventFilter::All, coding).data();
        assert_eq!(data(Coding::Identity).as_ptr(), data(Coding::Identity).as_ptr());
        assert_ne!(data(Coding::Identity), data(Coding::Gzip));
        assert_eq!(encoded.chunk(&EventFilter::from_iter([]), Coding::Identity).events, 0);
        let before = data(Coding::Identity);
        *encoded.chunks() = Vec::new();
        assert_eq!(data(Coding::Identity), before);
    }
}
