//! Counts the memory of the chunks that viewers catch up with: those in the cache, and those that slow viewers hold.

use bytes::Bytes;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Bytes past which no such chunk is made. The cache takes half of it.
pub(super) const MAX_BYTES: usize = 128 << 20;

#[derive(Clone, Debug, Default)]
pub(super) struct ChunkMemory(Arc<AtomicUsize>);

impl ChunkMemory {
    /// Counts `bytes` as long as a copy or a slice of them is left.
    pub(super) fn count(&self, bytes: Bytes) -> Bytes {
        self.0.fetch_add(bytes.len(), Ordering::Relaxed);
        Bytes::from_owner(CountedBytes { bytes, memory: self.clone() })
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= MAX_BYTES
    }
}

struct CountedBytes {
    bytes: Bytes,
    memory: ChunkMemory,
}

impl AsRef<[u8]> for CountedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for CountedBytes {
    fn drop(&mut self) {
        self.memory.0.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_count_once_until_their_last_slice_is_dropped() {
        let memory = ChunkMemory::default();
        let bytes = memory.count(vec![0; MAX_BYTES].into());
        let slices = [bytes.slice(1..2), bytes.slice(5..)];
        drop(bytes);
        let [first, second] = slices;
        drop(second);
        assert!(memory.is_exhausted());
        drop(first);
        assert_eq!(memory.0.load(Ordering::Relaxed), 0);
    }
}
