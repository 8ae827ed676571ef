//! The seconds that the page shows while it is paused, and how zooming and stepping move them.

use crate::schema::{INTERVAL_MS, WindowSlice};

/// The shortest view, in seconds.
const MIN_SECONDS: usize = 10;

/// A fixed range of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrozenView {
    /// The tick of its last second, unix ms.
    pub last: u64,
    /// Its length in seconds.
    pub seconds: usize,
}

impl FrozenView {
    /// The view of `slice` in a window that ends at tick `end`.
    pub fn of(slice: WindowSlice, end: u64) -> Self {
        Self { last: end.saturating_sub(slice.skip as u64 * INTERVAL_MS), seconds: slice.seconds }
    }

    /// Its slice of a window that ends at tick `end`.
    pub fn slice(self, end: u64) -> WindowSlice {
        WindowSlice { seconds: self.seconds, skip: (end.saturating_sub(self.last) / INTERVAL_MS) as usize }
    }

    /// The seconds between two ages, counted in seconds before its last one.
    pub fn between(self, one: usize, other: usize) -> Self {
        let (newer, older) = (one.min(other), one.max(other));
        Self { last: self.tick_at(newer), seconds: (older - newer + 1).max(MIN_SECONDS) }
    }

    /// Halved or doubled around the second `age` before its last one: at most `longest` seconds, up to tick `end`.
    pub fn zoomed(self, closer: bool, age: usize, longest: usize, end: u64) -> Self {
        let seconds = if closer { self.seconds / 2 } else { self.seconds * 2 }.clamp(MIN_SECONDS.min(longest), longest);
        // The second pointed at keeps its position on the screen where the window allows.
        let after = age * seconds / self.seconds.max(1);
        Self { last: (self.tick_at(age) + after as u64 * INTERVAL_MS).min(end), seconds }
    }

    /// Moved by half its length within a window from tick `start` to tick `end`.
    pub fn stepped(self, earlier: bool, start: u64, end: u64) -> Self {
        let half = (self.seconds / 2) as u64 * INTERVAL_MS;
        let earliest = start + (self.seconds as u64 - 1) * INTERVAL_MS;
        let last = if earlier {
            self.last.saturating_sub(half).max(earliest.min(self.last))
        } else {
            (self.last + half).min(end)
        };
        Self { last, ..self }
    }

    /// The tick `age` seconds before its last one, unix ms.
    pub fn tick_at(self, age: usize) -> u64 {
        self.last.saturating_sub(age as u64 * INTERVAL_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slice_moves_back_as_the_window_grows() {
        let frozen = FrozenView::of(WindowSlice::newest(60), 100_000);
        assert_eq!(frozen.slice(100_000), WindowSlice::newest(60));
        assert_eq!(frozen.slice(130_000), WindowSlice { seconds: 60, skip: 30 });
        assert_eq!(FrozenView::of(frozen.slice(130_000), 130_000), frozen);
    }

    #[test]
    fn selection_ignores_direction_and_has_a_minimum() {
        let frozen = FrozenView { last: 100_000, seconds: 60 };
        let selected = FrozenView { last: 90_000, seconds: 21 };
        assert_eq!((frozen.between(10, 30), frozen.between(30, 10)), (selected, selected));
        assert_eq!(frozen.between(10, 12).seconds, MIN_SECONDS);
    }

    #[test]
    fn step_moves_by_half_within_the_window() {
        let frozen = FrozenView { last: 100_000, seconds: 60 };
        assert_eq!(frozen.stepped(true, 0, 100_000).last, 70_000);
        assert_eq!(frozen.stepped(true, 30_000, 100_000).last, 89_000);
        assert_eq!(frozen.stepped(false, 0, 110_000).last, 110_000);
        assert_eq!(frozen.stepped(true, 90_000, 100_000).last, 100_000, "a view of the whole window stays");
        assert_eq!(frozen.stepped(true, 90_000, 110_000), frozen, "a step back never moves forward");
    }

    proptest! {
        #[test]
        fn zoom_keeps_the_pointed_second_in_view(seconds in 10usize..3600, age in 0usize..3600, ahead in 0u64..3600, closer: bool) {
            let (frozen, age) = (FrozenView { last: 10_000_000, seconds }, age % seconds);
            let end = frozen.last + ahead * INTERVAL_MS;
            let zoomed = frozen.zoomed(closer, age, 3600, end);
            let pointed = frozen.tick_at(age);
            prop_assert!(zoomed.tick_at(zoomed.seconds - 1) <= pointed && pointed <= zoomed.last && zoomed.last <= end);
            prop_assert!((MIN_SECONDS..=3600).contains(&zoomed.seconds));
        }
    }
}
