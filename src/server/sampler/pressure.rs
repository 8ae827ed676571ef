//! Pressure stall information from `/proc/pressure` (the kernel's `Documentation/accounting/psi.rst`).

use super::{
    Clock, HostSource,
    rate::{PreviousReading, delta, percentage},
};
use crate::schema::{Pressure, Sample, Stall};

/// Microseconds in which some or all tasks had to wait, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Waited {
    pub some: Option<u64>,
    pub full: Option<u64>,
}

/// For a processor, memory, and a disk.
type Counters = [Waited; 3];

/// Samples pressure.
#[derive(Debug, Default)]
pub(super) struct PressureSampler {
    last: PreviousReading<Counters>,
    text: String,
}

impl PressureSampler {
    pub(super) fn sample(
        &mut self,
        t: u64,
        source: &mut impl HostSource,
        clock: &impl Clock,
    ) -> Option<Sample<Pressure>> {
        let text = &mut self.text;
        let mut read = |path| source.read_cached(path, text).ok().map(|()| parse(text));
        let read = || {
            let files = ["/proc/pressure/cpu", "/proc/pressure/memory", "/proc/pressure/io"].map(&mut read);
            // A kernel without it, or told not to count, has none of the three.
            files.iter().any(Option::is_some).then(|| files.map(Option::unwrap_or_default))
        };
        self.last.next_sample(t, clock, read, |before, now, dt| {
            let stall = |i: usize| stall(before[i], now[i], dt);
            Pressure { cpu: stall(0), memory: stall(1), io: stall(2) }
        })
    }
}

/// `some avg10=0.00 avg60=0.00 avg300=0.00 total=12345`, and the same for `full`.
pub(super) fn parse(text: &str) -> Waited {
    let total = |line: &str| {
        let line = text.lines().find_map(|candidate| candidate.strip_prefix(line))?;
        line.split_once(" total=")?.1.parse().ok()
    };
    Waited { some: total("some"), full: total("full") }
}

/// The totals are exact, where the kernel's averages are over ten seconds and more.
fn stall(before: Waited, now: Waited, dt: f64) -> Stall {
    let share = |of: fn(Waited) -> Option<u64>| percentage(delta(of(before)?, of(now)?), dt * 1e6);
    Stall { some: share(|waited| waited.some), full: share(|waited| waited.full) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{clock::ManualClock, linux::tests::RecordedHost};

    fn psi(some: u64, full: u64) -> String {
        format!(
            "some avg10=0.00 avg60=1.00 avg300=0.00 total={some}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total={full}\n"
        )
    }

    #[test]
    fn shares_are_of_the_time_that_passed() {
        let (mut sampler, clock) = (PressureSampler::default(), ManualClock::at(0.0));
        let mut source =
            RecordedHost::default().with("/proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=7");
        source = source.with("/proc/pressure/io", &psi(1_000_000, 500_000));
        assert_eq!(sampler.sample(0, &mut source, &clock), None);
        clock.advance(2.0);
        source = source.with("/proc/pressure/io", &psi(2_500_000, 400_000));
        let pressure = sampler.sample(2000, &mut source, &clock).unwrap().values;
        assert_eq!(pressure.cpu, Stall { some: Some(0.0), full: None });
        assert_eq!(pressure.memory, Stall::default());
        assert_eq!(pressure.io, Stall { some: Some(75.0), full: None }, "a counter that fell has no share");
    }

    #[test]
    fn a_kernel_without_it_has_no_such_group() {
        let (mut sampler, clock) = (PressureSampler::default(), ManualClock::at(0.0));
        for _ in 0..2 {
            assert_eq!(sampler.sample(0, &mut RecordedHost::default(), &clock), None);
        }
    }
}
