//! When an automatic recording begins and ends.

use crate::schema::Level;

/// A recording has the minutes before and after the incident, in milliseconds.
pub(super) const MARGIN_MS: u64 = 5 * 60_000;
/// A recording is no longer than this, in milliseconds.
const MAX_MS: u64 = 60 * 60_000;

/// A recorded time, unix ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordedTime {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// Follows the level of the verdict.
#[derive(Debug, Default)]
pub(super) struct Incident {
    state: State,
    /// By the newest verdict other than `unknown`.
    is_unhealthy: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Healthy,
    /// `unhealthy_at` is the newest tick of an unhealthy host, unix ms.
    Recorded { from: u64, unhealthy_at: u64 },
    /// The recording has its full length, and the host has not been healthy for long enough since.
    Exhausted { unhealthy_at: u64 },
}

impl Incident {
    /// Continues the recording of an incident that the server was stopped in.
    pub(super) fn resumed(RecordedTime { from, to }: RecordedTime) -> Self {
        let state = State::Recorded { from, unhealthy_at: to.saturating_sub(MARGIN_MS) };
        Self { state, is_unhealthy: false }
    }

    /// The time that is recorded at the tick `t` (unix ms), whose verdict may have the `level`. `None` if none is.
    pub(super) fn observe(&mut self, t: u64, level: Option<Level>) -> Option<RecordedTime> {
        if let Some(level) = level.filter(|level| *level != Level::Unknown) {
            self.is_unhealthy = level >= Level::Watch;
        }
        self.state = self.state.next(t, self.is_unhealthy);
        self.state.recorded_time()
    }
}

impl State {
    fn next(self, t: u64, is_unhealthy: bool) -> Self {
        let (Self::Recorded { unhealthy_at, .. } | Self::Exhausted { unhealthy_at }) = self else {
            return if is_unhealthy { Self::begun(t) } else { Self::Healthy };
        };
        // The clock was set back: the incident is one of another time.
        if t.saturating_add(MARGIN_MS) < unhealthy_at {
            return Self::Healthy.next(t, is_unhealthy);
        }
        let unhealthy_at = if is_unhealthy { unhealthy_at.max(t) } else { unhealthy_at };
        if t.saturating_sub(unhealthy_at) >= MARGIN_MS {
            return Self::Healthy;
        }
        match self {
            Self::Recorded { from, .. } if t.saturating_sub(from) < MAX_MS => Self::Recorded { from, unhealthy_at },
            _ => Self::Exhausted { unhealthy_at },
        }
    }

    fn begun(t: u64) -> Self {
        Self::Recorded { from: t.saturating_sub(MARGIN_MS), unhealthy_at: t }
    }

    fn recorded_time(self) -> Option<RecordedTime> {
        match self {
            Self::Recorded { from, unhealthy_at } => {
                Some(RecordedTime { from, to: (unhealthy_at + MARGIN_MS).min(from + MAX_MS) })
            }
            Self::Healthy | Self::Exhausted { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const MINUTE: u64 = 60_000;
    const START: u64 = 1_000 * MINUTE;

    /// The recorded minutes of a host that is observed each second, from levels that begin at minutes.
    fn recorded(minutes: u64, levels: &[(u64, Level)]) -> Vec<(u64, u64)> {
        let mut incident = Incident::default();
        let mut times: Vec<RecordedTime> = Vec::new();
        for second in 0..minutes * 60 {
            let level = levels.iter().find(|(minute, _)| minute * 60 == second).map(|(_, level)| *level);
            if let Some(time) = incident.observe(START + second * 1000, level) {
                times.pop_if(|last| last.from == time.from);
                times.push(time);
            }
        }
        let minute = |t: u64| (t + MINUTE - START) / MINUTE - 1;
        times.into_iter().map(|time| (minute(time.from), minute(time.to))).collect()
    }

    use Level::{Busy, Fine, Trouble, Unknown, Watch};

    #[test]
    fn incident_is_recorded_with_five_minutes_before_and_after() {
        assert_eq!(recorded(60, &[(0, Fine), (10, Watch), (12, Busy)]), [(5, 16)]);
        assert_eq!(recorded(30, &[(0, Fine), (5, Busy), (10, Unknown)]), []);
    }

    #[test]
    fn flapping_extends_one_recording() {
        let levels = [(10, Trouble), (12, Fine), (16, Watch), (17, Fine), (21, Trouble), (22, Fine)];
        assert_eq!(recorded(60, &levels), [(5, 26)]);
        let healthy_long_enough = [(10, Trouble), (12, Fine), (17, Watch), (18, Fine)];
        assert_eq!(recorded(60, &healthy_long_enough), [(5, 16), (12, 22)]);
    }

    #[test]
    fn unknown_neither_begins_nor_ends() {
        assert_eq!(recorded(40, &[(0, Unknown), (10, Watch), (12, Unknown), (20, Fine)]), [(5, 24)]);
    }

    #[test]
    fn recording_is_an_hour_at_most_and_the_next_waits_for_a_healthy_host() {
        let levels = [(10, Trouble), (100, Fine), (102, Trouble), (104, Fine), (110, Watch), (111, Fine)];
        assert_eq!(recorded(200, &levels), [(5, 65), (105, 115)]);
    }

    #[test]
    fn restart_continues_a_recording() {
        let time = RecordedTime { from: START, to: START + 10 * MINUTE };
        let mut incident = Incident::resumed(time);
        assert_eq!(incident.observe(START + 8 * MINUTE, Some(Unknown)), Some(time));
        let extended = RecordedTime { to: START + 14 * MINUTE, ..time };
        assert_eq!(incident.observe(START + 9 * MINUTE, Some(Watch)), Some(extended));
        assert_eq!(Incident::resumed(time).observe(START + 10 * MINUTE, None), None);
    }

    #[test]
    fn clock_that_is_set_back_ends_a_recording() {
        let mut incident = Incident::default();
        assert!(incident.observe(START, Some(Watch)).is_some());
        assert_eq!(incident.observe(START - 100 * MINUTE, Some(Fine)), None);
    }

    proptest! {
        #[test]
        fn recordings_are_bounded_and_begin_apart(
            levels in prop::collection::vec((0u64..600, prop::sample::select(&Level::ALL[..])), 1..60),
        ) {
            let (mut incident, mut t, mut begun) = (Incident::default(), START, BTreeSet::new());
            for (seconds, level) in levels {
                t += seconds * 1000;
                if let Some(time) = incident.observe(t, Some(level)) {
                    prop_assert!(time.from <= t && t <= time.to && time.to - time.from <= MAX_MS);
                    begun.insert(time.from);
                }
            }
            let starts: Vec<_> = begun.into_iter().collect();
            prop_assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= MARGIN_MS));
        }
    }
}
