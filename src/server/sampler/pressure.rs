//! Pressure stall information from `/proc/pressure` (the kernel's `Documentation/accounting/psi.rst`).

use super::{
    Clock, HostSource,
    rate::{PreviousReading, delta, percentage},
};
use crate::schema::{Pressure, Sample, Stall};

/// Microseconds since boot in which some or all tasks stalled on a resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::server) struct StallTotals {
    pub some: Option<u64>,
    pub full: Option<u64>,
}

/// Samples pressure stall information.
#[derive(Debug, Default)]
pub(super) struct PressureSampler {
    /// CPU, memory and I/O.
    previous: PreviousReading<[StallTotals; 3]>,
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
        let mut read = |path| source.read_cached(path, text).ok().map(|()| parse_pressure(text));
        let read = || {
            let files = ["/proc/pressure/cpu", "/proc/pressure/memory", "/proc/pressure/io"].map(&mut read);
            // A kernel without CONFIG_PSI, or booted with psi=0, has none of the three files.
            files.iter().any(Option::is_some).then(|| files.map(Option::unwrap_or_default))
        };
        self.previous.next_sample(t, clock, read, |previous, current, dt| {
            let stall = |i: usize| stall(previous[i], current[i], dt);
            Pressure { cpu: stall(0), memory: stall(1), io: stall(2) }
        })
    }
}

/// Parses `some avg10=0.00 avg60=0.00 avg300=0.00 total=12345`, and the same for `full`.
pub(in crate::server) fn parse_pressure(text: &str) -> StallTotals {
    let total = |line: &str| {
        let line = text.lines().find_map(|candidate| candidate.strip_prefix(line))?;
        line.split_once(" total=")?.1.parse().ok()
    };
    StallTotals { some: total("some"), full: total("full") }
}

/// Percent of `dt` seconds, from the totals: the kernel's averages cover ten seconds or more.
fn stall(previous: StallTotals, current: StallTotals, dt: f64) -> Stall {
    let share = |of: fn(StallTotals) -> Option<u64>| percentage(delta(of(previous)?, of(current)?), dt * 1e6);
    Stall { some_percent: share(|totals| totals.some), full_percent: share(|totals| totals.full) }
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
    fn percentages_are_of_elapsed_time() {
        let (mut sampler, clock) = (PressureSampler::default(), ManualClock::at(0.0));
        let mut source =
            RecordedHost::default().with("/proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=7");
        source = source.with("/proc/pressure/io", &psi(1_000_000, 500_000));
        assert_eq!(sampler.sample(0, &mut source, &clock), None);
        clock.advance(2.0);
        source = source.with("/proc/pressure/io", &psi(2_500_000, 400_000));
        let pressure = sampler.sample(2000, &mut source, &clock).unwrap().values;
        assert_eq!(pressure.cpu, Stall { some_percent: Some(0.0), full_percent: None });
        assert_eq!(pressure.memory, Stall::default());
        assert_eq!(
            pressure.io,
            Stall { some_percent: Some(75.0), full_percent: None },
            "a counter that falls yields no percentage"
        );
    }

    #[test]
    fn kernel_without_psi_yields_no_sample() {
        let (mut sampler, clock) = (PressureSampler::default(), ManualClock::at(0.0));
        for _ in 0..2 {
            assert_eq!(sampler.sample(0, &mut RecordedHost::default(), &clock), None);
        }
    }
}
