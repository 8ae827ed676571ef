//! The values of one series on the server. Copies share all but the newest of them, so that a window can be copied at every
//! tick.

use std::{
    collections::VecDeque,
    ops::{Index, IndexMut, Range},
    sync::Arc,
};

/// Values of a chunk: about a minute.
const CHUNK: usize = 64;

/// A deque of values whose copies share its full chunks.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    /// Full chunks, oldest first.
    chunks: Arc<VecDeque<Arc<[f64; CHUNK]>>>,
    /// The values after them, fewer than a chunk.
    tail: Vec<f64>,
    /// The oldest values that have been removed, fewer than a chunk.
    removed: usize,
}

impl Column {
    pub(super) fn len(&self) -> usize {
        self.chunks.len() * CHUNK + self.tail.len() - self.removed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn get(&self, index: usize) -> Option<&f64> {
        let index = index + self.removed;
        match self.chunks.get(index / CHUNK) {
            Some(chunk) => chunk.get(index % CHUNK),
            None => self.tail.get(index - self.chunks.len() * CHUNK),
        }
    }

    pub(super) fn front(&self) -> Option<&f64> {
        self.get(0)
    }

    pub(super) fn back(&self) -> Option<&f64> {
        self.get(self.len().checked_sub(1)?)
    }

    /// The values at `range`, which is within the column.
    pub(super) fn range(&self, range: Range<usize>) -> impl DoubleEndedIterator<Item = &f64> {
        range.map(|index| &self[index])
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &f64> {
        self.range(0..self.len())
    }

    fn push_back(&mut self, value: f64) {
        self.tail.push(value);
        if let Ok(chunk) = <[f64; CHUNK]>::try_from(&*self.tail) {
            // Many series are constant: limits, sizes, errors that don't happen.
            let same = self.chunks.back().filter(|last| last.map(f64::to_bits) == chunk.map(f64::to_bits)).cloned();
            Arc::make_mut(&mut self.chunks).push_back(same.unwrap_or_else(|| Arc::new(chunk)));
            self.tail.clear();
        }
    }

    pub(super) fn push_front(&mut self, value: f64) {
        if self.removed == 0 {
            Arc::make_mut(&mut self.chunks).push_front(Arc::new([f64::NAN; CHUNK]));
            self.removed = CHUNK;
        }
        self.removed -= 1;
        self[0] = value;
    }

    pub(super) fn pop_front(&mut self) {
        self.drain(..self.len().min(1));
    }

    /// Removes the oldest values.
    pub(super) fn drain(&mut self, oldest: std::ops::RangeTo<usize>) {
        self.removed += oldest.end;
        while self.removed >= CHUNK {
            Arc::make_mut(&mut self.chunks).pop_front();
            self.removed -= CHUNK;
        }
    }

    /// Removes the newest values from index `len` on.
    pub(super) fn truncate(&mut self, len: usize) {
        let end = len + self.removed;
        if let Some(chunk) = self.chunks.get(end / CHUNK) {
            self.tail = chunk[..end % CHUNK].to_vec();
            Arc::make_mut(&mut self.chunks).truncate(end / CHUNK);
        } else {
            self.tail.truncate(end - self.chunks.len() * CHUNK);
        }
    }
}

impl Index<usize> for Column {
    type Output = f64;

    fn index(&self, index: usize) -> &f64 {
        let index = index + self.removed;
        match self.chunks.get(index / CHUNK) {
            Some(chunk) => &chunk[index % CHUNK],
            None => &self.tail[index - self.chunks.len() * CHUNK],
        }
    }
}

impl IndexMut<usize> for Column {
    fn index_mut(&mut self, index: usize) -> &mut f64 {
        let index = index + self.removed;
        if index / CHUNK < self.chunks.len() {
            &mut Arc::make_mut(&mut Arc::make_mut(&mut self.chunks)[index / CHUNK])[index % CHUNK]
        } else {
            &mut self.tail[index - self.chunks.len() * CHUNK]
        }
    }
}

impl Extend<f64> for Column {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.push_back(value));
    }
}

impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Change {
        Extend(usize),
        PushFront,
        PopFront,
        Drain(usize),
        Truncate(usize),
        Set(usize),
        Copy,
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            4 => (1usize..200).prop_map(Change::Extend),
            1 => Just(Change::PushFront),
            1 => Just(Change::PopFront),
            1 => (0usize..150).prop_map(Change::Drain),
            1 => (0usize..400).prop_map(Change::Truncate),
            1 => (0usize..400).prop_map(Change::Set),
            1 => Just(Change::Copy),
        ]
    }

    proptest! {
        /// Copies keep their values, too.
        #[test]
        fn column_holds_what_a_deque_would(changes in prop::collection::vec(change(), 1..40)) {
            let (mut column, mut deque) = (Column::default(), VecDeque::<f64>::new());
            let (mut copies, mut values) = (Vec::new(), (1..).map(f64::from));
            for change in changes {
                match change {
                    Change::Extend(count) => {
                        let new: Vec<_> = values.by_ref().take(count).collect();
                        column.extend(new.iter().copied());
                        deque.extend(new);
                    }
                    Change::PushFront => {
                        column.push_front(0.5);
                        deque.push_front(0.5);
                    }
                    Change::PopFront => {
                        column.pop_front();
                        deque.pop_front();
                    }
                    Change::Drain(count) => {
                        let count = count.min(deque.len());
                        column.drain(..count);
                        deque.drain(..count);
                    }
                    Change::Truncate(len) => {
                        column.truncate(len.min(deque.len()));
                        deque.truncate(len);
                    }
                    Change::Set(index) if index < deque.len() => {
                        column[index] = -1.0;
                        deque[index] = -1.0;
                    }
                    Change::Set(_) => {}
                    Change::Copy => copies.push((column.clone(), deque.clone())),
                }
                prop_assert_eq!(column.len(), deque.len());
                prop_assert_eq!((column.front(), column.back(), column.get(7)), (deque.front(), deque.back(), deque.get(7)));
            }
            copies.push((column, deque));
            for (column, deque) in copies {
                prop_assert!(column.iter().eq(deque.iter()) && column.iter().rev().eq(deque.iter().rev()));
            }
        }

        #[test]
        fn copies_share_their_chunks(len in 0usize..400) {
            let mut column = Column::default();
            column.extend((0..len).map(|n| n as f64));
            let mut copy = column.clone();
            copy.extend([1.0; 2 * CHUNK]);
            prop_assert!(column.chunks.iter().zip(&*copy.chunks).all(|(one, other)| Arc::ptr_eq(one, other)));
        }
    }

    #[test]
    fn constant_series_has_one_chunk_of_memory() {
        let mut column = Column::default();
        column.extend([7.0; 10 * CHUNK]);
        assert!(column.chunks.iter().all(|chunk| Arc::ptr_eq(chunk, &column.chunks[0])));
        column[3 * CHUNK] = 8.0;
        assert_eq!(column.iter().filter(|value| **value == 8.0).count(), 1);
    }
}
