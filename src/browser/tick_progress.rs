//! How much of the newest tick has arrived. A slow network splits a tick, whose last values are missing until then.

use crate::schema::EventName;

/// The groups of a tick arrive in the order of [`EventName`]. A tick is expected to have those of the tick before.
#[derive(Clone, Copy, Debug)]
pub struct TickProgress {
    newest: EventName,
    /// The last group of the tick before.
    last: EventName,
}

impl TickProgress {
    /// The page's first tick, complete. Hosts without sensors and services have its last group, too.
    pub const INITIAL: Self = Self { newest: EventName::Disk, last: EventName::Disk };

    /// A group with series arrived.
    pub fn group_arrived(&mut self, name: EventName) {
        if name <= self.newest {
            self.last = self.newest;
        }
        self.newest = name;
    }

    /// The rest of the tick arrived with a window.
    pub fn complete(&mut self) {
        self.newest = self.last;
    }

    /// Whether groups are yet to arrive.
    pub fn is_partial(self) -> bool {
        self.newest < self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the tick is partial after each of `names`.
    fn partial(progress: &mut TickProgress, names: &[EventName]) -> Vec<bool> {
        let arrive = |name: &EventName| {
            progress.group_arrived(*name);
            progress.is_partial()
        };
        names.iter().map(arrive).collect()
    }

    #[test]
    fn tick_is_partial_until_its_last_group_arrives() {
        let mut progress = TickProgress::INITIAL;
        let tick = [EventName::Cpu, EventName::Disk, EventName::Cgroup];
        assert_eq!(partial(&mut progress, &tick), [true, false, false]);
        assert_eq!(partial(&mut progress, &tick), [true, true, false]);
    }

    #[test]
    fn host_that_loses_a_group_delays_one_tick() {
        let mut progress = TickProgress::INITIAL;
        let tick = [EventName::Cpu, EventName::Memory];
        assert_eq!(partial(&mut progress, &tick), [true, true]);
        assert_eq!(partial(&mut progress, &tick), [true, false]);
    }

    #[test]
    fn window_completes_a_partial_tick() {
        let mut progress = TickProgress::INITIAL;
        assert_eq!(partial(&mut progress, &[EventName::Cpu]), [true]);
        progress.complete();
        assert!(!progress.is_partial());
        assert_eq!(partial(&mut progress, &[EventName::Cpu, EventName::Disk]), [true, false]);
    }
}
