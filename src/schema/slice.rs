//! A range of seconds within a window: what a chart shows.

use super::Window;
use std::ops::Range;

/// A range of seconds, counted back from the newest second of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowSlice {
    /// Length in seconds.
    pub seconds: usize,
    /// Seconds between the end of the slice and the newest second.
    pub skip: usize,
}

impl WindowSlice {
    /// The newest `seconds`.
    pub const fn newest(seconds: usize) -> Self {
        Self { seconds, skip: 0 }
    }

    /// Tick of the slice's last second, unix ms; `None` if the window is empty.
    pub fn last(self, window: &Window) -> Option<u64> {
        Some(window.end()?.saturating_sub(self.skip as u64 * window.step_ms()))
    }

    /// The slots of the slice in a window of `len` slots, where slot 0 is the oldest.
    pub fn slots(self, len: usize) -> Range<usize> {
        let end = len.saturating_sub(self.skip);
        end.saturating_sub(self.seconds)..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slice_is_cut_to_held_seconds() {
        assert_eq!(WindowSlice::newest(3).slots(10), 7..10);
        assert_eq!(WindowSlice { seconds: 3, skip: 2 }.slots(10), 5..8);
        assert_eq!(WindowSlice { seconds: 30, skip: 2 }.slots(10), 0..8);
        assert_eq!(WindowSlice { seconds: 3, skip: 20 }.slots(10), 0..0);
    }
}
