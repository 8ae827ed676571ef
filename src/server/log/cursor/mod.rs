//! A viewer's position in the log. A viewer that fell behind the ring gets a window in place of the events it missed.

#[cfg(test)]
mod tests;

use super::{
    Chunk, Coding, History, TickLog,
    chunk::WindowEvent,
    chunk_cache::{Content, Key},
    encoded_tick::EncodedTick,
    history::Values,
};
use crate::schema::{EventFilter, EventId, INTERVAL_MS, InvalidId, WindowSnapshot};
use std::sync::Arc;

/// Ticks replayed as one chunk, largest first. Runs start at multiples of their length, so viewers who resume at different
/// ids share them.
const RUN_LENGTHS: [u64; 3] = [64, 8, 1];

/// Due ticks up to which a viewer counts as live: a worker that is late for a second must not send all of its viewers to
/// catch up.
const MAX_LIVE_TICKS: u64 = 8;

/// How a stream starts, as its `hello` event reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Start {
    /// With the next tick.
    Live,
    /// With every event after the client's id, as first sent.
    Replay,
    /// With a window.
    Window,
    /// With a window, because the client's id is unknown here, as one of another host or epoch is.
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
    pub(super) events: EventFilter,
    /// Number of the next tick, counted from the start of the log.
    pub(super) next_tick: u64,
    /// Events of that tick that the viewer has already.
    pub(super) skip_events: usize,
    /// Id of the last event passed; where a window begins if the viewer falls behind the ring.
    pub(super) last_id: Option<EventId>,
    /// The window that comes next, in place of the events before `next_tick`.
    pending: Option<WindowStart>,
}

/// Where a window begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WindowStart {
    /// At the tick of the client's last event, which the client may have only in part.
    Since(EventId),
    /// So many seconds before the newest tick.
    Newest(usize),
}

impl Cursor {
    /// Whether a window, part of a tick, or more than a few of `published` ticks are due.
    pub fn is_behind(&self, published: u64) -> bool {
        self.pending.is_some() || self.skip_events > 0 || self.next_tick + MAX_LIVE_TICKS < published
    }
}

/// What a viewer gets next.
#[derive(Debug)]
pub enum Progress {
    /// Events, as a chunk that all viewers with this filter and coding share.
    Events(Chunk),
    /// The window that a stream starts with.
    Window(Chunk),
    /// A window in place of events that left the ring before the viewer took them.
    Conflated(Chunk),
    /// Nothing yet: slow viewers hold the memory for the chunk that comes next.
    Delayed,
    /// Nothing: the viewer has every event.
    UpToDate,
}

/// What follows at a cursor, read under the lock and encoded outside of it.
enum Step {
    Newest(Arc<EncodedTick>),
    PartOf(Arc<EncodedTick>, usize),
    Ticks(u64, Vec<Arc<EncodedTick>>),
    Window { key: Key, since: Option<u64>, seconds: usize, values: Values, newest: EventId, conflated: bool },
    UpToDate,
}

impl TickLog {
    /// A new viewer's cursor, and how its stream starts. `last_id` is the client's last event, `window` the seconds of
    /// window for a client without one.
    pub fn open_cursor(
        &self,
        events: EventFilter,
        last_id: Option<Result<EventId, InvalidId>>,
        window: usize,
    ) -> (Start, Cursor) {
        let history = self.history();
        let newest = history.last_id();
        let mut cursor =
            Cursor { events, next_tick: history.published(), skip_events: 0, last_id: newest, pending: None };
        let start = match last_id {
            None if window == 0 || newest.is_none() => Start::Live,
            None => Start::Window,
            Some(Ok(id)) if newest.is_some_and(|newest| id == newest || newest.follows(id)) => {
                match history.position_after(id) {
                    Some((next_tick, skip_events)) => {
                        cursor = Cursor { next_tick, skip_events, last_id: Some(id), ..cursor };
                        Start::Replay
                    }
                    None => Start::Window,
                }
            }
            Some(_) => Start::Reset,
        };
        cursor.pending = match (start, last_id) {
            (Start::Window, Some(Ok(id))) => Some(WindowStart::Since(id)),
            (Start::Window | Start::Reset, _) => newest.map(|_| WindowStart::Newest(window)),
            (Start::Live | Start::Replay, _) => None,
        };
        (start, cursor)
    }

    /// For clients that poll: the window since `last_id`, or the newest `window` seconds without a known id; and the id
    /// of its newest event.
    pub fn since(
        &self,
        events: &EventFilter,
        last_id: Option<Result<EventId, InvalidId>>,
        window: usize,
    ) -> (Start, WindowSnapshot, Option<EventId>) {
        let (window_now, newest) = {
            let history = self.history();
            (Arc::clone(&history.values.window), history.last_id())
        };
        let (start, from) = match last_id {
            Some(Ok(id)) if newest.is_some_and(|newest| id == newest || newest.follows(id)) => {
                (Start::Window, WindowStart::Since(id))
            }
            Some(_) => (Start::Reset, WindowStart::Newest(window)),
            None => (Start::Window, WindowStart::Newest(window)),
        };
        let (since, seconds) = from.bounds();
        (start, window_now.snapshot(since, seconds, events), newest)
    }

    /// What follows at `cursor`, which moves past it.
    pub fn advance(&self, cursor: &mut Cursor, coding: Coding) -> Progress {
        let events = cursor.events.clone();
        loop {
            if self.is_chunk_memory_exhausted() && cursor.is_behind(self.head().published) {
                return Progress::Delayed;
            }
            let chunk = match self.step(cursor, coding) {
                Step::UpToDate => return Progress::UpToDate,
                Step::Newest(tick) => tick.chunk(&events, coding),
                Step::PartOf(tick, skip) => {
                    Chunk::of_ticks(&[tick], skip, &events, coding).counted(&self.chunks.memory)
                }
                Step::Ticks(first, ticks) => {
                    let key = (Content::Ticks(first, ticks.len() as u64), events.clone(), coding);
                    self.chunks.get(key, || Chunk::of_ticks(&ticks, 0, &events, coding))
                }
                Step::Window { key, since, seconds, values, newest, conflated } => {
                    let encode = || {
                        let window = values.window.snapshot(since, seconds, &events);
                        let annotations = events.contains("annotation").then_some(&**values.annotations);
                        Chunk::of_window(&WindowEvent { window, annotations }, newest, coding)
                    };
                    let chunk = self.chunks.get(key, encode);
                    return if conflated { Progress::Conflated(chunk) } else { Progress::Window(chunk) };
                }
            };
            // A filter may leave nothing of a tick.
            if chunk.events > 0 {
                return Progress::Events(chunk);
            }
        }
    }

    /// Moves `cursor` past what follows. A window and the position after it are read under one lock, so they meet exactly.
    fn step(&self, cursor: &mut Cursor, coding: Coding) -> Step {
        let history = self.history();
        let published = history.published();
        let conflated = cursor.pending.is_none() && cursor.next_tick < history.dropped;
        let from = match (cursor.pending.take(), cursor.last_id) {
            (None, Some(id)) if conflated => Some(WindowStart::Since(id)),
            (None, None) if conflated => Some(WindowStart::Newest(usize::MAX)),
            (pending, _) => pending,
        };
        if let (Some(from), Some(newest)) = (from, history.last_id()) {
            (cursor.next_tick, cursor.skip_events, cursor.last_id) = (published, 0, Some(newest));
            let (since, seconds) = from.bounds();
            let key = (Content::Window { since, seconds, published }, cursor.events.clone(), coding);
            let values = history.values.clone();
            return Step::Window { key, since, seconds, values, newest, conflated };
        }
        let (first, skip) = (cursor.next_tick, std::mem::take(&mut cursor.skip_events));
        let remaining = published - first;
        let run = if skip > 0 {
            1
        } else {
            *RUN_LENGTHS.iter().find(|run| first % **run == 0 && **run <= remaining).unwrap_or(&1)
        };
        let range = (first - history.dropped) as usize..(first - history.dropped + run.min(remaining)) as usize;
        let mut ticks: Vec<_> = history.ring.range(range).cloned().collect();
        cursor.next_tick = first + ticks.len() as u64;
        cursor.last_id = ticks.last().map(|tick| tick.last_id()).or(cursor.last_id);
        match ticks.len() {
            0 => {
                cursor.skip_events = skip;
                Step::UpToDate
            }
            1 if skip > 0 => Step::PartOf(ticks.remove(0), skip),
            1 if remaining == 1 => Step::Newest(ticks.remove(0)),
            _ => Step::Ticks(first, ticks),
        }
    }
}

impl WindowStart {
    /// Only ticks after this one (unix ms), and how many seconds at most.
    fn bounds(self) -> (Option<u64>, usize) {
        match self {
            Self::Since(id) => (Some(id.ms.saturating_sub(INTERVAL_MS)), usize::MAX),
            Self::Newest(seconds) => (None, seconds),
        }
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
