//! Processor time from `/proc/stat` (proc_stat(5)).

use super::{
    Clock, HostSource,
    rate::{PreviousReading, delta, percentage, rate},
};
use crate::schema::{Cpu, Sample};
use std::collections::BTreeMap;

/// Time that one core, or all of them, spent in each mode since boot, in clock ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Modes {
    pub user: u64,
    pub nice: u64,
    pub system: u64,
    pub idle: u64,
    pub iowait: u64,
    pub irq: u64,
    pub softirq: u64,
    pub steal: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    all: Modes,
    /// By the core's number: an offline core has no line.
    pub cores: BTreeMap<usize, Modes>,
    pub context_switches: Option<u64>,
    pub interrupts: Option<u64>,
    pub forks: Option<u64>,
    running: Option<u64>,
    blocked: Option<u64>,
}

/// Samples processor time.
#[derive(Debug)]
pub(super) struct CpuSampler {
    ticks_per_second: f64,
    last: PreviousReading<Counters>,
    text: String,
}

impl CpuSampler {
    pub(super) fn new(ticks_per_second: u64) -> Self {
        Self { ticks_per_second: ticks_per_second as f64, last: PreviousReading::default(), text: String::new() }
    }

    /// `frequency` is what the sensors know of it, in hertz.
    pub(super) fn sample(
        &mut self,
        t: u64,
        frequency: Option<f64>,
        source: &mut impl HostSource,
        clock: &impl Clock,
    ) -> Option<Sample<Cpu>> {
        let text = &mut self.text;
        let read = || {
            source.read_cached("/proc/stat", text).ok()?;
            Some(parse(text))
        };
        self.last.next_sample(t, clock, read, |before, now, dt| Cpu {
            context_switches: rate(before.context_switches, now.context_switches, dt),
            interrupts: rate(before.interrupts, now.interrupts, dt),
            forks: rate(before.forks, now.forks, dt),
            running: now.running,
            blocked: now.blocked,
            frequency,
            ..shares(before, now, dt * self.ticks_per_second)
        })
    }
}

pub(super) fn parse(text: &str) -> Counters {
    let mut counters = Counters::default();
    for line in text.lines() {
        let Some(line) = line.strip_prefix("cpu") else {
            count(line, &mut counters);
            continue;
        };
        let mut fields = line.split(' ');
        let core = fields.next().unwrap_or_default();
        // Guest time, the ninth and tenth figure, is contained in user and nice.
        let mut figures = fields.filter(|field| !field.is_empty()).map(|field| field.parse().unwrap_or(0));
        let mut next = || figures.next().unwrap_or(0);
        let (user, nice, system, idle, iowait) = (next(), next(), next(), next(), next());
        let modes = Modes { user, nice, system, idle, iowait, irq: next(), softirq: next(), steal: next() };
        match core.parse() {
            Ok(core) => _ = counters.cores.insert(core, modes),
            Err(_) => counters.all = modes,
        }
    }
    counters
}

/// What follows the cores: `ctxt 1990473`, `intr` with the sum first, and so on.
fn count(line: &str, counters: &mut Counters) {
    let mut fields = line.split(' ');
    let slot = match fields.next() {
        Some("intr") => &mut counters.interrupts,
        Some("ctxt") => &mut counters.context_switches,
        Some("processes") => &mut counters.forks,
        Some("procs_running") => &mut counters.running,
        Some("procs_blocked") => &mut counters.blocked,
        _ => return,
    };
    *slot = fields.next().and_then(|figure| figure.parse().ok());
}

/// Shares of the `ticks` that passed on each core.
fn shares(before: &Counters, now: &Counters, ticks: f64) -> Cpu {
    let online = now.cores.len().max(1) as f64;
    let share = |mode: fn(&Modes) -> u64| percentage(delta(mode(&before.all), mode(&now.all)), ticks * online);
    let core = |number| {
        let (before, now) = (before.cores.get(&number)?, now.cores.get(&number)?);
        percentage(busy(before, now), ticks)
    };
    Cpu {
        total: percentage(busy(&before.all, &now.all), ticks * online),
        cores: (0..now.cores.keys().last().map_or(0, |last| last + 1)).map(core).collect(),
        user: share(|m| m.user),
        nice: share(|m| m.nice),
        system: share(|m| m.system),
        irq: share(|m| m.irq.saturating_add(m.softirq)),
        iowait: share(|m| m.iowait),
        steal: share(|m| m.steal),
        ..Cpu::default()
    }
}

fn busy(before: &Modes, now: &Modes) -> Option<u64> {
    let modes: [fn(&Modes) -> u64; 6] = [|m| m.user, |m| m.nice, |m| m.system, |m| m.irq, |m| m.softirq, |m| m.steal];
    modes.into_iter().map(|mode| delta(mode(before), mode(now))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{clock::ManualClock, linux::tests::RecordedHost};

    const BOOT: &str =
        "cpu  100 0 50 1000 10 0 0 0 0 0\ncpu0 50 0 25 500 5 0 0 0 0 0\ncpu1 50 0 25 500 5 0 0 0 0 0\nintr 1\n";

    /// Samples BOOT, and `then` after `seconds`.
    fn sample(then: &str, seconds: f64) -> Cpu {
        let clock = ManualClock::at(1_000.0);
        let mut source = RecordedHost::default().with("/proc/stat", BOOT);
        let mut sampler = CpuSampler::new(100);
        assert_eq!(sampler.sample(0, None, &mut source, &clock), None, "one reading makes no rate");
        clock.advance(seconds);
        source = source.with("/proc/stat", then);
        let sample = sampler.sample(1_001_000, Some(2e9), &mut source, &clock).unwrap();
        assert_eq!((sample.t, sample.at, sample.dt), (1_001_000, 1_000.0 + seconds, seconds));
        sample.values
    }

    #[test]
    fn shares_are_of_the_time_that_really_passed() {
        let then = "cpu  150 10 70 1100 20 5 5 0 0 0\ncpu0 100 10 25 530 15 0 0 0\ncpu1 50 0 45 570 5 5 5 0\n";
        let cpu = sample(then, 1.0);
        assert_eq!((cpu.user, cpu.nice, cpu.system), (Some(25.0), Some(5.0), Some(10.0)));
        assert_eq!((cpu.iowait, cpu.irq, cpu.steal), (Some(5.0), Some(5.0), Some(0.0)));
        assert_eq!(cpu.total, Some(45.0));
        assert_eq!(cpu.cores, [Some(60.0), Some(30.0)]);
        assert_eq!(sample(then, 2.0).user, Some(12.5));
    }

    #[test]
    fn what_the_cores_were_busy_with_is_counted() {
        let then = "cpu  150 0 50 1100 10\nintr 501 9 9 9\nctxt 1000\nbtime 1795127000\nprocesses 30\nprocs_running 2\nprocs_blocked 1\nsoftirq 9 9\n";
        let cpu = sample(&then.replace("intr 501", "intr 1001"), 1.0);
        assert_eq!((cpu.interrupts, cpu.context_switches, cpu.forks), (Some(1000.0), None, None));
        assert_eq!((cpu.running, cpu.blocked), (Some(2), Some(1)));
    }

    #[test]
    fn a_counter_that_falls_gives_no_figure() {
        let cpu = sample("cpu  150 0 20 1100 4 0 0 0\ncpu0 150 0 20 600 4 0 0 0\ncpu1 60 0 25 500 5\n", 1.0);
        assert_eq!((cpu.system, cpu.iowait, cpu.total), (None, None, None));
        assert_eq!(cpu.user, Some(25.0));
        assert_eq!(cpu.cores, [None, Some(10.0)]);
    }

    #[test]
    fn a_core_that_is_offline_keeps_its_place() {
        let cpu = sample("cpu  150 0 50 1100 10\ncpu1 100 0 25 500 5\ncpu3 7 0 0 1\n", 1.0);
        assert_eq!(cpu.cores, [None, Some(50.0), None, None]);
    }

    #[test]
    fn a_share_never_passes_a_hundred() {
        assert_eq!(sample("cpu  999 0 50 1000 10\ncpu0 500 0 25 500 5\ncpu1 499 0 25 500 5\n", 1.0).total, Some(100.0));
    }

    #[test]
    fn an_unreadable_source_is_no_sample() {
        let mut sampler = CpuSampler::new(100);
        let clock = ManualClock::at(0.0);
        for _ in 0..3 {
            assert_eq!(sampler.sample(0, None, &mut RecordedHost::default(), &clock), None);
        }
    }
}
