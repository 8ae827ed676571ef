//! Whether all groups of a tick have arrived, so that the page is redrawn once for each tick.

/// Counts the groups of the newest tick. A tick is expected to have as many as the one before.
#[derive(Clone, Copy, Debug)]
pub struct TickProgress {
    /// The newest tick, unix ms.
    t: u64,
    arrived: u32,
    expected: u32,
}

impl TickProgress {
    /// Before the first event. Most hosts have at least seven groups with series.
    pub const INITIAL: Self = Self { t: 0, arrived: 7, expected: 7 };

    /// A group with series arrived, of the tick at `t` (unix ms).
    pub fn group_arrived(&mut self, t: u64) {
        if t != self.t {
            *self = Self { t, arrived: 0, expected: self.arrived };
        }
        self.arrived += 1;
    }

    /// The rest of the tick arrived with a window.
    pub fn complete(&mut self) {
        self.arrived = self.arrived.max(self.expected);
    }

    /// Whether groups are yet to arrive.
    pub fn is_partial(self) -> bool {
        self.arrived < self.expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the tick at `t` is partial after each of `groups` groups.
    fn partial(progress: &mut TickProgress, t: u64, groups: usize) -> Vec<bool> {
        let arrive = |_| {
            progress.group_arrived(t);
            progress.is_partial()
        };
        (0..groups).map(arrive).collect()
    }

    #[test]
    fn tick_is_partial_until_its_last_group_arrives() {
        let mut progress = TickProgress::INITIAL;
        assert_eq!(partial(&mut progress, 1000, 8), [true, true, true, true, true, true, false, false]);
        assert_eq!(partial(&mut progress, 2000, 8), [true, true, true, true, true, true, true, false]);
    }

    #[test]
    fn host_that_loses_a_group_delays_one_tick() {
        let mut progress = TickProgress::INITIAL;
        assert!(partial(&mut progress, 1000, 2).ends_with(&[true]));
        assert_eq!(partial(&mut progress, 2000, 2), [true, false]);
    }

    #[test]
    fn window_completes_a_partial_tick() {
        let mut progress = TickProgress::INITIAL;
        assert_eq!(partial(&mut progress, 1000, 1), [true]);
        progress.complete();
        assert!(!progress.is_partial());
        assert!(partial(&mut progress, 2000, 7).ends_with(&[true, false]));
    }
}
