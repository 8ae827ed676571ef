//! A viewer's position in the log. A viewer that fell behind the ring gets a window in place of the events it missed.

#[cfg(test)]
mod tests;

use super::{Chunk, Coding, History, TickLog, encoded_tick::EncodedTick};
use crate::schema::{EventId, EventNames, InvalidId, WindowSnapshot};
use bytes::{Bytes, BytesMut};
use std::sync::Arc;

/// Ticks replayed under one lock, so that a long replay doesn't hold it for long.
const REPLAY_BATCH: u64 = 64;

/// How a stream starts, as its `hello` event reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Start {
    /// With the next tick.
    Live,
    /// With every event after the client's id, as first sent.
    Replay,
    /// With a window.
    Window,
    /// With a window, because the client's id is unknown here.
    Reset,
}

impl Start {
    /// The value of `start` in `hello`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Replay => "replay",
            Self::Window => "window",
            Self::Reset => "reset",
        }
    }
}

/// A position between two events, and a viewer's event filter.
#[derive(Debug)]
pub struct Cursor {
    pub(super) events: EventNames,
    /// Number of the next tick, counted from the start of the log.
    pub(super) next_tick: u64,
    /// Events of that tick that the viewer has already.
    pub(super) skip_events: usize,
    /// Id of the last event passed; where a window begins if the viewer falls behind the ring.
    pub(super) last_id: Option<EventId>,
}

/// What a viewer gets next.
#[derive(Debug)]
pub enum Progress {
    /// One tick, as a chunk that all viewers with this filter and coding share.
    Live(Chunk),
    /// Events of several ticks, uncompressed, and their number.
    Replay(Bytes, u32),
    /// A window in place of events that left the ring, and the id of its newest event.
    Window(WindowSnapshot, EventId),
    /// Nothing: the viewer has every event.
    UpToDate,
}

impl TickLog {
    /// A new viewer's cursor, how its stream starts, and the window that it starts with. `last_id` is the client's last
    /// event, `window` the seconds of window for a client without one. The window ends exactly where the cursor starts:
    /// both are read under one lock.
    pub fn open_cursor(
        &self,
        events: EventNames,
        last_id: Option<Result<EventId, InvalidId>>,
        window: usize,
    ) -> (Start, Option<(WindowSnapshot, EventId)>, Cursor) {
        let history = self.history();
        let newest = history.last_id();
        let mut cursor = Cursor { events, next_tick: history.published(), skip_events: 0, last_id: newest };
        let start = match last_id {
            None if window == 0 || newest.is_none() => Start::Live,
            None => Start::Window,
            Some(Ok(id)) if newest.is_some_and(|newest| id <= newest) => match history.position_after(id) {
                Some((next_tick, skip_events)) => {
                    cursor = Cursor { events, next_tick, skip_events, last_id: Some(id) };
                    Start::Replay
                }
                None => Start::Window,
            },
            Some(_) => Start::Reset,
        };
        let snapshot = match (start, last_id) {
            (Start::Window, Some(Ok(id))) => Some(history.window_since(id, events)),
            (Start::Window | Start::Reset, _) => Some(history.window.snapshot(None, window, events)),
            (Start::Live | Start::Replay, _) => None,
        };
        (start, snapshot.zip(newest), cursor)
    }

    /// For clients that poll: the window since `last_id`, or the newest `window` seconds without a known id; and the id
    /// of its newest event.
    pub fn since(
        &self,
        events: EventNames,
        last_id: Option<Result<EventId, InvalidId>>,
        window: usize,
    ) -> (Start, WindowSnapshot, Option<EventId>) {
        let history = self.history();
        let newest = history.last_id();
        let (start, snapshot) = match last_id {
            Some(Ok(id)) if newest.is_some_and(|newest| id <= newest) => {
                (Start::Window, history.window_since(id, events))
            }
            Some(_) => (Start::Reset, history.window.snapshot(None, window, events)),
            None => (Start::Window, history.window.snapshot(None, window, events)),
        };
        (start, snapshot, newest)
    }

    /// What follows at `cursor`, which moves past it.
    pub fn advance(&self, cursor: &mut Cursor, coding: Coding) -> Progress {
        loop {
            let ticks = match self.take_ticks(cursor) {
                Ok(ticks) => ticks,
                Err((snapshot, newest)) => return Progress::Window(snapshot, newest),
            };
            // Encoded outside the lock, which the next tick waits for.
            let (ticks, skip) = (&ticks[..], std::mem::take(&mut cursor.skip_events));
            match ticks {
                [] => {
                    cursor.skip_events = skip;
                    return Progress::UpToDate;
                }
                [only] if skip == 0 => {
                    if let Some(chunk) = only.chunk(cursor.events, coding) {
                        return Progress::Live(chunk);
                    }
                }
                [first, others @ ..] => {
                    let mut plain = BytesMut::new();
                    let written = first.write(&mut plain, cursor.events, skip)
                        + others.iter().map(|tick| tick.write(&mut plain, cursor.events, 0)).sum::<u32>();
                    if written > 0 {
                        return Progress::Replay(plain.freeze(), written);
                    }
                }
            }
        }
    }

    /// The next ticks, which `cursor` moves past; a window if they have left the ring.
    fn take_ticks(&self, cursor: &mut Cursor) -> Result<Vec<Arc<EncodedTick>>, (WindowSnapshot, EventId)> {
        let history = self.history();
        if let (Some(newest), true) = (history.last_id(), cursor.next_tick < history.dropped) {
            let snapshot = match cursor.last_id {
                Some(id) => history.window_since(id, cursor.events),
                None => history.window.snapshot(None, usize::MAX, cursor.events),
            };
            (cursor.next_tick, cursor.skip_events, cursor.last_id) = (history.published(), 0, Some(newest));
            return Err((snapshot, newest));
        }
        let end = history.published().min(cursor.next_tick + REPLAY_BATCH);
        let range = (cursor.next_tick - history.dropped) as usize..(end - history.dropped) as usize;
        let ticks: Vec<_> = history.ring.range(range).cloned().collect();
        cursor.next_tick = end;
        cursor.last_id = ticks.last().map(|tick| tick.last_id()).or(cursor.last_id);
        Ok(ticks)
    }
}

impl History {
    /// The number of the tick after `id`, and how many of its events to skip; `None` for an id that is not in the ring. A
    /// server that was killed may have sent ids that its saved log lacks, and what followed them is lost.
    fn position_after(&self, id: EventId) -> Option<(u64, usize)> {
        let containing = self.ring.get(self.ring.partition_point(|tick| tick.last_id() < id))?;
        if id < containing.first_id {
            return None;
        }
        let index = self.ring.partition_point(|tick| tick.last_id() <= id);
        let skip = self.ring.get(index).map_or(0, |tick| tick.events_up_to(id));
        Some((self.dropped + index as u64, skip))
    }
}
