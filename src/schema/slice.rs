//! Which part of a window is looked at.

use super::{INTERVAL_MS, Window};
use std::ops::Range;

/// So many seconds of a window, of which the last lies so many before the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowSlice {
    /// Its length in seconds.
    pub seconds: usize,
    /// Seconds after its last one.
    pub skip: usize,
}

impl WindowSlice {
    /// The newest seconds.
    pub const fn newest(seconds: usize) -> Self {
        Self { seconds, skip: 0 }
    }

    /// The tick of its last second, unix ms; `None` in an empty window.
    pub fn last(self, window: &Window) -> Option<u64> {
        Some(window.end()?.saturating_sub(self.skip as u64 * INTERVAL_MS))
    }

    /// Those of `len` slots, oldest first, that it takes in.
    pub fn of(self, len: usize) -> Range<usize> {
        let end = len.saturating_sub(self.skip);
        end.saturating_sub(self.seconds)..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_takes_in_what_is_held_of_it() {
        assert_eq!(WindowSlice::newest(3).of(10), 7..10);
        assert_eq!(WindowSlice { seconds: 3, skip: 2 }.of(10), 5..8);
        assert_eq!(WindowSlice { seconds: 30, skip: 2 }.of(10), 0..8);
        assert_eq!(WindowSlice { seconds: 3, skip: 20 }.of(10), 0..0);
    }
}
