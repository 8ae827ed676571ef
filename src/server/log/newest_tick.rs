//! Keeps the newest tick at hand for all cursors that have kept up, so that they take no lock each.

use super::{
    Chunk, Coding, Cursor, TickLog,
    encoded_tick::{EncodedTick, MAX_SHARED_CHUNKS},
};
use crate::schema::EventFilter;
use std::sync::Arc;

/// The newest tick, and its chunks by filter and coding.
#[derive(Debug)]
pub struct NewestTick {
    tick: Arc<EncodedTick>,
    /// Counted from the start of the log.
    number: u64,
    chunks: Vec<(EventFilter, Coding, Chunk)>,
}

impl TickLog {
    /// The newest tick; `None` before the first.
    pub fn newest_tick(&self) -> Option<NewestTick> {
        let history = self.history();
        let tick = Arc::clone(history.ring.back()?);
        Some(NewestTick { tick, number: history.published() - 1, chunks: Vec::new() })
    }
}

impl NewestTick {
    /// The tick's chunk for a cursor directly before it, which moves past it. `None` for a cursor elsewhere, or a tick
    /// without events for it; [`TickLog::advance`] covers these.
    pub fn pass(&mut self, cursor: &mut Cursor, coding: Coding) -> Option<&Chunk> {
        if cursor.next_tick != self.number || cursor.is_behind(self.number) {
            return None;
        }
        let cached = self.chunks.iter().position(|(events, known, _)| *events == cursor.events && *known == coding);
        let index = cached.unwrap_or_else(|| {
            // Past the bound, rare filters take turns in the last place.
            self.chunks.truncate(MAX_SHARED_CHUNKS - 1);
            self.chunks.push((cursor.events.clone(), coding, self.tick.chunk(&cursor.events, coding)));
            self.chunks.len() - 1
        });
        let chunk = Some(&self.chunks[index].2).filter(|chunk| chunk.events > 0)?;
        (cursor.next_tick, cursor.last_id) = (self.number + 1, Some(self.tick.last_id()));
        Some(chunk)
    }
}
