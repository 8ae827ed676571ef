//! A tick as bytes, rendered once for all viewers.

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

/// A tick's events, one after the other, and where each one is.
#[derive(Debug)]
pub(super) struct EncodedTick {
    /// Id of the first event; the others follow by one.
    pub first: EventId,
    bytes: BytesMut,
    events: Vec<(EventName, Range<usize>)>,
    shared: Mutex<Vec<(EventNames, Coding, Option<Chunk>)>>,
}

/// A tick that could not be put on the wire.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// A sample can't be written as JSON.
    #[error("a sample could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A field would break out of its line.
    #[error(transparent)]
    Field(#[from] InvalidField),
}

impl EncodedTick {
    /// Renders every group that `tick` has.
    pub(super) fn render(tick: &Tick, ids: &mut IdSequence) -> Result<Self, EncodeError> {
        let parts = tick.events().map(|event| Ok((event.name(), event.json()?)));
        let parts = parts.collect::<Result<Vec<_>, serde_json::Error>>()?;
        let first = ids.take(tick.t, parts.len() as u32);
        Self::of(first, parts.iter().map(|(name, data)| (*name, &**data)))
    }

    /// Writes the events of a tick, the first of which has the id `first`.
    pub(super) fn of<'a>(
        first: EventId,
        parts: impl IntoIterator<Item = (EventName, &'a str)>,
    ) -> Result<Self, EncodeError> {
        let (mut bytes, mut events) = (BytesMut::new(), Vec::new());
        for (n, (name, data)) in (0..).zip(parts) {
            let start = bytes.len();
            write_event(&mut bytes, Some(first.plus(n)), name.as_str(), data)?;
            events.push((name, start..bytes.len()));
        }
        Ok(Self { first, bytes, events, shared: Mutex::default() })
    }

    /// Id of the last event.
    pub(super) fn last(&self) -> EventId {
        self.first.plus((self.events.len() as u32).saturating_sub(1))
    }

    /// How many events lie up to and with `id`.
    pub(super) fn position_after(&self, id: EventId) -> usize {
        (0..).zip(&self.events).take_while(|(n, _)| self.first.plus(*n) <= id).count()
    }

    /// The events named in `wanted`, made once for all who want the same; `None` if there are none.
    pub(super) fn share(&self, wanted: EventNames, coding: Coding) -> Option<Chunk> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let known = shared.iter().find(|(names, packed, _)| (*names, *packed) == (wanted, coding));
        if let Some((.., chunk)) = known {
            return chunk.clone();
        }
        let mut plain = BytesMut::new();
        let events = self.write(&mut plain, wanted, 0);
        let chunk = (events > 0).then(|| Chunk::new(&plain, events, coding));
        shared.push((wanted, coding, chunk.clone()));
        chunk
    }

    /// Lets go of what was shared: with a newer tick, hardly anyone wants this one.
    pub(super) fn retire(&self) {
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = Vec::new();
    }

    /// Appends the events named in `wanted` from the `skip`th on, and tells how many.
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
        EncodedTick::render(&tick(1000), &mut IdSequence::default()).unwrap()
    }

    fn text(tick: &EncodedTick, wanted: EventNames, skip: usize) -> String {
        let mut plain = BytesMut::new();
        tick.write(&mut plain, wanted, skip);
        String::from_utf8(plain.to_vec()).unwrap()
    }

    #[test]
    fn events_stand_in_order_with_their_ids() {
        let text = text(&encoded(), EventNames::ALL, 0);
        for (n, name) in ["cpu", "memory", "connections"].iter().enumerate() {
            assert!(text.contains(&format!("id: 1000-{n}\nevent: {name}\ndata: {{\"t\":1000,")), "{text}");
        }
        assert_eq!(encoded().last(), EventId { ms: 1000, n: 2 });
    }

    #[test]
    fn events_are_chosen_by_name_and_place() {
        let encoded = encoded();
        let some = EventNames::from_iter([EventName::Cpu, EventName::Connections]);
        assert_eq!(text(&encoded, some, 0).matches("event: ").count(), 2);
        assert!(text(&encoded, EventNames::ALL, 2).starts_with("id: 1000-2\n"));
        assert_eq!(text(&encoded, EventNames::ALL, 3), "");
        assert_eq!(encoded.position_after(EventId { ms: 1000, n: 1 }), 2);
        assert_eq!(encoded.position_after(EventId { ms: 999, n: 9 }), 0);
    }

    #[test]
    fn those_who_want_the_same_share_it() {
        let encoded = encoded();
        let data = |coding| encoded.share(EventNames::ALL, coding).unwrap().data();
        assert_eq!(data(Coding::Identity).as_ptr(), data(Coding::Identity).as_ptr());
        assert_ne!(data(Coding::Identity), data(Coding::Gzip));
        assert_eq!(encoded.share(EventNames::default(), Coding::Identity), None);
        let before = data(Coding::Identity);
        encoded.retire();
        assert_eq!(data(Coding::Identity), before);
    }
}
