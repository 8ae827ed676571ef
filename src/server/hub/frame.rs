//! A tick as bytes, rendered once for all viewers.

use super::event::{InvalidField, write_event};
use crate::metrics::{EventId, EventName, Group, IdSequence, Sample, Tick};
use bytes::{Bytes, BytesMut};
use std::ops::Range;

/// A tick's events, one after the other, and where each one is.
#[derive(Debug)]
pub(super) struct Frame {
    /// Id of the first event; the others follow by one.
    pub first: EventId,
    bytes: Bytes,
    events: Vec<(EventName, Range<usize>)>,
}

/// A tick that could not be put on the wire.
#[derive(Debug, thiserror::Error)]
pub(super) enum RenderError {
    #[error("a sample could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Field(#[from] InvalidField),
}

impl Frame {
    /// Renders every group that `tick` has.
    pub(super) fn render(tick: &Tick, ids: &mut IdSequence) -> Result<Self, RenderError> {
        let parts = [json(tick.cpu.as_ref())?, json(tick.memory.as_ref())?, json(tick.connections.as_ref())?];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        let first = ids.take(tick.t, parts.len() as u32);
        let mut bytes = BytesMut::new();
        let mut events = Vec::with_capacity(parts.len());
        for (n, (name, data)) in (0..).zip(parts) {
            let start = bytes.len();
            write_event(&mut bytes, Some(first.plus(n)), name.as_str(), &data)?;
            events.push((name, start..bytes.len()));
        }
        Ok(Self { first, bytes: bytes.freeze(), events })
    }

    /// Id of the last event.
    pub(super) fn last(&self) -> EventId {
        self.first.plus((self.events.len() as u32).saturating_sub(1))
    }

    /// How many events lie up to and with `id`.
    pub(super) fn position_after(&self, id: EventId) -> usize {
        (0..).zip(&self.events).take_while(|(n, _)| self.first.plus(*n) <= id).count()
    }

    /// The events named in `wanted` from the `skip`th on: shared bytes, as few pieces as there can be.
    pub(super) fn select(&self, wanted: &[EventName], skip: usize) -> impl Iterator<Item = Bytes> {
        let mut pieces: Vec<Range<usize>> = Vec::new();
        for (_, range) in self.events.iter().skip(skip).filter(|(name, _)| wanted.contains(name)) {
            match pieces.last_mut() {
                Some(piece) if piece.end == range.start => piece.end = range.end,
                _ => pieces.push(range.clone()),
            }
        }
        pieces.into_iter().map(|piece| self.bytes.slice(piece))
    }
}

fn json<G: Group>(sample: Option<&Sample<G>>) -> Result<Option<(EventName, String)>, serde_json::Error> {
    sample.map(|sample| Ok((G::NAME, serde_json::to_string(sample)?))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::hub::tests::tick;

    fn text(frame: &Frame, wanted: &[EventName], skip: usize) -> Vec<String> {
        frame.select(wanted, skip).map(|piece| String::from_utf8(piece.to_vec()).unwrap()).collect()
    }

    #[test]
    fn all_events_are_one_piece_of_shared_bytes() {
        let frame = Frame::render(&tick(1000), &mut IdSequence::default()).unwrap();
        let pieces = text(&frame, &EventName::ALL, 0);
        assert_eq!(pieces.len(), 1);
        for (n, name) in EventName::ALL.iter().enumerate() {
            assert!(pieces[0].contains(&format!("id: 1000-{n}\nevent: {name}\ndata: {{\"t\":1000,")), "{pieces:?}");
        }
        assert_eq!(frame.last(), EventId { ms: 1000, n: 2 });
    }

    #[test]
    fn events_are_chosen_by_name_and_place() {
        let frame = Frame::render(&tick(1000), &mut IdSequence::default()).unwrap();
        assert_eq!(text(&frame, &[EventName::Cpu, EventName::Connections], 0).len(), 2);
        assert!(text(&frame, &EventName::ALL, 2)[0].starts_with("id: 1000-2\n"));
        assert_eq!(text(&frame, &EventName::ALL, 3), [""; 0]);
        assert_eq!(frame.position_after(EventId { ms: 1000, n: 1 }), 2);
        assert_eq!(frame.position_after(EventId { ms: 999, n: 9 }), 0);
    }
}
