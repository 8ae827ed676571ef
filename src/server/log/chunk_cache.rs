//! Chunks that viewers who catch up share: runs of ticks from the ring, and windows. Each is encoded once and cached, with
//! a bound, for as long as viewers need it.

use super::{Chunk, Coding, chunk_memory::ChunkMemory};
use crate::schema::EventFilter;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Bytes of cached chunks. A ring of 15 minutes with every event takes a tenth of it.
const MAX_BYTES: usize = 64 << 20;
/// Ticks after which an unused chunk is dropped: memory returns to its level soon after a storm of reconnects.
const MAX_IDLE_TICKS: u64 = 20;

/// What a cached chunk holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Content {
    /// The events of ticks in the ring, by number of the first tick and count.
    Ticks(u64, u64),
    /// The window after the tick `since` (unix ms), at most so many seconds, with so many ticks published.
    Window { since: Option<u64>, seconds: usize, published: u64 },
}

/// Content, filter and coding.
pub(super) type Key = (Content, EventFilter, Coding);

#[derive(Debug, Default)]
pub(super) struct ChunkCache {
    entries: Mutex<Entries>,
    /// Of all chunks made here.
    pub memory: ChunkMemory,
}

#[derive(Debug, Default)]
struct Entries {
    chunks: HashMap<Key, Entry>,
    bytes: usize,
    /// Number of the newest tick.
    now: u64,
}

#[derive(Debug)]
struct Entry {
    chunk: Chunk,
    last_used: u64,
}

impl ChunkCache {
    /// The cached chunk, or the one that `encode` makes, outside the lock.
    pub(super) fn get(&self, key: Key, encode: impl FnOnce() -> Chunk) -> Chunk {
        let cached = self.entries().use_chunk(&key);
        if let Some(chunk) = cached {
            return chunk;
        }
        let chunk = encode().counted(&self.memory);
        self.entries().insert(key, chunk.clone());
        chunk
    }

    /// Drops chunks that no viewer has needed for a while.
    pub(super) fn on_tick(&self, published: u64) {
        let mut entries = self.entries();
        entries.now = published;
        entries.retain(|entry, now| entry.last_used + MAX_IDLE_TICKS > now);
        if entries.chunks.is_empty() {
            entries.chunks.shrink_to_fit();
        }
    }

    // A panic can't leave an entry half written.
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn use_chunk(&mut self, key: &Key) -> Option<Chunk> {
        let now = self.now;
        let entry = self.chunks.get_mut(key)?;
        entry.last_used = now;
        Some(entry.chunk.clone())
    }

    fn insert(&mut self, key: Key, chunk: Chunk) {
        if chunk.data_len() > MAX_BYTES {
            return;
        }
        while self.bytes + chunk.data_len() > MAX_BYTES {
            let oldest = self.chunks.values().map(|entry| entry.last_used).min().unwrap_or(self.now);
            self.retain(|entry, _| entry.last_used > oldest);
        }
        self.bytes += chunk.data_len();
        let entry = Entry { chunk, last_used: self.now };
        if let Some(replaced) = self.chunks.insert(key, entry) {
            self.bytes -= replaced.chunk.data_len();
        }
    }

    fn retain(&mut self, keep: impl Fn(&Entry, u64) -> bool) {
        let (now, bytes) = (self.now, &mut self.bytes);
        self.chunks.retain(|_, entry| {
            let kept = keep(entry, now);
            if !kept {
                *bytes -= entry.chunk.data_len();
            }
            kept
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(tick: u64) -> Key {
        (Content::Ticks(tick, 1), EventFilter::All, Coding::Identity)
    }

    fn chunk(bytes: usize) -> Chunk {
        Chunk::new(&vec![b'x'; bytes], 1, Coding::Identity)
    }

    #[test]
    fn same_key_is_encoded_once() {
        let cache = ChunkCache::default();
        let first = cache.get(key(1), || chunk(3));
        let second = cache.get(key(1), || panic!("encoded again"));
        assert_eq!(first.data().as_ptr(), second.data().as_ptr());
    }

    #[test]
    fn unused_chunks_are_dropped_after_twenty_ticks() {
        let cache = ChunkCache::default();
        cache.get(key(1), || chunk(3));
        cache.on_tick(MAX_IDLE_TICKS - 1);
        cache.get(key(1), || panic!("dropped too early"));
        cache.on_tick(2 * MAX_IDLE_TICKS);
        let entries = cache.entries();
        assert_eq!((entries.chunks.len(), entries.bytes), (0, 0));
    }

    #[test]
    fn cached_bytes_stay_within_the_bound() {
        let cache = ChunkCache::default();
        for tick in 0..100 {
            cache.on_tick(tick / 10);
            cache.get(key(tick), || chunk(MAX_BYTES / 20));
            let entries = cache.entries();
            let bytes: usize = entries.chunks.values().map(|entry| entry.chunk.data_len()).sum();
            assert!(entries.bytes == bytes && bytes <= MAX_BYTES);
        }
    }
}
